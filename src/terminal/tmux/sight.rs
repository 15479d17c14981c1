//! What tmux says of the pane that this program runs in.
//!
//! tmux tells its programs nothing of a pane that moves, is covered or hidden, or loses the keyboard, unless its size changes or
//! the user has switched `focus-events` on. So it is asked, by its own command.

use super::popup;
use crate::terminal::delivery::Pane;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Of this pane: its session, window, number, place, whether a mode (copy mode, choose-tree) covers it, and whether it passes on
/// what is meant for the terminal.
const OF_PANE: &str = "W #{session_id} #{window_id} #{pane_id} #{pane_left} #{pane_top} #{pane_in_mode} \
                       #{window_zoomed_flag} #{pane_active} #{allow-passthrough}";
/// Of every client: its session and window, the pane that gets its keys, whether tmux's prefix was typed, its status line, the part
/// of the window that it shows, and its terminal. The name is last: it may hold blanks.
const OF_CLIENT: &str = "C #{session_id} #{window_id} #{pane_id} #{client_prefix} #{status} #{status-position} \
                         #{window_bigger} #{window_offset_x} #{window_offset_y} #{client_created} #{client_tty} \
                         #{client_utf8} #{client_termname} #{client_termtype}";
/// Of every pane: its process.
const OF_PROCESSES: &str = "P #{pid} #{pane_pid}";

/// A terminal that tmux is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attached {
    /// When it was attached, seconds since 1970.
    pub(super) since: u64,
    /// Its device.
    pub(super) device: PathBuf,
    /// Whether it is attached to the pane's session, or shows its window by another one.
    pub(super) is_in_session: bool,
    pub(super) is_utf8: bool,
    /// Its `TERM`.
    pub(super) term: String,
    /// Its name by its own answer, otherwise its `TERM`.
    pub(super) name: String,
}

/// What one of them shows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Client {
    attached: Attached,
    /// Whether it shows the pane's window.
    shows_window: bool,
    /// Whether its keys go to the pane.
    gives_keys: bool,
    /// Cells above the window, and columns and rows of the window that lie outside the terminal.
    above: u16,
    outside: (u16, u16),
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) pane: Pane,
    /// Whether escape sequences are passed on; `None` in versions before 3.3, which always do.
    pub(super) allows_passthrough: Option<bool>,
    /// The devices of the terminals that show the pane's window.
    pub(super) terminals: Vec<PathBuf>,
    /// All terminals that are attached.
    pub(super) attached: Vec<Attached>,
}

/// Asks tmux; `None` if it does not answer, or its answer is not understood.
pub(super) fn look() -> Option<Sight> {
    let pane = std::env::var("TMUX_PANE").ok()?;
    let answer = Command::new("tmux")
        .args(["display-message", "-p", "-t", &pane, OF_PANE, ";"])
        .args(["list-clients", "-F", OF_CLIENT, ";"])
        .args(["list-panes", "-a", "-F", OF_PROCESSES])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    sight(std::str::from_utf8(&answer.stdout).ok()?, popup::is_open)
}

/// Reads tmux's answer. `is_covered` tells, by the server's process and those of all panes, whether a popup is open.
pub(super) fn sight(answer: &str, is_covered: impl Fn(u32, &[u32]) -> bool) -> Option<Sight> {
    let lines = |kind: char| answer.lines().filter_map(move |line| line.strip_prefix(kind)?.strip_prefix(' '));
    let mut words = lines('W').next()?.split(' ');
    let (session, window, pane) = (words.next()?, words.next()?, words.next()?);
    let (left, top) = (words.next()?.parse::<u16>().ok()?, words.next()?.parse::<u16>().ok()?);
    let mut flag = || words.next().map(|word| word != "0" && !word.is_empty());
    let (in_mode, zoomed, active) = (flag()?, flag()?, flag()?);
    let allows_passthrough = match words.next() {
        Some("off" | "0") => Some(false),
        Some("") | None => None,
        Some(_) => Some(true),
    };
    let clients: Vec<Client> = lines('C').map(|line| client(line, (session, window, pane))).collect::<Option<_>>()?;
    let mut server = None;
    let processes = lines('P').map(|line| {
        let (of_server, of_pane) = line.split_once(' ')?;
        server = of_server.parse().ok();
        of_pane.parse().ok()
    });
    let processes: Vec<u32> = processes.collect::<Option<_>>()?;
    let covered = in_mode || (zoomed && !active) || server.is_some_and(|server| is_covered(server, &processes));
    let showing: Vec<&Client> = clients.iter().filter(|client| client.shows_window).collect();
    let first = showing.first();
    // Terminals that show different parts of the window have no place in common.
    let together =
        showing.iter().all(|one| first.is_some_and(|first| (one.above, one.outside) == (first.above, first.outside)));
    let (above, outside) = first.map_or((0, (0, 0)), |first| (first.above, first.outside));
    let cut_off = outside.0 > left || outside.1 > top;
    Some(Sight {
        pane: Pane {
            left: left.saturating_sub(outside.0),
            top: top.saturating_sub(outside.1).saturating_add(above),
            is_visible: !showing.is_empty() && together && !cut_off && !covered,
            has_focus: !showing.is_empty() && !covered && showing.iter().all(|client| client.gives_keys),
        },
        allows_passthrough,
        terminals: showing.iter().map(|client| client.attached.device.clone()).collect(),
        attached: clients.into_iter().map(|client| client.attached).collect(),
    })
}

fn client(line: &str, (session, window, pane): (&str, &str, &str)) -> Option<Client> {
    let mut words = line.splitn(14, ' ');
    let mut next = || words.next();
    let (its_session, its_window, its_pane, prefix) = (next()?, next()?, next()?, next()?);
    let lines = match next()? {
        "off" => 0,
        "on" => 1,
        lines => lines.parse::<u16>().ok()?,
    };
    let above = if next()? == "top" { lines } else { 0 };
    let is_bigger = next()? == "1";
    let (x, y) = (next()?.parse().unwrap_or(0), next()?.parse().unwrap_or(0));
    let (since, device) = (next()?.parse().ok()?, PathBuf::from(next()?));
    let (is_utf8, term) = (next()? == "1", next()?);
    let name = next().filter(|name| !name.is_empty()).unwrap_or(term);
    let shows_window = its_window == window;
    Some(Client {
        attached: Attached {
            since,
            device,
            is_in_session: its_session == session || shows_window,
            is_utf8,
            term: term.to_owned(),
            name: name.chars().filter(|letter| !letter.is_control()).take(40).collect(),
        },
        shows_window,
        gives_keys: its_pane == pane && prefix == "0",
        above,
        outside: if is_bigger { (x, y) } else { (0, 0) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "C $0 @1 %2 0 on top 0 0 0 1764430000 /dev/pts/3 1 xterm-kitty ";

    fn seen(pane: &str, clients: &[&str], popup: bool) -> Pane {
        let answer = [&[pane], clients, &["P 70 71", "P 70 72"]].concat().join("\n");
        let sight = sight(&answer, |server, panes| {
            assert_eq!((server, panes), (70, &[71, 72][..]));
            popup
        });
        sight.expect("understood").pane
    }

    #[test]
    fn a_pane_lies_below_a_status_line_at_the_top() {
        let pane = Pane { left: 40, top: 13, is_visible: true, has_focus: true };
        assert_eq!(seen("W $0 @1 %2 40 12 0 0 1", &[CLIENT], false), pane);
        let bottom = CLIENT.replace("on top", "on bottom");
        assert_eq!(seen("W $0 @1 %2 40 12 0 0 1", &[&bottom], false), Pane { top: 12, ..pane });
        let lines = CLIENT.replace("on top", "3 top");
        assert_eq!(seen("W $0 @1 %2 40 12 0 0 1", &[&lines], false), Pane { top: 15, ..pane });
    }

    #[test]
    fn what_is_hidden_or_covered_is_not_visible_and_has_no_keys() {
        let gone = |pane: &str, client: &str, popup| {
            let seen = seen(pane, &[client], popup);
            (seen.is_visible, seen.has_focus)
        };
        assert_eq!(gone("W $0 @1 %2 0 0 0 0 1", CLIENT, false), (true, true));
        assert_eq!(gone("W $0 @1 %2 0 0 1 0 1", CLIENT, false), (false, false), "a mode");
        assert_eq!(
            gone("W $0 @1 %2 0 0 0 1 0", &CLIENT.replace("%2", "%3"), false),
            (false, false),
            "another pane is zoomed"
        );
        assert_eq!(gone("W $0 @1 %2 0 0 0 1 1", CLIENT, false), (true, true), "this pane is zoomed");
        assert_eq!(gone("W $0 @1 %2 0 0 0 0 1", CLIENT, true), (false, false), "a popup");
        assert_eq!(gone("W $0 @1 %2 0 0 0 0 1", &CLIENT.replace("@1", "@4"), false), (false, false), "another window");
        assert_eq!(
            gone("W $0 @1 %2 0 0 0 0 0", &CLIENT.replace("%2", "%3"), false),
            (true, false),
            "another pane is active"
        );
        assert_eq!(
            gone("W $0 @1 %2 0 0 0 0 1", &CLIENT.replace("%2 0", "%2 1"), false),
            (true, false),
            "the prefix was typed"
        );
        assert!(!seen("W $0 @1 %2 0 0 0 0 1", &[], false).is_visible, "detached");
    }

    #[test]
    fn two_terminals_must_show_the_same_part_of_the_window_and_both_give_their_keys() {
        let other = "C $0 @1 %2 0 on top 0 0 0 1764430009 /dev/pts/4 1 xterm-kitty ";
        assert!(seen("W $0 @1 %2 40 12 0 0 1", &[CLIENT, other], false).is_visible);
        let smaller = other.replace("top 0 0 0", "top 1 10 0");
        assert!(!seen("W $0 @1 %2 40 12 0 0 1", &[CLIENT, &smaller], false).is_visible);
        let alone = seen("W $0 @1 %2 40 12 0 0 1", &[&smaller], false);
        assert_eq!((alone.left, alone.top, alone.is_visible), (30, 13, true));
        // The pane begins left of what is shown.
        assert!(!seen("W $0 @1 %2 4 12 0 0 1", &[&smaller], false).is_visible);
        let elsewhere = other.replace("%2", "%3");
        assert!(!seen("W $0 @1 %2 40 12 0 0 1", &[CLIENT, &elsewhere], false).has_focus);
    }

    #[test]
    fn terminals_of_other_sessions_count_while_they_show_the_window() {
        let other = "C $7 @9 %9 0 off top 0 0 0 1764430009 /dev/pts/4 0 xterm XTerm(379)";
        let in_session = |clients: &[&str]| -> Vec<bool> {
            let answer = [&["W $0 @1 %2 0 0 0 0 1 on"], clients].concat().join("\n");
            let sight = sight(&answer, |_, _| false).expect("understood");
            sight.attached.iter().map(|one| one.is_in_session).collect()
        };
        assert_eq!(in_session(&[CLIENT, other]), [true, false]);
        assert_eq!(in_session(&[&CLIENT.replace("@1", "@9"), &other.replace("@9", "@1")]), [true, true]);
    }

    #[test]
    fn an_answer_that_is_not_understood_says_nothing() {
        for answer in ["", "no server running", "W $0 @1", "W $0 @1 %2 x 0 0 0 1", "W $0 @1 %2 0 0 0 0 1\nC nonsense"] {
            assert_eq!(sight(answer, |_, _| false), None, "{answer:?}");
        }
    }
}
