//! The slices of one acquisition in order, and whether their positions make one stack.

use super::duplicates::name;
use super::stack::offset;
use super::{Found, OWN_STACK, acquisitions};
use crate::domain::{Ambiguity, Oddity, SliceStack};
use glam::DVec3;
use std::collections::BTreeSet;

/// Slices nearer than this along the normal are at one position, mm.
pub(super) const SAME_POSITION_MM: f64 = 0.01;
/// So few slices far from all others are outliers: at least this many, or one in [`FEW_SHARE`].
const FEW: usize = 2;
const FEW_SHARE: usize = 20;
/// Far along the normal: this many median steps, and this many mm.
const FAR: (f64, f64) = (6.0, 8.0);
/// Far within the plane, mm: no table or reconstruction center moves so far from one slice to the next.
const FAR_ASIDE_MM: f64 = 50.0;
/// Positions that were written rounded to a tenth of a mm differ from even ones by no more than this, mm.
const ROUNDING_MM: f64 = 0.12;

/// Slices sorted along their normal, with what was left out and why they may not be one stack.
pub(super) struct Ordered<'f> {
    pub(super) files: Vec<&'f Found>,
    /// Slices left out because another has their position.
    pub(super) doubled: usize,
    pub(super) outliers: Vec<Oddity>,
    pub(super) ambiguity: Option<Ambiguity>,
    /// Whether all slices have one position.
    pub(super) all_equal: bool,
}

/// Sorts the slices of one acquisition along their normal and judges their positions.
pub(super) fn ordered<'f>(files: Vec<&'f Found>, normal: DVec3) -> Ordered<'f> {
    let sorted = sorted_along(files, normal);
    let steps = |files: &[&Found]| -> Vec<f64> {
        files.windows(2).map(|pair| offset(pair[1], normal) - offset(pair[0], normal)).collect()
    };
    let doubles = steps(&sorted).iter().filter(|step| **step <= SAME_POSITION_MM).count();
    let plain = |files, ambiguity, all_equal| Ordered { files, doubled: 0, outliers: Vec::new(), ambiguity, all_equal };
    if doubles > 0 && doubles + 1 == sorted.len() {
        return plain(sorted, None, true);
    }
    if doubles > FEW && doubles * 10 > sorted.len() {
        return plain(sorted, Some(Ambiguity::SharedPositions), false);
    }
    let (inside, mut outliers) = without_outliers(sorted, normal);
    let (mut kept, doubled) = without_doubles(inside, normal);
    // A position that two slices claim while another has none: either may be the misplaced one.
    if !doubled.is_empty() && has_hole(&steps(&kept)) {
        let claimed = |file: &&Found| {
            doubled.iter().any(|other| (offset(other, normal) - offset(file, normal)).abs() <= SAME_POSITION_MM)
        };
        let both: Vec<&Found> = kept.iter().copied().filter(claimed).collect();
        kept.retain(|file| !claimed(file));
        outliers.extend(both.into_iter().chain(doubled).map(|file| outlier(file, 0.0)));
        return Ordered { ambiguity: ambiguity(&kept, normal), files: kept, doubled: 0, outliers, all_equal: false };
    }
    Ordered { ambiguity: ambiguity(&kept, normal), files: kept, doubled: doubled.len(), outliers, all_equal: false }
}

/// Ties are broken by what identifies an instance, never by names or numbers.
fn sorted_along(mut files: Vec<&Found>, normal: DVec3) -> Vec<&Found> {
    files.sort_by(|a, b| {
        let identity = |file: &Found| (file.header.sop_instance.clone(), file.header.frame, file.content);
        let along = offset(a, normal).total_cmp(&offset(b, normal));
        along.then_with(|| identity(a).cmp(&identity(b))).then_with(|| a.path.cmp(&b.path))
    });
    files
}

fn outlier(file: &Found, mm: f64) -> Oddity {
    let mm = mm.abs().round().min(f64::from(u32::MAX)) as u32;
    Oddity::OutlierPosition { file: name(file), instance_number: file.header.instance_number, mm }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Leaves out few slices that lie far from all others, along the normal or within the plane.
fn without_outliers(sorted: Vec<&Found>, normal: DVec3) -> (Vec<&Found>, Vec<Oddity>) {
    let few = FEW.max(sorted.len() / FEW_SHARE);
    if sorted.len() <= 2 * few {
        return (sorted, Vec::new());
    }
    let steps = sorted.windows(2).map(|pair| offset(pair[1], normal) - offset(pair[0], normal));
    let step = median(steps.filter(|step| *step > SAME_POSITION_MM).collect());
    let far = (FAR.0 * step).max(FAR.1);
    let mut outliers = Vec::new();
    let clusters: Vec<&[&Found]> = sorted.chunk_by(|a, b| offset(b, normal) - offset(a, normal) <= far).collect();
    let main = clusters.iter().copied().max_by_key(|cluster| cluster.len()).unwrap_or_default();
    let (low, high) = match main {
        [first, .., last] => (offset(first, normal), offset(last, normal)),
        _ => return (sorted, Vec::new()),
    };
    let mut inside: Vec<&Found> = Vec::new();
    for cluster in clusters {
        if cluster.len() <= few && cluster.len() < main.len() {
            outliers.extend(cluster.iter().map(|file| {
                let own = offset(file, normal);
                outlier(file, (low - own).max(own - high))
            }));
        } else {
            inside.extend(cluster);
        }
    }
    // Within the plane: beside the line that most slices follow, which a tilted gantry slants.
    let aside: Vec<DVec3> = inside.iter().map(|file| position(file).reject_from_normalized(normal)).collect();
    let usual = DVec3::from_array(
        [0, 1, 2].map(|axis| median(aside.windows(2).map(|pair| (pair[1] - pair[0])[axis]).collect())),
    );
    let straight: Vec<DVec3> = aside.iter().enumerate().map(|(index, place)| *place - usual * index as f64).collect();
    let center = DVec3::from_array([0, 1, 2].map(|axis| median(straight.iter().map(|place| place[axis]).collect())));
    let distance: Vec<f64> = straight.iter().map(|place| (*place - center).length()).collect();
    let beside = distance.iter().filter(|mm| **mm > FAR_ASIDE_MM).count();
    if beside == 0 || beside > few {
        return (inside, outliers);
    }
    let (near, away): (Vec<_>, Vec<_>) = inside.into_iter().zip(distance).partition(|(_, mm)| *mm <= FAR_ASIDE_MM);
    outliers.extend(away.into_iter().map(|(file, mm)| outlier(file, mm)));
    (near.into_iter().map(|(file, _)| file).collect(), outliers)
}

fn position(file: &Found) -> DVec3 {
    file.header.plane.map_or(DVec3::ZERO, |plane| plane.position)
}

/// The first slice of every position, and the others.
fn without_doubles(sorted: Vec<&Found>, normal: DVec3) -> (Vec<&Found>, Vec<&Found>) {
    let (mut kept, mut doubled): (Vec<&Found>, Vec<&Found>) = (Vec::new(), Vec::new());
    for file in sorted {
        let is_double = kept.last().is_some_and(|last| offset(file, normal) - offset(last, normal) <= SAME_POSITION_MM);
        if is_double { doubled.push(file) } else { kept.push(file) }
    }
    (kept, doubled)
}

/// Whether a slice is missing within an even stack.
fn has_hole(steps: &[f64]) -> bool {
    let step = median(steps.to_vec());
    step > 0.0 && steps.iter().any(|own| (own / step).round() >= 2.0)
}

/// Why slices at distinct positions may be two scans, one between the slices of the other.
fn ambiguity(files: &[&Found], normal: DVec3) -> Option<Ambiguity> {
    if repeats_numbers(files) {
        return Some(Ambiguity::RepeatedNumbers);
    }
    let offsets: Vec<f64> = files.iter().map(|file| offset(file, normal)).collect();
    is_interleaved(offsets, files).then_some(Ambiguity::Interleaved)
}

/// Whether more than one in ten InstanceNumbers of one acquisition is another's, too. One number for all says nothing, and
/// frames of several files are numbered anew in each.
fn repeats_numbers(files: &[&Found]) -> bool {
    if files.iter().any(|file| file.header.frames > 1 || file.header.instance_number.is_none()) {
        return false;
    }
    let numbers: BTreeSet<Option<i32>> = files.iter().map(|file| file.header.instance_number).collect();
    let of_acquisition: BTreeSet<(String, Option<i32>)> =
        files.iter().map(|file| (acquisitions::changing(file), file.header.instance_number)).collect();
    numbers.len() > 1 && (files.len() - of_acquisition.len()) * 10 > files.len()
}

/// Slices in the order of their InstanceNumbers, cut where their positions turn back, each run sorted along the normal; `None`
/// unless these are several scans of one region. Good enough to look at, and not to compute on.
pub(super) fn runs_by_number<'f>(files: &[&'f Found], normal: DVec3) -> Option<Vec<Vec<&'f Found>>> {
    if files.iter().any(|file| file.header.instance_number.is_none()) {
        return None;
    }
    let mut numbered = files.to_vec();
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
    let several = runs.len() > 1 && runs.iter().all(|run| run.len() >= OWN_STACK);
    several.then(|| runs.into_iter().map(|run| sorted_along(run, normal)).collect())
}

/// Whether distances change from slice to slice as no scanner makes them: every second (or third) slice lies evenly and the
/// others between them do not lie in the middle, or a quarter of all distances differ from the median.
fn is_interleaved(offsets: Vec<f64>, files: &[&Found]) -> bool {
    let steps: Vec<f64> = offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if steps.len() < 6 {
        return false;
    }
    let thickness: Vec<Option<f64>> = files.iter().map(|file| file.header.slice_thickness).collect();
    if SliceStack::with_thickness(offsets.clone(), &thickness).thickness_range().is_some() {
        // A stack of several thicknesses was chained where its parts touch; within each, distances are its own.
        return false;
    }
    let step = median(steps.clone());
    let uneven = |own: f64, usual: f64, share: f64| (own - usual).abs() > (share * usual).max(ROUNDING_MM);
    // Where slices are missing, distances are multiples of the ordinary one.
    let multiple = |own: f64| step * (own / step).round().max(1.0);
    let odd = steps.iter().filter(|own| (**own - multiple(**own)).abs() > (0.25 * step).max(ROUNDING_MM)).count();
    if odd * 4 > steps.len() {
        return true;
    }
    [2, 3].into_iter().any(|combs| {
        let comb = |first: usize| -> Vec<f64> {
            let own: Vec<f64> = offsets.iter().skip(first).step_by(combs).copied().collect();
            own.windows(2).map(|pair| pair[1] - pair[0]).collect()
        };
        let all: Vec<Vec<f64>> = (0..combs).map(comb).collect();
        let usual = median(all.concat());
        let even = all.iter().flatten().all(|own| !uneven(*own, usual, 0.05));
        even && steps.iter().any(|own| uneven(*own, usual / combs as f64, 0.1))
    })
}
