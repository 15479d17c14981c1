//! Keyboards: on every common layout each command has a key that needs neither AltGr (Option) nor a dead key.

use cspine::app::{Command, Screen};
use cspine::config::{Keymap, Profile};

/// A layout, and the signs of ASCII beside letters, digits and the space that it types directly or with Shift.
struct Layout {
    name: &'static str,
    signs: &'static str,
}

/// By xkeyboard-config (`symbols/de`, `fr`, …; the variant `basic`): the first two levels of each key, without keys that are dead
/// there or on the same layout elsewhere. Dead are, for example, `dead_circumflex` and `dead_grave` on `de`, `es`, `se` and `ch`.
const LAYOUTS: [Layout; 13] = [
    Layout { name: "us", signs: "`~!@#$%^&*()-_=+[]{}\\|;:'\",.<>/?" },
    // 3 is section, AE11 ssharp and question, AD12 plus and asterisk, BKSL numbersign and apostrophe.
    Layout { name: "de", signs: "!\"$%&/()=?+*#'<>,;.:-_" },
    // Digits are shifted: ampersand, quotedbl, apostrophe, parenleft, minus, underscore; BKSL asterisk, AB08 semicolon and period.
    Layout { name: "fr", signs: "&\"'(-_)=+$*<>,?;.:/!%" },
    // 3 is periodcentered, AE11 apostrophe and question, AD11 dead_grave and dead_circumflex, AD12 plus and asterisk.
    Layout { name: "es", signs: "!\"$%&/()='?+*<>,;.:-_" },
    // TLDE backslash and bar, 3 sterling, AE12 igrave and asciicircum.
    Layout { name: "it", signs: "\\|!\"$%&/()='?^+*<>,;.:-_" },
    // 3 numbersign, 4 currency, AE12 dead_acute and dead_grave, AD12 dead_diaeresis and dead_circumflex.
    Layout { name: "se", signs: "!\"#%&/()=+?'*<>,;.:-_" },
    Layout { name: "fi", signs: "!\"#%&/()=+?'*<>,;.:-_" },
    // As se, but TLDE bar and section, AE12 backslash and dead_grave.
    Layout { name: "no", signs: "|\\!\"#%&/()=+?'*<>,;.:-_" },
    Layout { name: "dk", signs: "!\"#%&/()=+?'*<>,;.:-_" },
    // TLDE quotedbl, 2 apostrophe, 3 a circumflex that other systems have as a dead key, 4 plus, AE11 asterisk and question.
    Layout { name: "tr", signs: "\"!'+%&/()=*?-_<>,;.:" },
    // 1 plus, 2 quotedbl, 3 asterisk, AE11 apostrophe and question, AD12 dead_diaeresis and exclam, BKSL dollar.
    Layout { name: "ch(de)", signs: "+\"*%&/()='?!$<>,;.:-_" },
    Layout { name: "ch(fr)", signs: "+\"*%&/()='?!$<>,;.:-_" },
    Layout { name: "gb", signs: "`!\"$%^&*()-_=+[]{}\\|;:'@#~,.<>/?" },
];

impl Layout {
    /// Whether a key as settings write it can be typed. Alt and Ctrl go with any key.
    fn types(&self, key: &str) -> bool {
        let mut rest = key;
        while let Some(after) = ["ctrl-", "alt-", "shift-"].iter().find_map(|modifier| rest.strip_prefix(modifier)) {
            rest = after;
        }
        let mut characters = rest.chars();
        match (characters.next(), characters.next()) {
            (Some(sign), None) => sign.is_ascii_alphanumeric() || self.signs.contains(sign),
            // Named keys.
            _ => true,
        }
    }
}

#[test]
fn every_command_that_has_a_key_has_one_on_every_layout() {
    let mut missing = Vec::new();
    for profile in Profile::ALL {
        let keymap = Keymap::of(profile);
        for screen in [Screen::Worklist, Screen::Reading] {
            for &command in Command::ALL {
                let keys = keymap.keys_of(screen, command);
                for layout in &LAYOUTS {
                    if !keys.is_empty() && !keys.iter().any(|key| layout.types(key)) {
                        missing.push(format!(
                            "{} on {}: {} has only {keys:?}",
                            profile.name(),
                            layout.name,
                            command.name()
                        ));
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "give these a key that the layout types directly:\n{}", missing.join("\n"));
}

#[test]
fn the_table_has_the_signs_that_are_known_to_need_altgr_or_a_dead_key() {
    for sign in "@#[]{}|\\~^$`".chars() {
        let key = sign.to_string();
        let without = LAYOUTS.iter().filter(|layout| !layout.types(&key)).count();
        assert!(without > 0, "{sign} is typed directly on every layout of the table");
    }
    // Nobody has to search for these.
    for sign in "!\"%&/()=?'*+,;.:-_<>".chars() {
        assert!(LAYOUTS.iter().all(|layout| layout.types(&sign.to_string())), "{sign}");
    }
    assert!(LAYOUTS.iter().all(|layout| layout.types("alt-6") && layout.types("f5") && layout.types("-")));
    assert!(!LAYOUTS[1].types("alt-["), "a modifier makes no key easier");
}

#[test]
fn help_names_the_second_key() {
    let help = Keymap::builtin().help(Screen::Reading);
    for (keys, command) in [("] f6", Command::LevelUp), ("^ Z", Command::MeasureAngle), ("| f3", Command::Beside)] {
        assert!(help.contains(&(keys.to_owned(), command)), "{keys}");
    }
}
