//! kitty, driven through its own remote control and looked at on its display.

use crate::display::Display;
use crate::frame::picture_area;
use crate::image::{Area, Image};
use crate::pty::is_asked;
use crate::shell::{PROMPT, SHELL, cell, end_recorder, in_home, record, recorded, tty};
use crate::study::{Home, SLICES};
use crate::wait::{until, until_some};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// A kitty with a shell in it.
pub(crate) struct Kitty {
    pub(crate) display: Display,
    process: Child,
    socket: PathBuf,
    home: PathBuf,
}

impl Kitty {
    /// Starts one with a window of so many pixels; `$CSPINE` is the program, and the shell begins in `home`.
    pub(crate) fn start(home: &Path, width: usize, height: usize) -> Self {
        Self::with_shell(home, (width, height), &format!("exec {SHELL}"))
    }

    /// As [`Kitty::start`], everything that reaches kitty being noted down.
    pub(crate) fn start_recorded(home: &Path, width: usize, height: usize) -> Self {
        Self::with_shell(home, (width, height), &recorded(SHELL))
    }

    fn with_shell(home: &Path, (width, height): (usize, usize), shell: &str) -> Self {
        let display = Display::start(1280, 960);
        let socket = home.join("kitty");
        let settings = [
            "font_size=9".to_owned(),
            "remember_window_size=no".to_owned(),
            format!("initial_window_width={width}"),
            format!("initial_window_height={height}"),
            "placement_strategy=top-left".to_owned(),
            "window_padding_width=0".to_owned(),
            "window_border_width=0".to_owned(),
            "confirm_os_window_close=0".to_owned(),
            "cursor_blink_interval=0".to_owned(),
            "allow_remote_control=yes".to_owned(),
            "enable_audio_bell=no".to_owned(),
            "update_check_interval=0".to_owned(),
            "shell_integration=disabled".to_owned(),
        ];
        let mut command = Command::new("kitty");
        command.args(["--config", "NONE", "--listen-on"]).arg(format!("unix:{}", socket.display()));
        command.args(settings.iter().flat_map(|setting| ["-o", setting])).args(["sh", "-c", shell]);
        in_home(&mut command, home);
        command.env("DISPLAY", display.name()).env("LIBGL_ALWAYS_SOFTWARE", "1");
        let process = command.spawn().expect("kitty starts");
        let kitty = Self { display, process, socket, home: home.to_owned() };
        until("kitty's shell", || kitty.try_text().filter(|text| text.contains(PROMPT)), String::new);
        kitty
    }

    /// A command of kitty's remote control, sent; `None` while nobody listens.
    fn tell(&self, command: &str, payload: &Value, no_response: bool) -> Option<UnixStream> {
        let mut stream = UnixStream::connect(&self.socket).ok()?;
        let request = json!({"cmd": command, "version": [0, 14, 2], "no_response": no_response, "payload": payload});
        stream.write_all(format!("\x1bP@kitty-cmd{request}\x1b\\").as_bytes()).ok()?;
        Some(stream)
    }

    /// The text that kitty answers to a command; `None` while nobody listens.
    fn ask(&self, command: &str, payload: &Value) -> Option<String> {
        let mut stream = self.tell(command, payload, false)?;
        let (mut answer, mut bytes) = (Vec::new(), [0; 4096]);
        while !answer.ends_with(b"\x1b\\") {
            let n = stream.read(&mut bytes).ok().filter(|n| *n > 0)?;
            answer.extend_from_slice(&bytes[..n]);
        }
        let text = String::from_utf8(answer).expect("UTF-8");
        let body =
            text.strip_prefix("\x1bP@kitty-cmd").and_then(|text| text.strip_suffix("\x1b\\")).expect("an answer");
        let answer: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(answer["ok"], true, "{command}: {answer}");
        Some(answer["data"].as_str().expect("text").to_owned())
    }

    fn try_text(&self) -> Option<String> {
        self.ask("get-text", &json!({"extent": "screen"}))
    }

    /// The text on its screen.
    pub(crate) fn text(&self) -> String {
        self.try_text().expect("kitty runs")
    }

    /// Types.
    pub(crate) fn press(&self, keys: &str) {
        self.tell("send-text", &json!({"data": format!("text:{keys}")}), true).expect("kitty runs");
    }

    /// Types a line of text and takes it: the key that asks for it, the text once the line shows its `sign`, and Enter once the
    /// text is there. All at once would be pasted text.
    pub(crate) fn type_line(&self, (key, sign): (&str, &str), text: &str) {
        self.press(key);
        self.wait_for("the line of text", |screen| is_asked(screen, sign, ""));
        self.press(text);
        self.wait_for("the text", |screen| is_asked(screen, sign, text));
        self.press("\r");
    }

    /// Waits for a condition on the text, and gives the text.
    pub(crate) fn wait_for(&self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        until(what, || Some(self.text()).filter(|text| condition(text)), || self.text())
    }

    /// The device of the terminal that the shell is in.
    pub(crate) fn tty(&self) -> File {
        tty(&self.home)
    }

    /// What reached kitty so far, where it is noted down.
    pub(crate) fn recorded(&self) -> Vec<u8> {
        record(&self.home)
    }

    /// The window without its first and its last line of text, which tell the time and what pictures cost.
    pub(crate) fn between_the_bars(&self) -> Area {
        let size = rustix::termios::tcgetwinsize(self.tty()).expect("its size");
        let (width, line) = (usize::from(size.ws_xpixel), cell(&self.tty()).1);
        Area { x: 0, y: line, width, height: line * (usize::from(size.ws_row) - 2) }
    }

    /// What is seen in a part of the display once it does not change any more.
    pub(crate) fn settled(&self, area: Area) -> Image {
        let (mut last, mut same) = (self.seen(area), 0);
        let look = || {
            let now = self.seen(area);
            same = if now == last { same + 1 } else { 0 };
            last = now;
            (same == 20).then(|| last.clone())
        };
        until("a screen that stays", look, || self.text())
    }

    /// What a user does to the window.
    pub(crate) fn xdotool(&self, arguments: &[&str]) {
        let status = Command::new("xdotool").args(arguments).env("DISPLAY", self.display.name()).status();
        assert!(status.expect("xdotool runs").success());
    }

    /// Whether the cursor is seen.
    pub(crate) fn shows_cursor(&self) -> bool {
        let told = self.ask("get-text", &json!({"extent": "screen", "cursor": true})).expect("kitty runs");
        told.contains("\x1b[?25h")
    }

    /// Where the active picture belongs.
    pub(crate) fn picture_area(&self) -> Option<Area> {
        picture_area(&self.text(), cell(&self.tty()))
    }

    /// Waits for a picture's frame, whatever is in it, and tells where the picture belongs.
    pub(crate) fn wait_for_frame(&self) -> Area {
        until("an image's frame", || self.picture_area(), || self.text())
    }

    /// What is seen in a part of the display.
    pub(crate) fn seen(&self, area: Area) -> Image {
        self.display.pixels().part(area)
    }

    /// Waits until this slice is shown, its number above it, exactly as `cspine render` draws it; and tells where.
    pub(crate) fn wait_for_slice(&self, what: &str, home: &Home, slice: usize) -> Area {
        let title = format!("axial · {slice} / {SLICES} ");
        self.wait_for_picture(what, &title, |width, height| home.rendered(slice, width, height))
    }

    /// Waits until the picture with this title is exactly what `render` makes for its size; and tells where.
    pub(crate) fn wait_for_picture(&self, what: &str, title: &str, render: impl Fn(usize, usize) -> Image) -> Area {
        let mut drawn: Option<(Area, Image)> = None;
        let mut differs = "no such title".to_owned();
        let look = || {
            let text = self.text();
            let area = picture_area(&text, cell(&self.tty())).filter(|_| text.contains(title))?;
            if drawn.as_ref().is_none_or(|(known, _)| *known != area) {
                drawn = Some((area, render(area.width, area.height)));
            }
            let expected = drawn.as_ref().map(|(_, picture)| picture)?;
            let seen = self.display.pixels().part(area);
            if seen == *expected {
                return Some(area);
            }
            differs = seen.differs(expected);
            None
        };
        let found = until_some(look);
        found.unwrap_or_else(|| {
            let kept = self.display.pixels().keep(what);
            panic!("waiting in vain for {what}, {title}: {differs}; {}\n{}", kept.display(), self.text())
        })
    }

    /// Waits until nothing is seen where a picture was, not even text.
    pub(crate) fn wait_for_no_picture(&self, area: Area) {
        until(
            "no image",
            || self.seen(area).is_plain().then_some(()),
            || self.display.pixels().keep("no image").display().to_string(),
        );
    }
}

impl Drop for Kitty {
    fn drop(&mut self) {
        end_recorder(&self.home);
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
