//! A series to a volume.

use super::group::stack_axis;
use super::header::{self, Header};
use super::part10::{self, Extent, FileError};
use super::{canonical, pixels, shear};
use crate::domain::{Instance, Oddity, Series, SliceInfo, SliceStack, Volume, VolumeShape, WindowPreset};
use crate::task::Cancel;
use glam::DVec3;
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Voxels of the largest volume that is loaded: 4 GiB of them in memory.
pub(super) const VOXEL_LIMIT: usize = 2 * 1024 * 1024 * 1024;

/// Why there is no volume.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The load was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The series holds no pictures.
    #[error("the series holds no pictures")]
    NoPictures,
    /// No slice could be read; the first reason.
    #[error("no slice of the series could be read; {}: {reason}", path.display())]
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

struct Slice<'s> {
    instance: &'s Instance,
    header: Header,
    voxels: Vec<i16>,
}

/// Reads and decodes a series in parallel. `progress` hears of slices done and of their number, from any thread. Slices that
/// cannot be read are left out and told in the volume's oddities.
///
/// # Errors
/// When no slice can be read, the series is too large, or `cancel` is set.
pub fn load_volume(
    series: &Series,
    cancel: &Cancel,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Volume, LoadError> {
    let first = series.instances.first().ok_or(LoadError::NoPictures)?;
    let total = series.instances.len();
    let claimed = total.saturating_mul(first.rows as usize).saturating_mul(first.columns as usize);
    if claimed > VOXEL_LIMIT {
        return Err(LoadError::TooLarge(claimed));
    }
    let done = AtomicUsize::new(0);
    let read: Vec<Result<Slice<'_>, FileError>> = series
        .instances
        .par_iter()
        .map(|instance| {
            if cancel.is_cancelled() {
                return Err(FileError::Pixels("cancelled".into()));
            }
            let slice = read_slice(instance);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            slice
        })
        .collect();
    if cancel.is_cancelled() {
        return Err(LoadError::Cancelled);
    }
    let mut slices = Vec::with_capacity(total);
    let mut failure = None;
    for (instance, slice) in series.instances.iter().zip(read) {
        match slice {
            Ok(slice) => slices.push(slice),
            Err(reason) => {
                tracing::warn!("a slice is left out: {reason}");
                failure.get_or_insert((instance.path.clone(), reason));
            }
        }
    }
    if slices.is_empty() {
        let (path, reason) = failure.unwrap_or((first.path.clone(), FileError::Empty));
        return Err(LoadError::Nothing { path, reason });
    }
    Ok(assemble(series, slices, total))
}

fn read_slice(instance: &Instance) -> Result<Slice<'_>, FileError> {
    let file = part10::read(&instance.path, Extent::All)?;
    let header = header::parse(&file)?;
    let changed = || FileError::Pixels("the file has changed since it was found; scan the folder again".into());
    let layout = header.layout.map_err(|_| changed())?;
    if (layout.rows, layout.columns) != (instance.rows, instance.columns) || header.plane != instance.plane {
        return Err(changed());
    }
    let voxels = pixels::decode(&file, &layout, header.is_hounsfield)?;
    Ok(Slice { instance, header, voxels })
}

fn assemble(series: &Series, slices: Vec<Slice<'_>>, total: usize) -> Volume {
    let mut oddities = series.oddities.clone();
    let lost = total - slices.len();
    let plane = slices[0].instance.plane.filter(|_| series.stack.is_some());
    let axis = plane.as_ref().map_or(DVec3::NEG_Z, stack_axis);
    let stack = match plane {
        Some(plane) => SliceStack::new(
            slices
                .iter()
                .map(|slice| slice.instance.plane.map_or(0.0, |own| (own.position - plane.position).dot(axis).max(0.0)))
                .collect(),
        ),
        None => SliceStack::new((0..slices.len()).map(|index| index as f64).collect()),
    };
    if lost > 0 {
        let known = oddities.iter().find_map(|oddity| match oddity {
            Oddity::UnreadablePixels(n) => Some(*n),
            _ => None,
        });
        oddities.retain(|oddity| !matches!(oddity, Oddity::UnreadablePixels(_)));
        oddities.push(Oddity::UnreadablePixels(lost + known.unwrap_or(0)));
        oddities.retain(|oddity| !matches!(oddity, Oddity::Gaps(_)));
        let gaps = if plane.is_some() { stack.gaps().len() } else { 0 };
        if gaps > 0 {
            oddities.push(Oddity::Gaps(gaps));
        }
    }
    oddities.sort();
    oddities.dedup();
    let (rows, columns) = (slices[0].instance.rows as usize, slices[0].instance.columns as usize);
    let middle = &slices[slices.len() / 2].header;
    let windows: Vec<WindowPreset> = middle.windows.clone();
    let is_hounsfield = slices.iter().all(|slice| slice.header.is_hounsfield);
    let inverted = 2 * slices.iter().filter(|slice| slice.header.monochrome1).count() > slices.len();
    let spacing = slices[0].instance.spacing;
    let infos: Vec<SliceInfo> = slices
        .iter()
        .map(|slice| SliceInfo {
            sop_instance_uid: slice.instance.sop_instance_uid.clone(),
            frame: slice.instance.frame,
            instance_number: slice.instance.instance_number,
            position: slice.instance.plane.map(|plane| plane.position),
            lut: slice.header.layout.map_or(crate::domain::ModalityLut::IDENTITY, |layout| layout.lut),
        })
        .collect();
    let mut voxels = Vec::with_capacity(slices.len() * rows * columns);
    for slice in slices {
        voxels.extend_from_slice(&slice.voxels);
    }
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
        is_hounsfield,
        inverted,
        oddities,
    };
    shear::straighten(&mut volume);
    canonical::turn(&mut volume);
    volume
}
