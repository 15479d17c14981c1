//! The only writer of escape sequences: guard, probe, input, picture delivery.

mod capabilities;
mod encode;
mod event;
mod halfblocks;
mod keys;
mod parser;
mod replies;
mod sixel;

pub use capabilities::{Capabilities, CellSize, GraphicsChoice, Multiplexer, Protocol, UnknownGraphics};
pub use event::Event;
pub use halfblocks::halfblock_cells;
