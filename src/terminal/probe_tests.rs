//! Terminals as they answer, and what is made of it.

use super::*;

const WINDOW: Window = Window { columns: 100, rows: 50, width: 0, height: 0 };

/// kitty 0.26.5's own answers.
fn kitty() -> Answers {
    Answers {
        graphics: true,
        attributes: Some(vec![62]),
        cell: Some((9, 18)),
        area: Some((900, 900)),
        version: Some("kitty(0.26.5)".into()),
        registers: None,
    }
}

fn inside(multiplexer: Multiplexer) -> Environment {
    Environment { multiplexer: Some(multiplexer), ..Environment::default() }
}

fn decided(answers: &Answers, environment: &Environment) -> Capabilities {
    decide(GraphicsChoice::Auto, answers, environment, WINDOW, None)
}

#[test]
fn kitty_is_used_where_it_answers() {
    let found = decided(&kitty(), &Environment::default());
    assert_eq!((found.protocol, found.truecolor), (Protocol::Kitty, true));
    assert_eq!(found.cell, CellSize { width: 9, height: 18, guessed: false });
    assert!(found.notes.is_empty());
}

#[test]
fn xterm_gets_sixel_and_its_cell_from_the_window() {
    let answers = Answers { attributes: Some(vec![63, 1, 2, 4, 6]), ..Answers::default() };
    let window = Window { width: 700, height: 750, ..WINDOW };
    let found = decide(GraphicsChoice::Auto, &answers, &Environment::default(), window, None);
    assert_eq!(found.protocol, Protocol::Sixel);
    assert_eq!(found.cell, CellSize { width: 7, height: 15, guessed: false });
}

#[test]
fn iterm2_is_known_by_what_ssh_passes_on() {
    let answers = Answers { attributes: Some(vec![62, 4]), ..Answers::default() };
    let environment = Environment { lc_terminal: "iTerm2".into(), ..Environment::default() };
    assert_eq!(decided(&answers, &environment).protocol, Protocol::Iterm2);
}

#[test]
fn a_plain_terminal_gets_half_blocks_and_is_told_why() {
    let answers = Answers { attributes: Some(vec![1, 2]), ..Answers::default() };
    let environment = Environment { term: "xterm-256color".into(), ..Environment::default() };
    let found = decided(&answers, &environment);
    assert_eq!((found.protocol, found.truecolor), (Protocol::Halfblocks, false));
    assert_eq!((found.cell, found.notes.len()), (CellSize::GUESS, 1));
}

#[test]
fn tmux_needs_its_pane_and_passthrough() {
    let environment = inside(Multiplexer::Tmux);
    let through = decide(GraphicsChoice::Auto, &kitty(), &environment, WINDOW, Some((0, 0)));
    assert_eq!(through.protocol, Protocol::Kitty);
    let closed = Answers { graphics: false, ..kitty() };
    let found = decide(GraphicsChoice::Auto, &closed, &environment, WINDOW, Some((0, 0)));
    assert_eq!(found.protocol, Protocol::Halfblocks);
    assert!(found.notes.iter().any(|note| note.contains("allow-passthrough")));
}

#[test]
fn screen_is_never_asked_about_graphics() {
    let environment = inside(Multiplexer::Screen);
    assert!(!environment.questions().contains(&b'_'));
    assert_eq!(decided(&Answers::default(), &environment).protocol, Protocol::Halfblocks);
}

#[test]
fn the_user_s_choice_outranks_the_answers() {
    let found = decide(GraphicsChoice::Sixel, &kitty(), &Environment::default(), WINDOW, None);
    assert_eq!(found.protocol, Protocol::Sixel);
}

#[test]
fn a_terminal_that_did_not_answer_is_noted() {
    assert!(decided(&Answers::default(), &Environment::default()).notes[0].contains("--graphics"));
}

#[test]
fn the_last_answer_is_the_end_but_in_tmux_the_terminal_beyond_has_time() {
    let mut answers = Answers::default();
    assert!(answers.take(Reply::CellPixels { width: 9, height: 18 }));
    assert!(!answers.complete(&Environment::default()));
    assert!(!answers.take(Reply::CursorPosition { row: 2, column: 1 }), "a fence's answer is none of ours");
    answers.take(Reply::PrimaryAttributes(vec![62]));
    assert!(answers.complete(&Environment::default()) && !answers.complete(&inside(Multiplexer::Tmux)));
    assert!(answers.limit() < LIMIT);
    answers.take(Reply::Graphics { id: QUERY_IMAGE, placement: None, message: "OK".into() });
    assert!(answers.complete(&inside(Multiplexer::Tmux)));
}

#[test]
fn before_the_answers_only_the_protocol_that_was_named_is_used_and_nothing_is_complained_of() {
    let auto = presume(GraphicsChoice::Auto, &Environment::default(), WINDOW);
    assert!(auto.protocol == Protocol::None && auto.notes.is_empty());
    assert_eq!(auto.voice, Voice::Unknown);
    assert_eq!(presume(GraphicsChoice::Kitty, &Environment::default(), WINDOW).protocol, Protocol::Kitty);
}

#[test]
fn tmux_s_status_line_counts_where_it_is_on_top() {
    assert_eq!(pane_offset("41 0 on bottom\n"), Some((41, 0)));
    assert_eq!(pane_offset("0 12 2 top\n"), Some((0, 14)));
    assert_eq!(pane_offset("0 0 off top\n"), Some((0, 0)));
    assert_eq!(pane_offset("no server\n"), None);
}

#[test]
fn mosh_shows_half_blocks_whatever_the_terminal_behind_it_answers() {
    let found = decided(&kitty(), &inside(Multiplexer::Mosh));
    assert_eq!(found.protocol, Protocol::Halfblocks);
    assert!(found.notes.iter().any(|note| note.contains("ssh")), "{:?}", found.notes);
}

#[test]
fn the_row_in_force_is_told() {
    let driver = decided(&kitty(), &Environment::default()).driver.expect("known");
    assert!(driver.starts_with("kitty, at best by kitty; "), "{driver}");
    let unknown = Environment { term: "frobnicator".into(), ..Environment::default() };
    assert_eq!(decided(&Answers::default(), &unknown).driver, None);
}

#[test]
fn a_terminal_without_a_screen_is_refused_by_its_name() {
    let named = |term: &str| Environment { term: term.into(), ..Environment::default() };
    for (term, refused) in [("dumb", Some("dumb")), ("", Some("")), ("unknown", Some("unknown")), ("xterm", None)] {
        assert_eq!(named(term).without_screen(), refused, "{term}");
    }
}
