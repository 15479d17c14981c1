//! Tells a reader who looks elsewhere: bell, title, desktop notification.

/// How the desktop is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notification {
    /// Not at all.
    #[default]
    None,
    /// `OSC 9`: iTerm2, kitty, WezTerm, Ghostty, Windows Terminal.
    Osc9,
    /// `OSC 777`: urxvt, foot, VTE's descendants.
    Osc777,
}

impl Notification {
    /// As the settings name them.
    pub const NAMES: [&str; 3] = ["none", "osc9", "osc777"];

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|known| *known == name).map(|at| [Self::None, Self::Osc9, Self::Osc777][at])
    }
}

/// What happens when something urgent arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertManner {
    /// The bell.
    pub bell: bool,
    /// The window's title says so until the program ends.
    pub title: bool,
    /// The desktop.
    pub notification: Notification,
}

/// Puts the title that is there on the terminal's stack, and takes it from there (xterm's XTWINOPS 22 and 23).
const KEEP_TITLE: &str = "\x1b[22;2t";
pub(super) const GIVE_TITLE_BACK: &[u8] = b"\x1b[23;2t";

impl AlertManner {
    /// The bytes that tell a text; `first` where no title was set before.
    pub(super) fn bytes(self, text: &str, first: bool) -> Vec<u8> {
        // Nothing in the text may end the sequence or begin another.
        let text: String = text.chars().filter(|c| !c.is_control() && *c != ';').collect();
        let mut bytes = String::new();
        if self.title {
            if first {
                bytes.push_str(KEEP_TITLE);
            }
            bytes.push_str(&format!("\x1b]2;{text}\x1b\\"));
        }
        match self.notification {
            Notification::None => {}
            Notification::Osc9 => bytes.push_str(&format!("\x1b]9;{text}\x1b\\")),
            Notification::Osc777 => bytes.push_str(&format!("\x1b]777;notify;cspine;{text}\x1b\\")),
        }
        if self.bell {
            bytes.push('\x07');
        }
        bytes.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_written_and_nothing_steers() {
        assert!(AlertManner::default().bytes("urgent", true).is_empty());
        let all = AlertManner { bell: true, title: true, notification: Notification::Osc777 };
        let text = String::from_utf8(all.bytes("1 urgent;\x1b]2;x\x07", false)).expect("text");
        assert_eq!(text, "\x1b]2;1 urgent]2x\x1b\\\x1b]777;notify;cspine;1 urgent]2x\x1b\\\x07");
        assert!(all.bytes("a", true).starts_with(KEEP_TITLE.as_bytes()));
        assert_eq!(Notification::named("osc9"), Some(Notification::Osc9));
    }
}
