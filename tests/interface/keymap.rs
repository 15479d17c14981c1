//! Keys: what is bound, that nothing is bound twice or lost, and that help and hints agree.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use cspine::app::{Command, Context, Screen};
use cspine::config::{Keymap, Profile, Settings};
use cspine::domain::CervicalLevel;
use std::collections::HashSet;

const SCREENS: [Screen; 2] = [Screen::Worklist, Screen::Reading];

/// What is left to the palette on purpose: they take an argument, or are seldom wanted.
const PALETTE_ONLY: &[Command] =
    &[Command::Window, Command::ExportPlain, Command::ExportKeyImages, Command::PictureQuality];

fn press(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn letter(letter: char) -> KeyEvent {
    press(KeyCode::Char(letter))
}

fn ctrl(letter: char) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
}

fn settings(text: &str) -> Settings {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, text).expect("a file");
    Settings::load(&path).expect("settings")
}

fn overridden(text: &str) -> Keymap {
    Keymap::builtin().with_overrides(&settings(text))
}

#[test]
fn every_command_has_a_key_or_is_left_to_the_palette_on_purpose() {
    let keymap = Keymap::builtin();
    for &command in Command::ALL {
        for screen in SCREENS.into_iter().filter(|&screen| command.context().includes(screen)) {
            let keys = keymap.keys_of(screen, command);
            assert_eq!(keys.is_empty(), PALETTE_ONLY.contains(&command), "{} on {screen:?}: {keys:?}", command.name());
        }
    }
}

#[test]
fn no_key_means_two_things_on_a_screen() {
    let keymap = Keymap::builtin();
    for screen in SCREENS {
        let mut seen = HashSet::new();
        for &command in Command::ALL {
            for key in keymap.keys_of(screen, command) {
                assert!(seen.insert(key.clone()), "{key} is bound twice on {screen:?}");
            }
        }
    }
}

/// The keys that Shift or Caps Lock makes of one, and the one that it is without.
fn slips(key: &str) -> Vec<String> {
    let (prefix, last) = key.rsplit_once('-').map_or(("", key), |(prefix, last)| (&key[..prefix.len() + 1], last));
    let mut slips = vec![key.to_owned(), format!("shift-{key}"), key.replace("shift-", "")];
    let mut letters = last.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        slips.push(format!("{prefix}{}", letter.to_lowercase()));
        slips.push(format!("{prefix}{}", letter.to_uppercase()));
    }
    slips
}

#[test]
fn no_shift_or_caps_lock_makes_a_final_assessment_of_another_key() {
    let finals = [Command::Negative, Command::Positive, Command::StudyUnreadable];
    for profile in Profile::ALL {
        let keymap = Keymap::of(profile);
        let bound = |key: &str| {
            Command::ALL
                .iter()
                .copied()
                .find(|&command| keymap.keys_of(Screen::Reading, command).iter().any(|k| k == key))
        };
        for command in finals {
            for key in keymap.keys_of(Screen::Reading, command) {
                for slip in slips(&key) {
                    let found = bound(&slip);
                    let name = profile.name();
                    assert!(found.is_none() || found == Some(command), "{name}: {key} and {slip} are {found:?}");
                }
            }
        }
        for &command in Command::ALL.iter().filter(|command| !finals.contains(command)) {
            for key in keymap.keys_of(Screen::Reading, command) {
                let slip =
                    slips(&key).into_iter().find(|slip| bound(slip).is_some_and(|found| finals.contains(&found)));
                assert_eq!(slip, None, "{}: {key} is {}", profile.name(), command.name());
            }
        }
        assert_eq!(keymap.command(Screen::Reading, &press(KeyCode::Esc)), Some(Command::Cancel), "{}", profile.name());
    }
}

#[test]
fn what_works_everywhere_works_by_the_same_keys_everywhere() {
    let keymap = Keymap::builtin();
    let everywhere = Command::ALL.iter().filter(|command| command.context() == Context::Everywhere);
    // q leaves the list, and a study for the list.
    for &command in everywhere.filter(|&&command| command != Command::Quit) {
        let [worklist, reading] = SCREENS.map(|screen| keymap.keys_of(screen, command));
        assert_eq!(worklist, reading, "{} is shadowed", command.name());
    }
    for screen in SCREENS {
        assert_eq!(keymap.command(screen, &ctrl('c')), Some(Command::Quit));
    }
}

#[test]
fn a_command_is_used_only_where_it_belongs() {
    let keymap = Keymap::builtin();
    for screen in SCREENS {
        for &command in Command::ALL.iter().filter(|command| !command.context().includes(screen)) {
            assert_eq!(keymap.keys_of(screen, command), Vec::<String>::new(), "{} on {screen:?}", command.name());
        }
    }
}

#[test]
fn the_readers_keys() {
    let keymap = Keymap::builtin();
    let worklist = |key: KeyEvent| keymap.command(Screen::Worklist, &key);
    let reading = |key: KeyEvent| keymap.command(Screen::Reading, &key);
    assert_eq!(worklist(letter('q')), Some(Command::Quit));
    assert_eq!(reading(letter('q')), Some(Command::Close));
    assert_eq!(worklist(press(KeyCode::Enter)), Some(Command::Open));
    assert_eq!(worklist(press(KeyCode::Down)), worklist(letter('j')));
    assert_eq!(reading(letter('6')), Some(Command::Level(CervicalLevel::C6)));
    assert_eq!(reading(letter('J')), Some(Command::SlicesDown));
    assert_eq!(reading(KeyEvent::new(KeyCode::Char('J'), KeyModifiers::SHIFT)), Some(Command::SlicesDown));
    assert_eq!(reading(press(KeyCode::BackTab)), Some(Command::PreviousSeries));
    assert_eq!(reading(KeyEvent::new(KeyCode::Left, KeyModifiers::SHIFT)), Some(Command::PanLeft));
    assert_eq!(reading(letter('/')), None);
    assert_eq!(worklist(letter('6')), None);
}

#[test]
fn settings_add_keys_and_take_them_away() {
    let keymap = overridden("[keys.reading]\n\"x\" = \"next-suspicion\"\n\"space\" = \"none\"\n\"T\" = \"none\"\n");
    assert_eq!(keymap.command(Screen::Reading, &letter('x')), Some(Command::NextSuspicion));
    assert_eq!(
        keymap.keys_of(Screen::Reading, Command::NextSuspicion),
        ["x", "n"],
        "the user's own key is shown first"
    );
    assert_eq!(keymap.command(Screen::Reading, &letter(' ')), None);
    assert_eq!(keymap.command(Screen::Worklist, &letter(' ')), Some(Command::OpenMostUrgent));
    assert_eq!(keymap.command(Screen::Reading, &letter('T')), None, "a key of both screens can be taken from one");
    assert_eq!(keymap.keys_of(Screen::Reading, Command::NextTheme), Vec::<String>::new());
    assert_eq!(keymap.command(Screen::Worklist, &letter('T')), Some(Command::NextTheme));
}

#[test]
fn a_key_set_everywhere_is_set_everywhere() {
    let keymap =
        overridden("[keys.everywhere]\n\"j\" = \"help\"\n\"q\" = \"none\"\n[keys.reading]\n\"j\" = \"invert\"\n");
    assert_eq!(keymap.command(Screen::Worklist, &letter('j')), Some(Command::Help));
    assert_eq!(keymap.command(Screen::Reading, &letter('j')), Some(Command::Invert), "the screen's own table wins");
    assert_eq!(keymap.command(Screen::Reading, &letter('q')), None);
    assert_eq!(keymap.keys_of(Screen::Worklist, Command::Down), ["down"]);
}

/// A key with its modifiers, as settings write it, on the reading screen.
fn reading(keymap: &Keymap, code: KeyCode, modifiers: KeyModifiers) -> Option<Command> {
    keymap.command(Screen::Reading, &KeyEvent::new(code, modifiers))
}

#[test]
fn profiles_have_the_other_programs_keys() {
    let (none, shift, ctrl) = (KeyModifiers::NONE, KeyModifiers::SHIFT, KeyModifiers::CONTROL);
    let weasis = Keymap::of(Profile::Weasis);
    for (code, modifiers, command) in [
        (KeyCode::Up, none, Command::SliceUp),
        (KeyCode::Down, shift, Command::SlicesDown),
        (KeyCode::Home, none, Command::FirstSlice),
        (KeyCode::Left, none, Command::PreviousSeries),
        (KeyCode::Right, ctrl, Command::NextStudy),
        (KeyCode::Char('c'), none, Command::Cine),
        (KeyCode::Char('6'), none, Command::WindowBone),
        (KeyCode::Char('d'), none, Command::MeasureDistance),
        (KeyCode::Char('a'), none, Command::MeasureAngle),
        (KeyCode::Char('k'), none, Command::KeyImage),
        (KeyCode::Char('7'), none, Command::WindowLung),
    ] {
        assert_eq!(reading(&weasis, code, modifiers), Some(command), "weasis {code:?}");
    }
    let ohif = Keymap::of(Profile::Ohif);
    for (code, command) in [
        (KeyCode::PageUp, Command::PreviousSeries),
        (KeyCode::PageDown, Command::NextSeries),
        (KeyCode::Char('i'), Command::Invert),
        (KeyCode::Char(' '), Command::Fit),
        (KeyCode::Char('3'), Command::WindowBone),
        (KeyCode::Char('c'), Command::Cine),
    ] {
        assert_eq!(reading(&ohif, code, none), Some(command), "ohif {code:?}");
    }
    let horos = Keymap::of(Profile::Horos);
    for (code, command) in [
        (KeyCode::Right, Command::SliceDown),
        (KeyCode::Up, Command::ZoomIn),
        (KeyCode::Tab, Command::ToggleTexts),
        (KeyCode::Char('l'), Command::MeasureDistance),
        (KeyCode::Char(','), Command::Undo),
        (KeyCode::Char('.'), Command::Defer),
        (KeyCode::Char('2'), Command::WindowBone),
    ] {
        assert_eq!(reading(&horos, code, none), Some(command), "horos {code:?}");
    }
}

#[test]
fn in_every_profile_every_command_has_a_key_and_no_key_two_commands() {
    for profile in Profile::ALL {
        let keymap = Keymap::of(profile);
        for screen in SCREENS {
            let mut seen = HashSet::new();
            for &command in Command::ALL.iter().filter(|command| command.context().includes(screen)) {
                let keys = keymap.keys_of(screen, command);
                let left_out = PALETTE_ONLY.contains(&command);
                assert!(left_out || !keys.is_empty(), "{}: {} on {screen:?}", profile.name(), command.name());
                for key in keys {
                    assert!(seen.insert(key.clone()), "{}: {key} is bound twice on {screen:?}", profile.name());
                }
            }
        }
        assert!(keymap.command(Screen::Reading, &ctrl('c')) == Some(Command::Quit), "a way out");
    }
    // What Weasis' digits took is on Alt.
    let weasis = Keymap::of(Profile::Weasis);
    assert_eq!(weasis.keys_of(Screen::Reading, Command::Level(CervicalLevel::C6)), ["alt-6"]);
    assert_eq!(weasis.digit(&letter('6')), None, "no counts where digits are windows");
    assert_eq!(Keymap::builtin().digit(&letter('6')), Some(6));
}

#[test]
fn settings_choose_a_profile_and_lie_over_it() {
    let own = settings("[keys]\nprofile = \"weasis\"\n[keys.reading]\n\"c\" = \"close\"\n");
    let keymap = Keymap::for_settings(&own, None);
    assert_eq!(keymap.profile(), Profile::Weasis);
    assert_eq!(reading(&keymap, KeyCode::Char('c'), KeyModifiers::NONE), Some(Command::Close));
    assert_eq!(reading(&keymap, KeyCode::Left, KeyModifiers::NONE), Some(Command::PreviousSeries));
    assert_eq!(Keymap::for_settings(&own, Some(Profile::Ohif)).profile(), Profile::Ohif);
}

#[test]
fn conflicts_are_found_and_named_with_their_places() {
    let told = |text: &str| -> Vec<String> {
        let conflicts = Keymap::builtin().conflicts(&settings(text));
        conflicts
            .iter()
            .map(|conflict| conflict.to_string().rsplit('/').next().unwrap_or_default().to_owned())
            .collect()
    };
    let lost = told("[keys.reading]\n\"x\" = \"fit\"\n  \"n\" = \"invert\"\n");
    assert!(
        lost.iter().any(|line| line == "settings.toml:3:3: \"n\" does \"invert\" now, and \"next-suspicion\" has no key left but :next-suspicion; give it another one"),
        "{lost:?}"
    );
    let twins = told("[keys.reading]\n\"ctrl-i\" = \"forward\"\n");
    assert_eq!(twins.len(), 1, "{twins:?}");
    assert!(twins[0].starts_with("settings.toml:2:1: most terminals send \"ctrl-i\" as \"tab\""), "{twins:?}");
    assert!(told("[keys.reading]\n\"n\" = \"none\"\n").is_empty(), "what is taken away on purpose is no conflict");
    assert!(told("[keys.reading]\n\"n\" = \"invert\"\n\"&\" = \"next-suspicion\"\n").is_empty());
    assert!(told("[keys.everywhere]\n\"o\" = \"help\"\n").iter().any(|line| line.contains("\"order\"")));
}

#[test]
fn help_lists_every_command_of_the_screen_with_its_keys() {
    let keymap = Keymap::builtin();
    for screen in SCREENS {
        let help = keymap.help(screen);
        assert_eq!(help.len(), Command::ALL.iter().filter(|command| command.context().includes(screen)).count());
        assert!(help.iter().all(|(keys, _)| !keys.is_empty()));
    }
    let help = keymap.help(Screen::Reading);
    assert!(help.contains(&("+ =".to_owned(), Command::ZoomIn)));
    assert_eq!(keymap.hint(Screen::Reading, Command::NextStudy).as_deref(), Some("␣"));
    assert_eq!(keymap.hint(Screen::Worklist, Command::Open).as_deref(), Some("⏎"));
    let keymap = overridden("[keys.reading]\n\"H\" = \"none\"\n");
    assert!(keymap.help(Screen::Reading).contains(&(":window-brain".to_owned(), Command::WindowBrain)));
    assert_eq!(keymap.hint(Screen::Reading, Command::WindowBrain), None);
}

#[test]
fn the_key_tables_are_whole() {
    let text = Keymap::builtin().markdown();
    for &command in Command::ALL {
        assert!(text.contains(&format!("| `{}` | {} |", command.name(), command.help())), "{}", command.name());
    }
    assert!(text.contains("| `q` `ctrl-c` | `quit` | quit |"));
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows.iter().all(|row| row.replace("\\|", "").matches('|').count() == 4), "{text}");
}

#[test]
fn a_pipe_in_a_key_does_not_break_the_table() {
    let text = overridden("[keys.reading]\n\"|\" = \"invert\"\n\"`\" = \"fit\"\n").markdown();
    assert!(text.contains("| `\\|` `i` | `invert` |"), "{text}");
    assert!(text.contains("| `` ` `` `8` | `fit` |"), "{text}");
}
