//! The application core: model, message, update, effect. Nothing in this module does I/O.

mod command;

pub use command::{Command, Context, Screen};
