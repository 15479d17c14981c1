//! Role-named colours from TOML.
