//! The application core: model, message, update, effect. Nothing in this module does I/O, starts a thread or looks at a clock.
//!
//! [`update()`] takes one [`Message`] and returns the [`Effect`]s that the runtime is to carry out; workers answer with
//! messages. A whole reading session can so be replayed in a test.

mod cine;
mod command;
mod counting;
mod message;
mod model;
mod prompt;
mod reading;
mod suspicion;
mod trail;
mod update;
mod worklist;

pub use cine::Cine;
pub use command::{Command, Context, Screen};
pub use counting::Count;
pub use message::{Effect, Message, PromptKey};
pub use model::{Link, Model, ModelState, Notice, NoticeKind, Preferences, ScanState};
pub use prompt::{Prompt, PromptKind};
pub use reading::{Reading, VolumeState};
pub use suspicion::{StripCell, peaks, strip};
pub use trail::Trail;
pub use update::update;
pub use worklist::{Entry, Order, Progress, Worklist};
