//! Headers to studies, series and stacks. A stack is a set of parallel slices of one size at distinct positions; whatever
//! does not fit its series' stack is left out and told as an [`Oddity`].

use super::header::{Fault, Header};
use crate::domain::{Axis, ImagePlane, Instance, Oddity, PixelForm, Series, SeriesKind, SliceStack, Study, Uid};
use glam::DVec3;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Slices nearer than this along the normal are at one position, mm.
const SAME_POSITION_MM: f64 = 0.01;
/// A second orientation or size makes a stack of its own from this many slices on; fewer are left out.
const OWN_STACK: usize = 5;

/// A file with its header.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) header: Arc<Header>,
}

/// The identifier that a file's study is kept under: its own, or its folder's when it has none.
pub(super) fn study_key(path: &Path, header: &Header) -> Uid {
    if header.study.is_empty() { folder_uid(path) } else { header.study.clone() }
}

fn folder_uid(path: &Path) -> Uid {
    Uid::from_file(&format!("folder {}", path.parent().unwrap_or(path).display()))
}

/// One study from its files.
pub(super) fn study(uid: &Uid, files: &[Found]) -> Study {
    let mut by_series: BTreeMap<(Option<i32>, Uid), Vec<&Found>> = BTreeMap::new();
    for file in files {
        let header = &file.header;
        by_series.entry((header.series_number, header.series.clone())).or_default().push(file);
    }
    let mut oddities = Vec::new();
    let mut series = Vec::new();
    for ((_, uid), mut files) in by_series {
        files.sort_by(|a, b| {
            (a.header.instance_number, &a.path, a.header.frame).cmp(&(
                b.header.instance_number,
                &b.path,
                b.header.frame,
            ))
        });
        series.extend(stacks(&uid, files));
    }
    // The file that says most about the patient speaks for the study.
    let speaker = files.iter().max_by_key(|file| {
        let header = &file.header;
        (
            !header.patient.name.is_empty(),
            header.date.is_some(),
            !header.study_description.is_empty(),
            std::cmp::Reverse(&file.path),
        )
    });
    let names: std::collections::HashSet<_> = files.iter().map(|file| &file.header.patient.id).collect();
    if names.len() > 1 {
        oddities.push(Oddity::SeveralPatients(names.len()));
    }
    Study {
        uid: uid.clone(),
        patient: speaker.map(|file| file.header.patient.clone()).unwrap_or_default(),
        date: files.iter().filter_map(|file| file.header.date).min(),
        description: speaker.map(|file| file.header.study_description.clone()).unwrap_or_default(),
        accession: speaker.map(|file| file.header.accession.clone()).unwrap_or_default(),
        series,
        oddities,
    }
}

/// The stacks of one series: usually one.
fn stacks(uid: &Uid, files: Vec<&Found>) -> Vec<Series> {
    let mut told = Told::new();
    let mut tell = |oddity: fn(usize) -> Oddity, n: usize| {
        if n > 0 {
            *told.entry(oddity(0)).or_insert((0, oddity)) = (n, oddity);
        }
    };
    let (files, copies, doubled) = without_copies(files);
    tell(Oddity::Copies, copies);
    tell(Oddity::DoubledInstanceUid, doubled);
    let Some(first) = files.first().copied() else { return Vec::new() };
    let all_localizers = files.iter().all(|file| file.header.is_localizer);
    let pictures: Vec<&Found> = files.into_iter().filter(|file| file.header.has_pixels).collect();
    let count = |fault: &[Fault]| {
        pictures
            .iter()
            .filter(|file| file.header.layout.as_ref().err().is_some_and(|found| fault.contains(found)))
            .count()
    };
    tell(Oddity::NotGrey, count(&[Fault::NotGrey]));
    tell(Oddity::BadRescale, count(&[Fault::Rescale]));
    tell(Oddity::UnreadablePixels, count(&[Fault::Size, Fault::Bits]));
    tell(Oddity::MultiFrame, count(&[Fault::MultiFrame]));
    tell(|n| Oddity::PixelForm(PixelForm::Wide, n), count(&[Fault::Form(PixelForm::Wide)]));
    tell(|n| Oddity::PixelForm(PixelForm::Packed, n), count(&[Fault::Form(PixelForm::Packed)]));
    tell(|n| Oddity::PixelForm(PixelForm::Float, n), count(&[Fault::Form(PixelForm::Float)]));
    tell(|n| Oddity::PixelForm(PixelForm::ModalityLut, n), count(&[Fault::Form(PixelForm::ModalityLut)]));
    let mut slices: Vec<&Found> = pictures.iter().copied().filter(|file| file.header.layout.is_ok()).collect();
    if !all_localizers {
        let before = slices.len();
        slices.retain(|file| !file.header.is_localizer);
        tell(Oddity::MixedOrientations, before - slices.len());
    }
    let kept = slices.first().copied().unwrap_or(first);
    let header_oddities = header_oddities(&slices);
    let base = |kind, instances, stack, index, mut oddities: Vec<Oddity>| {
        oddities.extend(header_oddities.iter().cloned());
        oddities.sort();
        oddities.dedup();
        series_of(uid, kept, kind, instances, stack, index, oddities)
    };
    if slices.is_empty() {
        return vec![base(SeriesKind::NoPixels, Vec::new(), None, 0, collect(&told))];
    }
    let (placed, unplaced): (Vec<_>, Vec<_>) = slices.into_iter().partition(|file| file.header.plane.is_some());
    if placed.is_empty() {
        let (main, rest) = by_size(unplaced);
        tell(Oddity::MixedSizes, rest.len());
        let mut oddities = collect(&told);
        if !all_localizers {
            oddities.push(Oddity::NoPositions);
        }
        if main.iter().any(|file| file.header.spacing.is_none()) {
            oddities.push(Oddity::NoPixelSpacing);
        }
        let kind = if all_localizers { SeriesKind::Localizer } else { SeriesKind::Unpositioned };
        return vec![base(kind, main.into_iter().map(instance).collect(), None, 0, oddities)];
    }
    tell(Oddity::WithoutPosition, unplaced.len());
    let mut groups = geometry_groups(placed);
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let mut result = Vec::new();
    let main_plane = groups.first().and_then(|group| group.first()).and_then(|file| file.header.plane);
    let mut left = (0, 0);
    for (index, group) in groups.into_iter().enumerate() {
        let same_orientation =
            main_plane.zip(group[0].header.plane).is_some_and(|(main, plane)| plane.is_parallel_to(&main));
        if index > 0 && group.len() < OWN_STACK {
            if same_orientation {
                left.0 += group.len();
            } else {
                left.1 += group.len();
            }
            continue;
        }
        for (stack, doubled) in by_position(group) {
            let next = u32::try_from(result.len()).unwrap_or(u32::MAX);
            let (kind, instances, stack, mut oddities) = stack_of(stack, all_localizers);
            if doubled > 0 {
                oddities.push(Oddity::DuplicatePositions(doubled));
            }
            result.push((kind, instances, stack, next, oddities));
        }
    }
    tell(Oddity::MixedSizes, left.0);
    tell(Oddity::MixedOrientations, left.1);
    let shared = collect(&told);
    result
        .into_iter()
        .map(|(kind, instances, stack, index, mut oddities)| {
            if index == 0 {
                oddities.extend(shared.iter().cloned());
            }
            base(kind, instances, stack, index, oddities)
        })
        .collect()
}

/// Kinds of oddity with how often each was met, and how to say it.
type Told = BTreeMap<Oddity, (usize, fn(usize) -> Oddity)>;

fn collect(told: &Told) -> Vec<Oddity> {
    told.values().map(|(n, oddity)| oddity(*n)).collect()
}

/// Copies of an instance count once; an instance UID that other contents share is kept and told.
fn without_copies(files: Vec<&Found>) -> (Vec<&Found>, usize, usize) {
    let mut seen: HashMap<(&Uid, u32), Vec<&Found>> = HashMap::new();
    let (mut copies, mut doubled) = (0, 0);
    let mut kept = Vec::with_capacity(files.len());
    for file in files {
        let header = &file.header;
        if header.sop_instance.is_empty() {
            kept.push(file);
            continue;
        }
        let same = seen.entry((&header.sop_instance, header.frame)).or_default();
        let is_copy = same
            .iter()
            .any(|other| other.header.plane == header.plane && other.header.instance_number == header.instance_number);
        if is_copy {
            copies += 1;
            continue;
        }
        if !same.is_empty() {
            doubled += 1;
        }
        same.push(file);
        kept.push(file);
    }
    (kept, copies, doubled)
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

/// Groups of one orientation, size and pixel spacing.
fn geometry_groups(files: Vec<&Found>) -> Vec<Vec<&Found>> {
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

/// Sorts a group along its normal and takes apart what lies twice at a position. Many doubled positions are two stacks,
/// told apart by instance number; a few are left out, and their number is returned.
fn by_position(mut group: Vec<&Found>) -> Vec<(Vec<&Found>, usize)> {
    let Some(normal) = group.first().and_then(|file| file.header.plane).map(|plane| plane.normal()) else {
        return vec![(group, 0)];
    };
    let offset = |file: &Found| file.header.plane.map_or(0.0, |plane| plane.position.dot(normal));
    group.sort_by(|a, b| {
        offset(a).total_cmp(&offset(b)).then_with(|| a.header.instance_number.cmp(&b.header.instance_number))
    });
    let mut layers: Vec<Vec<&Found>> = vec![Vec::new()];
    let mut last = f64::NEG_INFINITY;
    let mut layer = 0;
    for file in group {
        let here = offset(file);
        if here - last > SAME_POSITION_MM {
            layer = 0;
            last = here;
        } else {
            layer += 1;
        }
        if layers.len() <= layer {
            layers.resize_with(layer + 1, Vec::new);
        }
        layers[layer].push(file);
    }
    let main = layers[0].len();
    let mut result: Vec<(Vec<&Found>, usize)> = Vec::new();
    let mut doubled = 0;
    for layer in layers {
        if result.is_empty() || (layer.len() >= OWN_STACK && 2 * layer.len() >= main) {
            result.push((layer, 0));
        } else {
            doubled += layer.len();
        }
    }
    if let Some(first) = result.first_mut() {
        first.1 = doubled;
    }
    result
}

/// One stack in the volume's order, with what its geometry says.
fn stack_of(mut files: Vec<&Found>, localizers: bool) -> (SeriesKind, Vec<Instance>, Option<SliceStack>, Vec<Oddity>) {
    let mut oddities = Vec::new();
    let Some(plane) = files.first().and_then(|file| file.header.plane) else {
        return (SeriesKind::Unpositioned, files.into_iter().map(instance).collect(), None, oddities);
    };
    let axis = stack_axis(&plane);
    if axis.dot(plane.normal()) < 0.0 {
        files.reverse();
    }
    let position = |file: &Found| file.header.plane.map_or(DVec3::ZERO, |plane| plane.position);
    let origin = position(files[0]);
    let stack = SliceStack::new(files.iter().map(|file| (position(file) - origin).dot(axis) + 0.0).collect());
    let tilt = tilt_degrees(origin, position(files[files.len() - 1]), axis);
    if tilt > 0.5 {
        oddities.push(Oddity::Tilt((tilt * 10.0).round() as u32));
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
        if files.iter().any(|file| file.header.slice_thickness.is_some_and(|mm| mm > 1.01 * spacing)) {
            oddities.push(Oddity::OverlappingSlices);
        }
    }
    if files[0].header.spacing.is_none() {
        oddities.push(Oddity::NoPixelSpacing);
    }
    let kind = match (localizers, plane.normal_axis()) {
        (true, _) => SeriesKind::Localizer,
        (false, Axis::HeadFoot) => SeriesKind::Axial,
        (false, Axis::RightLeft) => SeriesKind::Sagittal,
        (false, Axis::FrontBack) => SeriesKind::Coronal,
    };
    (kind, files.into_iter().map(instance).collect(), Some(stack), oddities)
}

/// From head to foot for axial planes, along the normal for others.
pub(super) fn stack_axis(plane: &ImagePlane) -> DVec3 {
    let normal = plane.normal();
    if plane.normal_axis() == Axis::HeadFoot && normal.z > 0.0 { -normal } else { normal }
}

/// Angle between the table's way and the stack's normal: the gantry tilt, in degrees (PS3.3 section C.8.2.2.1.2 gives
/// GantryDetectorTilt, which files often leave out; the positions say the truth).
fn tilt_degrees(first: DVec3, last: DVec3, axis: DVec3) -> f64 {
    (last - first).try_normalize().map_or(0.0, |way| way.dot(axis).clamp(-1.0, 1.0).acos().to_degrees())
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

fn series_of(
    uid: &Uid,
    speaker: &Found,
    kind: SeriesKind,
    instances: Vec<Instance>,
    stack: Option<SliceStack>,
    stack_index: u32,
    oddities: Vec<Oddity>,
) -> Series {
    let header = &speaker.header;
    Series {
        uid: uid.clone(),
        stack_index,
        number: header.series_number,
        description: header.series_description.clone(),
        modality: header.modality.clone(),
        kernel: header.kernel.clone(),
        body_part: header.body_part.clone(),
        kind,
        instances,
        stack,
        oddities,
    }
}
