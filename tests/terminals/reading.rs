//! kitty: pictures come, go and come back as the reader wants them.

use crate::image::Area;
use crate::kitty::Kitty;
use crate::link::Damaging;
use crate::shared;
use crate::shell::{PROMPT, wait_for_cooked};
use crate::study::{Home, SIDE, SLICES, rendered, show_the_field};
use crate::tools::turn;
use crate::wait::until;
use std::io::Write;

const NEEDED: [&str; 2] = ["kitty", "Xvfb"];

/// Starts the program and opens the study.
fn open(kitty: &Kitty, command: &str) {
    kitty.press(&format!("{command}\r"));
    kitty.wait_for("the list", |text| text.contains("not analyzed"));
    kitty.press("\r");
}

/// A kitty in which the study is open.
fn opened(home: &Home) -> Kitty {
    let kitty = Kitty::start(home.path(), 960, 720);
    open(&kitty, "$CSPINE studies");
    kitty
}

/// Looks at the last five slices, so that they and their neighbours are stored, and stays on the last.
fn store_the_last(kitty: &Kitty, home: &Home) {
    kitty.wait_for_slice("the first image", home, 11);
    kitty.press("G");
    kitty.wait_for_slice("the last slice", home, SLICES);
    for slice in (SLICES - 4..SLICES).rev() {
        kitty.press("k");
        kitty.wait_for_slice("a slice up", home, slice);
    }
    for slice in SLICES - 3..=SLICES {
        kitty.press("j");
        kitty.wait_for_slice("a slice down", home, slice);
    }
}

/// Whether the shell has its terminal back: its prompt, its own modes, a cursor, no picture, and none stored.
fn wait_for_a_clean_terminal(kitty: &Kitty, area: Area) {
    kitty.wait_for("the prompt", |text| text.matches(PROMPT).count() == 2 && !text.contains('╭'));
    wait_for_cooked(&kitty.tty());
    kitty.wait_for_no_picture(area);
    assert!(kitty.shows_cursor(), "the cursor is seen");
    // The terminal answers into the shell, which shows what it is told.
    kitty.press("for i in 1000 1001 1002; do printf '\\033_Ga=p,i=%s\\033\\\\' $i; done\r");
    kitty.wait_for("kitty has none of the images", |text| text.matches(";ENOENT").count() == 3);
}

#[test]
fn the_first_picture_is_what_render_writes_pixel_by_pixel() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let kitty = opened(&home);
    let area = kitty.wait_for_slice("the first image", &home, 11);
    kitty.press("qq");
    wait_for_a_clean_terminal(&kitty, area);
}

#[test]
fn each_slice_is_exact_and_leaves_nothing_behind() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let kitty = opened(&home);
    kitty.wait_for_slice("the first image", &home, 11);
    // The list as it is once the study was open.
    kitty.press("q");
    kitty.wait_for("the list", |text| text.contains("worklist"));
    let between = kitty.between_the_bars();
    let list = kitty.settled(between);
    kitty.press("\r");
    kitty.wait_for_slice("the image again", &home, 11);
    for (key, slice) in [("j", 12), ("j", 13), ("j", 14), ("k", 13)] {
        kitty.press(key);
        kitty.wait_for_slice("the next slice", &home, slice);
    }
    kitty.press("?");
    kitty.wait_for("help", |text| text.contains("keys of the reading screen"));
    kitty.press("?");
    kitty.wait_for_slice("the image after help", &home, 13);
    kitty.press("q");
    kitty.wait_for("the list", |text| text.contains("worklist"));
    let clean = || (kitty.seen(between) == list).then_some(());
    until("nothing left behind", clean, || format!("{}\n{}", kitty.seen(between).differs(&list), kitty.text()));
}

#[test]
fn one_pixel_for_each_voxel_is_exact() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let kitty = opened(&home);
    let area = kitty.wait_for_slice("the first image", &home, 11);
    // At this size every voxel of the slice is a pixel. Of it the screen shows what has room, around the middle.
    let voxels = home.rendered(11, SIDE, SIDE);
    kitty.press("9");
    let look = || {
        let seen = kitty.seen(area);
        let middle = seen.part(Area { x: area.width / 2 - 100, y: area.height / 2 - 100, width: 200, height: 200 });
        let places = (SIDE / 2 - 102..SIDE / 2 - 97).flat_map(|y| (SIDE / 2 - 102..SIDE / 2 - 97).map(move |x| (x, y)));
        let mut parts = places.map(|(x, y)| voxels.part(Area { x, y, width: 200, height: 200 }));
        parts.any(|part| part == middle).then_some(())
    };
    until("the voxels", look, || kitty.display.pixels().keep("voxels").display().to_string());
}

#[test]
fn a_slice_shown_before_costs_a_few_bytes() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let kitty = Kitty::start_recorded(home.path(), 960, 720);
    open(&kitty, "$CSPINE studies");
    store_the_last(&kitty, &home);
    let before = kitty.recorded().len();
    kitty.press("k");
    kitty.wait_for_slice("a slice shown before", &home, SLICES - 1);
    let commands = graphics(&kitty.recorded()[before..]);
    let bytes: usize = commands.iter().map(String::len).sum();
    assert!((1..=80).contains(&bytes), "{bytes} bytes: {commands:?}");
}

/// The commands of kitty's protocol among what was written.
fn graphics(written: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(written);
    text.split("\x1b_G")
        .skip(1)
        .map(|rest| rest.split("\x1b\\").next().unwrap_or(rest))
        .map(|c| format!("\x1b_G{c}\x1b\\"))
        .collect()
}

/// How many pieces of a picture have been sent whose last one has not; `None` where every picture is whole.
fn pieces_of_the_last(commands: &[String]) -> Option<usize> {
    let pieces = &commands[commands.iter().rposition(|command| command.contains("a=t,"))?..];
    let whole = pieces.iter().any(|command| command.contains("m=0;"));
    (!whole).then_some(pieces.len())
}

#[test]
fn images_that_the_terminal_dropped_are_sent_again() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let kitty = opened(&home);
    store_the_last(&kitty, &home);
    let area = kitty.wait_for_slice("the last slice", &home, SLICES);
    // Every image, behind the program's back.
    kitty.tty().write_all(b"\x1b_Ga=d,d=A\x1b\\").expect("the terminal takes bytes");
    kitty.wait_for_no_picture(area);
    for (key, slice) in [("k", SLICES - 1), ("j", SLICES), ("k", SLICES - 1)] {
        kitty.press(key);
        kitty.wait_for_slice("a dropped image", &home, slice);
    }
}

#[test]
fn an_image_that_kitty_refuses_is_reported_with_the_reason_and_the_next_one_is_shown() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let kitty = Kitty::start(home.path(), 960, 720);
    let link = Damaging::start(&kitty, home.path());
    kitty.wait_for("the list", |text| text.contains("not analyzed"));
    kitty.press("\r");
    let area = kitty.wait_for_slice("the first image", &home, 11);
    link.set_damages(true);
    // Farther than what was sent ahead.
    kitty.press("G");
    let text =
        kitty.wait_for("the reason", |text| words(text).contains("Image not shown: the terminal cannot decode it"));
    assert!(text.contains(&format!("axial · {SLICES} / {SLICES} ")), "{text}");
    // No image of another slice stays below the words.
    until("no image", || kitty.seen(area).lacks_shades().then_some(()), || kitty.text());
    link.set_damages(false);
    kitty.press("\u{c}");
    kitty.wait_for_slice("the image, sent again by Ctrl-L", &home, SLICES);
    link.set_damages(true);
    kitty.press("gg");
    kitty.wait_for("the reason", |text| words(text).contains("Image not shown"));
    link.set_damages(false);
    kitty.press("j");
    kitty.wait_for_slice("the next slice", &home, 2);
}

/// The text without line breaks and borders.
fn words(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || "│┃".contains(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn another_size_of_the_window_has_an_exact_picture_too() {
    let Some(_turn) = turn(&["kitty", "Xvfb", "xdotool"]) else { return };
    let home = Home::new();
    let kitty = opened(&home);
    let mut before = kitty.wait_for_slice("the first image", &home, 11);
    for (width, height) in [("700", "560"), ("520", "880")] {
        kitty.xdotool(&["search", "--class", "kitty", "windowsize", width, height]);
        until("another place", || kitty.picture_area().filter(|area| *area != before), || kitty.text());
        before = kitty.wait_for_slice("the image in another window", &home, 11);
    }
}

#[test]
fn stopped_and_continued_the_picture_is_there_again() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let kitty = opened(&home);
    let area = kitty.wait_for_slice("the first image", &home, 11);
    kitty.press("j");
    kitty.wait_for_slice("the next slice", &home, 12);
    kitty.press("\x1a");
    kitty.wait_for("the shell", |text| text.matches(PROMPT).count() == 2 && !text.contains('╭'));
    wait_for_cooked(&kitty.tty());
    kitty.wait_for_no_picture(area);
    kitty.press("fg\r");
    kitty.wait_for_slice("the image after fg", &home, 12);
    kitty.press("k");
    kitty.wait_for_slice("the slice before", &home, 11);
}

#[test]
fn ended_in_the_middle_of_a_picture_it_leaves_a_clean_terminal() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let home = Home::new();
    let kitty = Kitty::start_recorded(home.path(), 960, 720);
    // A picture of some hundred kilobytes takes many seconds.
    open(&kitty, "sh -c 'echo $$ > program; exec $CSPINE studies --bandwidth 20K'");
    let area = kitty.wait_for_frame();
    let half = || pieces_of_the_last(&graphics(&kitty.recorded())).filter(|pieces| *pieces >= 3);
    until("pieces of an image", half, || kitty.text());
    let program = std::fs::read_to_string(home.path().join("program")).expect("a process");
    let sent = std::process::Command::new("kill").args(["-TERM", program.trim()]).status();
    assert!(sent.expect("kill runs").success());
    wait_for_a_clean_terminal(&kitty, area);
}

#[test]
fn a_real_neck_is_shown_as_render_draws_it() {
    let (Some(_turn), Some(neck)) = (turn(&NEEDED), shared::folder("vhf-neck")) else { return };
    let home = tempfile::tempdir().expect("a home");
    show_the_field(home.path());
    let kitty = Kitty::start(home.path(), 960, 720);
    kitty.press(&format!("$CSPINE {}\r", neck.canonicalize().expect("a folder").display()));
    kitty.wait_for("the result", |text| text.contains("CT CERVICAL SPINE") && text.contains("flagged from"));
    kitty.press("\r");
    // Nothing is flagged: it opens on the midline.
    for plane in ["sagittal", "coronal", "axial"] {
        kitty.wait_for("the plane", |text| text.contains(&format!("╭ {plane} · ")) && text.contains(" HU "));
        if plane != "axial" {
            kitty.press("v");
        }
    }
    kitty.press("100G");
    kitty.wait_for_picture("a real slice", "axial · 100 / 240 ", |width, height| {
        rendered(&neck, home.path(), 100, width, height)
    });
}
