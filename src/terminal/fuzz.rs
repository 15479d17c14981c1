//! A door for `tests/fuzz`: the input parser, which nothing outside [`super`] may name otherwise.

use super::parser::Parser;

/// What the terminal sends, taken as one read and then one byte at a time with a pause after each. Returns how many inputs
/// came out of each.
#[must_use]
pub fn parse_input(bytes: &[u8]) -> (usize, usize) {
    let mut parser = Parser::new();
    let (mut whole, mut paused) = (Vec::new(), Vec::new());
    parser.feed(bytes, &mut whole);
    parser.pause(&mut whole);
    for byte in bytes.chunks(1) {
        parser.feed(byte, &mut paused);
        parser.pause(&mut paused);
    }
    (whole.len(), paused.len())
}
