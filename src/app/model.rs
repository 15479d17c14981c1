//! Everything that the screen shows, in one place.

use super::help::Help;
use super::palette::{self, Choice, Offer};
use super::prompt::{Prompt, PromptKind};
use super::second_key::SecondKey;
use super::tool;
use super::update::{key_images, measurements};
use super::{
    Aging, Annotations, Cine, Command, Count, Decisions, Entry, Framing, Reading, Screen, Tool, Trail, Worklist,
};
use crate::dicom::ScanSummary;
use crate::domain::pseudonym::Pseudonyms;
use crate::domain::{CleanText, Disclosure, Measurement, ModelIdentity, ThumbnailKey, Uid};
use crate::raster::{self, LineState, Mark, PictureSize, Plane, Quality};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// The smallest window with a preview beside the worklist: columns and rows.
pub(super) const PREVIEW_LEAST: (u16, u16) = (120, 30);

/// Shown as the graphics protocol until the terminal has answered.
pub const GRAPHICS_UNKNOWN: &str = "…";

/// The program's state.
#[derive(Debug)]
pub struct Model {
    /// What is looked at, as "/data/incoming" or "built-in demo".
    pub source: String,
    /// Screen size in cells.
    pub size: (u16, u16),
    /// The studies.
    pub worklist: Worklist,
    /// The open study.
    pub reading: Option<Reading>,
    /// A number being typed before a command.
    pub count: Option<Count>,
    /// The last adjustment and how often it was made, for `.`.
    pub(super) adjustment: Option<(Command, usize)>,
    /// The cine loop.
    pub cine: Cine,
    /// Measurements and key images.
    pub annotations: Annotations,
    pub(super) tool: Option<Tool>,
    /// Where the reader was.
    pub(super) trail: Trail,
    /// The last number given to a timer.
    pub(super) serial: u64,
    /// What is decided.
    pub decisions: Decisions,
    /// Who reads: the user name that decisions are kept under.
    pub reader: CleanText,
    /// Makes the pseudonyms that are shown instead of patients; `None` if patients are named.
    pub anonymous: Option<Pseudonyms>,
    /// Whether the network's word is hidden until a first verdict.
    pub blinded: bool,
    /// Whether the reader was warned that something is not saved and wants to leave.
    pub told_of_loss: bool,
    /// A study that is opened as soon as its files are found.
    pub opening: Option<Uid>,
    /// The study to go on with, until it is in the list.
    pub last_read: Option<Uid>,
    /// Why nothing can be kept, where that is so.
    pub storeless: Option<String>,
    /// Studies that others have open, with who.
    pub elsewhere: HashMap<Uid, String>,
    /// The network.
    pub network: ModelState,
    /// The scan.
    pub scan: ScanState,
    /// Files that could not be used, newest last: path and reason.
    pub unreadable: Vec<(String, String)>,
    /// Help, if it is open.
    pub help: Option<Help>,
    /// Commands that were run from the palette, the last one first.
    pub(super) recent: Vec<Command>,
    /// A line of text being asked for.
    pub prompt: Option<Prompt>,
    /// One sentence for the reader, until the next key.
    pub notice: Option<Notice>,
    /// What was saved last, until the next key.
    pub receipt: Option<Receipt>,
    /// A decision that waits for its key to be pressed once more.
    pub second_key: Option<SecondKey>,
    /// The study that opens next, as the screen that was drawn last announces it: `None` before it has announced one, or none.
    pub announced: Option<Option<Uid>>,
    /// The measurement made last in the open series, until Esc or another series.
    pub measured: Option<u64>,
    /// Time since the program started.
    pub(super) elapsed: Duration,
    /// The row of the list that was clicked last, and when; `None` after a double click.
    pub(super) last_click: Option<(Uid, Duration)>,
    /// The last picture's way to the screen.
    pub link: Link,
    /// Images that the terminal does not show, by their place among the images on the screen, with the reason.
    pub refused: BTreeMap<u8, String>,
    /// Whether the worklist shows a preview of the selected study, if the window is large enough.
    pub preview: bool,
    /// Series of which the store has no thumbnail.
    pub(super) without_thumbnail: HashSet<ThumbnailKey>,
    /// The line to the terminal.
    pub line: LineState,
    /// Whether the line's state stands on the screen.
    pub line_shown: bool,
    /// Whether a preview was ever on the screen.
    pub previewed: bool,
    /// How exact pictures are to be.
    pub quality: Quality,
    /// The terminal's name, by itself.
    pub terminal: String,
    /// How pictures are shown: `kitty`, `sixel`, …
    pub graphics: &'static str,
    /// Picture pixels of a cell.
    pub cell: CellPixels,
    /// Whether the reading screen keeps to itself whose pictures they are.
    pub identity_hidden: bool,
    /// Name of the theme.
    pub theme: String,
    /// How a study is first shown.
    pub preferences: Preferences,
    /// Whether Caps Lock is on, as far as the terminal reports it.
    pub caps_lock: bool,
}

/// How a study is first shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// Name of a window preset.
    pub window: String,
    /// Plane.
    pub plane: Plane,
    /// How much of the planes is in view.
    pub framing: Framing,
    /// Whether hot spots are marked.
    pub marks: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { window: "bone".into(), plane: Plane::Axial, framing: Framing::Spine, marks: true }
    }
}

/// Picture pixels of a cell of the terminal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellPixels {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Height of a pixel over its width.
    pub aspect: f64,
}

impl Default for CellPixels {
    /// A usual font's.
    fn default() -> Self {
        Self { width: 9, height: 18, aspect: 1.0 }
    }
}

impl CellPixels {
    /// The picture over some cells, with all their pixels.
    #[must_use]
    pub fn picture(self, columns: u16, rows: u16) -> PictureSize {
        let side = |cells: u16, pixels: u32| (u32::from(cells) * pixels).clamp(1, 8192);
        PictureSize {
            width: side(columns, self.width),
            height: side(rows, self.height),
            pixel_aspect: self.aspect.clamp(0.2, 5.0),
        }
    }
}

/// The state of model and ONNX Runtime.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelState {
    /// Being loaded.
    Loading,
    /// Ready.
    Ready(Arc<ModelIdentity>),
    /// There is none: why, and what to do. The viewer works.
    Unavailable(String),
}

/// How far the scan is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanState {
    /// Running.
    Scanning(ScanSummary),
    /// The demo's studies are being made.
    MakingDemo {
        /// The study that is being made: 1 to `total`.
        study: usize,
        /// Studies of the demo.
        total: usize,
        /// Counts of the studies so far.
        summary: ScanSummary,
    },
    /// Over.
    Finished(ScanSummary),
    /// It could not go on.
    Failed(String),
}

impl ScanState {
    /// Counts so far.
    #[must_use]
    pub fn summary(&self) -> ScanSummary {
        match self {
            Self::Scanning(summary) | Self::Finished(summary) | Self::MakingDemo { summary, .. } => *summary,
            Self::Failed(_) => ScanSummary::default(),
        }
    }
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Good to know.
    Info,
    /// Something is wrong.
    Error,
}

/// One sentence for the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub kind: NoticeKind,
    /// The sentence.
    pub text: String,
}

/// A decision that is on disk: what, whose, when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// "C6 fractured · PHANTOM, One · saved 09:42".
    pub text: String,
    /// Whether undo takes it back.
    pub can_be_undone: bool,
}

/// The last picture's way to the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Link {
    /// From its first byte to the terminal's answer.
    pub round_trip: Duration,
    /// Bytes that it took.
    pub bytes: usize,
}

impl Model {
    /// The program at its start, scanning.
    #[must_use]
    pub fn new(source: impl Into<String>, size: (u16, u16), graphics: &'static str) -> Self {
        Self {
            source: source.into(),
            size,
            worklist: Worklist::default(),
            reading: None,
            count: None,
            adjustment: None,
            cine: Cine::default(),
            annotations: Annotations::default(),
            tool: None,
            trail: Trail::default(),
            serial: 0,
            decisions: Decisions::default(),
            reader: CleanText::default(),
            anonymous: None,
            blinded: false,
            told_of_loss: false,
            opening: None,
            last_read: None,
            storeless: None,
            elsewhere: HashMap::new(),
            network: ModelState::Loading,
            scan: ScanState::Scanning(ScanSummary::default()),
            unreadable: Vec::new(),
            help: None,
            recent: Vec::new(),
            prompt: None,
            notice: None,
            receipt: None,
            second_key: None,
            announced: None,
            measured: None,
            elapsed: Duration::ZERO,
            last_click: None,
            link: Link::default(),
            refused: BTreeMap::new(),
            preview: true,
            without_thumbnail: HashSet::new(),
            line: LineState::default(),
            line_shown: false,
            previewed: false,
            quality: Quality::default(),
            terminal: String::new(),
            graphics,
            cell: CellPixels::default(),
            identity_hidden: false,
            theme: String::new(),
            preferences: Preferences::default(),
            caps_lock: false,
        }
    }

    /// Whether a window of so many columns and rows shows the preview.
    #[must_use]
    pub fn shows_preview(&self, size: (u16, u16)) -> bool {
        self.preview && size.0 >= PREVIEW_LEAST.0 && size.1 >= PREVIEW_LEAST.1
    }

    /// The thumbnail that the preview of a study has room for: images are shown, and the store is not known to have none.
    #[must_use]
    pub fn thumbnail_of(&self, entry: &Entry) -> Option<ThumbnailKey> {
        let shows_images = !matches!(self.graphics, GRAPHICS_UNKNOWN | "none");
        entry.thumbnail().filter(|key| shows_images && !self.without_thumbnail.contains(key))
    }

    /// Who reads the screen.
    #[must_use]
    pub fn disclosure(&self) -> Disclosure {
        if self.anonymous.is_some() { Disclosure::Anonymous } else { Disclosure::Named }
    }

    /// The screen that is shown.
    #[must_use]
    pub fn screen(&self) -> Screen {
        if self.reading.is_some() { Screen::Reading } else { Screen::Worklist }
    }

    /// Whether something could not be kept and the reader has not let it go.
    #[must_use]
    pub fn has_unsaved(&self) -> bool {
        self.decisions.unsaved().is_some() || !self.annotations.unsaved().is_empty()
    }

    /// Forgets what is shown until the next key.
    pub(super) fn key_pressed(&mut self) {
        (self.notice, self.receipt) = (None, None);
    }

    /// Whether typed keys are text.
    #[must_use]
    pub fn wants_text(&self) -> bool {
        self.prompt.is_some()
    }

    /// Whether text may be pasted: a line of text is asked for, not one key.
    #[must_use]
    pub fn takes_pasted_text(&self) -> bool {
        self.prompt.as_ref().is_some_and(|prompt| !prompt.kind.takes_one_key())
    }

    /// Sets what waiting adds to a study's urgency.
    pub fn set_aging(&mut self, aging: Aging) {
        self.worklist.set_aging(aging);
    }

    /// The measurement that is being made of what is open.
    #[must_use]
    pub fn tool(&self) -> Option<&Tool> {
        let reading = self.reading.as_ref()?;
        self.tool.as_ref().filter(|tool| tool.belongs_to(reading))
    }

    /// The measurements of the open series as they are drawn; with the texts hidden only the one that is being made.
    #[must_use]
    pub fn figures(&self) -> Vec<Mark> {
        let Some(reading) = &self.reading else { return Vec::new() };
        let Some(volume) = reading.volume() else { return Vec::new() };
        let own = self.annotations.of(&reading.study.uid).measurements.iter();
        let own = own.filter(|one| reading.texts && one.series == volume.series_uid);
        let done = own.filter_map(|one| tool::figure(volume, one.id, &one.geometry));
        done.chain(self.tool().and_then(|tool| tool.figure(reading))).map(Mark::Figure).collect()
    }

    /// Numbers and results of the measurements on the slice shown, in a line; empty where there are none.
    #[must_use]
    pub fn measured_here(&self) -> String {
        let Some(reading) = self.reading.as_ref().filter(|reading| reading.texts) else { return String::new() };
        let Some(volume) = reading.volume() else { return String::new() };
        let here = |one: &&Measurement| {
            one.series == volume.series_uid
                && tool::figure(volume, one.id, &one.geometry).is_some_and(|figure| {
                    let slice = |place| raster::slice_of_voxel(volume, reading.plane, place);
                    figure.places.iter().all(|place| slice(*place) == Some(reading.slice()))
                })
        };
        let own = self.annotations.of(&reading.study.uid).measurements.iter().filter(here);
        let words = own.map(|one| format!("{} {}", one.id, tool::result_words(&one.measure(volume))));
        words.collect::<Vec<_>>().join(" · ")
    }

    /// What the open line offers, best first.
    #[must_use]
    pub fn offers(&self) -> Vec<Offer> {
        let Some(prompt) = &self.prompt else { return Vec::new() };
        match prompt.kind {
            PromptKind::Palette => palette::search(self, prompt.text()),
            PromptKind::Measurements => palette::listed(measurements(self), prompt.text(), Choice::Measurement),
            PromptKind::KeyImages => palette::listed(key_images(self), prompt.text(), Choice::KeyImage),
            _ => {
                let plain = |(name, words)| Offer { name, words, choice: Choice::Words };
                prompt.offers().into_iter().map(plain).collect()
            }
        }
    }

    pub(super) fn tell(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { kind: NoticeKind::Info, text: text.into() });
    }

    pub(super) fn complain(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { kind: NoticeKind::Error, text: text.into() });
    }
}
