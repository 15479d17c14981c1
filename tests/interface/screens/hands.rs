//! What the hands do: numbers before commands, `.`, jumps and back, the cine loop, lines with arguments.

use crate::support::model::{BROKEN, Session, key_slice, plain};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use cspine::app::{Command, Effect, Message, PromptKey, Screen};
use cspine::config::Keymap;
use cspine::domain::CervicalLevel;
use cspine::raster::Plane;

const SLICES: usize = 140;

/// A broken neck, open on C6.
fn open() -> Session {
    let mut session = Session::with_network((120, 30));
    session.found(plain(1)).scanned(SLICES).analysed(1, SLICES, BROKEN).command(Command::Open).loaded();
    assert_eq!(at(&session), key_slice(CervicalLevel::C6, SLICES));
    session
}

fn at(session: &Session) -> usize {
    session.model.reading.as_ref().expect("open").slice_of(Plane::Axial)
}

/// Types keys as the runtime hands them on.
fn press(session: &mut Session, keys: &str) {
    let keymap = Keymap::builtin();
    for letter in keys.chars() {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
        let command = keymap.command(session.model.screen(), &key);
        match (keymap.digit(&key), command) {
            (Some(digit), command) => session.send(Message::Digit(digit, command)),
            (None, Some(command)) => session.command(command),
            (None, None) => panic!("{letter} does nothing"),
        };
    }
}

fn notice(session: &Session) -> &str {
    session.model.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

fn wake(session: &Session) -> u64 {
    let serial = session.effects.iter().find_map(|effect| match effect {
        Effect::Wake(serial, _) => Some(*serial),
        _ => None,
    });
    serial.expect("a timer")
}

#[test]
fn a_digit_goes_to_its_level_at_once_and_a_number_counts_from_where_the_reader_was() {
    let mut session = open();
    let here = at(&session);
    press(&mut session, "1");
    assert_eq!(at(&session), key_slice(CervicalLevel::C1, SLICES), "1 alone is C1");
    press(&mut session, "0");
    assert_eq!(at(&session), here, "10 is a number: what 1 did is taken back");
    press(&mut session, "k");
    assert_eq!(at(&session), here - 10);
    press(&mut session, "k");
    assert_eq!(at(&session), here - 11, "a number counts once");
    press(&mut session, "3j");
    assert_eq!(at(&session), here - 8, "typed on at once, a single digit counts, too");
}

#[test]
fn a_digit_that_was_looked_at_is_no_number_any_more() {
    let mut session = open();
    press(&mut session, "2");
    let serial = wake(&session);
    session.send(Message::Woken(serial));
    press(&mut session, "j");
    assert_eq!(at(&session), key_slice(CervicalLevel::C2, SLICES) + 1);
    press(&mut session, "5");
    session.send(Message::Woken(serial));
    press(&mut session, "j");
    assert_ne!(at(&session), key_slice(CervicalLevel::C5, SLICES) + 1, "an old timer ends no new number");
}

#[test]
fn numbers_name_slices_and_rows() {
    let mut session = open();
    press(&mut session, "15G");
    assert_eq!(at(&session), 14);
    press(&mut session, "5G");
    assert_eq!(at(&session), 4);
    press(&mut session, "999G");
    assert_eq!(at(&session), 4, "past the end is refused");
    assert!(notice(&session).contains("no slice 999: the axial plane has slices 1 to 140"), "{}", notice(&session));
    typed(&mut session, "999");
    assert_eq!(at(&session), 4);
    typed(&mut session, "goto -900mm");
    assert_eq!(at(&session), 4);
    assert!(notice(&session).contains("goes from −20.0 to −159.0 mm"), "{}", notice(&session));
    session.command(Command::Close);
    for n in 2..=12 {
        session.found(plain(n));
    }
    press(&mut session, "99G");
    assert!(notice(&session).contains("no row 99: the list has rows 1 to 12"), "{}", notice(&session));
    press(&mut session, "7G");
    assert_eq!(session.model.worklist.selected_row(), Some(6));
    press(&mut session, "3k");
    assert_eq!(session.model.worklist.selected_row(), Some(3));
}

#[test]
fn huge_numbers_do_no_harm() {
    let mut session = open();
    press(&mut session, "99999999999999999999j");
    assert_eq!(at(&session), SLICES - 1);
    press(&mut session, "98765+");
    press(&mut session, "88888[");
}

#[test]
fn a_full_stop_adjusts_once_more() {
    let mut session = open();
    press(&mut session, ".");
    assert_eq!(notice(&session), "nothing was adjusted yet");
    let level = |session: &Session| session.model.reading.as_ref().expect("open").appearance().window.center();
    let before = level(&session);
    press(&mut session, "8]");
    let step = level(&session) - before;
    assert!(step > 50.0, "{step}");
    press(&mut session, "jj.");
    assert!((level(&session) - before - 2.0 * step).abs() < 1e-9, "the same number again");
}

#[test]
fn jumps_lead_back_and_forward_and_steps_do_not() {
    let mut session = open();
    let c6 = at(&session);
    session.command(Command::Level(CervicalLevel::C2)).command(Command::SliceDown);
    let near_c2 = at(&session);
    session.command(Command::LastSlice).command(Command::Back);
    assert_eq!(at(&session), near_c2);
    session.command(Command::Back);
    assert_eq!(at(&session), c6);
    session.command(Command::Back);
    assert!(notice(&session).contains("nowhere"), "{}", notice(&session));
    session.command(Command::Forward).command(Command::Forward);
    assert_eq!(at(&session), SLICES - 1);
}

#[test]
fn the_next_level_is_the_next_one_footward() {
    let mut session = open();
    session.command(Command::PreviousLevel);
    assert_eq!(at(&session), key_slice(CervicalLevel::C5, SLICES));
    session.command(Command::NextLevel).command(Command::NextLevel);
    assert_eq!(at(&session), key_slice(CervicalLevel::C7, SLICES));
    session.command(Command::NextLevel);
    assert_eq!(notice(&session), "no level is known below this place");
}

#[test]
fn the_cine_loop_runs_round_and_any_move_stops_it() {
    let mut session = open();
    session.command(Command::Cine);
    let period = |session: &Session| {
        session.effects.iter().find_map(|effect| match effect {
            Effect::Cine(period) => Some(*period),
            _ => None,
        })
    };
    assert_eq!(period(&session), Some(Some(std::time::Duration::from_millis(100))));
    let here = at(&session);
    for _ in 0..SLICES {
        session.send(Message::CineTick);
    }
    assert_eq!(at(&session), here, "round once");
    session.command(Command::CineFaster).command(Command::WindowSoft).command(Command::ZoomIn);
    assert!(session.model.cine.running, "looking otherwise stops nothing");
    session.command(Command::SliceUp);
    assert!(!session.model.cine.running);
    assert_eq!(period(&session), Some(None));
    session.send(Message::CineTick);
    assert_eq!(at(&session), here - 1, "a late tick moves nothing");
    session.command(Command::Cine).command(Command::NextStudy);
    assert!(!session.model.cine.running && session.model.screen() == Screen::Reading, "space pauses");
    assert_eq!(notice(&session), "cine paused");
    session.command(Command::Cine).command(Command::Close).send(Message::CineTick);
    assert_eq!(session.model.screen(), Screen::Worklist);
    assert!(!session.model.cine.running);
}

fn typed(session: &mut Session, line: &str) {
    session.command(Command::Palette).type_text(line).key(PromptKey::Enter);
}

#[test]
fn lines_take_arguments() {
    let mut session = open();
    typed(&mut session, "goto 30");
    assert_eq!(at(&session), 29);
    typed(&mut session, "12");
    assert_eq!(at(&session), 11);
    // The first slice lies at −20 mm, one each millimetre.
    typed(&mut session, "goto -60mm");
    assert_eq!(at(&session), 40);
    typed(&mut session, "-60.4mm");
    assert!(notice(&session).contains("0.4 mm"), "{}", notice(&session));
    session.command(Command::Back);
    assert_eq!(at(&session), 11, "lines are jumps");
    typed(&mut session, "window 400 40");
    let window = session.model.reading.as_ref().expect("open").appearance().window;
    assert_eq!((window.width(), window.center()), (400.0, 40.0));
    typed(&mut session, "window wide");
    assert!(notice(&session).contains("window takes width and level"), "{}", notice(&session));
    typed(&mut session, "cine 25");
    assert!(session.model.cine.running && session.model.cine.rate() == 25);
    session.command(Command::GoTo);
    assert_eq!(session.model.prompt.as_ref().map(|prompt| prompt.text().to_owned()), Some("goto ".to_owned()));
}

#[test]
fn the_palette_finds_commands_by_letters_and_opens_studies_by_name_and_number() {
    let mut session = open();
    for n in 2..=5 {
        session.found(plain(n));
    }
    let first = |session: &Session| session.model.offers().first().map(|offer| offer.name.clone()).unwrap_or_default();
    session.command(Command::Palette).type_text("nxsusp");
    assert_eq!(first(&session), "next-suspicion");
    session.key(PromptKey::Escape).command(Command::Palette).type_text("invert");
    assert_eq!(first(&session), "invert", "a whole name goes first");
    session.key(PromptKey::Escape).command(Command::Palette).type_text("goto 1");
    assert_eq!(session.model.offers().len(), 1);
    assert!(session.model.offers()[0].words.contains("-128mm"));
    session.key(PromptKey::Escape);
    typed(&mut session, "phantom n04");
    assert_eq!(
        session.model.reading.as_ref().map(|reading| reading.study.uid.clone()),
        Some(crate::support::model::uid(4))
    );
    typed(&mut session, "P003");
    assert_eq!(
        session.model.reading.as_ref().map(|reading| reading.study.uid.clone()),
        Some(crate::support::model::uid(3))
    );
    typed(&mut session, "qqqq");
    assert!(notice(&session).contains("no command and no study"), "{}", notice(&session));
}
