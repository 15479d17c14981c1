//! What the terminal answered to the questions of a round.

use super::event::Reply;
use super::kitty::is_query;
use super::sixel::USUAL_REGISTERS;
use super::surroundings::WIDTH_ROW;

/// What the terminal answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// Whether it shows images by kitty's protocol.
    pub(super) graphics: Option<bool>,
    pub(super) attributes: Option<Vec<u16>>,
    pub(super) cell: Option<(u16, u16)>,
    pub(super) area: Option<(u16, u16)>,
    pub(super) version: Option<String>,
    /// Whether it reports keys by kitty's keyboard protocol.
    pub(super) keyboard: bool,
    pub(super) registers: Option<u16>,
    /// Cells that a character of two bytes in UTF-8 took.
    pub(super) width: Option<u16>,
}

impl Answers {
    /// Takes an answer in; whether it was one to these questions.
    pub(super) fn take(&mut self, reply: Reply) -> bool {
        match reply {
            Reply::Graphics { id, message, .. } if is_query(id) => self.graphics = Some(message == "OK"),
            Reply::PrimaryAttributes(attributes) => self.attributes = Some(attributes),
            Reply::CellPixels { width, height } => self.cell = Some((width, height)),
            Reply::TextAreaPixels { width, height } => self.area = Some((width, height)),
            Reply::Version(version) => self.version = Some(version),
            Reply::Keyboard => self.keyboard = true,
            Reply::ColorRegisters(registers) => self.registers = Some(registers),
            Reply::CursorPosition { row: WIDTH_ROW, column: column @ 2..=4 } => self.width = Some(column - 1),
            Reply::Graphics { .. } | Reply::CursorPosition { .. } => return false,
        }
        true
    }

    /// Whether the last question, which every terminal answers, was answered.
    pub(super) fn is_answered(&self) -> bool {
        self.attributes.is_some()
    }

    /// Whether the question about graphics was answered.
    pub(super) fn has_graphics(&self) -> bool {
        self.graphics.is_some()
    }

    /// Colour registers for sixel.
    pub(super) fn registers(&self) -> u16 {
        self.registers.unwrap_or(USUAL_REGISTERS)
    }

    /// What is not asked in this round stays as it was.
    pub(super) fn keep_width(&mut self, known: &Self) {
        self.width = known.width;
    }

    /// As [`Answers::keep_width`].
    pub(super) fn keep_graphics(&mut self, known: &Self) {
        self.graphics = known.graphics;
    }

    /// Takes over what another round was answered, but what this one was answered about graphics.
    pub(super) fn complete_from(&mut self, other: &Self) {
        let graphics = self.graphics.or(other.graphics);
        *self = Self { graphics, ..other.clone() };
    }
}
