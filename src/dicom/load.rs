//! A series to a volume.

use super::ahead::read_ahead;
use super::archive::Archives;
use super::group::stack_axis;
use super::header::{self, Header};
use super::part10::{Extent, FileError, Part10};
use super::pixels::Frames;
use super::{canonical, mixture, scale, shear};
use crate::domain::{
    Ambiguity, CleanText, Disclosure, Instance, NotHounsfield, Oddity, SensitiveText, Series, SliceInfo, SliceStack,
    Units, Volume, VolumeShape, WindowPreset,
};
use crate::task::Cancel;
use glam::DVec3;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Voxels of the largest volume that is loaded: 4 GiB of them in memory.
pub(super) const VOXEL_LIMIT: usize = 2 * 1024 * 1024 * 1024;

/// Different reasons that are told in words when slices cannot be read.
const REASONS: usize = 3;

/// Why there is no volume.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The load was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The series holds no pictures.
    #[error("the series holds no images")]
    NoPictures,
    /// No slice could be read; the first reason.
    #[error("no slice of the series could be read; {}: {reason}", CleanText::new(&path.to_string_lossy()))]
    Nothing {
        /// The first file.
        path: PathBuf,
        /// What is wrong with it.
        reason: FileError,
    },
    /// The series is larger than any neck.
    #[error("the series has {0} voxels, more than can be loaded")]
    TooLarge(usize),
}

impl LoadError {
    /// The reason as a message whose reader is not known yet: the path is a private part.
    #[must_use]
    pub fn told(&self) -> SensitiveText {
        match self {
            Self::Nothing { path, reason } => SensitiveText::plain("no slice of the series could be read; ")
                .path(path)
                .words(": ")
                .then(reason.told()),
            Self::Cancelled | Self::NoPictures | Self::TooLarge(_) => SensitiveText::plain(self.to_string()),
        }
    }
}

/// A slice that is to be read, and its room in the volume.
struct Wanted<'s, 'v> {
    index: usize,
    instance: &'s Instance,
    room: &'v mut [i16],
}

/// A slice whose voxels are in the volume.
struct Slice<'s> {
    index: usize,
    instance: &'s Instance,
    header: Header,
}

/// Reads a series ahead, several files at once, and decodes it in parallel. `progress` hears of slices done and of their number, from
/// any thread. Slices that cannot be read are left out and told in the volume's oddities.
///
/// # Errors
/// When no slice can be read, the series is too large, or `cancel` is set.
pub fn load_volume(
    series: &Series,
    cancel: &Cancel,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Volume, LoadError> {
    load_volume_through(series, cancel, progress, &|_| {})
}

/// As [`load_volume`]; `opening` is called before each file is opened, by the thread that reads it: what it waits there the file takes
/// longer, as on a slow mount.
///
/// # Errors
/// As there.
pub fn load_volume_through(
    series: &Series,
    cancel: &Cancel,
    progress: &(dyn Fn(usize, usize) + Sync),
    opening: &(dyn Fn(&Path) + Sync),
) -> Result<Volume, LoadError> {
    let first = series.instances.first().ok_or(LoadError::NoPictures)?;
    let total = series.instances.len();
    let claimed = total.saturating_mul(first.rows as usize).saturating_mul(first.columns as usize);
    if claimed > VOXEL_LIMIT {
        return Err(LoadError::TooLarge(claimed));
    }
    let len = first.rows as usize * first.columns as usize;
    if len == 0 {
        return Err(LoadError::NoPictures);
    }
    // Every slice is decoded into its place: there is never a second copy of the voxels.
    let mut voxels = vec![0; claimed];
    let done = AtomicUsize::new(0);
    let archives = Archives::shared();
    // One file may hold many of the slices: it is read once.
    let mut files: BTreeMap<&Path, Vec<Wanted<'_, '_>>> = BTreeMap::new();
    for (index, (instance, room)) in series.instances.iter().zip(voxels.chunks_exact_mut(len)).enumerate() {
        files.entry(&instance.path).or_default().push(Wanted { index, instance, room });
    }
    let largest = files.values().map(|wanted| wanted.len().saturating_mul(2 * len)).max().unwrap_or(0);
    let open = |(path, _): &(&Path, Vec<Wanted<'_, '_>>)| {
        if cancel.is_cancelled() {
            return Err(cancelled());
        }
        opening(path);
        archives.read(path, Extent::All)
    };
    let mut read: Vec<(usize, Result<Slice<'_>, FileError>)> =
        read_ahead(files.into_iter().collect(), largest, open, |(_, wanted), file| {
            decode_slices(file, wanted, cancel, &|| progress(done.fetch_add(1, Ordering::Relaxed) + 1, total))
        });
    read.sort_by_key(|(index, _)| *index);
    if cancel.is_cancelled() {
        return Err(LoadError::Cancelled);
    }
    let mut slices = Vec::with_capacity(total);
    let mut failure = None;
    let mut failures: BTreeMap<SensitiveText, usize> = BTreeMap::new();
    for (instance, (_, slice)) in series.instances.iter().zip(read) {
        match slice {
            Ok(slice) => slices.push(slice),
            Err(reason) => {
                tracing::warn!("a slice is left out: {}", reason.told().shown(Disclosure::Anonymous));
                *failures.entry(reason.told()).or_default() += 1;
                failure.get_or_insert((instance.path.clone(), reason));
            }
        }
    }
    if slices.is_empty() {
        let (path, reason) = failure.unwrap_or((first.path.clone(), FileError::Empty));
        return Err(LoadError::Nothing { path, reason });
    }
    Ok(assemble(series, slices, voxels, total, failures))
}

/// Reads one slice of a series alone, as a volume of one slice; `None` where its file holds others, too, all of which would have to be
/// read.
///
/// # Errors
/// As [`load_volume`].
pub fn load_slice(series: &Series, index: usize, cancel: &Cancel) -> Result<Option<Volume>, LoadError> {
    let instance = series.instances.get(index).ok_or(LoadError::NoPictures)?;
    if series.instances.iter().filter(|other| other.path == instance.path).count() > 1 {
        return Ok(None);
    }
    let one = Series { instances: vec![instance.clone()], oddities: Vec::new(), ..series.clone() };
    load_volume(&one, cancel, &|_, _| {}).map(Some)
}

/// Slices that could not be read, by reason: the most frequent reasons first, the rest without one.
fn told_lost(failures: BTreeMap<SensitiveText, usize>) -> Vec<Oddity> {
    let mut failures: Vec<(SensitiveText, usize)> = failures.into_iter().collect();
    failures.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let rest: usize = failures.iter().skip(REASONS).map(|(_, slices)| slices).sum();
    let told = failures.into_iter().take(REASONS).map(|(reason, slices)| Oddity::Unread { slices, reason });
    told.chain((rest > 0).then_some(Oddity::UnreadMore(rest))).collect()
}

fn cancelled() -> FileError {
    FileError::Pixels("cancelled".into())
}

/// The slices that one file holds, by their numbers, each decoded or with the reason why not.
fn decode_slices<'s>(
    file: Result<Part10, FileError>,
    wanted: Vec<Wanted<'s, '_>>,
    cancel: &Cancel,
    done: &(dyn Fn() + Sync),
) -> Vec<(usize, Result<Slice<'s>, FileError>)> {
    let (headers, file) = match file.and_then(|file| Ok((header::parse(&file)?, file))) {
        Ok(read) => read,
        Err(error) => {
            return wanted.iter().inspect(|_| done()).map(|slice| (slice.index, Err(error.clone()))).collect();
        }
    };
    let changed = || FileError::Pixels("the file has changed since it was found; scan the folder again".into());
    let mut repairs = BTreeSet::new();
    let frames = match headers.first().map(|header| (header.layout, header.frames)) {
        Some((Ok(layout), frames)) => Frames::find(&file, layout, frames, &mut repairs),
        _ => Err(changed()),
    };
    let read = |Wanted { index, instance, room }: Wanted<'s, '_>| {
        if cancel.is_cancelled() {
            return Err(cancelled());
        }
        let frames = frames.as_ref().map_err(FileError::clone)?;
        let mut header = headers.get(instance.frame as usize).ok_or_else(changed)?.clone();
        let layout = header.layout.map_err(|_| changed())?;
        let same = (layout.rows, layout.columns) == (instance.rows, instance.columns)
            && layout.rows as usize * layout.columns as usize == room.len()
            && header.plane == instance.plane;
        if !same {
            return Err(changed());
        }
        frames.decode(instance.frame, &layout, room)?;
        header.oddities.extend(repairs.iter().copied().map(Oddity::Repaired));
        Ok(Slice { index, instance, header })
    };
    wanted
        .into_par_iter()
        .map(|slice| {
            let index = slice.index;
            let slice = read(slice);
            done();
            (index, slice)
        })
        .collect()
}

/// The volume of the slices that could be read, their voxels still at the places of all `total`; `failures` says why others
/// could not be.
fn assemble(
    series: &Series,
    slices: Vec<Slice<'_>>,
    mut voxels: Vec<i16>,
    total: usize,
    failures: BTreeMap<SensitiveText, usize>,
) -> Volume {
    let mut oddities = series.oddities.clone();
    // What shows only when all of a file is read.
    let told = slices.iter().flat_map(|slice| &slice.header.oddities);
    oddities.extend(told.filter(|oddity| matches!(oddity, Oddity::Repaired(_))).cloned());
    let lost = total - slices.len();
    let plane = slices[0].instance.plane.filter(|_| series.stack.is_some());
    let axis = plane.as_ref().map_or(DVec3::NEG_Z, stack_axis);
    let stack = match plane {
        Some(plane) => {
            let along = |slice: &Slice<'_>| {
                slice.instance.plane.map_or(0.0, |own| (own.position - plane.position).dot(axis).max(0.0))
            };
            let thickness: Vec<Option<f64>> = slices.iter().map(|slice| slice.instance.slice_thickness).collect();
            SliceStack::with_thickness(slices.iter().map(along).collect(), &thickness)
        }
        None => SliceStack::new((0..slices.len()).map(|index| index as f64).collect()),
    };
    if lost > 0 {
        oddities.extend(told_lost(failures));
        oddities.retain(|oddity| !matches!(oddity, Oddity::Gaps(_)));
        let gaps = if plane.is_some() { stack.gaps().len() } else { 0 };
        if gaps > 0 {
            oddities.push(Oddity::Gaps(gaps));
        }
    }
    let (rows, columns) = (slices[0].instance.rows as usize, slices[0].instance.columns as usize);
    let len = rows * columns;
    for (place, slice) in slices.iter().enumerate() {
        if slice.index != place {
            voxels.copy_within(slice.index * len..(slice.index + 1) * len, place * len);
        }
    }
    voxels.truncate(slices.len() * len);
    let headers: Vec<&Header> = slices.iter().map(|slice| &slice.header).collect();
    let scale = scale::convert(&mut voxels, len, &headers);
    oddities.extend(scale.repairs.into_iter().map(Oddity::Repaired));
    if let Units::Other(reason) = &scale.units
        && !matches!(reason, NotHounsfield::Modality(_))
    {
        oddities.push(Oddity::NotHounsfield(reason.clone()));
    }
    oddities.sort();
    oddities.dedup();
    let middle = &slices[slices.len() / 2].header;
    let windows: Vec<WindowPreset> = middle.windows.clone();
    let inverted = 2 * slices.iter().filter(|slice| slice.header.monochrome1).count() > slices.len();
    let spacing = slices[0].instance.spacing;
    let infos: Vec<SliceInfo> = slices
        .iter()
        .zip(scale.luts)
        .map(|(slice, lut)| SliceInfo {
            sop_instance_uid: slice.instance.sop_instance_uid.clone(),
            frame: slice.instance.frame,
            instance_number: slice.instance.instance_number,
            position: slice.instance.plane.map(|plane| plane.position),
            lut,
        })
        .collect();
    let mut volume = Volume {
        series_uid: series.uid.clone(),
        shape: VolumeShape { slices: infos.len(), rows, columns },
        voxels,
        plane,
        stack_axis: axis,
        spacing,
        stack,
        slices: infos,
        windows,
        units: scale.units,
        inverted,
        oddities,
    };
    let ambiguous = |oddity: &Oddity| matches!(oddity, Oddity::Ambiguous(_));
    if volume.plane.is_some() && !volume.oddities.iter().any(ambiguous) && mixture::alternates(&volume) {
        volume.oddities.push(Oddity::Ambiguous(Ambiguity::AlternatingImages));
    }
    shear::straighten(&mut volume);
    // What the headers claim decides, as it did when the series was described.
    let is_ct = headers.iter().all(|header| header.hints.units == Units::Hounsfield);
    if is_ct || volume.is_hounsfield() {
        canonical::turn(&mut volume);
    }
    volume
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_the_path_and_what_a_file_says_apart_from_its_words() {
        let reason = FileError::TransferSyntax("DOE^JOHN".into());
        let error = LoadError::Nothing { path: "DOE.dcm".into(), reason: reason.clone() };
        assert_eq!(error.told().to_string(), error.to_string());
        let shown = error.told().shown(Disclosure::Anonymous);
        assert!(!shown.contains("DOE") && shown.contains("no slice of the series could be read"), "{shown}");
        let Some(Oddity::Unread { reason, .. }) = told_lost(BTreeMap::from([(reason.told(), 3)])).pop() else {
            panic!("a reason")
        };
        assert!(!reason.shown(Disclosure::Anonymous).contains("DOE"), "{reason}");
    }
}
