//! What tmux says of itself: where the pane is, whether it lets graphics through, and which terminals are attached.

mod popup;
mod sight;
mod watch;

pub(super) use watch::{Watch, socket};

use std::process::{Command, Stdio};

/// What is asked of tmux, on one line.
const PANE: &str =
    "pane #{pane_left} #{pane_top} #{status} #{?#{status-position},#{status-position},bottom} #{allow-passthrough}";
/// The same of each terminal that is attached to the session. The name is last: it may hold blanks.
const CLIENT: &str = "client #{client_utf8} #{client_termname} #{client_termtype}";

/// What tmux says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tmux {
    /// Where the pane begins on the terminal, in cells.
    pub(super) pane: Option<(u16, u16)>,
    /// Whether it passes escape sequences of programs on; `None` in versions before 3.3, which always do.
    pub(super) allows_passthrough: Option<bool>,
    /// Whether every terminal that is attached uses UTF-8; `None` where none is attached, or tmux could not be asked.
    pub(super) is_utf8: Option<bool>,
    /// `TERM` of a terminal that is itself a multiplexer.
    pub(super) within: Option<String>,
    /// Whether keys, and with them the answers of the terminal outside, come to the pane.
    pub(super) has_focus: bool,
    /// The attached terminal's name, by its own answer or by its `TERM`.
    pub(super) terminal: Option<String>,
}

impl Tmux {
    /// Asks tmux; without it nothing is known.
    pub(super) fn ask() -> Self {
        let Ok(pane) = std::env::var("TMUX_PANE") else { return Self::default() };
        let told = Command::new("tmux")
            .args(["display-message", "-p", "-t", &pane, PANE, ";", "list-clients", "-t", &pane, "-F", CLIENT])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        let found = told.map_or_else(|_| Self::default(), |told| Self::of(&String::from_utf8_lossy(&told.stdout)));
        Self { has_focus: sight::look().is_some_and(|sight| sight.pane.has_focus), ..found }
    }

    /// What its answer says.
    fn of(told: &str) -> Self {
        let mut found = Self::default();
        for line in told.lines() {
            if let Some(pane) = line.strip_prefix("pane ") {
                found.pane = offset(pane);
                found.allows_passthrough = match pane.split_whitespace().nth(4) {
                    Some("off" | "0") => Some(false),
                    Some(_) => Some(true),
                    None => None,
                };
            } else if let Some(client) = line.strip_prefix("client ") {
                let mut words = client.splitn(3, ' ');
                let is_utf8 = words.next() == Some("1");
                // What one of them cannot show is shown to none.
                found.is_utf8 = Some(found.is_utf8.unwrap_or(true) && is_utf8);
                let term = words.next().unwrap_or_default();
                if ["tmux", "screen"].iter().any(|outer| term.starts_with(outer)) {
                    found.within = Some(term.to_owned());
                }
                let name = words.next().filter(|name| !name.is_empty()).unwrap_or(term);
                found.terminal = Some(name.chars().filter(|letter| !letter.is_control()).take(40).collect());
            }
        }
        found
    }

    /// Whether what is meant for the terminal beyond reaches it: another multiplexer would make a title of it.
    pub(super) fn passes_through(&self) -> bool {
        self.allows_passthrough != Some(false) && self.within.is_none() && self.pane.is_some()
    }

    /// Whether a question to the terminal beyond may be asked: without the focus its answer is typed into another pane.
    pub(super) fn can_reach_beyond(&self) -> bool {
        self.has_focus && self.passes_through()
    }
}

/// Where the pane begins: left, top, lines of the status bar, whether it is on top.
pub(super) fn offset(told: &str) -> Option<(u16, u16)> {
    let mut words = told.split_whitespace();
    let (left, top) = (words.next()?.parse::<u16>().ok()?, words.next()?.parse::<u16>().ok()?);
    let status = words.next()?;
    let lines = match status {
        "off" => 0,
        "on" => 1,
        lines => lines.parse::<u16>().ok()?,
    };
    let above = if words.next() == Some("top") { lines } else { 0 };
    Some((left, top.checked_add(above)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmux_s_status_line_counts_where_it_is_on_top() {
        assert_eq!(offset("41 0 on bottom\n"), Some((41, 0)));
        assert_eq!(offset("0 12 2 top\n"), Some((0, 14)));
        assert_eq!(offset("0 0 off top\n"), Some((0, 0)));
        assert_eq!(offset("no server\n"), None);
    }

    #[test]
    fn what_it_says_of_its_pane_and_of_the_terminals_attached() {
        let told = Tmux::of("pane 0 1 on bottom off\nclient 0 xterm XTerm(379)\n");
        let terminal = Some("XTerm(379)".to_owned());
        let wanted = Tmux {
            pane: Some((0, 1)),
            allows_passthrough: Some(false),
            is_utf8: Some(false),
            within: None,
            has_focus: false,
            terminal: terminal.clone(),
        };
        assert_eq!(told, wanted);
        assert!(!Tmux { has_focus: true, ..told }.can_reach_beyond());
        let told = Tmux::of("pane 0 0 on bottom all\nclient 1 xterm-kitty \nclient 0 xterm XTerm(379)\n");
        assert_eq!((told.is_utf8, told.allows_passthrough), (Some(false), Some(true)));
        assert!(told.passes_through() && !told.can_reach_beyond(), "its answer would go elsewhere");
        let focused = |tmux: &Tmux| Tmux { has_focus: true, ..tmux.clone() };
        assert!(focused(&told).can_reach_beyond());
        let nested = Tmux::of("pane 0 0 on bottom on\nclient 1 tmux-256color tmux 3.3a\n");
        assert_eq!(nested.within.as_deref(), Some("tmux-256color"));
        assert!(!focused(&nested).can_reach_beyond());
        let old = Tmux::of("pane 0 0 on bottom \nclient 1 xterm-kitty\n");
        assert!(old.allows_passthrough.is_none() && focused(&old).can_reach_beyond());
        assert_eq!(Tmux::of("no server running on /tmp/t\n"), Tmux::default());
    }
}
