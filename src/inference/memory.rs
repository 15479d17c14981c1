//! What the network said of slices, by what it was shown: a study that has grown, or is analysed once more, costs only its new slices.

use super::session::SliceOutputs;
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, VecDeque};

/// Slices that are remembered: some eight studies, about 30 MiB with the packaged model's maps.
const SLICES: usize = 2500;

/// SHA-256 of a network's input.
pub(super) type InputHash = [u8; 32];

/// The hash of one slice's input.
pub(super) fn input_hash(input: &[u8]) -> InputHash {
    Sha256::digest(input).into()
}

/// The outputs of the last slices that one network has seen.
#[derive(Debug, Default)]
pub(super) struct SliceMemory {
    outputs: HashMap<InputHash, SliceOutputs>,
    oldest: VecDeque<InputHash>,
}

impl SliceMemory {
    pub(super) fn recall(&self, input: &InputHash) -> Option<&SliceOutputs> {
        self.outputs.get(input)
    }

    /// Keeps outputs; those that were kept first go.
    pub(super) fn keep(&mut self, input: InputHash, outputs: SliceOutputs) {
        if self.outputs.insert(input, outputs).is_some() {
            return;
        }
        self.oldest.push_back(input);
        if self.oldest.len() > SLICES
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.outputs.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SliceScore;

    #[test]
    fn the_first_go_and_the_last_stay() {
        let mut memory = SliceMemory::default();
        let outputs = SliceOutputs {
            score: SliceScore::default(),
            activation: Vec::new(),
            map_size: (0, 0),
            features: Vec::new(),
        };
        let hash = |n: usize| input_hash(&n.to_le_bytes());
        for n in (0..=SLICES).chain([SLICES]) {
            memory.keep(hash(n), outputs.clone());
        }
        assert!(memory.recall(&hash(0)).is_none() && memory.recall(&hash(1)).is_some());
        assert!(memory.recall(&hash(SLICES)).is_some());
        assert_eq!(memory.outputs.len(), memory.oldest.len());
    }
}
