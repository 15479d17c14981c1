//! Names of an archive's members as paths: safe, and each different from all others.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Bytes of a name that are used; a longer one is cut at its front.
const LENGTH: usize = 1024;
/// Folders of a name that are used, the last ones.
const DEPTH: usize = 32;

/// Bytes from 0x80 in code page 437, which zip archives use if they do not say that a name is UTF-8 (APPNOTE D.1).
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Members by their paths.
#[derive(Debug)]
pub(super) struct Members<T> {
    places: BTreeMap<PathBuf, T>,
    /// The number to try next for a name that is taken.
    next: HashMap<PathBuf, usize>,
}

impl<T> Members<T> {
    pub(super) fn new() -> Self {
        Self { places: BTreeMap::new(), next: HashMap::new() }
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.places.keys().map(PathBuf::as_path)
    }

    pub(super) fn get(&self, path: &Path) -> Option<&T> {
        self.places.get(path)
    }

    /// The only member that is one of the path's ancestors.
    pub(super) fn above(&self, path: &Path) -> Option<(&Path, &T)> {
        path.ancestors()
            .skip(1)
            .find_map(|above| self.places.get_key_value(above))
            .map(|(path, place)| (&**path, place))
    }

    /// Adds a member under its name; one whose name is taken becomes `IM1~2`. Folders are not added. No member's path is a folder of
    /// another's, so that a path behind an inner archive is not mistaken.
    pub(super) fn add(&mut self, name: &[u8], place: T) {
        let Some(parts) = parts(&text(name)) else { return };
        let mut path = PathBuf::new();
        let last = parts.len() - 1;
        for (index, part) in parts.into_iter().enumerate() {
            let plain = path.join(&part);
            let taken =
                |path: &Path| self.places.contains_key(path) || (index == last && is_folder(&self.places, path));
            path = plain.clone();
            if taken(&path) {
                let mut number = self.next.get(&plain).copied().unwrap_or(2);
                loop {
                    path.set_file_name(numbered(&part, number));
                    // A folder that was renamed before is used again.
                    if !taken(&path) {
                        break;
                    }
                    number += 1;
                }
                if index == last {
                    number += 1;
                }
                self.next.insert(plain, number);
            }
        }
        self.places.insert(path, place);
    }
}

/// Whether members are below a path. Paths are ordered part by part: what is below follows directly.
fn is_folder<T>(places: &BTreeMap<PathBuf, T>, path: &Path) -> bool {
    places.range(path.to_owned()..).next().is_some_and(|(other, _)| other.starts_with(path) && other != path)
}

/// `IM1.dcm` as `IM1~2.dcm`.
fn numbered(name: &str, number: usize) -> OsString {
    match name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
        Some((stem, ending)) => format!("{stem}~{number}.{ending}").into(),
        None => format!("{name}~{number}").into(),
    }
}

/// A name as text: UTF-8, or code page 437.
fn text(name: &[u8]) -> String {
    let name = name.get(name.len().saturating_sub(LENGTH)..).unwrap_or_default();
    if let Ok(text) = std::str::from_utf8(name) {
        return text.to_owned();
    }
    let char_of = |byte: &u8| match byte {
        0..0x80 => char::from(*byte),
        _ => CODE_PAGE_437.chars().nth(usize::from(*byte - 0x80)).unwrap_or('_'),
    };
    name.iter().map(char_of).collect()
}

/// The parts of a name without what leads out of the archive; `None` for a folder.
fn parts(name: &str) -> Option<Vec<String>> {
    if name.ends_with(['/', '\\']) {
        return None;
    }
    let parts = name.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | ".."));
    let mut parts: Vec<String> = parts.map(|part| part.replace('\0', "_")).collect();
    if parts.is_empty() {
        parts.push("unnamed".to_owned());
    }
    parts.drain(..parts.len().saturating_sub(DEPTH));
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paths(names: &[&[u8]]) -> Vec<String> {
        let mut members = Members::new();
        for (place, name) in names.iter().enumerate() {
            members.add(name, place);
        }
        members.paths().map(|path| path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn names_are_safe_and_different() {
        assert_eq!(paths(&[b"IM1", b"IM1", b"IM1"]), ["IM1", "IM1~2", "IM1~3"]);
        assert_eq!(paths(&[b"IM1.dcm", b"IM1.dcm", b"im1.dcm"]), ["IM1.dcm", "IM1~2.dcm", "im1.dcm"]);
        assert_eq!(paths(&[b"../../etc/passwd", b"/etc/passwd"]), ["etc/passwd", "etc/passwd~2"]);
        assert_eq!(paths(&[b"C:\\a\\b", b"folder/", b".."]), ["C:/a/b", "unnamed"]);
        assert_eq!(paths(&[b"x", b"x/y", b"x/z"]), ["x", "x~2/y", "x~2/z"]);
        assert_eq!(paths(&[b"x/y", b"x"]), ["x/y", "x~2"]);
        assert_eq!(paths(&[b"M\x81ller"]), ["Müller"]);
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
    }

    proptest! {
        #[test]
        fn every_member_has_a_path_of_its_own_below_the_archive(names in prop::collection::vec("[ab./\\\\~0-3]{0,6}", 0..24)) {
            let mut members = Members::new();
            let mut files = 0;
            for name in &names {
                files += usize::from(!name.ends_with(['/', '\\']));
                members.add(name.as_bytes(), ());
            }
            prop_assert_eq!(members.paths().count(), files);
            for path in members.paths() {
                prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
                prop_assert!(members.above(path).is_none(), "{path:?} is below another member");
            }
        }
    }
}
