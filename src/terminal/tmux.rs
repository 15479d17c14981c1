//! tmux as it describes itself: where the pane is, whether it lets graphics through, and which terminals are attached.

mod popup;
mod sight;
mod watch;

pub(super) use watch::{Watch, socket};

use super::delivery::Pane;
use sight::{Attached, Sight};

/// What the choice of a graphics protocol depends on in tmux.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tmux {
    /// The pane; `None` if tmux could not be asked.
    pub(super) pane: Option<Pane>,
    /// Whether it passes escape sequences of programs on; `None` in versions before 3.3, which always do.
    pub(super) allows_passthrough: Option<bool>,
    /// Whether every terminal that is attached uses UTF-8; `None` if none is attached, or tmux could not be asked.
    pub(super) is_utf8: Option<bool>,
    /// `TERM` of a terminal that is itself a multiplexer.
    pub(super) within: Option<String>,
    /// The attached terminal's name, by its own answer or by its `TERM`.
    pub(super) terminal: Option<String>,
}

impl Tmux {
    /// Asks tmux; without it nothing is known.
    pub(super) fn ask() -> Self {
        sight::look().map_or_else(Self::default, |sight| Self::of(&sight))
    }

    fn of(sight: &Sight) -> Self {
        let terminals = || sight.attached.iter().filter(|one| one.is_in_session);
        let is_multiplexer = |one: &&Attached| ["tmux", "screen"].iter().any(|outer| one.term.starts_with(outer));
        Self {
            pane: Some(sight.pane),
            allows_passthrough: sight.allows_passthrough,
            // What one of them cannot show is shown to none.
            is_utf8: terminals().map(|one| one.is_utf8).reduce(|all, one| all && one),
            within: terminals().find(is_multiplexer).map(|one| one.term.clone()),
            terminal: terminals().next_back().map(|one| one.name.clone()),
        }
    }

    /// Whether what is meant for the terminal beyond reaches it: another multiplexer would make a title of it.
    pub(super) fn passes_through(&self) -> bool {
        self.allows_passthrough != Some(false) && self.within.is_none() && self.pane.is_some()
    }

    /// Whether a question to the terminal beyond may be asked: without the focus its answer is typed into another pane.
    pub(super) fn can_reach_beyond(&self) -> bool {
        self.has_focus() && self.passes_through()
    }

    /// Whether keys, and with them the answers of the terminal outside, come to the pane.
    pub(super) fn has_focus(&self) -> bool {
        self.pane.is_some_and(|pane| pane.has_focus)
    }

    /// One that has the keys and lets everything through.
    #[cfg(test)]
    pub(super) fn passing() -> Self {
        let pane = Pane { is_visible: true, has_focus: true, ..Pane::default() };
        Self { pane: Some(pane), allows_passthrough: Some(true), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(passthrough: &str, clients: &[&str]) -> Tmux {
        let window = format!("W $0 @1 %2 0 0 0 0 1 {passthrough}");
        let clients = clients.iter().map(|client| format!("C $0 @1 %2 0 off top 0 0 0 1764430000 /dev/pts/3 {client}"));
        let answer: Vec<String> = std::iter::once(window).chain(clients).collect();
        Tmux::of(&sight::sight(&answer.join("\n"), |_, _| false).expect("understood"))
    }

    #[test]
    fn the_terminals_attached_decide_what_reaches_them() {
        let xterm = told("off", &["0 xterm XTerm(379)"]);
        assert_eq!((xterm.allows_passthrough, xterm.is_utf8), (Some(false), Some(false)));
        assert_eq!((xterm.terminal.as_deref(), xterm.within.as_deref()), (Some("XTerm(379)"), None));
        assert!(!xterm.can_reach_beyond());
        let both = told("all", &["1 xterm-kitty ", "0 xterm XTerm(379)"]);
        assert_eq!((both.is_utf8, both.allows_passthrough), (Some(false), Some(true)));
        assert!(both.can_reach_beyond());
        let without_keys = Tmux { pane: both.pane.map(|pane| Pane { has_focus: false, ..pane }), ..both };
        assert!(without_keys.passes_through() && !without_keys.can_reach_beyond(), "its answer would go elsewhere");
        let nested = told("on", &["1 tmux-256color tmux 3.3a"]);
        assert_eq!((nested.within.as_deref(), nested.terminal.as_deref()), (Some("tmux-256color"), Some("tmux 3.3a")));
        assert!(!nested.can_reach_beyond());
        let old = told("", &["1 xterm-kitty "]);
        assert_eq!((old.allows_passthrough, old.terminal.as_deref()), (None, Some("xterm-kitty")));
        assert!(old.can_reach_beyond());
        assert_eq!(told("on", &[]).is_utf8, None, "detached");
    }
}
