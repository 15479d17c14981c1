//! tmux in kitty: images pass through it, stay with their pane, and never reach another patient's.

use crate::frame::frames;
use crate::image::{Area, Image};
use crate::kitty::Kitty;
use crate::pty::Program;
use crate::shell::{PROMPT, cell};
use crate::study::{Home, SLICES, rendered};
use crate::tools::turn;
use crate::wait::{until, until_some};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

const NEEDED: [&str; 3] = ["kitty", "Xvfb", "tmux"];

/// tmux's server, which outlives every terminal.
struct Server<'h>(&'h Path);

impl Server<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-S", "tmux"]).args(arguments).current_dir(self.0);
        command
    }

    fn tell(&self, arguments: &[&str]) {
        let told = self.command(arguments).status();
        assert!(told.expect("tmux runs").success(), "{arguments:?}");
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let answer = self.command(arguments).output().expect("tmux runs");
        String::from_utf8(answer.stdout).expect("UTF-8").trim().to_owned()
    }

    /// The text of a pane.
    fn pane(&self, pane: &str) -> String {
        self.ask(&["capture-pane", "-p", "-t", pane])
    }

    /// Types into a pane, whichever has the keys.
    fn type_into(&self, pane: &str, keys: &[&str]) {
        self.tell(&[&["send-keys", "-t", pane], keys].concat());
    }

    /// Starts the program in a pane, with its decisions in a folder of their own, and opens the first study.
    fn open(&self, pane: &str, folder: &str, data: &str) {
        self.type_into(pane, &[&format!("$CSPINE --data {data} {folder}"), "Enter"]);
        until("the list", || self.pane(pane).contains("not analyzed").then_some(()), || self.pane(pane));
        // Without the lines that mark the other planes, which `cspine render` does not draw.
        self.type_into(pane, &["Enter", "y"]);
    }

    /// Ends the program in a pane by SIGKILL, without a chance to delete its images, and gives its shell a clear screen.
    fn kill_program(&self, pane: &str) {
        let shell = self.ask(&["display-message", "-p", "-t", pane, "#{pane_pid}"]);
        let program = || std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).expect("its shell");
        assert!(Command::new("kill").args(["-9", program().trim()]).status().expect("kill runs").success());
        until("its end", || program().is_empty().then_some(()), || self.pane(pane));
        // The terminal is as the program left it: Enter ends no line, and its last screen stays.
        self.type_into(pane, &["stty sane; clear", "C-j"]);
        until("a clear screen", || (!self.pane(pane).contains("MADE")).then_some(()), || self.pane(pane));
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-S", "tmux", "kill-server"]).current_dir(self.0).status();
    }
}

/// kitty with tmux in it.
fn started(home: &Home, width: usize, height: usize) -> (Kitty, Server<'_>) {
    let kitty = Kitty::start(home.path(), width, height);
    let settings = "set -g allow-passthrough on\nset -g default-command 'exec sh -i'\nset -g status-position top\n\
                    set -g escape-time 0\n";
    std::fs::write(home.path().join("tmux.conf"), settings).expect("written");
    let server = Server(home.path());
    kitty.press("tmux -S tmux -f tmux.conf new\r");
    kitty.wait_for("tmux", |text| text.contains("[0]") && text.contains(PROMPT));
    (kitty, server)
}

/// Waits until exactly these slices are seen, one frame after the other, each exactly as `cspine render` draws it.
fn wait_for_slices(what: &str, kitty: &Kitty, home: &Home, wanted: &[(&str, usize)]) -> Vec<Area> {
    let mut drawn: HashMap<(String, usize, usize, usize), Image> = HashMap::new();
    let mut differs = String::new();
    let look = || {
        let found = frames(&kitty.text(), cell(&kitty.tty()));
        differs = format!("{found:?}");
        if found.len() != wanted.len() {
            return None;
        }
        for ((folder, slice), (title, area)) in wanted.iter().zip(&found) {
            if !title.contains(&format!("axial · {slice} / {SLICES} ")) {
                return None;
            }
            let key = ((*folder).to_owned(), *slice, area.width, area.height);
            let expected = drawn
                .entry(key)
                .or_insert_with(|| rendered(&home.path().join(folder), home.path(), *slice, area.width, area.height));
            let seen = kitty.seen(*area);
            if seen != *expected {
                differs = format!("{folder} {slice}: {}", seen.differs(expected));
                return None;
            }
        }
        Some(found.into_iter().map(|(_, area)| area).collect())
    };
    let found = until_some(look);
    found.unwrap_or_else(|| {
        let kept = kitty.display.pixels().keep(what);
        panic!("waiting in vain for {what}: {differs}; {}\n{}", kept.display(), kitty.text())
    })
}

#[test]
fn pictures_pass_through_tmux_into_a_pane_and_come_back_with_it() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let (kitty, server) = started(&home, 1200, 900);
    // A pane with another one to its left and one above it.
    server.tell(&["split-window", "-h", "-l", "120"]);
    server.tell(&["split-window", "-v", "-l", "40"]);
    kitty.wait_for("three panes", |text| text.matches(PROMPT).count() == 3);
    kitty.press("$CSPINE studies\r");
    kitty.wait_for("the list", |text| text.contains("not analyzed"));
    kitty.press("\r");
    let area = kitty.wait_for_slice("the first image in tmux", &home, 11);
    assert!(area.x > 300 && area.y > 150, "beside and below other panes: {area:?}");
    kitty.press("j");
    kitty.wait_for_slice("the next slice in tmux", &home, 12);
    server.tell(&["detach-client"]);
    kitty.wait_for("the shell outside", |text| text.contains("[detached"));
    kitty.press("tmux -S tmux attach\r");
    kitty.wait_for_slice("the image after attaching again", &home, 12);
    kitty.press("qq");
    kitty.wait_for("the pane's shell", |text| !text.contains('╭'));
    kitty.wait_for_no_picture(area);
}

#[test]
fn two_programs_in_two_panes_show_each_its_own_patient_also_after_one_was_killed() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    home.add("others", "MADE^Two", 2);
    let (kitty, server) = started(&home, 1260, 640);
    server.tell(&["split-window", "-h"]);
    kitty.wait_for("two panes", |text| text.matches(PROMPT).count() == 2);
    let mut wanted = Vec::new();
    for (pane, folder) in [("%0", "studies"), ("%1", "others")] {
        server.tell(&["select-pane", "-t", pane]);
        server.open(pane, folder, pane);
        wanted.push((folder, 11));
        // One that has lost the keys before the terminal has answered shows half-blocks until it has them again.
        wait_for_slices("each its own patient", &kitty, &home, &wanted);
    }
    // In turn, as a reader who compares them, and back over what the terminal has stored.
    for step in 1..=4 {
        for (pane, at) in [("%0", 0), ("%1", 1)] {
            server.tell(&["select-pane", "-t", pane]);
            kitty.press(if step <= 2 { "j" } else { "k" });
            let slice = |done: bool| match (step, done) {
                (1 | 2, true) => 11 + step,
                (1 | 2, false) => 10 + step,
                (_, true) => 15 - step,
                (_, false) => 16 - step,
            };
            let wanted = [("studies", slice(true)), ("others", slice(at == 1))];
            wait_for_slices("each its own", &kitty, &home, &wanted);
        }
    }
    server.kill_program("%1");
    // It would go on where it was.
    server.open("%1", "others", "new");
    wait_for_slices("started again", &kitty, &home, &[("studies", 11), ("others", 11)]);
    server.tell(&["swap-pane", "-s", "%0", "-t", "%1"]);
    wait_for_slices("in each other's place", &kitty, &home, &[("others", 11), ("studies", 11)]);
}

#[test]
fn two_programs_in_two_windows_show_each_its_own_patient_also_after_one_was_killed() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    home.add("others", "MADE^Two", 2);
    let (kitty, server) = started(&home, 1000, 700);
    server.tell(&["new-window"]);
    let open = |(pane, folder): (&str, &str), data: &str| {
        server.tell(&["select-window", "-t", pane]);
        server.open(pane, folder, data);
        wait_for_slices("its own patient", &kitty, &home, &[(folder, 11)]);
    };
    let windows = [("%0", "studies"), ("%1", "others")];
    for window in windows {
        open(window, window.0);
    }
    // Each window comes back to images that the terminal has stored, and goes on to new ones.
    for step in 0..3 {
        for (pane, folder) in windows {
            server.tell(&["select-window", "-t", pane]);
            wait_for_slices("its last slice", &kitty, &home, &[(folder, 11 + step)]);
            kitty.press("j");
            wait_for_slices("its next slice", &kitty, &home, &[(folder, 12 + step)]);
        }
    }
    // Keys that reach the window behind draw nothing over the one in front.
    server.type_into("%0", &["k"]);
    until(
        "the slice before, behind",
        || server.pane("%0").contains("axial · 13 /").then_some(()),
        || server.pane("%0"),
    );
    wait_for_slices("the other patient in front", &kitty, &home, &[("others", 14)]);
    // Killed in the window behind, started again in front.
    server.kill_program("%0");
    wait_for_slices("the other patient stays", &kitty, &home, &[("others", 14)]);
    open(windows[0], "new");
    server.tell(&["select-window", "-t", "%1"]);
    wait_for_slices("the other patient again", &kitty, &home, &[("others", 14)]);
    // Killed in front: its last image is gone when it starts again, and stays away from the other one.
    server.kill_program("%1");
    open(windows[1], "newer");
    server.tell(&["swap-window", "-s", "%0", "-t", "%1"]);
    server.tell(&["select-window", "-t", "%0"]);
    wait_for_slices("the first patient", &kitty, &home, &[("studies", 11)]);
}

#[test]
fn two_programs_in_two_terminals_attached_to_one_tmux_show_each_its_own_patient() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    home.add("others", "MADE^Two", 2);
    let (first, server) = started(&home, 1000, 700);
    let elsewhere = Home::new();
    let second = Kitty::start(elsewhere.path(), 1000, 700);
    server.tell(&["new-session", "-d", "-s", "second"]);
    second.press(&format!("tmux -S {} attach -t second\r", home.path().join("tmux").display()));
    second.wait_for("tmux", |text| text.contains("[second]") && text.contains(PROMPT));
    let clients: HashMap<String, String> = server
        .ask(&["list-clients", "-F", "#{session_name} #{client_tty}"])
        .lines()
        .filter_map(|line| line.split_once(' ').map(|(session, tty)| (session.to_owned(), tty.to_owned())))
        .collect();
    let both = |what: &str, wanted: [(&str, usize); 2]| {
        for (terminal, one) in [&first, &second].into_iter().zip(wanted) {
            wait_for_slices(what, terminal, &home, &[one]);
        }
    };
    server.open("%0", "studies", "first");
    server.open("%1", "others", "second");
    both("each its own patient", [("studies", 11), ("others", 11)]);
    for step in 12..15 {
        first.press("j");
        second.press("j");
        both("each its next slice", [("studies", step), ("others", step)]);
    }
    // Each terminal shows the other's session: none of its own images may stay, and it has none of the others yet.
    let exchange = |sessions: [&str; 2]| {
        for (client, session) in ["0", "second"].into_iter().zip(sessions) {
            server.tell(&["switch-client", "-c", &clients[client], "-t", session]);
        }
    };
    exchange(["second", "0"]);
    both("exchanged", [("others", 14), ("studies", 14)]);
    first.press("k");
    both("each by its own keys", [("others", 13), ("studies", 14)]);
    exchange(["0", "second"]);
    both("exchanged back", [("studies", 14), ("others", 13)]);
    server.kill_program("%1");
    server.open("%1", "others", "new");
    both("started again", [("studies", 14), ("others", 11)]);
    // Both terminals show the second session, then each its own again.
    exchange(["second", "second"]);
    both("both the second", [("others", 11), ("others", 11)]);
    exchange(["0", "second"]);
    both("each its own again", [("studies", 14), ("others", 11)]);
}

#[test]
fn an_image_stays_in_its_pane_and_leaves_with_it() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let (kitty, server) = started(&home, 1260, 840);
    server.open("%0", "studies", "data");
    let shown = |what: &str| {
        let found = wait_for_slices(what, &kitty, &home, &[("studies", 11)]);
        // Answers to what was sent with the keys are under way as long as something changes.
        kitty.settled(found[0]);
        found
    };
    let alone = shown("alone");
    let hidden = |what: &str, area: Area| {
        let is_gone = || kitty.seen(area).lacks_shades().then_some(());
        until(what, is_gone, || kitty.display.pixels().keep(what).display().to_string());
    };
    // Elsewhere, or of another size, than before.
    let moved = |what: &str, before: &[Area]| {
        let places =
            || -> Vec<Area> { frames(&kitty.text(), cell(&kitty.tty())).into_iter().map(|(_, area)| area).collect() };
        until(what, || (places().len() == 1 && places() != before).then_some(()), || kitty.text());
        shown(what)
    };
    server.tell(&["split-window", "-h", "-t", "%0", "-l", "80"]);
    let beside = moved("a pane beside it", &alone);
    // The new pane has the keys. Nothing that the terminal answers may reach its shell.
    server.tell(&["swap-pane", "-s", "%0", "-t", "%1"]);
    let swapped = moved("on the other side", &beside);
    assert!(swapped[0].x > beside[0].x);
    server.type_into("%0", &["j", "j", "k", "k"]);
    shown("moved without the keys");
    server.tell(&["select-layout", "even-vertical"]);
    let below = moved("above or below", &swapped);
    server.tell(&["resize-pane", "-Z", "-t", "%1"]);
    hidden("the other pane zoomed", below[0]);
    server.tell(&["resize-pane", "-Z", "-t", "%1"]);
    shown("below it again");
    server.tell(&["resize-pane", "-Z", "-t", "%0"]);
    let zoomed = moved("zoomed", &below);
    server.tell(&["new-window"]);
    hidden("another window", zoomed[0]);
    server.tell(&["last-window"]);
    shown("back in its window");
    server.tell(&["choose-tree", "-t", "%0"]);
    hidden("a list of windows", zoomed[0]);
    server.type_into("%0", &["q"]);
    shown("the list is gone");
    // A popup runs as long as its program.
    let client = server.ask(&["list-clients", "-F", "#{client_tty}"]);
    let mut popup =
        server.command(&["display-popup", "-c", &client, "-E", "echo over it; cat"]).spawn().expect("a popup");
    kitty.wait_for("the popup", |text| text.contains("over it"));
    let area = zoomed[0];
    until("no image below the popup", || kitty.seen(area).lacks_shades().then_some(()), || kitty.text());
    kitty.press("\u{4}");
    assert!(popup.wait().expect("tmux runs").success());
    shown("the popup is gone");
    for pane in ["%1", "%2"] {
        let text = server.pane(pane);
        assert_eq!(text.replace(PROMPT.trim(), "").trim(), "", "the shell of {pane} was typed into");
    }
}

#[test]
fn two_terminals_attached_to_one_tmux_both_show_the_image() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let (kitty, server) = started(&home, 1000, 700);
    server.open("%0", "studies", "data");
    wait_for_slices("the first terminal", &kitty, &home, &[("studies", 11)]);
    let elsewhere = Home::new();
    let second = Kitty::start(elsewhere.path(), 1000, 700);
    second.press(&format!("tmux -S {} attach\r", home.path().join("tmux").display()));
    wait_for_slices("the second terminal", &second, &home, &[("studies", 11)]);
    wait_for_slices("and still the first", &kitty, &home, &[("studies", 11)]);
    second.press("j");
    wait_for_slices("the first follows", &kitty, &home, &[("studies", 12)]);
    wait_for_slices("the second follows", &second, &home, &[("studies", 12)]);
    server.tell(&["new-window"]);
    for terminal in [&kitty, &second] {
        let area = terminal.between_the_bars();
        until("no image", || terminal.seen(area).lacks_shades().then_some(()), || terminal.text());
    }
}

#[test]
fn attached_elsewhere_the_terminal_is_asked_again_and_back_in_kitty_once_more() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let (kitty, server) = started(&home, 960, 720);
    kitty.press("$CSPINE studies\r");
    kitty.wait_for("the list", |text| text.contains("not analyzed"));
    kitty.press("\r");
    kitty.wait_for_slice("the image in kitty", &home, 11);
    server.tell(&["detach-client"]);
    kitty.wait_for("the shell outside", |text| text.contains("[detached"));
    // A terminal without images, by its own answers.
    let attach = ["tmux", "-u", "-S", "tmux", "attach"];
    let mut elsewhere = Program::run(&attach, &[("LANG", "C.UTF-8")], home.path(), 120, 40);
    elsewhere.attributes = "62";
    elsewhere.wait_for("half-blocks elsewhere", |screen| screen.contains('▀'));
    server.tell(&["detach-client"]);
    elsewhere.wait_for("its end", |screen| screen.contains("[detached"));
    kitty.press("tmux -S tmux attach\r");
    kitty.wait_for_slice("the image back in kitty", &home, 11);
    kitty.press("qq");
    kitty.wait_for("the pane's shell", |text| !text.contains('╭'));
}

#[test]
fn a_terminal_that_acknowledges_no_image_any_more_is_asked_again() {
    let Some(_turn) = turn(&["tmux"]) else { return };
    let home = Home::new();
    std::fs::write(home.path().join("tmux.conf"), "set -g allow-passthrough on\n").expect("written");
    let server = Server(home.path());
    let command = ["tmux", "-u", "-S", "tmux", "-f", "tmux.conf", "new", env!("CARGO_BIN_EXE_cspine"), "studies"];
    let mut terminal = Program::run(&command, &[("LANG", "C.UTF-8")], home.path(), 120, 40);
    terminal.claims_graphics = true;
    terminal.wait_for("the list", |screen| screen.contains("not analyzed"));
    terminal.wait_for("its claim", |screen| screen.contains("kitty"));
    // From now on it is another one, and nothing else says so.
    terminal.claims_graphics = false;
    terminal.press("\r");
    terminal.wait_for("half-blocks", |screen| screen.contains('▀'));
    server.tell(&["kill-server"]);
}
