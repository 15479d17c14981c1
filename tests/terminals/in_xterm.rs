//! xterm as a VT340: pictures by sixel.

use crate::display::Display;
use crate::frame::picture_area;
use crate::image::Image;
use crate::shell::{PROMPT, SHELL, cell, end_recorder, in_home, record, recorded, tty, wait_for_cooked};
use crate::study::{Home, SLICES};
use crate::tools::turn;
use crate::wait::{until, until_some};
use std::num::NonZeroU16;
use std::process::{Child, Command};

const NEEDED: [&str; 4] = ["xterm", "Xvfb", "xdotool", "script"];

const COLUMNS: u16 = 120;
const ROWS: u16 = 40;

struct Xterm<'h> {
    display: Display,
    process: Child,
    home: &'h Home,
}

impl<'h> Xterm<'h> {
    fn start(home: &'h Home) -> Self {
        let display = Display::start(1280, 960);
        let mut command = Command::new("xterm");
        // Without a window manager the keys go to the window under the pointer.
        command.args([
            "-ti",
            "vt340",
            "-b",
            "0",
            "-bw",
            "0",
            "+sb",
            "-geometry",
            &format!("{COLUMNS}x{ROWS}+0+0"),
            "-e",
        ]);
        command.args(["sh", "-c", &recorded(SHELL)]);
        in_home(&mut command, home.path());
        command.env("DISPLAY", display.name());
        let process = command.spawn().expect("xterm starts");
        let xterm = Self { display, process, home };
        // Beside the picture: the pointer is part of what is seen.
        xterm.xdotool(&["mousemove", "600", "400"]);
        xterm.wait_for("the shell", |text| text.contains(PROMPT));
        xterm
    }

    fn xdotool(&self, arguments: &[&str]) {
        let status = Command::new("xdotool").args(arguments).env("DISPLAY", self.display.name()).status();
        assert!(status.expect("xdotool runs").success());
    }

    fn press(&self, keys: &str) {
        self.xdotool(&["type", "--delay", "5", keys]);
    }

    /// The text on its screen, by what was written to it.
    fn text(&self) -> String {
        let size = |cells| NonZeroU16::new(cells).expect("a size");
        let mut screen = vt100::Parser::new(size(ROWS), size(COLUMNS), 0);
        screen.process(&record(self.home.path()));
        screen.screen().contents()
    }

    fn wait_for(&self, what: &str, condition: impl Fn(&str) -> bool) {
        until(what, || condition(&self.text()).then_some(()), || self.text());
    }

    /// Waits until a slice is shown in as many greys as the terminal has registers for.
    fn wait_for_slice(&self, what: &str, slice: usize) {
        let title = format!("axial · {slice} / {SLICES} ");
        self.wait_for(what, |text| text.contains(&title));
        let area = picture_area(&self.text(), cell(&tty(self.home.path()))).expect("a frame");
        let expected = self.home.rendered(slice, area.width, area.height);
        let mut differs = String::new();
        let look = || {
            let wrong = squeezed_differently(&self.display.pixels().part(area), &expected);
            differs = format!("{} pixels are others, the first at {:?}", wrong.len(), wrong.first());
            wrong.is_empty().then_some(())
        };
        until_some(look).unwrap_or_else(|| {
            let kept = self.display.pixels().keep(what);
            panic!("waiting in vain for {what}: {differs}; {}", kept.display())
        });
    }
}

impl Drop for Xterm<'_> {
    fn drop(&mut self) {
        end_recorder(self.home.path());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// 64 greys: half a step between them is 255 / 63 / 2 = 2.0; their values are told in percent, of which half a one is 1.3; the
/// picture's own value, and xterm's, are rounded once more.
const TOLERANCE: u8 = 5;

/// Where a picture is not the one that is expected. Sixels come in bands of six rows: the program squeezes a picture to whole bands, so
/// that each row lies between two of those that are expected.
fn squeezed_differently(seen: &Image, expected: &Image) -> Vec<(usize, usize)> {
    let (width, height) = (expected.width, expected.height);
    let bands = height - height % 6;
    let mut wrong = Vec::new();
    for (x, y) in (0..bands).flat_map(|y| (0..width).map(move |x| (x, y))) {
        // Twice the place of the row's middle, so that numbers are whole, less half a row.
        let above = ((2 * y + 1) * height / bands).saturating_sub(1) / 2;
        let rows = [above, (above + 1).min(height - 1)].map(|row| expected.pixels[row * width + x][0]);
        let within = rows[0].min(rows[1]).saturating_sub(TOLERANCE)..=rows[0].max(rows[1]).saturating_add(TOLERANCE);
        if !seen.pixels[y * width + x].iter().all(|channel| within.contains(channel)) {
            wrong.push((x, y));
        }
    }
    wrong
}

#[test]
fn sixel_pictures_are_as_near_to_render_as_their_greys_allow() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let xterm = Xterm::start(&home);
    // Keys that need no shift: a modifier sometimes comes too late for its key.
    std::fs::write(home.path().join("open"), "exec $CSPINE studies\n").expect("written");
    xterm.press("sh open");
    xterm.wait_for("the command", |text| text.contains("sh open"));
    xterm.xdotool(&["key", "Return"]);
    xterm.wait_for("the list", |text| text.contains("not analyzed"));
    xterm.xdotool(&["key", "Return"]);
    xterm.wait_for_slice("the first image by sixel", 11);
    for (key, slice) in [("j", 12), ("j", 13), ("k", 12)] {
        xterm.press(key);
        xterm.wait_for_slice("the next slice by sixel", slice);
    }
    let area = picture_area(&xterm.text(), cell(&tty(home.path()))).expect("a frame");
    xterm.press("q");
    xterm.wait_for("the list", |text| text.contains("worklist"));
    xterm.press("q");
    xterm.wait_for("the shell", |text| text.matches(PROMPT).count() == 2 && !text.contains('╭'));
    wait_for_cooked(&tty(home.path()));
    let clean = |pixels: Image| pixels.part(area).is_plain();
    until(
        "no image",
        || clean(xterm.display.pixels()).then_some(()),
        || xterm.display.pixels().keep("xterm").display().to_string(),
    );
}
