//! What the variables of the environment say about the terminal: not much that can be relied on, for they are inherited.

use super::capabilities::Multiplexer;

/// What the surroundings say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Environment {
    pub(super) term: String,
    pub(super) color_term: String,
    pub(super) term_program: String,
    pub(super) lc_terminal: String,
    /// By the variables; an answer to XTVERSION outranks it.
    pub(super) multiplexer: Option<Multiplexer>,
    /// Whether tmux's own commands can be used: they need its socket.
    pub(super) has_tmux_socket: bool,
    /// Whether the locale's encoding is UTF-8; `None` where no locale is set.
    pub(super) is_locale_utf8: Option<bool>,
}

impl Environment {
    pub(super) fn read() -> Self {
        let value = |name: &str| std::env::var(name).unwrap_or_default();
        let mut environment = Self::of(&value);
        if environment.multiplexer.is_none() && under_mosh() {
            environment.multiplexer = Some(Multiplexer::Mosh);
        }
        environment
    }

    /// By the values of variables; one that is not set is empty.
    pub(super) fn of(value: &dyn Fn(&str) -> String) -> Self {
        let term = value("TERM");
        let mut term_program = value("TERM_PROGRAM");
        if term_program.is_empty() && !value("WT_SESSION").is_empty() {
            term_program = "Windows Terminal".into();
        }
        Self {
            multiplexer: multiplexer(&term, value),
            term,
            color_term: value("COLORTERM"),
            term_program,
            lc_terminal: value("LC_TERMINAL"),
            has_tmux_socket: !value("TMUX").is_empty(),
            is_locale_utf8: is_locale_utf8(value),
        }
    }

    /// `TERM`, if it names a terminal that cannot move its cursor, or is empty.
    pub(super) fn without_screen(&self) -> Option<&str> {
        let term = self.term.trim();
        ["", "dumb", "unknown"].contains(&term).then_some(term)
    }

    /// Whether `TERM` names a terminal with kitty's graphics protocol that nobody sets inside a multiplexer.
    pub(super) fn names_kitty_graphics(&self) -> bool {
        self.multiplexer.is_none() && ["xterm-kitty", "xterm-ghostty"].iter().any(|name| self.term.starts_with(name))
    }

    /// The surroundings of a program in tmux, and nothing else.
    #[cfg(test)]
    pub(super) fn in_tmux() -> Self {
        Self { multiplexer: Some(Multiplexer::Tmux), has_tmux_socket: true, ..Self::default() }
    }
}

/// The innermost multiplexer. All of them pass the variables of those around them on; `TERM` is set by tmux and screen
/// themselves.
fn multiplexer(term: &str, value: &dyn Fn(&str) -> String) -> Option<Multiplexer> {
    let is_set = |name: &str| !value(name).is_empty();
    if term.starts_with("tmux") || term.starts_with("screen") {
        return Some(if is_set("TMUX") || term.starts_with("tmux") {
            Multiplexer::Tmux
        } else {
            // Over ssh this may be tmux, too: only what harms neither is asked.
            Multiplexer::Screen
        });
    }
    let by_variable = [
        ("ZELLIJ", Multiplexer::Zellij),
        ("NVIM", Multiplexer::Neovim),
        ("TMUX", Multiplexer::Tmux),
        ("STY", Multiplexer::Screen),
    ];
    by_variable.into_iter().find(|(name, _)| is_set(name)).map(|(_, multiplexer)| multiplexer)
}

/// Whether the locale of characters is UTF-8: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is not empty counts (POSIX).
fn is_locale_utf8(value: &dyn Fn(&str) -> String) -> Option<bool> {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().map(value).find(|value| !value.is_empty())?;
    let encoding =
        locale.split('@').next().and_then(|locale| locale.split_once('.')).map_or(&*locale, |(_, name)| name);
    Some(["utf-8", "utf8"].contains(&encoding.to_ascii_lowercase().as_str()))
}

/// Whether one of the processes that we come from is mosh's server.
fn under_mosh() -> bool {
    let mut process = std::process::id();
    for _ in 0..8 {
        // `pid (name) state parent …`; without /proc nothing is known.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return false };
        let Some((before, after)) = stat.rsplit_once(')') else { return false };
        if before.ends_with("(mosh-server") {
            return true;
        }
        let parent = after.split_whitespace().nth(1).and_then(|parent| parent.parse().ok());
        match parent {
            Some(parent) if parent > 1 => process = parent,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Environment {
        let value = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned()).unwrap_or_default()
        };
        Environment::of(&value)
    }

    #[test]
    fn a_terminal_without_a_screen_is_refused_by_its_name() {
        for (term, refused) in [("dumb", Some("dumb")), ("", Some("")), ("unknown", Some("unknown")), ("xterm", None)] {
            assert_eq!(of(&[("TERM", term)]).without_screen(), refused, "{term}");
        }
    }

    #[test]
    fn the_first_locale_that_is_not_empty_counts() {
        for (variables, utf8) in [
            (&[][..], None),
            (&[("LC_ALL", ""), ("LC_CTYPE", ""), ("LANG", "")], None),
            (&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], Some(false)),
            (&[("LC_ALL", ""), ("LANG", "en_US.utf8")], Some(true)),
            (&[("LC_CTYPE", "C.UTF-8"), ("LANG", "POSIX")], Some(true)),
            (&[("LC_CTYPE", "UTF-8")], Some(true)),
            (&[("LANG", "de_DE")], Some(false)),
            (&[("LANG", "de_DE.ISO-8859-15@euro")], Some(false)),
            (&[("LANG", "sr_RS.UTF-8@latin")], Some(true)),
        ] {
            assert_eq!(of(variables).is_locale_utf8, utf8, "{variables:?}");
        }
    }

    #[test]
    fn the_innermost_multiplexer_is_found_though_each_inherits_the_variables_of_the_others() {
        use Multiplexer::{Neovim, Screen, Tmux, Zellij};
        for (variables, found) in [
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app"), ("LC_TERMINAL", "iTerm2")][..], None),
            (&[("TERM", "tmux-256color"), ("TMUX", "/tmp/t,1,0")], Some(Tmux)),
            (&[("TERM", "screen-256color"), ("TMUX", "/tmp/t,1,0")], Some(Tmux)),
            (&[("TERM", "xterm-256color"), ("TMUX", "/tmp/t,1,0")], Some(Tmux)),
            (&[("TERM", "screen.xterm-256color"), ("STY", "1.pts-0")], Some(Screen)),
            (&[("TERM", "screen-256color")], Some(Screen)),
            (&[("TERM", "xterm-256color"), ("ZELLIJ", "0"), ("TMUX", "/tmp/t,1,0")], Some(Zellij)),
            (&[("TERM", "tmux-256color"), ("ZELLIJ", "0"), ("TMUX", "/tmp/t,1,0")], Some(Tmux)),
            (&[("TERM", "xterm-256color"), ("NVIM", "/run/nvim.1"), ("TMUX", "/tmp/t,1,0")], Some(Neovim)),
            (&[("TERM", "screen"), ("NVIM", "/run/nvim.1"), ("STY", "1.pts-0")], Some(Screen)),
        ] {
            assert_eq!(of(variables).multiplexer, found, "{variables:?}");
        }
    }
}
