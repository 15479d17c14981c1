//! kitty's keyboard protocol, with keys that are pressed as on a keyboard.

use crate::kitty::Kitty;
use crate::study::Home;
use crate::tools::turn;
use std::process::Command;

/// Keycodes of a PC keyboard under X, by the US layout's letters.
const J: &str = "44";
const Q: &str = "24";
const X: &str = "53";

fn layout(kitty: &Kitty, name: &str) {
    let set = Command::new("setxkbmap").arg(name).env("DISPLAY", kitty.display.name()).status();
    assert!(set.expect("setxkbmap runs").success());
}

#[test]
fn another_layout_and_caps_lock_change_no_command_and_the_shell_gets_its_keyboard_back() {
    let Some(_turn) = turn(&["kitty", "Xvfb", "xdotool", "setxkbmap"]) else { return };
    let home = Home::new();
    let kitty = Kitty::start(home.path(), 960, 720);
    let key = |name: &str| kitty.xdotool(&["key", name]);
    // Without a window manager the keys go to the window under the pointer.
    kitty.xdotool(&["mousemove", "600", "400"]);
    kitty.press("$CSPINE studies\r");
    kitty.wait_for("the list", |text| text.contains("too short for a neck"));
    key("Return");
    kitty.wait_for("the reading screen", |text| text.contains("axial · 11 / 20"));
    key(J);
    kitty.wait_for("the next slice", |text| text.contains("axial · 12 / 20"));
    key("Caps_Lock");
    key(J);
    // With Shift it would be ten slices on.
    kitty.wait_for("one slice, and Caps Lock shown", |text| {
        text.contains("axial · 13 / 20") && text.contains("Caps Lock")
    });
    key("Caps_Lock");
    layout(&kitty, "ru");
    key(J);
    kitty.wait_for("the next slice by о", |text| text.contains("axial · 14 / 20") && !text.contains("Caps Lock"));
    // In a line of text it is what it types: Shift and ц, then ч and о.
    key("shift+25");
    kitty.wait_for("the note", |text| text.contains("note:"));
    key(X);
    key(J);
    kitty.wait_for("Cyrillic text", |text| text.contains("note: чо"));
    key("Escape");
    key("Escape");
    kitty.wait_for("the list", |text| text.contains("worklist"));
    key(Q);
    kitty.wait_for("the shell", |text| text.trim_end().ends_with(crate::shell::PROMPT.trim_end()));
    layout(&kitty, "us");
    key(J);
    key(X);
    kitty.wait_for("plain letters", |text| text.trim_end().ends_with("jx"));
}
