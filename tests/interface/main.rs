//! The model and the screens without a terminal: keys, decisions, layouts, themes.

mod agreement;
mod announced;
mod decisions;
mod keymap;
mod layouts;
mod screens;
#[path = "../support/mod.rs"]
mod support;
mod themes;
