//! Reader and network on the same things.

use crate::evaluation::Proportion;
use serde::Serialize;

/// Fewer than so many on one side, and a share of them says little.
const FEW: usize = 30;

/// A table of four fields: what the reader says (taken as the truth) against what the network says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FourFold {
    /// Both: broken.
    pub both: usize,
    /// The network alone.
    pub network_only: usize,
    /// The reader alone.
    pub reader_only: usize,
    /// Neither.
    pub neither: usize,
    /// Of what the reader calls broken, how much the network marks.
    pub sensitivity: Proportion,
    /// Of what the reader calls sound, how much the network leaves alone.
    pub specificity: Proportion,
    /// Of what the network marks, how much the reader calls broken: the positive predictive value.
    pub ppv: Proportion,
    /// Of what the network leaves alone, how much the reader calls sound.
    pub npv: Proportion,
    /// On how many both agree.
    pub agreement: Proportion,
    /// Agreement beyond chance (Cohen 1960); null where chance alone would agree.
    pub kappa: Option<f64>,
    /// What is to be said of too small numbers; null where they are not.
    pub too_few: Option<String>,
}

impl FourFold {
    /// Counts pairs of (the reader says broken, the network marks).
    #[must_use]
    pub fn of(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let [mut both, mut network_only, mut reader_only, mut neither] = [0; 4];
        for pair in pairs {
            *match pair {
                (true, true) => &mut both,
                (false, true) => &mut network_only,
                (true, false) => &mut reader_only,
                (false, false) => &mut neither,
            } += 1;
        }
        let (broken, sound) = (both + reader_only, network_only + neither);
        let (marked, left) = (both + network_only, reader_only + neither);
        let all = broken + sound;
        let chance = (broken as f64 * marked as f64 + sound as f64 * left as f64) / (all as f64 * all as f64);
        let agreed = (both + neither) as f64 / all as f64;
        let kappa = (all > 0 && chance < 1.0).then(|| (agreed - chance) / (1.0 - chance));
        Self {
            both,
            network_only,
            reader_only,
            neither,
            sensitivity: Proportion::new(both, broken),
            specificity: Proportion::new(neither, sound),
            ppv: Proportion::new(both, marked),
            npv: Proportion::new(neither, left),
            agreement: Proportion::new(both + neither, all),
            kappa,
            too_few: too_few(broken, sound, marked),
        }
    }

    /// How many were counted.
    #[must_use]
    pub fn all(&self) -> usize {
        self.both + self.network_only + self.reader_only + self.neither
    }
}

fn too_few(broken: usize, sound: usize, marked: usize) -> Option<String> {
    let few: Vec<String> = [(broken, "called broken"), (sound, "called sound"), (marked, "flagged by the network")]
        .into_iter()
        .filter(|(count, _)| *count < FEW)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    (!few.is_empty()).then(|| {
        format!("too few for a firm conclusion ({}; {FEW} are the least): look at the intervals", few.join(", "))
    })
}
