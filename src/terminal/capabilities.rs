//! What the terminal can do, and what the user asked of it.

use super::halfblocks::Glyphs;
use std::fmt;
use std::str::FromStr;

/// The way of showing pictures that the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, clap::ValueEnum)]
pub enum GraphicsChoice {
    /// The best that the terminal answers to.
    #[default]
    Auto,
    /// The kitty graphics protocol.
    Kitty,
    /// Sixel.
    Sixel,
    /// iTerm2 inline images.
    Iterm2,
    /// Coloured half-block characters.
    Halfblocks,
    /// No pictures at all.
    None,
}

impl GraphicsChoice {
    /// All choices, in the order in which the help lists them.
    pub const ALL: [Self; 6] = [Self::Auto, Self::Kitty, Self::Sixel, Self::Iterm2, Self::Halfblocks, Self::None];

    /// `auto`, `kitty`, `sixel`, `iterm2`, `halfblocks`, `none`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Kitty => Protocol::Kitty.name(),
            Self::Sixel => Protocol::Sixel.name(),
            Self::Iterm2 => Protocol::Iterm2.name(),
            Self::Halfblocks => Protocol::Halfblocks.name(),
            Self::None => Protocol::None.name(),
        }
    }
}

impl fmt::Display for GraphicsChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no way of showing pictures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an image protocol: use auto, kitty, sixel, iterm2, halfblocks or none")]
pub struct UnknownGraphics(String);

impl FromStr for GraphicsChoice {
    type Err = UnknownGraphics;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|choice| choice.name() == wanted).ok_or_else(|| UnknownGraphics(text.to_owned()))
    }
}

/// The way in which pictures are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// The kitty graphics protocol: pictures are stored by the terminal and shown again for some 70 bytes.
    Kitty,
    /// Sixel: pixels in 64 greys, sent each time.
    Sixel,
    /// iTerm2 inline images: a PNG, sent each time.
    Iterm2,
    /// Coloured half-block characters, drawn as text by the caller with [`super::halfblock_cells`].
    Halfblocks,
    /// No pictures.
    None,
}

impl Protocol {
    /// `kitty`, `sixel`, `iterm2`, `halfblocks`, `none`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kitty => "kitty",
            Self::Sixel => "sixel",
            Self::Iterm2 => "iterm2",
            Self::Halfblocks => "halfblocks",
            Self::None => "none",
        }
    }

    /// Whether pictures go to the terminal through [`super::Terminal::show`].
    #[must_use]
    pub fn delivers_pixels(self) -> bool {
        matches!(self, Self::Kitty | Self::Sixel | Self::Iterm2)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Size of a character cell in terminal pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellSize {
    /// Width in pixels, at least 1.
    pub width: u16,
    /// Height in pixels, at least 1.
    pub height: u16,
    /// Nobody told: an ordinary 8×16 is assumed, so the picture's proportions may be off.
    pub guessed: bool,
}

impl CellSize {
    /// What is assumed where the terminal does not tell.
    pub const GUESS: Self = Self { width: 8, height: 16, guessed: true };

    /// A size that the terminal told; `None` where it is no sensible size (1 to 256 pixels each way).
    #[must_use]
    pub fn told(width: u16, height: u16) -> Option<Self> {
        let sensible = 1..=256;
        (sensible.contains(&width) && sensible.contains(&height)).then_some(Self { width, height, guessed: false })
    }
}

/// A program between us and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Multiplexer {
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
    /// mosh, which sends what it knows of the screen.
    Mosh,
    /// Zellij.
    Zellij,
    /// Neovim's `:terminal`.
    Neovim,
}

impl Multiplexer {
    /// `tmux`, `screen`, `mosh`, `zellij`, `neovim`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tmux => "tmux",
            Self::Screen => "screen",
            Self::Mosh => "mosh",
            Self::Zellij => "zellij",
            Self::Neovim => "neovim",
        }
    }
}

/// What a terminal makes of characters beyond ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// It does not use UTF-8: they are replaced by ASCII.
    Ascii,
    /// It may put text from right to left into visual order, line by line: columns are kept apart.
    Reordered,
    /// Each stays in its cell.
    InPlace,
}

impl fmt::Display for Letters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ascii => "ASCII only",
            Self::Reordered | Self::InPlace => "UTF-8",
        })
    }
}

/// Whether a terminal answers questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// It was asked, and may still answer: nothing is made to wait for it.
    Unknown,
    /// It answers.
    Heard,
    /// It left all questions without an answer.
    Mute,
}

/// What the terminal can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The way in which pictures are shown.
    pub protocol: Protocol,
    /// Size of a character cell.
    pub cell: CellSize,
    /// What is known of such a terminal: its name, what it does best, what is odd about it.
    pub driver: Option<String>,
    /// The terminal's name and version as it told them.
    pub name: Option<String>,
    /// The multiplexer in between.
    pub multiplexer: Option<Multiplexer>,
    /// Whether it understands 24-bit colours; where not, colours are brought down to the 256 of the xterm palette.
    pub truecolor: bool,
    /// What it makes of characters beyond ASCII.
    pub letters: Letters,
    /// What pictures made of characters are made of.
    pub glyphs: Glyphs,
    /// Whether it answers questions.
    pub voice: Voice,
    /// What does not work and what to do about it, each a sentence for the user.
    pub notes: Vec<String>,
}
