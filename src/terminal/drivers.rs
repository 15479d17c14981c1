//! Known terminals: what each does best, and what is odd about it. What a terminal answers goes before what is written here.

use super::capabilities::{Multiplexer, Protocol};

/// A terminal, or what lies between us and one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Driver {
    /// Its name for the user.
    pub(super) name: &'static str,
    /// How its name begins, in small letters: by XTVERSION, without an answer by `LC_TERMINAL`, `TERM_PROGRAM` or `TERM` without `xterm-`.
    begins: &'static [&'static str],
    /// The best that it does where it answers that it does it at all.
    pub(super) best: Protocol,
    /// Whether it shows iTerm2's inline images.
    pub(super) inline_images: bool,
    /// Whether it has 24-bit colours.
    pub(super) truecolor: bool,
    /// What is odd about it, or how it is brought to show pictures.
    pub(super) note: &'static str,
}

const fn row(
    name: &'static str,
    begins: &'static [&'static str],
    best: Protocol,
    truecolor: bool,
    note: &'static str,
) -> Driver {
    Driver { name, begins, best, inline_images: false, truecolor, note }
}

const fn inline(driver: Driver) -> Driver {
    Driver { inline_images: true, ..driver }
}

/// The table. The first row that fits counts.
pub(super) const DRIVERS: [Driver; 23] = [
    row("kitty", &["kitty"], Protocol::Kitty, true, "stores some 320 MB of pixels and drops the oldest silently"),
    row("Ghostty", &["ghostty"], Protocol::Kitty, true, "stores 320 MB of pixels by its image-storage-limit"),
    inline(row(
        "WezTerm",
        &["wezterm"],
        Protocol::Iterm2,
        true,
        "answers for kitty's protocol only with enable_kitty_graphics = true",
    )),
    row("Konsole", &["konsole"], Protocol::Kitty, true, "sixel where its version does not answer for kitty's protocol"),
    row("foot", &["foot"], Protocol::Sixel, true, ""),
    inline(row("iTerm2", &["iterm"], Protocol::Iterm2, true, "by its answer to XTVERSION")),
    inline(row("mintty", &["mintty"], Protocol::Iterm2, true, "")),
    row("Windows Terminal", &["windows terminal"], Protocol::Sixel, true, "sixel from version 1.22 on"),
    row(
        "VS Code",
        &["vscode", "xterm.js"],
        Protocol::Sixel,
        true,
        "images with terminal.integrated.enableImages, smooth with its GPU acceleration",
    ),
    row("contour", &["contour"], Protocol::Sixel, true, ""),
    row("xterm", &["xterm("], Protocol::Sixel, true, "sixel when started with -ti vt340"),
    row("GNOME terminals", &["vte"], Protocol::Halfblocks, true, ""),
    row("Apple Terminal", &["apple_terminal"], Protocol::Halfblocks, false, "256 colors, no images"),
    row("alacritty", &["alacritty"], Protocol::Halfblocks, true, "shows no images"),
    row("Linux console", &["linux"], Protocol::Halfblocks, false, "16 colors, no images"),
    row("dumb", &["dumb"], Protocol::Halfblocks, false, "answers no questions"),
    row("tmux", &["tmux"], Protocol::Kitty, true, "kitty's protocol with allow-passthrough on"),
    row("screen", &["screen"], Protocol::Halfblocks, false, "lets no images through"),
    row("zellij", &["zellij"], Protocol::Sixel, true, "sixel where the terminal around it has it"),
    row("neovim", &["neovim"], Protocol::Halfblocks, true, "shows no images"),
    row("mosh", &["mosh"], Protocol::Halfblocks, false, "carries no images; ssh does"),
    row(
        "xterm or like it",
        &["xterm", "256color"],
        Protocol::Sixel,
        false,
        "by TERM only: it did not answer with its name",
    ),
    row("rxvt", &["rxvt"], Protocol::Halfblocks, false, ""),
];

/// The row in force: what lies in between goes before the terminal behind it; then the first name that is known.
pub(super) fn driver(between: Option<Multiplexer>, names: &[&str]) -> Option<&'static Driver> {
    let between = between.map(Multiplexer::name);
    let names = between.into_iter().chain(names.iter().copied()).map(str::to_ascii_lowercase);
    names.filter(|name| !name.is_empty()).find_map(|name| {
        let name = name.strip_prefix("xterm-").unwrap_or(&name);
        DRIVERS.iter().find(|driver| driver.begins.iter().any(|begin| name.starts_with(begin)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(names: &[&str]) -> Option<&'static str> {
        driver(None, names).map(|driver| driver.name)
    }

    #[test]
    fn terminals_are_known_by_what_they_tell() {
        for (told, known) in [
            ("kitty(0.35.2)", "kitty"),
            ("xterm-kitty", "kitty"),
            ("ghostty 1.0.1", "Ghostty"),
            ("WezTerm 20240203", "WezTerm"),
            ("Konsole 23.08", "Konsole"),
            ("foot(1.16.2)", "foot"),
            ("iTerm2 3.5.0", "iTerm2"),
            ("XTerm(379)", "xterm"),
            ("xterm.js(5.6.0)", "VS Code"),
            ("Apple_Terminal", "Apple Terminal"),
            ("alacritty", "alacritty"),
            ("dumb", "dumb"),
            ("xterm-256color", "xterm or like it"),
        ] {
            assert_eq!(name(&[told]), Some(known), "{told}");
        }
        assert_eq!(name(&["", "never heard of"]), None);
    }

    #[test]
    fn what_is_told_first_counts_and_what_lies_between_before_that() {
        assert_eq!(name(&["foot(1.16)", "vscode", "xterm-256color"]), Some("foot"));
        let between = driver(Some(Multiplexer::Tmux), &["kitty(0.35)"]);
        assert_eq!(between.map(|driver| driver.name), Some("tmux"));
    }

    #[test]
    fn every_multiplexer_has_a_row_and_inline_images_are_for_those_that_show_them() {
        for between in
            [Multiplexer::Tmux, Multiplexer::Screen, Multiplexer::Mosh, Multiplexer::Zellij, Multiplexer::Neovim]
        {
            assert_eq!(driver(Some(between), &[]).map(|driver| driver.name), Some(between.name()));
        }
        for driver in &DRIVERS {
            assert!(driver.best != Protocol::Iterm2 || driver.inline_images, "{}", driver.name);
        }
    }
}
