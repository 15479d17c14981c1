//! Separates the acquisitions and reconstructions that one series holds.
//!
//! Two kinds of attributes do: those that a reconstruction has throughout (kernel, kVP, ImageType, …), whose values are never
//! mixed; and those that may change along one stack (AcquisitionNumber, SliceThickness, time), whose parts belong together
//! where one continues the other and are separate where they cover the same region. File names, paths and
//! InstanceNumbers decide nothing.

use super::stack::offset;
use super::{Found, OWN_STACK};
use crate::dicom::header::Acquisition;
use glam::DVec3;
use std::collections::BTreeMap;

/// An attribute's value as text; empty if it is absent.
type Attribute = fn(&Found) -> String;

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn acquisition(file: &Found) -> &Acquisition {
    &file.header.acquisition
}

/// Attributes whose values are never mixed in one stack.
const CONSTANT: [Attribute; 9] = [
    |file| file.header.frame_of_reference.to_string(),
    |file| file.header.modality.to_string(),
    |file| acquisition(file).rescale_type.to_string(),
    |file| acquisition(file).image_type.to_string(),
    |file| acquisition(file).kernel.to_string(),
    |file| text(acquisition(file).tenth_kv),
    |file| text(acquisition(file).tenth_mm_diameter),
    |file| acquisition(file).contrast.to_string(),
    |file| acquisition(file).stack.to_string(),
];

/// Attributes that may change along a stack.
const CHANGING: [Attribute; 4] = [
    |file| text(acquisition(file).number),
    |file| text(acquisition(file).temporal_position),
    |file| text(acquisition(file).irradiation_event.as_ref()),
    |file| text(file.header.slice_thickness.map(|mm| (mm * 100.0).round() as i64)),
];

/// More different times than this are those of single rotations.
const MOST_TIMES: usize = 4;

/// What may change along a stack, for one slice.
pub(super) fn changing(file: &Found) -> String {
    CHANGING.map(|attribute| attribute(file)).join("\\")
}

/// Stacks of parallel slices of one size, each of one acquisition and reconstruction; and how many slices are too few for a
/// stack of their own.
pub(super) fn separate(group: Vec<&Found>) -> (Vec<Vec<&Found>>, usize) {
    let Some(normal) = group.first().and_then(|file| file.header.plane).map(|plane| plane.normal()) else {
        return (vec![group], 0);
    };
    let mut stacks = vec![group];
    for attribute in CONSTANT {
        stacks = stacks.into_iter().flat_map(|stack| constant_parts(stack, attribute, normal)).collect();
    }
    for attribute in CHANGING {
        stacks = stacks.into_iter().flat_map(|stack| changing_parts(stack, attribute, normal)).collect();
    }
    stacks = stacks.into_iter().flat_map(|stack| by_time(stack, normal)).collect();
    stacks.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| least_uid(a).cmp(&least_uid(b))));
    let few = |(index, stack): &(usize, Vec<&Found>)| *index > 0 && stack.len() < OWN_STACK;
    let (left, kept): (Vec<_>, Vec<_>) = stacks.into_iter().enumerate().partition(few);
    (kept.into_iter().map(|(_, stack)| stack).collect(), left.iter().map(|(_, stack)| stack.len()).sum())
}

fn least_uid<'f>(stack: &[&'f Found]) -> Option<(&'f str, u32)> {
    stack.iter().map(|file| (file.header.sop_instance.as_str(), file.header.frame)).min()
}

fn parts(stack: Vec<&Found>, attribute: Attribute) -> BTreeMap<String, Vec<&Found>> {
    let mut parts: BTreeMap<String, Vec<&Found>> = BTreeMap::new();
    for file in stack {
        parts.entry(attribute(file)).or_default().push(file);
    }
    parts
}

/// Parts of different values. An attribute that is another on almost every slice separates nothing. A few slices without a
/// value belong to the only part that has one, if they fill holes of it; more are a part of their own.
fn constant_parts(stack: Vec<&Found>, attribute: Attribute, normal: DVec3) -> Vec<Vec<&Found>> {
    let total = stack.len();
    let mut parts = parts(stack, attribute);
    if parts.len() > 2 && parts.len() * 3 > total {
        return vec![parts.into_values().flatten().collect()];
    }
    if parts.len() == 2
        && let Some(without) = parts.remove("")
    {
        let with: Vec<&Found> = parts.into_values().flatten().collect();
        return if without.len() < OWN_STACK && is_apart(&with, &without, normal) {
            vec![with.into_iter().chain(without).collect()]
        } else {
            vec![with, without]
        };
    }
    parts.into_values().collect()
}

/// Whether no slice of either is at a position of the other: slices that lack an attribute by accident fill holes.
fn is_apart(a: &[&Found], b: &[&Found], normal: DVec3) -> bool {
    let mut all: Vec<(f64, bool)> = a.iter().map(|file| (offset(file, normal), true)).collect();
    all.extend(b.iter().map(|file| (offset(file, normal), false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let steps: Vec<f64> = all.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let mut sorted = steps.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    steps.iter().all(|step| *step > 0.9 * median && median > 0.0)
}

/// A part of a stack with its extent along the normal.
struct Stretch<'f> {
    files: Vec<&'f Found>,
    first: f64,
    last: f64,
    /// Median distance of neighbors, mm.
    step: f64,
    /// Largest SliceThickness, mm; 0 if there is none.
    thickness: f64,
}

impl<'f> Stretch<'f> {
    fn new(files: Vec<&'f Found>, normal: DVec3) -> Self {
        let mut offsets: Vec<f64> = files.iter().map(|file| offset(file, normal)).collect();
        offsets.sort_by(f64::total_cmp);
        let mut steps: Vec<f64> = offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_by(f64::total_cmp);
        let thickness = files.iter().filter_map(|file| file.header.slice_thickness).fold(0.0, f64::max);
        let step = steps.get(steps.len() / 2).copied().unwrap_or(0.0);
        let (first, last) = (offsets.first().copied().unwrap_or(0.0), offsets.last().copied().unwrap_or(0.0));
        Self { files, first, last, step, thickness }
    }

    /// Whether this continues the other at either end: it begins behind the other's last slice or ends before its first, no
    /// farther than slices of both touch, at the same distances or with slices that touch each other in both. Parts of few
    /// slices are rotations of one scan and may leave gaps.
    fn continues(&self, other: &Self) -> bool {
        let way = (self.first - other.last).max(other.first - self.last);
        if self.files.len().min(other.files.len()) < OWN_STACK {
            return way > -1e-3;
        }
        let reach = f64::midpoint(self.step.max(self.thickness), other.step.max(other.thickness));
        let touch = |part: &Self| (part.step - part.thickness).abs() <= 0.1 * part.thickness;
        let alike = (self.step - other.step).abs() <= 0.1 * self.step.min(other.step);
        way > -1e-3 && way <= 1.1 * reach + 0.05 && (alike || (touch(self) && touch(other)))
    }

    fn join(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        (self.step, self.thickness) = (other.step, other.thickness);
        self.files.extend(other.files);
    }
}

/// Chains of parts that continue one another in the attribute's order; parts that cover the same region are in different
/// chains.
fn changing_parts(stack: Vec<&Found>, attribute: Attribute, normal: DVec3) -> Vec<Vec<&Found>> {
    let total = stack.len();
    let parts = parts(stack, attribute);
    // Times and numbers of single slices separate nothing.
    if parts.len() < 2 || (parts.len() * 2 > total && parts.values().all(|part| part.len() < OWN_STACK)) {
        return vec![parts.into_values().flatten().collect()];
    }
    let mut parts: Vec<(String, Vec<&Found>)> = parts.into_iter().collect();
    parts.sort_by_cached_key(|(value, _)| (value.parse::<i64>().unwrap_or(i64::MAX), value.clone()));
    let mut chains: Vec<Stretch<'_>> = Vec::new();
    for (_, part) in parts {
        let stretch = Stretch::new(part, normal);
        match chains.iter_mut().rev().find(|chain| stretch.continues(chain)) {
            Some(chain) => chain.join(stretch),
            None => chains.push(stretch),
        }
    }
    chains.into_iter().map(|chain| chain.files).collect()
}

/// Two or few scans of one region by their acquisition times. Scanners also write a time for every rotation or slice, rounded
/// and out of order: those separate nothing.
fn by_time(stack: Vec<&Found>, normal: DVec3) -> Vec<Vec<&Found>> {
    let time: Attribute = |file| acquisition(file).time.to_string();
    let times = parts(stack.clone(), time);
    let few = times.len() <= MOST_TIMES && times.values().all(|part| part.len() >= OWN_STACK);
    if few { changing_parts(stack, time, normal) } else { vec![stack] }
}
