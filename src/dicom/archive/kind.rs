//! Archive formats, recognized by a file's first bytes, or by its name if those say nothing.

use std::path::Path;

/// Bytes of a file that [`Kind::of`] looks at: a tar has its mark behind the first name.
pub(in crate::dicom) const BEGIN: usize = 512;

/// A format of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dicom) enum Kind {
    Zip,
    Tar,
    /// A compressed tar, or one compressed file.
    Gzip,
    /// A format that is not read, by its name.
    Unsupported(&'static str),
}

/// First bytes of each format: APPNOTE 4.3, RFC 1952, and the formats' own descriptions.
const MARKS: [(&[u8], Kind); 9] = [
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    (b"PK\x07\x08", Kind::Zip),
    (b"\x1f\x8b\x08", Kind::Gzip),
    (b"7z\xbc\xaf\x27\x1c", Kind::Unsupported("7z")),
    (b"Rar!\x1a\x07", Kind::Unsupported("rar")),
    (b"BZh", Kind::Unsupported("bzip2")),
    (b"\xfd7zXZ\0", Kind::Unsupported("xz")),
    (b"\x28\xb5\x2f\xfd", Kind::Unsupported("zstd")),
];

/// Endings of file names, in lower case. A zip may begin with other bytes, an old tar has no mark.
const ENDINGS: [(&str, Kind); 13] = [
    ("zip", Kind::Zip),
    ("tar", Kind::Tar),
    ("tgz", Kind::Gzip),
    ("gz", Kind::Gzip),
    ("7z", Kind::Unsupported("7z")),
    ("rar", Kind::Unsupported("rar")),
    ("bz2", Kind::Unsupported("bzip2")),
    ("tbz2", Kind::Unsupported("bzip2")),
    ("xz", Kind::Unsupported("xz")),
    ("txz", Kind::Unsupported("xz")),
    ("zst", Kind::Unsupported("zstd")),
    ("tzst", Kind::Unsupported("zstd")),
    ("iso", Kind::Unsupported("iso")),
];

/// Documents and programs that are zip files inside; exported media carry them beside the images.
const DOCUMENTS: [&str; 13] =
    ["docx", "xlsx", "pptx", "odt", "ods", "odp", "jar", "war", "apk", "epub", "xpi", "nupkg", "vsix"];

impl Kind {
    /// The format of a file that is not DICOM, from its first [`BEGIN`] bytes and its name; `None` if it is no archive.
    pub(in crate::dicom) fn of(begin: &[u8], path: &Path) -> Option<Self> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if DOCUMENTS.contains(&ending.as_str()) {
            return None;
        }
        let by_mark = MARKS.iter().find(|(mark, _)| begin.starts_with(mark)).map(|(_, kind)| *kind);
        by_mark
            .or_else(|| is_tar(begin).then_some(Self::Tar))
            .or_else(|| ENDINGS.iter().find(|(known, _)| *known == ending).map(|(_, kind)| *kind))
    }
}

/// Whether bytes begin as a tar does (POSIX ustar, and GNU's).
pub(super) fn is_tar(begin: &[u8]) -> bool {
    begin.get(257..262) == Some(b"ustar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide_before_the_name() {
        let kind = |begin: &[u8], name: &str| Kind::of(begin, Path::new(name));
        assert_eq!(kind(b"PK\x03\x04", "study.dcm"), Some(Kind::Zip));
        assert_eq!(kind(b"\x1f\x8b\x08", "study.zip"), Some(Kind::Gzip));
        assert_eq!(kind(b"SFX stub", "study.ZIP"), Some(Kind::Zip));
        assert_eq!(kind(b"PK\x03\x04", "manual.docx"), None);
        assert_eq!(kind(b"text", "notes.txt"), None);
        assert_eq!(kind(b"7z\xbc\xaf\x27\x1c", "study"), Some(Kind::Unsupported("7z")));
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(kind(&tar, "study"), Some(Kind::Tar));
    }
}
