//! Whether tmux shows a popup. It has no word for that: but what runs in a popup is a child of the server with a terminal of
//! its own that belongs to no pane.

use std::fs;

/// Whether a process with a terminal that is no pane's is a child of the server; by Linux's `/proc`, `false` without it.
pub(super) fn is_open(server: u32, panes: &[u32]) -> bool {
    let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap_or_default();
    let others =
        children.split(' ').filter_map(|child| child.parse::<u32>().ok()).filter(|child| !panes.contains(child));
    others
        .into_iter()
        .any(|child| fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| has_terminal_of_its_own(&stat)))
}

/// By `pid (name) state parent group session terminal …` (proc(5)): the process leads a session and has a terminal.
fn has_terminal_of_its_own(stat: &str) -> bool {
    let Some((before, after)) = stat.rsplit_once(')') else { return false };
    let process = before.split(' ').next().unwrap_or_default();
    let words: Vec<&str> = after.split_whitespace().collect();
    // A pane whose process has just ended is still a child, and is no pane's any more.
    let ended = words.first() == Some(&"Z");
    !ended && words.get(3) == Some(&process) && words.get(4).is_some_and(|terminal| *terminal != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_in_a_popup_has_a_terminal_and_what_fills_the_status_line_has_none() {
        assert!(has_terminal_of_its_own("16433 (sh) S 16260 16433 16433 34818 16433 4194304 132"));
        assert!(has_terminal_of_its_own("16433 (a) b) S 16260 16433 16433 34818 16433"));
        assert!(!has_terminal_of_its_own("16459 (sh) S 16260 16260 16260 0 -1 4194304 137"));
        assert!(!has_terminal_of_its_own("16433 (sh) Z 16260 16433 16433 34818 16433"));
        assert!(!has_terminal_of_its_own(""));
    }
}
