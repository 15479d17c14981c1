//! Headers to studies, series and stacks. A stack is a set of parallel slices of one size at distinct positions; whatever
//! does not fit its series' stack is left out and told as an [`Oddity`].

mod acquisitions;
mod duplicates;
mod identity;
mod order;
mod stack;

pub(super) use duplicates::{Content, Undecided, undecided};
pub(super) use identity::study_key;
pub(super) use stack::stack_axis;

use super::header::{Fault, Header, PlaneFault};
use crate::domain::{
    Ambiguity, FileStamp, Fingerprint, Instance, Oddity, PixelForm, Series, SeriesHints, SeriesKind, Study,
    StudyDateTime, Uid,
};
use duplicates::{Distinct, distinct};
use identity::Entry;
use sha2::{Digest, Sha256};
use stack::{Stack, by_number, geometry_groups, ordered_stacks, units_of};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A second orientation or size makes a stack of its own from this many slices on; fewer are left out.
const OWN_STACK: usize = 5;

/// A file with its header.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) stamp: Option<FileStamp>,
    pub(super) header: Arc<Header>,
    /// What its pixels come to, once another file may be a copy of it.
    pub(super) content: Option<Content>,
}

/// The studies of the files that share a [`study_key`]: usually one; one for each patient and folder where UIDs identify
/// nothing or patients contradict each other.
pub(super) fn studies(key: &Uid, files: &[Found]) -> Vec<Study> {
    identity::entries(key, files).into_iter().map(study).collect()
}

fn study(Entry { uid, files, patients, has_placeholders }: Entry<'_>) -> Study {
    let mut by_series: BTreeMap<Uid, Vec<&Found>> = BTreeMap::new();
    for &file in &files {
        by_series.entry(identity::series_key(file)).or_default().push(file);
    }
    let mut oddities = Vec::new();
    let mut series = Vec::new();
    for (uid, mut files) in by_series {
        files.sort_by_key(|file| (file.header.instance_number, &file.path, file.header.frame));
        series.extend(stacks(&uid, files));
    }
    let stamps: HashMap<&Path, Option<FileStamp>> =
        files.iter().map(|file| (file.path.as_path(), file.stamp)).collect();
    for series in &mut series {
        series.fingerprint = fingerprint(&series.instances, &stamps);
    }
    // Stable: series of one number, and the stacks of one series, keep their order.
    series.sort_by_key(|series: &Series| series.number);
    // The file that says most about the patient speaks for the study, an image before other objects.
    let speaker = files.iter().max_by_key(|file| {
        let header = &file.header;
        (
            header.plane.is_some(),
            !header.patient.name.is_empty(),
            header.date.is_some(),
            !header.study_description.is_empty(),
            std::cmp::Reverse(&file.path),
        )
    });
    if patients > 1 {
        oddities.push(Oddity::SeveralPatients(patients));
    }
    if has_placeholders {
        oddities.push(Oddity::PlaceholderUids);
    }
    Study {
        patient: speaker.map(|file| file.header.patient.clone()).unwrap_or_default(),
        date: date(&files),
        description: speaker.map(|file| file.header.study_description.clone()).unwrap_or_default(),
        accession: speaker.map(|file| file.header.accession.clone()).unwrap_or_default(),
        precedence: files.iter().map(|file| file.header.precedence).max().unwrap_or_default(),
        uid,
        series,
        oddities,
    }
}

/// The study's date: the day that most images with a position name, at its earliest time; that of other objects if there are no
/// such images.
fn date(files: &[&Found]) -> Option<StudyDateTime> {
    let placed: Vec<&&Found> = files.iter().filter(|file| file.header.plane.is_some()).collect();
    let dated =
        |files: &[&&Found]| -> Vec<StudyDateTime> { files.iter().filter_map(|file| file.header.date).collect() };
    let mut dates = dated(&placed);
    if dates.is_empty() {
        dates = dated(&files.iter().collect::<Vec<_>>());
    }
    let mut days: BTreeMap<(u16, u8, u8), usize> = BTreeMap::new();
    for date in &dates {
        *days.entry((date.year, date.month, date.day)).or_default() += 1;
    }
    let (&day, _) = days.iter().rev().max_by_key(|(_, images)| **images)?;
    dates.into_iter().filter(|date| (date.year, date.month, date.day) == day).min()
}

/// The fingerprint of a series' files, in the volume's order; wherever they lie.
fn fingerprint(instances: &[Instance], stamps: &HashMap<&Path, Option<FileStamp>>) -> Option<Fingerprint> {
    let mut hash = Sha256::new();
    for instance in instances {
        let stamp = (*stamps.get(instance.path.as_path())?)?;
        hash.update(instance.sop_instance_uid.as_str());
        hash.update(instance.frame.to_le_bytes());
        hash.update(stamp.size.to_le_bytes());
        hash.update(stamp.written_ns.to_le_bytes());
        hash.update(stamp.number.to_le_bytes());
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut short = [0; 16];
    short.copy_from_slice(&whole[..16]);
    Some(Fingerprint(short))
}

/// What is left out of a series, counted. Every picture of a series is in one of its stacks or in exactly one of these.
#[derive(Default)]
struct Told(Vec<Oddity>);

impl Told {
    fn add(&mut self, oddity: fn(usize) -> Oddity, n: usize) {
        if n > 0 {
            self.0.push(oddity(n));
        }
    }
}

/// The stacks of one series: usually one.
fn stacks(uid: &Uid, files: Vec<&Found>) -> Vec<Series> {
    let Some(first) = files.first().copied() else { return Vec::new() };
    let mut told = Told::default();
    let Distinct { files, copies, shared_uids, conflicts, is_mixed } = distinct(files);
    told.add(Oddity::Copies, copies);
    told.add(Oddity::DoubledInstanceUid, shared_uids);
    told.0.extend(conflicts);
    let (pictures, others): (Vec<&Found>, Vec<&Found>) = files.into_iter().partition(|file| file.header.has_pixels);
    if !pictures.is_empty() {
        told.add(Oddity::WithoutPicture, others.len());
    }
    let all_localizers = pictures.iter().all(|file| file.header.is_localizer);
    let count = |faults: &[Fault]| {
        let faulty = |file: &&&Found| file.header.layout.as_ref().err().is_some_and(|fault| faults.contains(fault));
        pictures.iter().filter(faulty).count()
    };
    told.add(Oddity::NotGrey, count(&[Fault::NotGrey]));
    told.add(Oddity::BadRescale, count(&[Fault::Rescale]));
    told.add(Oddity::UnreadablePixels, count(&[Fault::Size, Fault::Bits]));
    told.add(Oddity::MultiFrame, count(&[Fault::MultiFrame]));
    for form in PixelForm::ALL {
        let n = count(&[Fault::Form(form)]);
        told.0.extend((n > 0).then_some(Oddity::PixelForm(form, n)));
    }
    let mut slices: Vec<&Found> = pictures.into_iter().filter(|file| file.header.layout.is_ok()).collect();
    if !all_localizers {
        let before = slices.len();
        slices.retain(|file| !file.header.is_localizer);
        told.add(Oddity::Localizers, before - slices.len());
    }
    let kept = slices.first().copied().unwrap_or(first);
    let by_path: HashMap<(PathBuf, u32), &Found> =
        slices.iter().map(|file| ((file.path.clone(), file.header.frame), *file)).collect();
    let header_oddities = header_oddities(&slices);
    let (placed, unplaced): (Vec<_>, Vec<_>) = slices.into_iter().partition(|file| file.header.plane.is_some());
    let stacks = if placed.is_empty() {
        vec![without_positions(unplaced, all_localizers, &mut told)]
    } else {
        let oriented = |file: &&Found| file.header.plane_fault != Some(PlaneFault::Orientation);
        let positionless = unplaced.iter().filter(|file| oriented(file)).count();
        told.add(Oddity::WithoutPosition, positionless);
        told.add(Oddity::WithoutOrientation, unplaced.len() - positionless);
        with_positions(placed, all_localizers, &mut told)
    };
    let several = if stacks.len() > 1 { vec![Oddity::SeveralStacks(stacks.len())] } else { Vec::new() };
    let series = stacks.into_iter().enumerate().map(|(index, mut stack)| {
        if index == 0 {
            stack.oddities.append(&mut told.0);
        }
        stack.oddities.extend(header_oddities.iter().chain(&several).cloned());
        if is_mixed {
            stack.oddities.push(Oddity::Ambiguous(Ambiguity::ConflictingPixels));
        }
        stack.oddities.sort();
        stack.oddities.dedup();
        // Each stack speaks for itself: kernels and other attributes differ between the stacks of one series.
        let own = stack.instances.first().and_then(|slice| by_path.get(&(slice.path.clone(), slice.frame)).copied());
        series_of(uid, own.unwrap_or(kept), stack, u32::try_from(index).unwrap_or(u32::MAX))
    });
    series.collect()
}

/// Pictures that have no position, in the order of their numbers; no pictures at all.
fn without_positions(files: Vec<&Found>, localizers: bool, told: &mut Told) -> Stack {
    let mut oddities = Vec::new();
    let kind = match (files.is_empty(), localizers) {
        (true, _) => SeriesKind::NoPixels,
        (false, true) => SeriesKind::Localizer,
        (false, false) => SeriesKind::Unpositioned,
    };
    let (main, rest) = by_size(files);
    told.add(Oddity::MixedSizes, rest.len());
    if kind == SeriesKind::Unpositioned {
        let unoriented =
            !main.is_empty() && main.iter().all(|file| file.header.plane_fault == Some(PlaneFault::Orientation));
        oddities.push(if unoriented { Oddity::NoOrientation } else { Oddity::NoPositions });
    }
    if main.iter().any(|file| file.header.spacing.is_none()) {
        oddities.push(Oddity::NoPixelSpacing);
    }
    let units = units_of(&main);
    Stack { kind, units, instances: by_number(main), stack: None, oddities }
}

/// Stacks of pictures that have positions: the largest, and others that are large enough. Each localizer is shown.
fn with_positions(files: Vec<&Found>, localizers: bool, told: &mut Told) -> Vec<Stack> {
    let own_stack = if localizers { 1 } else { OWN_STACK };
    let mut groups = geometry_groups(files);
    // Of groups of one size, one in which lengths are known, then the one that identifiers put first: never names or numbers.
    groups.sort_by_cached_key(|group| {
        let unspaced = group.iter().any(|file| file.header.spacing.is_none());
        let first = group.iter().map(|file| (file.header.sop_instance.clone(), file.header.frame)).min();
        (std::cmp::Reverse(group.len()), unspaced, first)
    });
    let main_plane = groups.first().and_then(|group| group.first()).and_then(|file| file.header.plane);
    let (mut other_size, mut other_orientation, mut other_acquisition) = (0, 0, 0);
    let mut result = Vec::new();
    for (index, group) in groups.into_iter().enumerate() {
        if index > 0 && group.len() < own_stack {
            let plane = group.first().and_then(|file| file.header.plane);
            match main_plane.zip(plane).is_some_and(|(main, plane)| plane.is_parallel_to(&main)) {
                true => other_size += group.len(),
                false => other_orientation += group.len(),
            }
            continue;
        }
        let (stacks, few) = if localizers { (vec![group], 0) } else { acquisitions::separate(group) };
        other_acquisition += few;
        result.extend(stacks.into_iter().flat_map(|files| ordered_stacks(files, localizers)));
    }
    told.add(Oddity::OtherAcquisition, other_acquisition);
    told.add(Oddity::MixedSizes, other_size);
    told.add(Oddity::MixedOrientations, other_orientation);
    result
}

/// The most frequent size, and the rest.
fn by_size(files: Vec<&Found>) -> (Vec<&Found>, Vec<&Found>) {
    let size = |file: &Found| file.header.layout.map_or((0, 0), |layout| (layout.rows, layout.columns));
    let mut counts: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for file in &files {
        *counts.entry(size(file)).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, n)| *n).map(|(size, _)| size);
    files.into_iter().partition(|file| Some(size(file)) == most)
}

fn header_oddities(files: &[&Found]) -> Vec<Oddity> {
    let mut oddities: Vec<Oddity> = files.iter().flat_map(|file| file.header.oddities.iter().cloned()).collect();
    if files.iter().any(|file| file.header.monochrome1) {
        oddities.push(Oddity::Monochrome1);
    }
    oddities.sort();
    oddities.dedup();
    oddities
}

fn instance(file: &Found) -> Instance {
    let header = &file.header;
    let (rows, columns) = header.layout.map_or((0, 0), |layout| (layout.rows, layout.columns));
    Instance {
        path: file.path.clone(),
        sop_instance_uid: header.sop_instance.clone(),
        frame: header.frame,
        instance_number: header.instance_number,
        plane: header.plane,
        spacing: header.spacing,
        rows,
        columns,
        slice_thickness: header.slice_thickness,
    }
}

fn series_of(uid: &Uid, speaker: &Found, stack: Stack, stack_index: u32) -> Series {
    let header = &speaker.header;
    Series {
        uid: uid.clone(),
        frame_of_reference: header.frame_of_reference.clone(),
        stack_index,
        number: header.series_number,
        description: header.series_description.clone(),
        modality: header.modality.clone(),
        kernel: header.kernel.clone(),
        body_part: header.body_part.clone(),
        hints: SeriesHints { units: stack.units, ..header.hints.clone() },
        kind: stack.kind,
        fingerprint: None,
        instances: stack.instances,
        stack: stack.stack,
        oddities: stack.oddities,
    }
}

#[cfg(test)]
mod tests;
