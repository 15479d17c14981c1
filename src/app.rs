//! The application core: model, message, update, effect. Nothing in this module does I/O, starts a thread or looks at a clock.
//!
//! [`update()`] takes one [`Message`] and returns the [`Effect`]s that the runtime is to carry out; workers answer with
//! messages. A whole reading session can so be replayed in a test.

mod annotations;
mod cine;
mod command;
mod counting;
mod decisions;
mod editor;
mod group;
mod help;
mod key_images;
mod message;
mod model;
mod palette;
mod pointer;
mod prompt;
mod reading;
mod record;
mod second_key;
mod suspicion;
mod tool;
mod trail;
mod update;
mod worklist;

pub use annotations::{Annotations, StudyAnnotations, UnsavedAnnotation};
pub use cine::Cine;
pub use command::{Command, Context, Screen};
pub use counting::Count;
pub use decisions::Decisions;
pub use editor::{Editor, Motion};
pub use group::Group;
pub use help::{Help, HelpKey, HelpLine, HelpPage};
pub use key_images::marked_slices;
pub use message::{Effect, Exported, Message, PromptKey};
pub use model::{
    CellPixels, GRAPHICS_UNKNOWN, Link, Model, ModelState, Notice, NoticeKind, Preferences, Receipt, ScanState,
};
pub use palette::{Choice, Offer};
pub use pointer::{Drag, Gesture, Pointer};
pub use prompt::{LevelQuestion, Prompt, PromptKind};
pub use reading::{Alignment, Appearance, Beside, Framing, Reading, Source, VolumeState, signed};
pub use record::{Pending, Record, RecordFailure, Recorded, Remembered, Token};
pub use second_key::SecondKey;
pub use suspicion::{StripCell, peaks, strip};
pub use tool::{Tool, ToolKind, figure};
pub use trail::Trail;
pub use update::update;
pub use worklist::{Aging, Counts, Entry, FILTER_KEYS, Order, Presence, Progress, Sight, Worklist};
