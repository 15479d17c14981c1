//! The real program in real terminals, its screen looked at as its reader does: pixel by pixel.
//!
//! kitty and xterm run under Xvfb with software OpenGL. Each case takes its turn: they would only slow each other down. Where the
//! terminals are not installed the cases say so and are skipped; `CSPINE_REQUIRE_TERMINALS=1` makes that a failure.

mod display;
mod frame;
mod image;
mod in_tmux;
mod in_xterm;
mod keyboard;
mod kitty;
mod link;
mod other_terminals;
mod over_ssh;
#[path = "../support/pty.rs"]
mod pty;
mod reading;
#[path = "../support/shared.rs"]
mod shared;
mod shell;
mod study;
mod tools;
mod wait;
mod without_answers;
