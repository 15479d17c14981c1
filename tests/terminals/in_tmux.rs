//! tmux in kitty: pictures pass through it to where its pane is.

use crate::kitty::Kitty;
use crate::pty::Program;
use crate::shell::PROMPT;
use crate::study::Home;
use crate::tools::turn;
use std::path::Path;
use std::process::Command;

const NEEDED: [&str; 3] = ["kitty", "Xvfb", "tmux"];

/// tmux's server, which outlives every terminal.
struct Server<'h>(&'h Path);

impl Server<'_> {
    fn tell(&self, arguments: &[&str]) {
        let told = Command::new("tmux").args(["-S", "tmux"]).args(arguments).current_dir(self.0).status();
        assert!(told.expect("tmux runs").success(), "{arguments:?}");
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-S", "tmux", "kill-server"]).current_dir(self.0).status();
    }
}

#[test]
fn pictures_pass_through_tmux_into_a_pane_and_come_back_with_it() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let kitty = Kitty::start(home.path(), 1200, 900);
    let settings = "set -g allow-passthrough on\nset -g default-command 'exec sh -i'\nset -g status-position top\n";
    std::fs::write(home.path().join("tmux.conf"), settings).expect("written");
    let server = Server(home.path());
    kitty.press("tmux -S tmux -f tmux.conf new\r");
    kitty.wait_for("tmux", |text| text.contains("[0]") && text.contains(PROMPT));
    // A pane with another one to its left and one above it.
    server.tell(&["split-window", "-h", "-l", "120"]);
    server.tell(&["split-window", "-v", "-l", "40"]);
    kitty.wait_for("three panes", |text| text.matches(PROMPT).count() == 3);
    kitty.press("$CSPINE studies\r");
    kitty.wait_for("the list", |text| text.contains("too short for a neck"));
    kitty.press("\r");
    let area = kitty.wait_for_slice("the first picture in tmux", &home, 11);
    assert!(area.x > 300 && area.y > 150, "beside and below other panes: {area:?}");
    kitty.press("j");
    kitty.wait_for_slice("the next slice in tmux", &home, 12);
    server.tell(&["detach-client"]);
    kitty.wait_for("the shell outside", |text| text.contains("[detached"));
    kitty.press("tmux -S tmux attach\r");
    kitty.wait_for_slice("the picture after attaching again", &home, 12);
    kitty.press("qq");
    kitty.wait_for("the pane's shell", |text| !text.contains('╭'));
    kitty.wait_for_no_picture(area);
}

#[test]
fn attached_elsewhere_the_terminal_is_asked_again_and_back_in_kitty_once_more() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let kitty = Kitty::start(home.path(), 960, 720);
    let settings = "set -g allow-passthrough on\nset -g default-command 'exec sh -i'\n";
    std::fs::write(home.path().join("tmux.conf"), settings).expect("written");
    let server = Server(home.path());
    kitty.press("tmux -S tmux -f tmux.conf new\r");
    kitty.wait_for("tmux", |text| text.contains("[0]") && text.contains(PROMPT));
    kitty.press("$CSPINE studies\r");
    kitty.wait_for("the list", |text| text.contains("too short for a neck"));
    kitty.press("\r");
    kitty.wait_for_slice("the picture in kitty", &home, 11);
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
    kitty.wait_for_slice("the picture back in kitty", &home, 11);
    kitty.press("qq");
    kitty.wait_for("the pane's shell", |text| !text.contains('╭'));
}
