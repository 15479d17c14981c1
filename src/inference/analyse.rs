//! One volume to one report, in parts.

use super::aggregate::{self, LevelSummary};
use super::localise::hot_spot;
use super::manifest::Manifest;
use super::package::Package;
use super::preprocess::Preprocessor;
use super::session::{Interrupt, NetworkError, SliceOutputs};
use crate::domain::{
    Completeness, FractureReport, KeySlice, LevelFinding, LevelOutcome, ModelIdentity, NotAnalysed, PerLevel,
    ScoredSlice, SliceScore, Timing, Uid, Volume,
};
use rayon::prelude::*;
use std::sync::Arc;
use std::time::Instant;

/// Slices per run: enough to keep the cores busy, few enough to stop and to report soon.
const BATCH: usize = 4;
/// The first pass takes every so many slices, the next halves it: early parts then speak of the whole neck.
const FIRST_STRIDE: usize = 8;

/// Why an analysis did not end with a report.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnalysisError {
    /// It was stopped; what was done so far is kept.
    #[error("interrupted")]
    Interrupted,
    /// The study is not one for this network.
    #[error("not analysed: {0}")]
    Declined(NotAnalysed),
    /// The network failed.
    #[error("{0}")]
    Failed(String),
}

/// How far an analysis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Slices done.
    pub done: usize,
    /// Slices in all.
    pub total: usize,
}

/// The outputs of one volume's slices, as far as they are known; an interrupted analysis goes on from here.
#[derive(Debug, Clone, Default)]
pub struct Analyser {
    outputs: Vec<Option<SliceOutputs>>,
    timing: Timing,
}

impl Analyser {
    /// Nothing done yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes how long the load took, for the report's timing.
    pub fn loaded_in(&mut self, load: std::time::Duration) {
        self.timing.load += load;
        self.timing.total += load;
    }

    /// Runs the network over what is not done yet. `each` hears of every batch.
    pub(super) fn run(
        &mut self,
        package: &mut Package,
        volume: &Volume,
        interrupt: &Interrupt,
        each: &mut dyn FnMut(&Self, Step),
    ) -> Result<(), AnalysisError> {
        let begun = Instant::now();
        let preprocessor = Preprocessor::new(volume, &package.manifest.input).map_err(AnalysisError::Declined)?;
        let total = volume.shape.slices;
        self.outputs.resize(total, None);
        let todo: Vec<usize> =
            coarse_to_fine(total).into_iter().filter(|&index| self.outputs[index].is_none()).collect();
        let mut batches = todo.chunks(BATCH).peekable();
        let prepare = |batch: &[usize]| -> (Vec<u8>, std::time::Duration) {
            let begun = Instant::now();
            let inputs: Vec<Vec<u8>> =
                batch.par_iter().map(|&index| preprocessor.input(index).unwrap_or_default()).collect();
            (inputs.concat(), begun.elapsed())
        };
        let mut ready = batches.peek().map(|batch| prepare(batch));
        while let Some(batch) = batches.next() {
            let Some((inputs, took)) = ready.take() else { break };
            self.timing.preprocess += took;
            let next = batches.peek().copied();
            // The next inputs are made while the network runs.
            let (outcome, prepared) = std::thread::scope(|scope| {
                let preparing = next.map(|batch| scope.spawn(|| prepare(batch)));
                let begun = Instant::now();
                let outcome =
                    package.network.run(&inputs, batch.len(), interrupt).map(|outputs| (outputs, begun.elapsed()));
                (outcome, preparing.and_then(|thread| thread.join().ok()))
            });
            ready = prepared;
            match outcome {
                Ok((outputs, took)) => {
                    self.timing.network += took;
                    for (&index, output) in batch.iter().zip(outputs) {
                        self.outputs[index] = Some(output);
                    }
                }
                Err(error) => {
                    self.timing.total += begun.elapsed();
                    return Err(match error {
                        NetworkError::Interrupted => AnalysisError::Interrupted,
                        other => AnalysisError::Failed(other.to_string()),
                    });
                }
            }
            let done = self.outputs.iter().filter(|output| output.is_some()).count();
            each(self, Step { done, total });
        }
        self.timing.total += begun.elapsed();
        Ok(())
    }

    /// Runs the network over what is not done yet, to the end, and gives the report.
    ///
    /// # Errors
    /// A study that is declined, or a network that fails.
    pub fn finish(
        &mut self,
        package: &mut Package,
        volume: &Volume,
        study_uid: &Uid,
        each: &mut dyn FnMut(Step),
    ) -> Result<FractureReport, AnalysisError> {
        self.run(package, volume, &Interrupt::default(), &mut |_, step| each(step))?;
        let (manifest, identity) = (package.manifest.clone(), Arc::clone(&package.identity));
        self.report(&manifest, &identity, volume, study_uid).map_err(AnalysisError::Declined)
    }

    /// The report of what is done so far.
    ///
    /// # Errors
    /// When what was seen is no cervical spine.
    pub fn report(
        &self,
        manifest: &Manifest,
        identity: &Arc<ModelIdentity>,
        volume: &Volume,
        study_uid: &Uid,
    ) -> Result<FractureReport, NotAnalysed> {
        report_of(&self.outputs, manifest, identity, volume, study_uid, self.timing)
    }
}

/// Offsets of the slices beyond which there is no scan: the first, the last, and both sides of every gap.
fn edges(volume: &Volume) -> Vec<f64> {
    let offsets = &volume.stack.offsets;
    let gaps = volume.stack.gaps();
    let sides = gaps.iter().flat_map(|&index| [offsets.get(index), offsets.get(index + 1)]);
    [offsets.first(), offsets.last()].into_iter().chain(sides).flatten().copied().collect()
}

/// All indices below `total`: first every [`FIRST_STRIDE`]th, then those half-way between, and so on.
fn coarse_to_fine(total: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..total).step_by(FIRST_STRIDE).collect();
    let mut stride = FIRST_STRIDE;
    while stride > 1 {
        order.extend((stride / 2..total).step_by(stride));
        stride /= 2;
    }
    order
}

/// The report of per-slice outputs; slices that are `None` are still to come.
///
/// # Errors
/// When what was seen is no cervical spine, or the volume does not fit the outputs.
pub fn report_of(
    outputs: &[Option<SliceOutputs>],
    manifest: &Manifest,
    identity: &Arc<ModelIdentity>,
    volume: &Volume,
    study_uid: &Uid,
    timing: Timing,
) -> Result<FractureReport, NotAnalysed> {
    let known: Vec<(usize, &SliceOutputs)> =
        outputs.iter().enumerate().filter_map(|(index, output)| Some((index, output.as_ref()?))).collect();
    let scores: Vec<SliceScore> = known.iter().map(|(_, output)| output.score).collect();
    let offsets: Vec<f64> =
        known.iter().map(|(index, _)| volume.stack.offsets.get(*index).copied().unwrap_or_default()).collect();
    let summary = aggregate::summarise(&scores, &offsets, &edges(volume), manifest.aggregation, manifest.presence)?;
    let preprocessor = Preprocessor::new(volume, &manifest.input)?;
    let instance_number = |index: usize| volume.slices.get(index).and_then(|slice| slice.instance_number);
    let levels = PerLevel::from_fn(|level| {
        let outcome = match summary[level] {
            LevelSummary::NotSeen => LevelOutcome::NotSeen,
            LevelSummary::Seen { probability, key, extent } => {
                let (index, output) = known[key];
                let (height, width) = output.map_size;
                let map = output.activation.get(level.index() * height * width..(level.index() + 1) * height * width);
                let spot = map
                    .filter(|map| !map.is_empty())
                    .zip(preprocessor.crop(index))
                    .and_then(|(map, crop)| hot_spot(volume, &crop, index, map, output.map_size, manifest.input.size));
                LevelOutcome::Seen {
                    probability,
                    key_slice: KeySlice {
                        index,
                        instance_number: instance_number(index),
                        position_mm: volume.position_mm(index),
                    },
                    extent,
                    hot_spot: spot,
                }
            }
        };
        LevelFinding { level, outcome }
    });
    let slices = known
        .iter()
        .map(|(index, output)| ScoredSlice {
            index: *index,
            instance_number: instance_number(*index),
            position_mm: volume.position_mm(*index),
            score: output.score,
        })
        .collect();
    let (done, total) = (known.len(), outputs.len());
    Ok(FractureReport {
        study_uid: study_uid.clone(),
        series_uid: volume.series_uid.clone(),
        overall: aggregate::overall(&summary),
        levels,
        slices,
        model: Arc::clone(identity),
        completeness: if done == total { Completeness::Final } else { Completeness::Preliminary { done, total } },
        timing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slice_comes_once_and_the_whole_neck_first() {
        for total in [0, 1, 5, 8, 9, 100] {
            let order = coarse_to_fine(total);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..total).collect::<Vec<_>>());
        }
        assert_eq!(coarse_to_fine(20)[..3], [0, 8, 16]);
    }
}
