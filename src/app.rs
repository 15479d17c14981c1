//! The application core: model, message, update, effect. Nothing in this module does I/O, starts a thread or looks at a clock.
//!
//! [`update()`] takes one [`Message`] and returns the [`Effect`]s that the runtime is to carry out; workers answer with
//! messages. A whole reading session can so be replayed in a test.

mod anonymous;
mod command;
mod decisions;
mod message;
mod model;
mod pointer;
mod prompt;
mod reading;
mod record;
mod suspicion;
mod update;
mod worklist;

pub use command::{Command, Context, Screen};
pub use decisions::Decisions;
pub use message::{Effect, Message, PromptKey};
pub use model::{CellPixels, Link, Model, ModelState, Notice, NoticeKind, Preferences, ScanState};
pub use pointer::{Drag, Gesture, Pointer};
pub use prompt::{LevelQuestion, Prompt, PromptKind};
pub use reading::{Alignment, Appearance, Beside, Reading, Source, VolumeState};
pub use record::{Pending, Record, RecordFailure, Recorded, Remembered, Token};
pub use suspicion::{StripCell, peaks, strip};
pub use update::update;
pub use worklist::{Ageing, Counts, Entry, FILTER_KEYS, Order, Presence, Progress, Sight, Worklist};
