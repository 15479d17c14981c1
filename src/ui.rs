//! Draws the model with ratatui; changes nothing.
