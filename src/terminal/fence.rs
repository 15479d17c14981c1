//! Fences: questions whose answer says that everything before them has arrived.

/// Counts fences; answers come in the order of the questions.
#[derive(Debug, Default)]
pub(super) struct Fences {
    raised: u64,
    answered: u64,
}

impl Fences {
    /// Asks for the cursor's position, from the second row: an answer from the first looks like F3 with modifiers.
    pub(super) fn raise(&mut self, out: &mut Vec<u8>) -> u64 {
        out.extend_from_slice(b"\x1b[2;1H\x1b[6n");
        self.raised += 1;
        self.raised
    }

    /// An answer came.
    pub(super) fn answer(&mut self) {
        self.answered = (self.answered + 1).min(self.raised);
    }

    /// Whether this fence was answered.
    pub(super) fn passed(&self, fence: u64) -> bool {
        self.answered >= fence
    }

    /// This fence's answer is no longer waited for.
    pub(super) fn give_up(&mut self, fence: u64) {
        self.answered = self.answered.max(fence.min(self.raised));
    }
}
