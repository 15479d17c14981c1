//! Settings and keymap: strict TOML, embedded defaults.
