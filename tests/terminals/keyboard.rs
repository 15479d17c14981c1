//! kitty's keyboard protocol, with keys that are pressed as on a keyboard.

use crate::kitty::Kitty;
use crate::pty::is_asked;
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
    kitty.wait_for("the list", |text| text.contains("not analyzed"));
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
    kitty.wait_for("the note", |text| is_asked(text, "note: ", ""));
    key(X);
    key(J);
    kitty.wait_for("Cyrillic text", |text| is_asked(text, "note: ", "чо"));
    // Text is discarded only when asked for twice; then the study is closed.
    key("Escape");
    kitty.wait_for("the question", |text| text.contains("discard"));
    key("Escape");
    kitty.wait_for("no note", |text| !is_asked(text, "note: ", ""));
    key("Escape");
    kitty.wait_for("the list", |text| text.contains("worklist"));
    key(Q);
    kitty.wait_for("the shell", |text| text.trim_end().ends_with(crate::shell::PROMPT.trim_end()));
    layout(&kitty, "us");
    key(J);
    key(X);
    kitty.wait_for("plain letters", |text| text.trim_end().ends_with("jx"));
}

#[test]
fn stopped_it_gives_back_keyboard_and_standard_error_and_takes_them_again() {
    let Some(_turn) = turn(&["kitty", "Xvfb", "xdotool"]) else { return };
    let home = Home::new();
    let kitty = Kitty::start(home.path(), 960, 720);
    let key = |name: &str| kitty.xdotool(&["key", name]);
    kitty.xdotool(&["mousemove", "600", "400"]);
    kitty.press("sh -c 'echo $$ > program; exec $CSPINE studies'\r");
    kitty.wait_for("the list", |text| text.contains("not analyzed"));
    let program = std::fs::read_to_string(home.path().join("program")).expect("a process");
    let errors = || std::fs::read_link(format!("/proc/{}/fd/2", program.trim())).expect("its standard error");
    let terminal = std::fs::read_to_string(home.path().join("tty")).expect("the shell told its terminal");
    assert!(errors().ends_with("cspine.log"), "{:?}", errors());
    key("ctrl+z");
    let prompt = crate::shell::PROMPT.trim_end();
    kitty.wait_for("the shell", |text| text.trim_end().ends_with(prompt));
    assert_eq!(errors().to_str(), Some(terminal.trim()));
    // As letters, not as reports of keys.
    key("f");
    key("g");
    kitty.wait_for("the command", |text| text.trim_end().ends_with(&format!("{prompt} fg")));
    key("Return");
    kitty.wait_for("the list again", |text| text.contains("not analyzed") && !text.contains(prompt));
    assert!(errors().ends_with("cspine.log"), "{:?}", errors());
    key("Caps_Lock");
    key("Down");
    key("k");
    kitty.wait_for("Caps Lock shown", |text| text.contains("Caps Lock"));
    key("Caps_Lock");
    key("q");
    kitty.wait_for("the shell", |text| text.trim_end().ends_with(prompt));
}
