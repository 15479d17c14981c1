//! What happens to the program, and what it wants done.

use super::editor::Motion;
use super::help::HelpKey;
use super::record::{Record, RecordFailure, Recorded, Remembered};
use super::{CellPixels, Command, Pointer};
use crate::dicom::ScanSummary;
use crate::domain::{Listed, SensitiveText, SpineCourse, Stamp, Study, ThumbnailKey, Uid, Volume};
use crate::inference::{Job, WorkerEvent};
use crate::raster::{Captions, LineState, Quality, View};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// The reader asked for something.
    Command(Command),
    /// A key that is held down asks for a command again. It never decides anything.
    Held(Command),
    /// Time since the program started, by a clock that never goes back; comes before every other message.
    Elapsed(Duration),
    /// The screen is about to be drawn: what is announced on it holds until it is drawn again.
    Drawn,
    /// A digit, and what it does where it stands alone.
    Digit(u32, Option<Command>),
    /// The timer of [`Effect::Wake`] with this number has run out.
    Woken(u64),
    /// Time for the next slice of the cine loop.
    CineTick,
    /// A key while a line of text is asked for.
    Prompt(PromptKey),
    /// A key while help is open.
    Help(HelpKey),
    /// A key that has no command here: one sentence.
    Unbound(String),
    /// Text of so many characters was pasted while no text was asked for.
    PasteIgnored(usize),
    /// Caps Lock was turned on or off, by a terminal that reports it.
    CapsLock(bool),
    /// A study's row was clicked.
    Select(Uid),
    /// The mouse did something on a picture.
    Pointer(Pointer),
    /// A place on the slice strip was clicked: slice of the axial plane.
    GoToSlice(usize),
    /// A study of the demo is being made.
    MakingDemo {
        /// Its number, from 1.
        study: usize,
        /// Studies of the demo.
        total: usize,
    },
    /// Size of the screen in cells.
    Resized(u16, u16),
    /// Picture pixels of a cell.
    Cells(CellPixels),
    /// What the terminal answered about itself.
    Terminal {
        /// How pictures are shown.
        graphics: &'static str,
        /// Its name, by itself.
        name: String,
        /// What a reader should know of it.
        note: Option<String>,
        /// An earlier note that no longer holds.
        withdrawn: Option<String>,
    },
    /// A study was found or has grown.
    StudyFound(Arc<Study>),
    /// A study has no files any more.
    StudyGone(Uid),
    /// A file that could not be used.
    Unreadable {
        /// The file, cleaned for the screen.
        path: String,
        /// Why.
        reason: String,
    },
    /// How far the scan is.
    ScanProgress(ScanSummary),
    /// The scan is over.
    ScanFinished(ScanSummary),
    /// The scan or the making of the demo failed: one sentence, then what to do.
    ScanFailed(SensitiveText),
    /// The background worker.
    Worker(WorkerEvent),
    /// Slices of the open series that are read.
    VolumeProgress {
        /// StudyInstanceUID.
        study: Uid,
        /// Index of the series.
        series: usize,
        /// Slices read.
        done: usize,
        /// Slices in all.
        total: usize,
    },
    /// One slice of the open series, while the others are read.
    FirstSlice {
        /// StudyInstanceUID.
        study: Uid,
        /// Index of the series.
        series: usize,
        /// The slice alone.
        volume: Arc<Volume>,
    },
    /// The open series is loaded, or cannot be.
    VolumeLoaded {
        /// StudyInstanceUID.
        study: Uid,
        /// Index of the series.
        series: usize,
        /// The volume, or one sentence.
        result: Result<Arc<Volume>, SensitiveText>,
    },
    /// The series beside the open one is loaded, or cannot be.
    BesideLoaded {
        /// StudyInstanceUID.
        study: Uid,
        /// Index of the series.
        series: usize,
        /// The volume, or one sentence.
        result: Result<Arc<Volume>, SensitiveText>,
    },
    /// Where the spine runs in the open series.
    SpineFound {
        /// StudyInstanceUID.
        study: Uid,
        /// Index of the series.
        series: usize,
        /// Its course.
        course: Arc<SpineCourse>,
    },
    /// Images of the open study are on the screen: the terminal acknowledged one, or they are drawn as text.
    ImagesShown,
    /// A picture is on screen.
    PictureShown {
        /// From its first byte to the terminal's answer.
        round_trip: Duration,
        /// Bytes that it took.
        bytes: usize,
    },
    /// The terminal does not show the image of a place on the screen: why.
    PictureRefused {
        /// The place, as [`crate::app::Model::refused`] counts them.
        slot: u8,
        /// The reason, in words.
        reason: String,
    },
    /// The store has no thumbnail of a series.
    NoThumbnail(ThumbnailKey),
    /// Another image is wanted at this place.
    PictureWanted(u8),
    /// What is known of the line to the terminal, and what is on its screen.
    Line(LineState),
    /// Something is on disk.
    Recorded(Recorded),
    /// Something could not be kept.
    RecordFailed(RecordFailure),
    /// What was kept before.
    Remembered(Remembered),
    /// The program is about to end.
    Leaving,
    /// What the clock on the wall says; sent at the start and every few seconds.
    Clock(Stamp),
    /// Something that is wrong.
    Trouble(SensitiveText),
    /// Something good to know.
    Notice(SensitiveText),
    /// The theme has changed.
    ThemeChanged(String),
}

/// Keys of a line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptKey {
    /// Text typed or pasted; control characters are dropped, what does not fit is refused as a whole.
    Text(String),
    /// A line break in a text of several lines; elsewhere as [`PromptKey::Enter`].
    LineBreak,
    /// Move the cursor, or mark another suggestion.
    Go(Motion),
    /// Delete from the cursor to where a motion leads.
    Delete(Motion),
    /// Take it.
    Enter,
    /// Leave it.
    Escape,
    /// Complete.
    Tab,
}

/// Something that the runtime is to do.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Give the worker this queue.
    Queue(Vec<Job>),
    /// Load a series and answer with [`Message::VolumeLoaded`].
    Load(Arc<Study>, usize, usize),
    /// Load a series to be put beside the open one and answer with [`Message::BesideLoaded`].
    LoadBeside(Arc<Study>, usize),
    /// Have a series in memory before it is asked for.
    Prefetch(Arc<Study>, usize),
    /// Answer with [`Message::Woken`] and this number after a while; it replaces an earlier one.
    Wake(u64, Duration),
    /// Send [`Message::CineTick`] so often; no longer where there is no period.
    Cine(Option<Duration>),
    /// Keep something and answer with [`Message::Recorded`] or [`Message::RecordFailed`].
    Record(Record),
    /// Note how a study stands in the list, and the folder that its files lie in.
    List(Box<Listed>, PathBuf),
    /// Forget that a study was in the list; its decisions stay.
    Unlist(Uid),
    /// Find the files of a study that is only listed, and answer with [`Message::StudyFound`].
    Find(Uid),
    /// Say that this study is open here, or none.
    Claim(Option<Uid>),
    /// Tell a reader who looks elsewhere.
    Alert(String),
    /// Draw views into files that are not there yet, and tell how that went.
    Export {
        /// The folder for them as the reader typed it, made if it is not there; `None` where the paths are whole.
        folder: Option<String>,
        /// The volume.
        volume: Arc<Volume>,
        /// What to draw.
        pictures: Vec<Exported>,
        /// How many of other series are not among them, to be told with the rest.
        elsewhere: usize,
    },
    /// How exact pictures are to be from now on.
    Quality(Quality),
    /// Change to the next theme.
    NextTheme,
    /// Stop the program until it is continued.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// End.
    Quit,
}

/// A picture for a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// As the reader typed it, or a name in the folder.
    pub path: String,
    /// What to draw.
    pub view: View,
    /// What to write over it; `None` for the bare pixels.
    pub captions: Option<Captions>,
}
