//! Terminals as they answer, and what is made of it.

use super::super::environment::Environment;
use super::*;

const WINDOW: Window = Window { columns: 100, rows: 50, width: 0, height: 0 };

/// kitty 0.26.5's own answers.
fn kitty() -> Answers {
    Answers {
        graphics: Some(true),
        attributes: Some(vec![62]),
        cell: Some((9, 18)),
        area: Some((900, 900)),
        version: Some("kitty(0.26.5)".into()),
        keyboard: true,
        registers: None,
        width: Some(1),
    }
}

/// In a multiplexer; tmux lets everything through.
fn inside(multiplexer: Multiplexer) -> Surroundings {
    let environment = Environment { multiplexer: Some(multiplexer), has_tmux_socket: true, ..Environment::default() };
    let tmux = Tmux { is_utf8: Some(true), ..Tmux::passing() };
    Surroundings { environment, tmux }
}

type Change<'c> = &'c dyn Fn(&mut Surroundings);

fn with(environment: Environment) -> Surroundings {
    Surroundings { environment, ..Surroundings::default() }
}

fn decided(answers: &Answers, surroundings: &Surroundings) -> Capabilities {
    decide(GraphicsChoice::Auto, answers, surroundings, WINDOW)
}

#[test]
fn kitty_is_used_where_it_answers() {
    let found = decided(&kitty(), &Surroundings::default());
    assert_eq!((found.protocol, found.truecolor), (Protocol::Kitty, true));
    assert_eq!(found.cell, CellSize { width: 9, height: 18, guessed: false });
    assert!(found.notes.is_empty());
}

#[test]
fn xterm_gets_sixel_and_its_cell_from_the_window() {
    let answers = Answers { attributes: Some(vec![63, 1, 2, 4, 6]), ..Answers::default() };
    let window = Window { width: 700, height: 750, ..WINDOW };
    let found = decide(GraphicsChoice::Auto, &answers, &Surroundings::default(), window);
    assert_eq!(found.protocol, Protocol::Sixel);
    assert_eq!(found.cell, CellSize { width: 7, height: 15, guessed: false });
}

#[test]
fn graphics_are_sent_for_answers_only_whatever_the_environment_names() {
    // Inherited by a terminal that shows nothing of the kind.
    let surroundings = with(Environment {
        term: "xterm-256color".into(),
        term_program: "iTerm.app".into(),
        lc_terminal: "iTerm2".into(),
        color_term: "truecolor".into(),
        ..Environment::default()
    });
    let plain = Answers { attributes: Some(vec![65, 1]), width: Some(1), ..Answers::default() };
    let found = decided(&plain, &surroundings);
    assert_eq!(found.protocol, Protocol::Halfblocks);
    assert!(found.notes.iter().any(|note| note.contains("--graphics iterm2")), "{:?}", found.notes);
    let sixel = Answers { attributes: Some(vec![65, 4]), ..plain.clone() };
    assert_eq!(decided(&sixel, &surroundings).protocol, Protocol::Sixel);
    for (version, protocol) in [
        ("iTerm2 3.5.0", Protocol::Iterm2),
        ("WezTerm 20240203", Protocol::Iterm2),
        ("mintty 3.7.0", Protocol::Iterm2),
        ("VTE(7600)", Protocol::Halfblocks),
        ("frobnicator 1", Protocol::Halfblocks),
    ] {
        let answers = Answers { version: Some(version.into()), ..plain.clone() };
        let found = decided(&answers, &surroundings);
        assert_eq!(found.protocol, protocol, "{version}");
        assert!(!found.notes.iter().any(|note| note.contains("iterm2")), "it told its name: {:?}", found.notes);
    }
    // What a terminal around the multiplexer is named tells nothing of the multiplexer.
    for multiplexer in [Multiplexer::Tmux, Multiplexer::Screen, Multiplexer::Zellij, Multiplexer::Neovim] {
        let mut surroundings = surroundings.clone();
        surroundings.environment.multiplexer = Some(multiplexer);
        let found = decided(&plain, &surroundings);
        assert_eq!((found.protocol, found.multiplexer), (Protocol::Halfblocks, Some(multiplexer)));
        assert_eq!(found.name.as_deref(), Some(multiplexer.name()));
        assert!(found.notes.len() == 1 && found.notes[0].contains("half-blocks"), "{:?}", found.notes);
    }
}

#[test]
fn zellij_shows_sixel_where_it_says_so_and_screen_and_neovim_never_do() {
    let answers = Answers { attributes: Some(vec![62, 4]), ..Answers::default() };
    for (multiplexer, protocol) in [
        (Multiplexer::Zellij, Protocol::Sixel),
        (Multiplexer::Screen, Protocol::Halfblocks),
        (Multiplexer::Neovim, Protocol::Halfblocks),
    ] {
        assert_eq!(decided(&answers, &inside(multiplexer)).protocol, protocol, "{multiplexer:?}");
    }
}

#[test]
fn a_multiplexer_that_tells_its_name_is_known_whatever_the_environment_says() {
    for (version, multiplexer) in
        [("tmux 3.4", Multiplexer::Tmux), ("Zellij(0.40)", Multiplexer::Zellij), ("libvterm(0.3)", Multiplexer::Neovim)]
    {
        let answers = Answers { version: Some(version.into()), ..kitty() };
        let found = decided(&answers, &with(Environment { term: "xterm-256color".into(), ..Environment::default() }));
        assert_eq!((found.multiplexer, found.protocol), (Some(multiplexer), Protocol::Halfblocks), "{version}");
    }
}

#[test]
fn a_plain_terminal_gets_half_blocks_and_is_told_why() {
    let answers = Answers { attributes: Some(vec![1, 2]), ..Answers::default() };
    let found = decided(&answers, &with(Environment { term: "xterm-256color".into(), ..Environment::default() }));
    assert_eq!((found.protocol, found.truecolor), (Protocol::Halfblocks, false));
    assert_eq!((found.cell, found.notes.len()), (CellSize::GUESS, 1));
}

#[test]
fn in_tmux_the_note_names_what_is_in_the_way() {
    let through = decide(GraphicsChoice::Auto, &kitty(), &inside(Multiplexer::Tmux), WINDOW);
    assert_eq!(through.protocol, Protocol::Kitty);
    let silent = Answers { graphics: None, ..kitty() };
    let note = |change: Change<'_>| {
        let mut surroundings = inside(Multiplexer::Tmux);
        change(&mut surroundings);
        let found = decided(&silent, &surroundings);
        assert_eq!(found.protocol, Protocol::Halfblocks);
        found.notes.join(" ")
    };
    assert!(note(&|it| it.tmux.allows_passthrough = Some(false)).contains("allow-passthrough on"));
    let others: [(Change<'_>, &str); 4] = [
        (&|it| it.tmux.terminal = Some("XTerm(379)".into()), "XTerm(379) around tmux shows no images"),
        (&|it| it.tmux.within = Some("screen.xterm".into()), "inside another multiplexer (TERM=screen.xterm)"),
        (&|it| it.environment.has_tmux_socket = false, "another computer"),
        (&|it| it.tmux.pane = None, "where its pane is"),
    ];
    for (change, words) in others {
        let note = note(change);
        assert!(note.contains(words) && !note.contains("allow-passthrough"), "{note}");
    }
}

#[test]
fn nothing_that_could_become_a_title_is_asked_in_multiplexers() {
    let is_string = |bytes: &[u8]| bytes.windows(2).any(|two| two[0] == 0x1b && b"_P]^Xk".contains(&two[1]));
    for multiplexer in
        [Multiplexer::Tmux, Multiplexer::Screen, Multiplexer::Mosh, Multiplexer::Zellij, Multiplexer::Neovim]
    {
        assert!(!is_string(&inside(multiplexer).first_questions()), "{multiplexer:?}");
        assert!(!inside(multiplexer).may_ask_graphics(&kitty()), "{multiplexer:?}");
    }
    let reaches = |change: Change<'_>| {
        let mut surroundings = inside(Multiplexer::Tmux);
        change(&mut surroundings);
        surroundings.can_reach_beyond(&Answers::default())
    };
    assert!(reaches(&|_| {}));
    assert!(!reaches(&|it| it.tmux.within = Some("tmux-256color".into())), "tmux in tmux");
    assert!(!reaches(&|it| it.tmux.allows_passthrough = Some(false)));
    assert!(!reaches(&|it| it.environment.has_tmux_socket = false), "ssh out of tmux");
    // Not recognized by its variables, tmux is by its answers: those of a VT100.
    let unknown = with(Environment { term: "xterm-256color".into(), ..Environment::default() });
    assert!(!is_string(&unknown.first_questions()));
    assert!(!unknown.may_ask_graphics(&Answers { attributes: Some(vec![1, 2]), ..Answers::default() }));
    assert!(unknown.may_ask_graphics(&Answers { attributes: Some(vec![62, 4]), ..Answers::default() }));
    assert!(is_string(&with(Environment { term: "xterm-kitty".into(), ..Environment::default() }).first_questions()));
}

#[test]
fn letters_are_simplified_where_tmux_or_the_measured_width_or_else_the_locale_says_so() {
    let locale = |is_locale_utf8| with(Environment { is_locale_utf8, ..Environment::default() });
    let measured = |width| Answers { width, attributes: Some(vec![62]), ..Answers::default() };
    let simplified = |answers: &Answers, surroundings: &Surroundings| {
        let found = decided(answers, surroundings);
        let is_ascii = found.letters == Letters::Ascii;
        assert_eq!(is_ascii, found.glyphs == Glyphs::Blanks);
        let notes = found.notes.iter().filter(|note| note.contains("characters are simplified")).count();
        assert_eq!(notes, usize::from(is_ascii), "{:?}", found.notes);
        assert!(!is_ascii || found.notes[0].contains("characters are simplified"), "it is shown: {:?}", found.notes);
        is_ascii
    };
    for (width, is_utf8, ascii) in [
        (None, None, false),
        (None, Some(true), false),
        (None, Some(false), true),
        (Some(1), Some(false), false),
        (Some(2), Some(true), true),
        (Some(3), None, true),
    ] {
        assert_eq!(simplified(&measured(width), &locale(is_utf8)), ascii, "{width:?} {is_utf8:?}");
    }
    // tmux's own cells are always those of UTF-8; what its client makes of them is another matter.
    let mut tmux = inside(Multiplexer::Tmux);
    tmux.tmux.is_utf8 = Some(false);
    tmux.environment.is_locale_utf8 = Some(true);
    assert!(simplified(&measured(Some(1)), &tmux));
    tmux.tmux.is_utf8 = Some(true);
    tmux.environment.is_locale_utf8 = Some(false);
    assert!(!simplified(&measured(Some(1)), &tmux));
    tmux.tmux.is_utf8 = None;
    assert!(simplified(&measured(Some(1)), &tmux), "without a word of tmux's the locale counts");
    let xterm = Answers { version: Some("XTerm(379)".into()), ..measured(Some(1)) };
    assert_eq!(decided(&xterm, &locale(None)).letters, Letters::InPlace);
    assert_eq!(presume(GraphicsChoice::Auto, &locale(Some(false)), WINDOW).letters, Letters::Ascii);
}

#[test]
fn the_user_s_choice_outranks_the_answers() {
    let found = decide(GraphicsChoice::Sixel, &kitty(), &Surroundings::default(), WINDOW);
    assert_eq!(found.protocol, Protocol::Sixel);
}

#[test]
fn a_terminal_that_did_not_answer_is_noted() {
    assert!(decided(&Answers::default(), &Surroundings::default()).notes[0].contains("--graphics"));
}

#[test]
fn before_the_answers_only_the_protocol_that_was_named_is_used_and_nothing_is_complained_of() {
    let auto = presume(GraphicsChoice::Auto, &Surroundings::default(), WINDOW);
    assert!(auto.protocol == Protocol::None && auto.notes.is_empty());
    assert_eq!(auto.voice, Voice::Unknown);
    assert_eq!(presume(GraphicsChoice::Kitty, &Surroundings::default(), WINDOW).protocol, Protocol::Kitty);
}

#[test]
fn mosh_shows_half_blocks_whatever_the_terminal_behind_it_answers() {
    let found = decided(&kitty(), &inside(Multiplexer::Mosh));
    assert_eq!(found.protocol, Protocol::Halfblocks);
    assert!(found.notes.iter().any(|note| note.contains("ssh")), "{:?}", found.notes);
}

#[test]
fn the_row_in_force_is_told() {
    let driver = decided(&kitty(), &Surroundings::default()).driver.expect("known");
    assert!(driver.starts_with("kitty, at best by kitty; "), "{driver}");
    let unknown = with(Environment { term: "frobnicator".into(), ..Environment::default() });
    assert_eq!(decided(&Answers::default(), &unknown).driver, None);
}
