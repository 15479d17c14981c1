//! Slices of one orientation, size and pixel spacing to stacks, and what a stack's geometry says.

use super::{Found, OWN_STACK, instance};
use crate::domain::{Axis, ImagePlane, Instance, Oddity, SeriesKind, SliceStack, Units};
use glam::DVec3;
use std::collections::BTreeMap;

/// Slices nearer than this along the normal are at one position, mm.
const SAME_POSITION_MM: f64 = 0.01;
/// Slices that lie further than this beside the stack's axis are moved back, and it is told; mm.
const SIDEWAYS_MM: f64 = 1.0;
/// Fewer sagittal or coronal pictures than this are a localizer, whatever ImageType says.
const LOCALIZER_BELOW: usize = 4;

/// A stack on its way to a series.
pub(super) struct Stack {
    pub(super) kind: SeriesKind,
    pub(super) units: Units,
    pub(super) instances: Vec<Instance>,
    pub(super) stack: Option<SliceStack>,
    pub(super) oddities: Vec<Oddity>,
}

/// Groups of one orientation, size and pixel spacing.
pub(super) fn geometry_groups(files: Vec<&Found>) -> Vec<Vec<&Found>> {
    let mut groups: Vec<Vec<&Found>> = Vec::new();
    for file in files {
        let fits = |group: &&mut Vec<&Found>| {
            let (a, b) = (&group[0].header, &file.header);
            let parallel = a.plane.zip(b.plane).is_some_and(|(a, b)| a.is_parallel_to(&b));
            let same_size = match (a.layout, b.layout) {
                (Ok(a), Ok(b)) => (a.rows, a.columns) == (b.rows, b.columns),
                _ => false,
            };
            let same_spacing = match (a.spacing, b.spacing) {
                (Some(a), Some(b)) => (a.row - b.row).abs() < 1e-4 && (a.column - b.column).abs() < 1e-4,
                (None, None) => true,
                _ => false,
            };
            parallel && same_size && same_spacing
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(file),
            None => groups.push(vec![file]),
        }
    }
    groups
}

/// Takes apart what lies twice in one place: the stacks, each sorted along its normal, the fullest first, and the number of
/// slices that are left out because another holds their position.
///
/// Two scans of one region in one series are told apart by AcquisitionNumber, ImageType or kernel, or by the runs that their
/// instance numbers make; where nothing does, a position's slices go to first, second, … stack by instance number.
pub(super) fn by_position(group: Vec<&Found>) -> (Vec<Vec<&Found>>, usize) {
    let Some(normal) = group.first().and_then(|file| file.header.plane).map(|plane| plane.normal()) else {
        return (vec![group], 0);
    };
    let sorted = sorted_along(group, normal);
    let doubled = doubles(&sorted, normal);
    if doubled == 0 && (is_even(&sorted, normal) || !sorted.iter().all(|file| file.header.instance_number.is_some())) {
        return (vec![sorted], 0);
    }
    let keys: [fn(&Found) -> String; 3] = [
        |file| format!("{:?}", file.header.acquisition),
        |file| file.header.hints.image_type.to_string(),
        |file| file.header.kernel.to_string(),
    ];
    if doubled > 0 {
        for key in keys {
            let mut parts: BTreeMap<String, Vec<&Found>> = BTreeMap::new();
            for file in &sorted {
                parts.entry(key(file)).or_default().push(file);
            }
            if let Some(stacks) = told_apart(parts.into_values().collect(), normal) {
                return (stacks, 0);
            }
        }
    }
    if let Some(stacks) = told_apart(runs(&sorted, normal), normal) {
        return (stacks, 0);
    }
    if doubled == 0 { (vec![sorted], 0) } else { layers(sorted, normal) }
}

fn offset(file: &Found, normal: DVec3) -> f64 {
    file.header.plane.map_or(0.0, |plane| plane.position.dot(normal))
}

fn sorted_along(mut files: Vec<&Found>, normal: DVec3) -> Vec<&Found> {
    files.sort_by(|a, b| {
        let place = offset(a, normal).total_cmp(&offset(b, normal));
        let order = |file: &Found| (file.header.instance_number, file.path.clone(), file.header.frame);
        place.then_with(|| order(a).cmp(&order(b)))
    });
    files
}

/// Slices at a position that another holds already.
fn doubles(sorted: &[&Found], normal: DVec3) -> usize {
    sorted.windows(2).filter(|pair| offset(pair[1], normal) - offset(pair[0], normal) <= SAME_POSITION_MM).count()
}

/// Whether neighbours lie evenly, missing ones aside.
fn is_even(sorted: &[&Found], normal: DVec3) -> bool {
    let stack = SliceStack::new(sorted.iter().map(|file| offset(file, normal)).collect());
    let Some(spacing) = stack.spacing.filter(|spacing| *spacing > 0.0) else { return true };
    stack.offsets.windows(2).all(|pair| {
        let steps = (pair[1] - pair[0]) / spacing;
        steps > 0.9 && (steps - steps.round()).abs() < 0.1
    })
}

/// The parts, each sorted, if they are several scans of one region: each is a stack of its own, holds no position twice and shares
/// most of its extent with another. The rotations of one scan, which follow one another, are not.
fn told_apart(parts: Vec<Vec<&Found>>, normal: DVec3) -> Option<Vec<Vec<&Found>>> {
    if parts.len() < 2 || parts.iter().any(|part| part.len() < OWN_STACK) {
        return None;
    }
    let mut parts: Vec<Vec<&Found>> = parts.into_iter().map(|part| sorted_along(part, normal)).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    (overlapping(&parts, normal) && parts.iter().all(|part| doubles(part, normal) == 0)).then_some(parts)
}

/// Cuts the slices, in the order of their numbers, where their positions turn back.
fn runs<'f>(sorted: &[&'f Found], normal: DVec3) -> Vec<Vec<&'f Found>> {
    let mut numbered = sorted.to_vec();
    numbered.sort_by_key(|file| file.header.instance_number);
    let mut runs: Vec<Vec<&Found>> = Vec::new();
    let mut way = 0.0;
    for file in numbered {
        if let Some(run) = runs.last_mut() {
            let step = run.last().map_or(0.0, |last| offset(file, normal) - offset(last, normal));
            if run.len() == 1 {
                way = step.signum();
            }
            if step.abs() > SAME_POSITION_MM && step * way > 0.0 {
                run.push(file);
                continue;
            }
        }
        runs.push(vec![file]);
    }
    runs
}

/// Whether every part, sorted, shares more than half of the shorter one's extent with some other.
fn overlapping(parts: &[Vec<&Found>], normal: DVec3) -> bool {
    let end = |file: Option<&&Found>| file.map_or(0.0, |file| offset(file, normal));
    let ends: Vec<(f64, f64)> = parts.iter().map(|part| (end(part.first()), end(part.last()))).collect();
    let share = |a: &(f64, f64), b: &(f64, f64)| a.1.min(b.1) - a.0.max(b.0) > 0.5 * (a.1 - a.0).min(b.1 - b.0);
    ends.iter().enumerate().all(|(index, a)| ends.iter().enumerate().any(|(other, b)| other != index && share(a, b)))
}

/// First, second, … slice of every position. What makes no stack of its own is left out.
fn layers(sorted: Vec<&Found>, normal: DVec3) -> (Vec<Vec<&Found>>, usize) {
    let mut layers: Vec<Vec<&Found>> = Vec::new();
    let (mut last, mut layer) = (f64::NEG_INFINITY, 0);
    for file in sorted {
        let here = offset(file, normal);
        layer = if here - last > SAME_POSITION_MM { 0 } else { layer + 1 };
        if layer == 0 {
            last = here;
        }
        if layers.len() <= layer {
            layers.resize_with(layer + 1, Vec::new);
        }
        layers[layer].push(file);
    }
    let main = layers.first().map_or(0, Vec::len);
    let (kept, left): (Vec<_>, Vec<_>) = layers
        .into_iter()
        .enumerate()
        .partition(|(index, layer)| *index == 0 || (layer.len() >= OWN_STACK && 2 * layer.len() >= main));
    (kept.into_iter().map(|(_, layer)| layer).collect(), left.iter().map(|(_, layer)| layer.len()).sum())
}

/// One stack in the volume's order, with what its geometry says.
pub(super) fn stack_of(mut files: Vec<&Found>, localizers: bool) -> Stack {
    let mut oddities = Vec::new();
    let units = units_of(&files);
    let Some(plane) = files.first().and_then(|file| file.header.plane) else {
        let instances = files.into_iter().map(instance).collect();
        return Stack { kind: SeriesKind::Unpositioned, units, instances, stack: None, oddities };
    };
    let axis = stack_axis(&plane);
    if axis.dot(plane.normal()) < 0.0 {
        files.reverse();
    }
    let position = |file: &Found| file.header.plane.map_or(DVec3::ZERO, |plane| plane.position);
    let origin = position(files[0]);
    let stack = SliceStack::new(files.iter().map(|file| (position(file) - origin).dot(axis) + 0.0).collect());
    let tilt = tilt_degrees(origin, position(files[files.len() - 1]), axis);
    let sideways = |file: &&Found| (position(file) - origin).reject_from_normalized(axis).length();
    if tilt > 0.5 {
        oddities.push(Oddity::Tilt((tilt * 10.0).round() as u32));
    } else if files.iter().map(sideways).fold(0.0, f64::max) > SIDEWAYS_MM {
        oddities.push(Oddity::ShiftedSlices);
    }
    let oblique = plane.normal().abs().max_element().clamp(0.0, 1.0).acos().to_degrees();
    if oblique > 1.0 {
        oddities.push(Oddity::Oblique((oblique * 10.0).round() as u32));
    }
    let gaps = stack.gaps().len();
    if gaps > 0 {
        oddities.push(Oddity::Gaps(gaps));
    }
    if let Some(spacing) = stack.spacing {
        let uneven = |pair: &[f64]| {
            let step = pair[1] - pair[0];
            (step - spacing).abs() > 0.1 * spacing && step <= 1.5 * spacing
        };
        if stack.offsets.windows(2).any(uneven) {
            oddities.push(Oddity::UnevenSpacing);
        }
        // Under a tilted gantry the table moves further than the planes come apart; the thickness is told along the table.
        let along = spacing / tilt.to_radians().cos().max(0.5);
        if files.iter().any(|file| file.header.slice_thickness.is_some_and(|mm| mm > 1.01 * along)) {
            oddities.push(Oddity::OverlappingSlices);
        }
    }
    if files[0].header.spacing.is_none() {
        oddities.push(Oddity::NoPixelSpacing);
    }
    let few = files.len() < LOCALIZER_BELOW;
    let kind = match plane.normal_axis() {
        Axis::HeadFoot if !localizers => SeriesKind::Axial,
        Axis::RightLeft if !localizers && !few => SeriesKind::Sagittal,
        Axis::FrontBack if !localizers && !few => SeriesKind::Coronal,
        _ => SeriesKind::Localizer,
    };
    if files.iter().all(|file| file.header.hints.units == Units::Hounsfield && file.header.spacing.is_some()) {
        match kind {
            SeriesKind::Sagittal | SeriesKind::Coronal => oddities.push(Oddity::Resliced(plane.normal_axis())),
            SeriesKind::Axial if Axis::nearest(plane.row_cosines) == Axis::FrontBack => {
                oddities.push(Oddity::TurnedRows);
            }
            _ => {}
        }
    }
    Stack { kind, units, instances: files.into_iter().map(instance).collect(), stack: Some(stack), oddities }
}

/// The unit that the headers of a stack agree on; evidence against Hounsfield units in any of them counts for all.
pub(super) fn units_of(files: &[&Found]) -> Units {
    files.iter().map(|file| file.header.hints.units.clone()).reduce(Units::and).unwrap_or_default()
}

/// From head to foot for axial planes, along the normal for others.
pub(in crate::dicom) fn stack_axis(plane: &ImagePlane) -> DVec3 {
    let normal = plane.normal();
    if plane.normal_axis() == Axis::HeadFoot && normal.z > 0.0 { -normal } else { normal }
}

/// Angle between the table's way and the stack's normal: the gantry tilt, in degrees (PS3.3 section C.8.2.2.1.2 gives
/// GantryDetectorTilt, which files often leave out; the positions say the truth).
fn tilt_degrees(first: DVec3, last: DVec3, axis: DVec3) -> f64 {
    (last - first).try_normalize().map_or(0.0, |way| way.dot(axis).clamp(-1.0, 1.0).acos().to_degrees())
}
