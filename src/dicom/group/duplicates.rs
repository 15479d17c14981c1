//! Files that may be copies of one another, judged by readability and content.

use super::Found;
use super::identity::series_key;
use crate::dicom::header::{Acquisition, Header};
use crate::domain::{CleanText, Oddity, Uid};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

/// What the pixels of an image come to, for images that another may be a copy of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::dicom) enum Content {
    /// A hash of the decoded values.
    Pixels([u8; 16]),
    /// The pixels cannot be decoded.
    Unreadable,
    /// All that it may be a copy of are names of the same file.
    SameFile,
}

/// Where an image is, comparable: bits of its plane, or nothing but its number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Place {
    Plane([u64; 9]),
    Number(i32),
}

fn place(header: &Header) -> Option<Place> {
    // Zero has two forms.
    let bits = |value: f64| (value + 0.0).to_bits();
    match header.plane {
        Some(plane) => {
            let vectors = [plane.position, plane.row_cosines, plane.column_cosines].map(|v| v.to_array().map(bits));
            let mut all = [0; 9];
            all.iter_mut().zip(vectors.concat()).for_each(|(to, from)| *to = from);
            Some(Place::Plane(all))
        }
        // Images with neither position nor number may be different: they are shown rather than dropped.
        None => header.instance_number.map(Place::Number),
    }
}

/// What images share that may be copies: the instance and the place, or the place and the acquisition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::dicom) enum Twin {
    Instance(Uid, u32, PlaceKey),
    Acquisition(Uid, PlaceKey, Box<AcquisitionKey>),
}

/// A place as a key of [`Twin`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::dicom) struct PlaceKey(Place);

/// An acquisition, a size, and InstanceNumber with SliceLocation as a key of [`Twin`].
type AcquisitionKey = (String, Option<(u32, u32)>, (Option<i32>, Option<u64>));

/// The keys under which an image may have twins.
fn keys(series: &Uid, header: &Header) -> Vec<Twin> {
    let Some(place) = place(header).map(PlaceKey) else { return Vec::new() };
    let mut keys = Vec::new();
    if header.sop_instance.is_valid() {
        keys.push(Twin::Instance(header.sop_instance.clone(), header.frame, place.clone()));
    }
    if header.plane.is_some() {
        let size = header.layout.ok().map(|layout| (layout.rows, layout.columns));
        // Where all images have one position, equal images may still be different slices.
        let order = (header.instance_number, header.slice_location.map(f64::to_bits));
        keys.push(Twin::Acquisition(series.clone(), place, Box::new((signature(&header.acquisition), size, order))));
    }
    keys
}

fn signature(acquisition: &Acquisition) -> String {
    format!("{acquisition:?}")
}

/// Images that may be copies of one another and are not judged yet, by their places in the list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::dicom) struct Undecided {
    /// Their content must be known.
    pub(in crate::dicom) to_read: BTreeSet<usize>,
    /// They are names of one file: nothing has to be read.
    pub(in crate::dicom) same_file: BTreeSet<usize>,
}

/// Finds the images that may be copies of one another.
pub(in crate::dicom) fn undecided(files: &[Found]) -> Undecided {
    let mut twins: HashMap<Twin, Vec<usize>> = HashMap::new();
    for (index, file) in files.iter().enumerate().filter(|(_, file)| file.header.has_pixels) {
        for key in keys(&series_key(file), &file.header) {
            twins.entry(key).or_default().push(index);
        }
    }
    let mut result = Undecided::default();
    for twins in twins.into_values().filter(|twins| twins.len() > 1) {
        let file = |index: usize| files.get(index).map(|file| (file.stamp, file.header.frame));
        let first = twins.first().and_then(|&index| file(index));
        let is_one_file =
            first.is_some_and(|(stamp, _)| stamp.is_some()) && twins.iter().all(|&index| file(index) == first);
        for index in twins {
            match files.get(index).and_then(|file| file.content) {
                Some(Content::Pixels(_) | Content::Unreadable) => {}
                Some(Content::SameFile) | None if is_one_file => {
                    result.same_file.insert(index);
                }
                Some(Content::SameFile) | None => {
                    result.to_read.insert(index);
                }
            }
        }
    }
    result
}

/// Files without their copies.
pub(super) struct Distinct<'f> {
    pub(super) files: Vec<&'f Found>,
    /// Copies that were dropped.
    pub(super) copies: usize,
    /// Files whose SOPInstanceUID another image at another place has, too.
    pub(super) shared_uids: usize,
    /// Pairs of different pixels under one SOPInstanceUID; only the first of each is kept.
    pub(super) conflicts: Vec<Oddity>,
    /// So many conflicts that two scans may be mixed: both images of each pair are kept.
    pub(super) is_mixed: bool,
}

/// More conflicts than this share of the images are no accident of a transfer.
const MIXED_SHARE: usize = 10;

/// Images by what their twins share.
type Twins<'f> = BTreeMap<Twin, Vec<&'f Found>>;

/// Drops copies: among images of one instance and place the readable wins, equal pixels count once, and of different pixels the
/// one that was created last is kept, with a warning. Equal pixels at one place of one acquisition are a copy under whatever
/// SOPInstanceUID.
pub(super) fn distinct<'f>(files: Vec<&'f Found>) -> Distinct<'f> {
    let total = files.len();
    let (mut by_instance, mut by_acquisition) = (Twins::new(), Twins::new());
    let mut result = Distinct { files: Vec::new(), copies: 0, shared_uids: 0, conflicts: Vec::new(), is_mixed: false };
    for file in files {
        let keys = if file.header.has_pixels { keys(&series_key(file), &file.header) } else { Vec::new() };
        match keys.into_iter().next() {
            Some(key @ Twin::Instance(..)) => by_instance.entry(key).or_default().push(file),
            Some(key @ Twin::Acquisition(..)) => by_acquisition.entry(key).or_default().push(file),
            None => result.files.push(file),
        }
    }
    let mut rivals: Vec<Vec<&'f Found>> = Vec::new();
    for group in by_instance.into_values() {
        let kept = result.without_copies(group);
        if kept.len() > 1 {
            rivals.push(kept);
        } else {
            for file in kept {
                match keys(&series_key(file), &file.header).into_iter().nth(1) {
                    Some(key) => by_acquisition.entry(key).or_default().push(file),
                    None => result.files.push(file),
                }
            }
        }
    }
    for group in by_acquisition.into_values() {
        let kept = result.without_copies(group);
        result.files.extend(kept);
    }
    let conflicts: usize = rivals.iter().map(|group| group.len() - 1).sum();
    result.is_mixed = conflicts > 2 && conflicts * MIXED_SHARE > total;
    for group in rivals {
        match &group[..] {
            [used, ignored @ ..] if !result.is_mixed => {
                result.files.push(used);
                let pair = |other: &&Found| Oddity::ConflictingPixels { used: name(used), ignored: name(other) };
                result.conflicts.extend(ignored.iter().map(pair));
            }
            _ => result.files.extend(group),
        }
    }
    let mut seen: HashMap<(&Uid, u32), usize> = HashMap::new();
    for file in result.files.iter().filter(|file| file.header.sop_instance.is_valid()) {
        *seen.entry((&file.header.sop_instance, file.header.frame)).or_default() += 1;
    }
    result.shared_uids = seen.values().map(|count| count - 1).sum();
    result
}

impl<'f> Distinct<'f> {
    /// The different images among twins, the preferred first; the others are counted.
    fn without_copies(&mut self, mut twins: Vec<&'f Found>) -> Vec<&'f Found> {
        let before = twins.len();
        let readable = |file: &&Found| file.header.layout.is_ok() && file.content != Some(Content::Unreadable);
        if twins.iter().any(readable) {
            twins.retain(readable);
        }
        twins.sort_by(|a, b| rank(a).cmp(&rank(b)));
        let mut kept: Vec<&'f Found> = Vec::new();
        for file in twins {
            // What was not compared is not the same.
            if !kept.iter().any(|other| file.content.is_some() && other.content == file.content) {
                kept.push(file);
            }
        }
        self.copies += before - kept.len();
        kept
    }
}

/// Created last, then by content, then by what is left.
fn rank(file: &Found) -> (std::cmp::Reverse<&str>, Option<Content>, Option<i32>, &PathBuf) {
    let header = &file.header;
    (std::cmp::Reverse(header.created.as_str()), file.content, header.instance_number, &file.path)
}

/// A file's path, safe to print.
pub(super) fn name(file: &Found) -> String {
    CleanText::new(&file.path.to_string_lossy()).to_string()
}
