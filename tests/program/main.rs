//! The built program as its user runs it: commands, settings, results, kills.

mod config;
mod end_to_end;
mod hands;
mod headless;
mod help;
mod hostile;
mod input;
mod killed;
mod killed_whole;
mod privacy;
mod results;
mod store;
#[path = "../support/mod.rs"]
mod support;
mod watching;
