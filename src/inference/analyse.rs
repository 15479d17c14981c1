//! One volume to one report, in parts.

use super::aggregate::{self, LevelSummary};
use super::distribution::FeatureSum;
use super::localise::{hot_spot, laid_out};
use super::manifest::Manifest;
use super::memory::{InputHash, input_hash};
use super::order::{Known, to_do};
use super::package::Package;
use super::preprocess::{Crop, Preprocessor};
use super::session::{Interrupt, NetworkError, SliceOutputs};
use crate::domain::{
    Activation, Aggregation, CervicalLevel, Completeness, Declined, DistributionCheck, FractureReport, KeptAnalysis,
    KeySlice, LevelFinding, LevelOutcome, ModelIdentity, NotAnalysed, Oddity, PerLevel, Provenance, Repair,
    ScoredSlice, SearchedSlices, SensitiveText, SliceScore, Timing, Uid, Volume, volume_extent,
};
use crate::task::Cancel;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Slices per run: enough to keep the cores busy, few enough to stop and to report soon.
const BATCH: usize = 4;

/// Why an analysis did not end with a report.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnalysisError {
    /// It was stopped; what was done so far is kept.
    #[error("interrupted")]
    Interrupted,
    /// The study is not one for this network.
    #[error("not analyzed: {0}")]
    Declined(NotAnalysed),
    /// The network failed.
    #[error("{0}")]
    Failed(SensitiveText),
}

/// What is kept of an analysis that came to its end: the report, or that the model declines the series. Nothing of one that failed or
/// was interrupted: it may end otherwise the next time.
#[must_use]
pub fn to_keep(
    outcome: &Result<Arc<FractureReport>, AnalysisError>,
    model: &Arc<ModelIdentity>,
) -> Option<KeptAnalysis> {
    match outcome {
        Ok(report) => Some(KeptAnalysis::Report(Arc::clone(report))),
        Err(AnalysisError::Declined(reason)) => {
            Some(KeptAnalysis::Declined(Declined { reason: reason.clone(), model: Arc::clone(model) }))
        }
        Err(AnalysisError::Interrupted | AnalysisError::Failed(_)) => None,
    }
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
    /// Without their features.
    outputs: Vec<Option<SliceOutputs>>,
    /// The features of the slices in `outputs` that show a level.
    features: FeatureSum,
    /// Where the inputs lie in their slices.
    crops: Vec<Crop>,
    /// The slices among which the neck is searched; empty before the first run.
    searched: Range<usize>,
    timing: Timing,
    remembered: usize,
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
        let pool = Arc::clone(&package.preparing);
        let preprocessor =
            pool.install(|| Preprocessor::new(volume, &package.manifest.input)).map_err(AnalysisError::Declined)?;
        self.crops = preprocessor.crops();
        self.searched = preprocessor.searched();
        self.outputs.resize(volume.shape.slices, None);
        // Hashed here, beside the network, not in its way.
        let prepare = |batch: &[usize]| -> (Vec<(Vec<u8>, InputHash)>, std::time::Duration) {
            let begun = Instant::now();
            let hashed = |&index: &usize| {
                let input = preprocessor.input(index).unwrap_or_default();
                let hash = input_hash(&input);
                (input, hash)
            };
            (pool.install(|| batch.par_iter().map(hashed).collect()), begun.elapsed())
        };
        let (aggregation, presence) = (package.manifest.aggregation, package.manifest.presence.vertebra);
        let offsets = &volume.stack.offsets;
        let mut batch = self.next_batch(offsets, &[], aggregation);
        let mut ready = (!batch.is_empty()).then(|| prepare(&batch));
        while let Some((inputs, took)) = ready.take() {
            self.timing.preprocess += took;
            let mut next = self.next_batch(offsets, &batch, aggregation);
            // The next inputs are made while the network runs.
            let (outcome, prepared) = std::thread::scope(|scope| {
                let preparing = (!next.is_empty()).then(|| scope.spawn(|| prepare(&next)));
                let begun = Instant::now();
                let outcome = self.outputs_of(package, &inputs, interrupt).map(|outputs| (outputs, begun.elapsed()));
                (outcome, preparing.and_then(|thread| thread.join().ok()))
            });
            ready = prepared;
            match outcome {
                Ok((outputs, took)) => {
                    self.timing.network += took;
                    for (&index, mut output) in batch.iter().zip(outputs) {
                        if let Some(place @ None) = self.outputs.get_mut(index) {
                            self.features.add(&output.score, &std::mem::take(&mut output.features), presence);
                            *place = Some(output);
                        }
                    }
                }
                Err(error) => {
                    self.timing.total += begun.elapsed();
                    return Err(match error {
                        NetworkError::Interrupted => AnalysisError::Interrupted,
                        other => AnalysisError::Failed(SensitiveText::foreign(&other.to_string())),
                    });
                }
            }
            if next.is_empty() {
                // Only what the last batch showed may ask for more.
                next = self.next_batch(offsets, &[], aggregation);
                ready = (!next.is_empty()).then(|| prepare(&next));
            }
            batch = next;
            each(self, self.step(offsets, aggregation));
        }
        self.timing.total += begun.elapsed();
        Ok(())
    }

    /// The outputs of a batch: those of inputs that the network has seen already are taken from memory.
    fn outputs_of(
        &mut self,
        package: &mut Package,
        inputs: &[(Vec<u8>, InputHash)],
        interrupt: &Interrupt,
    ) -> Result<Vec<SliceOutputs>, NetworkError> {
        let known: Vec<Option<SliceOutputs>> =
            inputs.iter().map(|(_, hash)| package.memory.recall(hash).cloned()).collect();
        let unknown = inputs.iter().zip(&known).filter(|(_, known)| known.is_none());
        let new = unknown.map(|((input, _), _)| input.as_slice()).collect::<Vec<_>>().concat();
        let count = known.iter().filter(|known| known.is_none()).count();
        let mut made = if count == 0 { Vec::new() } else { package.network.run(&new, count, interrupt)? }.into_iter();
        self.remembered += known.len() - count;
        let mut outputs = Vec::with_capacity(known.len());
        for ((_, hash), known) in inputs.iter().zip(known) {
            let output = match known {
                Some(output) => output,
                None => {
                    let output =
                        made.next().ok_or_else(|| NetworkError::Failed("the network gave too few outputs".into()))?;
                    package.memory.keep(*hash, output.clone());
                    output
                }
            };
            outputs.push(output);
        }
        Ok(outputs)
    }

    /// Slices whose outputs came from memory: the network had seen the very same input before.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.remembered
    }

    /// The next slices for the network, while others are `pending`.
    fn next_batch(&self, offsets: &[f64], pending: &[usize], aggregation: Aggregation) -> Vec<usize> {
        self.to_do(offsets, pending, aggregation).into_iter().take(BATCH).collect()
    }

    /// The slices still to be seen, most useful first; none beyond the range in which the neck is searched.
    fn to_do(&self, offsets: &[f64], pending: &[usize], aggregation: Aggregation) -> Vec<usize> {
        let known = self.known(pending);
        let (Some(offsets), Some(known)) = (offsets.get(self.searched.clone()), known.get(self.searched.clone()))
        else {
            return Vec::new();
        };
        to_do(offsets, known, aggregation).into_iter().map(|index| self.searched.start + index).collect()
    }

    fn known(&self, pending: &[usize]) -> Vec<Known> {
        let known = |(index, output): (usize, &Option<SliceOutputs>)| match output {
            Some(output) => {
                let SliceScore { vertebra, fracture } = &output.score;
                let visible = vertebra.iter().map(|(_, v)| v.value()).fold(0.0, f32::max);
                let suspicion =
                    vertebra.iter().map(|(level, v)| v.value() * fracture[level].value()).fold(0.0, f32::max);
                Known::Seen { visible, suspicion }
            }
            None if pending.contains(&index) => Known::Pending,
            None => Known::Nothing,
        };
        self.outputs.iter().enumerate().map(known).collect()
    }

    fn step(&self, offsets: &[f64], aggregation: Aggregation) -> Step {
        let done = self.outputs.iter().filter(|output| output.is_some()).count();
        Step { done, total: done + self.to_do(offsets, &[], aggregation).len() }
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
        self.finish_unless(package, volume, study_uid, &Cancel::new(), each)
    }

    /// As [`Analyser::finish`], unless it is told to stop.
    ///
    /// # Errors
    /// As there, and the stop.
    pub fn finish_unless(
        &mut self,
        package: &mut Package,
        volume: &Volume,
        study_uid: &Uid,
        cancel: &Cancel,
        each: &mut dyn FnMut(Step),
    ) -> Result<FractureReport, AnalysisError> {
        self.run(package, volume, &Interrupt::by(cancel), &mut |_, step| each(step))?;
        let (manifest, identity) = (package.manifest.clone(), Arc::clone(&package.identity));
        self.report(&manifest, &identity, volume, study_uid).map_err(AnalysisError::Declined)
    }

    /// The report of what is done so far.
    ///
    /// # Errors
    /// When what was seen is no cervical spine; the error names the slices that were searched, if that were not all.
    pub fn report(
        &self,
        manifest: &Manifest,
        identity: &Arc<ModelIdentity>,
        volume: &Volume,
        study_uid: &Uid,
    ) -> Result<FractureReport, NotAnalysed> {
        let Step { done, total } = self.step(&volume.stack.offsets, manifest.aggregation);
        let completeness = if done == total { Completeness::Final } else { Completeness::Preliminary { done, total } };
        report_of(self, completeness, manifest, identity, volume, study_uid).map_err(|reason| match reason {
            NotAnalysed::NoCervicalSpine => {
                self.searched_slices(volume).map_or(NotAnalysed::NoCervicalSpine, NotAnalysed::NoCervicalSpineIn)
            }
            other => other,
        })
    }

    /// The slices among which the neck is searched; `None` if that are all.
    fn searched_slices(&self, volume: &Volume) -> Option<SearchedSlices> {
        SearchedSlices::new(self.searched.clone(), volume.shape.slices)
    }
}

/// Offsets of the slices beyond which there is no scan: the first, the last, and both sides of every gap.
fn edges(volume: &Volume) -> Vec<f64> {
    let offsets = &volume.stack.offsets;
    let gaps = volume.stack.gaps();
    let sides = gaps.iter().flat_map(|&index| [offsets.get(index), offsets.get(index + 1)]);
    [offsets.first(), offsets.last()].into_iter().chain(sides).flatten().copied().collect()
}

/// The report of what is done; slices without outputs are still to come, or cannot matter.
///
/// # Errors
/// When what was seen is no cervical spine.
fn report_of(
    analyser: &Analyser,
    completeness: Completeness,
    manifest: &Manifest,
    identity: &Arc<ModelIdentity>,
    volume: &Volume,
    study_uid: &Uid,
) -> Result<FractureReport, NotAnalysed> {
    let Analyser { outputs, features, crops, timing, .. } = analyser;
    let known: Vec<(usize, &SliceOutputs)> =
        outputs.iter().enumerate().filter_map(|(index, output)| Some((index, output.as_ref()?))).collect();
    let scores: Vec<SliceScore> = known.iter().map(|(_, output)| output.score).collect();
    let offsets: Vec<f64> =
        known.iter().map(|(index, _)| volume.stack.offsets.get(*index).copied().unwrap_or_default()).collect();
    let (scores, summary) =
        aggregate::combine(scores, &offsets, &edges(volume), manifest.aggregation, manifest.presence)?;
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
                    .zip(crops.get(index))
                    .and_then(|(map, crop)| hot_spot(volume, crop, index, map, output.map_size, manifest.input.size));
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
        .zip(&scores)
        .map(|((index, _), score)| ScoredSlice {
            index: *index,
            instance_number: instance_number(*index),
            position_mm: volume.position_mm(*index),
            score: *score,
        })
        .collect();
    let activations = PerLevel::from_fn(|level| {
        let probability = levels[level].probability().filter(|p| *p >= identity.thresholds.level);
        probability.and_then(|_| activation(&known, &scores, level, crops, volume, manifest.input.size)).map(Arc::new)
    });
    Ok(FractureReport {
        study_uid: study_uid.clone(),
        series_uid: volume.series_uid.clone(),
        overall: aggregate::overall(&summary),
        levels,
        activations,
        distribution: identity.thresholds.distance.map(|threshold| match features.distance() {
            Ok(distance) => DistributionCheck::Measured { distance, threshold },
            Err(why) => DistributionCheck::Unmeasured(why),
        }),
        searched: analyser.searched_slices(volume),
        slices,
        model: Arc::clone(identity),
        completeness,
        timing: *timing,
        provenance: Provenance {
            scanned: volume_extent(volume),
            repairs: value_repairs(volume),
            ..Provenance::default()
        },
    })
}

/// Repairs on which the volume's values depend: a number that rests on them is never shown without them.
fn value_repairs(volume: &Volume) -> Vec<Repair> {
    let repair = |oddity: &Oddity| match oddity {
        Oddity::Repaired(repair) if repair.changes_values() => Some(*repair),
        _ => None,
    };
    volume.oddities.iter().filter_map(repair).collect()
}

/// A level's activation over the slices that show it.
fn activation(
    known: &[(usize, &SliceOutputs)],
    scores: &[SliceScore],
    level: CervicalLevel,
    crops: &[Crop],
    volume: &Volume,
    input_size: u32,
) -> Option<Activation> {
    let shows =
        known.iter().zip(scores).filter(|(_, score)| score.vertebra[level].value() >= 0.5).map(|(known, _)| known);
    let maps = shows.filter_map(|(index, output)| {
        let cells = output.map_size.0 * output.map_size.1;
        let map = output.activation.get(level.index() * cells..(level.index() + 1) * cells)?;
        let crop = crops.get(*index)?;
        (cells > 0).then(|| laid_out(volume, crop, *index, map, output.map_size, input_size))
    });
    Activation::new(maps.collect())
}
