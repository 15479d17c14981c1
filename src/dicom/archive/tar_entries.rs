//! The files of a tar archive: POSIX ustar and pax, GNU's long names, and old ones without a mark.

use super::contents::ArchiveNote;
use crate::dicom::part10::{ArchiveError, FileError, Part};
use tar::{EntryType, Header};

const BLOCK: u64 = 512;
/// Files that are listed; an archive of more is refused.
pub(super) const FILE_LIMIT: usize = 200_000;
/// Entries of any kind that are looked at.
const ENTRY_LIMIT: usize = 5 * FILE_LIMIT;
/// Bytes of a long name or of pax records that are read.
const EXTENSION_LIMIT: u64 = 64 * 1024;

/// A file: its name as it is written, and its bytes.
pub(super) struct File {
    pub(super) name: Vec<u8>,
    pub(super) start: u64,
    pub(super) length: u64,
}

/// What entries before a file state about it.
#[derive(Default)]
struct Stated {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Lists the files, up to damage if there is some, and what is to be known about the archive.
///
/// # Errors
/// No tar archive, or too many files.
pub(super) fn read(part: &Part) -> Result<(Vec<File>, Vec<ArchiveNote>), FileError> {
    let (mut files, mut notes) = (Vec::new(), Vec::new());
    let (mut links, mut sparse) = (0, 0);
    let mut position = 0_u64;
    let mut stated = Stated::default();
    for entry in 0.. {
        let mut block = [0; BLOCK as usize];
        let read = part.read_at(position, &mut block)?;
        if read == 0 || block.iter().all(|byte| *byte == 0) {
            break;
        }
        let header = Header::from_byte_slice(&block);
        let size = header.entry_size().ok().filter(|_| read == block.len() && has_checksum(header));
        let Some(size) = size else {
            if entry == 0 {
                return Err(ArchiveError::Damaged("not a tar archive").into());
            }
            notes.push(if read < block.len() { ArchiveNote::Cut } else { ArchiveNote::Damaged });
            break;
        };
        if entry >= ENTRY_LIMIT {
            return Err(ArchiveError::TooMany(FILE_LIMIT).into());
        }
        let start = position + BLOCK;
        let kind = header.entry_type();
        let is_extension = matches!(
            kind,
            EntryType::GNULongName | EntryType::GNULongLink | EntryType::XHeader | EntryType::XGlobalHeader
        );
        let size = if is_extension { size } else { stated.size.unwrap_or(size) };
        if is_extension {
            let mut bytes = vec![0; usize::try_from(size.min(EXTENSION_LIMIT)).unwrap_or(0)];
            let read = part.read_at(start, &mut bytes)?;
            bytes.truncate(read);
            extend(&mut stated, kind, &bytes);
        } else {
            let before = std::mem::take(&mut stated);
            match kind {
                EntryType::Regular | EntryType::Continuous => {
                    if files.len() >= FILE_LIMIT {
                        return Err(ArchiveError::TooMany(FILE_LIMIT).into());
                    }
                    let name = before.name.unwrap_or_else(|| header.path_bytes().into_owned());
                    files.push(File { name, start, length: size });
                }
                EntryType::Link | EntryType::Symlink => links += 1,
                EntryType::GNUSparse => sparse += 1,
                _ => {}
            }
        }
        let start = if kind.is_gnu_sparse() { after_sparse_map(part, &block, start)? } else { start };
        let end = start.saturating_add(size);
        if end > part.length() {
            notes.push(ArchiveNote::Cut);
            break;
        }
        position = end.next_multiple_of(BLOCK);
    }
    notes.extend((links > 0).then_some(ArchiveNote::Links(links)));
    notes.extend((sparse > 0).then_some(ArchiveNote::Sparse(sparse)));
    Ok((files, notes))
}

/// Takes in a long name (GNU) or pax records (POSIX.1-2001). Names of links and records for all files do not matter here.
fn extend(stated: &mut Stated, kind: EntryType, bytes: &[u8]) {
    match kind {
        EntryType::GNULongName => {
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            stated.name = bytes.get(..end).map(<[u8]>::to_vec);
        }
        EntryType::XHeader => {
            for record in tar::PaxExtensions::new(bytes).flatten() {
                match record.key_bytes() {
                    b"path" => stated.name = Some(record.value_bytes().to_vec()),
                    b"size" => stated.size = record.value().ok().and_then(|size| size.parse().ok()),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Where the data of a sparse file begin: GNU continues a long map in further blocks.
fn after_sparse_map(part: &Part, header: &[u8; BLOCK as usize], mut position: u64) -> Result<u64, FileError> {
    let mut continues = header.get(482).is_some_and(|byte| *byte != 0);
    while continues {
        let mut block = [0; BLOCK as usize];
        continues = part.read_at(position, &mut block)? == block.len() && block.get(504).is_some_and(|byte| *byte != 0);
        position += BLOCK;
    }
    Ok(position)
}

/// Whether the header's checksum is right: the sum of its bytes, its own field as spaces; some programs add signed bytes.
fn has_checksum(header: &Header) -> bool {
    let bytes = header.as_bytes().iter().enumerate();
    let bytes = bytes.map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let (unsigned, signed) = bytes.fold((0_u32, 0_i64), |(unsigned, signed), byte| {
        (unsigned + u32::from(byte), signed + i64::from(byte.cast_signed()))
    });
    header.cksum().is_ok_and(|stated| stated == unsigned || i64::from(stated) == signed)
}
