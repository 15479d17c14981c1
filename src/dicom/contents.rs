//! The pixels of images that may be copies of one another, decoded and hashed.

use super::archive::Archives;
use super::group::{Content, Found, Undecided, undecided};
use super::header::{self, Header};
use super::part10::{Extent, FileError};
use super::pixels::Frames;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Reads the pixels of every image that another may be a copy of, and notes what they come to.
pub(super) fn decide(files: &mut [Found], archives: &Archives) {
    let Undecided { to_read, same_file } = undecided(files);
    for index in same_file.difference(&to_read) {
        if let Some(file) = files.get_mut(*index) {
            file.content = Some(Content::SameFile);
        }
    }
    // A file of many frames is read once.
    let mut by_path: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for index in to_read {
        if let Some(file) = files.get(index) {
            by_path.entry(file.path.clone()).or_default().push(index);
        }
    }
    let headers: &[Found] = files;
    let read = |(path, indices): (PathBuf, Vec<usize>)| -> Vec<(usize, Content)> {
        let frames: Vec<(usize, &Header)> =
            indices.iter().filter_map(|&index| Some((index, &*headers.get(index)?.header))).collect();
        contents(&path, &frames, archives).unwrap_or_else(|error| {
            tracing::debug!("an image that may be a copy cannot be read: {error}");
            indices.into_iter().map(|index| (index, Content::Unreadable)).collect()
        })
    };
    let decided: Vec<(usize, Content)> = by_path.into_par_iter().flat_map_iter(read).collect();
    for (index, content) in decided {
        if let Some(file) = files.get_mut(index) {
            file.content = Some(content);
        }
    }
}

fn contents(path: &Path, wanted: &[(usize, &Header)], archives: &Archives) -> Result<Vec<(usize, Content)>, FileError> {
    let file = archives.read(path, Extent::All)?;
    let first = header::parse(&file)?.into_iter().next().ok_or(FileError::NotDicom)?;
    let layout = first.layout.map_err(|_| FileError::Pixels("no grayscale slice".into()))?;
    let frames = Frames::find(&file, layout, first.frames, &mut BTreeSet::new())?;
    Ok(wanted.iter().map(|(index, header)| (*index, content(&frames, header))).collect())
}

fn content(frames: &Frames<'_>, header: &Header) -> Content {
    let Ok(layout) = header.layout else { return Content::Unreadable };
    let mut room = vec![0_i16; layout.rows as usize * layout.columns as usize];
    if frames.decode(header.frame, &layout, &mut room).is_err() {
        return Content::Unreadable;
    }
    let mut hash = Sha256::new();
    for row in room.chunks(layout.columns.max(1) as usize) {
        let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
        hash.update(bytes);
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut short = [0; 16];
    short.copy_from_slice(&whole[..16]);
    Content::Pixels(short)
}
