//! Slices of one orientation, size and pixel spacing to stacks, and what a stack's geometry says.

use super::order::{Ordered, ordered, runs_by_number};
use super::{Found, instance};
use crate::domain::{Ambiguity, Axis, ImagePlane, Instance, Oddity, SeriesKind, SliceStack, Units};
use glam::DVec3;

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

/// Position along the normal, mm.
pub(super) fn offset(file: &Found, normal: DVec3) -> f64 {
    file.header.plane.map_or(0.0, |plane| plane.position.dot(normal))
}

/// The stack of one acquisition's slices. If only InstanceNumbers separate slices at the same positions, there are several stacks,
/// all ambiguous.
pub(super) fn ordered_stacks(files: Vec<&Found>, localizers: bool) -> Vec<Stack> {
    let Some(normal) = files.first().and_then(|file| file.header.plane).map(|plane| plane.normal()) else {
        return vec![stack_of(files, localizers)];
    };
    let Ordered { files, doubled, outliers, ambiguity, all_equal } = ordered(files, normal);
    let ambiguity = ambiguity.filter(|_| !localizers);
    let runs = ambiguity.and_then(|_| runs_by_number(&files, normal));
    let mut stacks: Vec<Stack> = match runs {
        Some(runs) => runs.into_iter().map(|run| stack_of(run, localizers)).collect(),
        None if (all_equal || ambiguity == Some(Ambiguity::SharedPositions)) && !localizers => {
            let units = units_of(&files);
            let kind = SeriesKind::Unpositioned;
            vec![Stack { kind, units, instances: by_number(files), stack: None, oddities: Vec::new() }]
        }
        None => vec![stack_of(files, localizers)],
    };
    for stack in &mut stacks {
        stack.oddities.extend(ambiguity.map(Oddity::Ambiguous));
    }
    if let Some(first) = stacks.first_mut() {
        if all_equal && !localizers {
            first.oddities.push(Oddity::EqualPositions);
        }
        if doubled > 0 {
            first.oddities.push(Oddity::DuplicatePositions(doubled));
        }
        first.oddities.extend(outliers);
    }
    stacks
}

/// The order in which images without usable positions are shown: by SliceLocation from head to foot, InstanceNumber, and what
/// identifies an instance.
pub(super) fn by_number(mut files: Vec<&Found>) -> Vec<Instance> {
    let located = files.iter().all(|file| file.header.slice_location.is_some());
    let location = |file: &Found| file.header.slice_location.filter(|_| located).unwrap_or(0.0);
    files.sort_by(|a, b| {
        let identity =
            |file: &Found| (file.header.instance_number, file.header.sop_instance.clone(), file.header.frame);
        location(b)
            .total_cmp(&location(a))
            .then_with(|| identity(a).cmp(&identity(b)))
            .then_with(|| a.path.cmp(&b.path))
    });
    files.into_iter().map(instance).collect()
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
    let thickness: Vec<Option<f64>> = files.iter().map(|file| file.header.slice_thickness).collect();
    let offsets = files.iter().map(|file| (position(file) - origin).dot(axis) + 0.0).collect();
    let stack = SliceStack::with_thickness(offsets, &thickness);
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
    if stack.is_uneven() {
        oddities.push(Oddity::UnevenSpacing);
    }
    if let Some((least, most)) = stack.thickness_range() {
        let tenths = |mm: f64| (mm * 10.0).round() as u32;
        oddities.push(Oddity::MixedThickness(tenths(least), tenths(most)));
    } else if let Some(spacing) = stack.spacing {
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
