//! The file meta information (PS3.10 section 7.1), and files without it.

use super::element::{Element, Encoding};
use super::{EXPLICIT_LE, FileError, IMPLICIT_LE, Walk};
use crate::domain::Repair;
use dicom_core::Tag;

#[derive(Debug)]
pub(super) struct Meta {
    pub(super) transfer_syntax: String,
    pub(super) media_class: Option<String>,
    pub(super) media_instance: Option<String>,
}

/// Reads the file meta information (PS3.10 section 7.1), with or without its group length, and returns where the data set
/// begins.
pub(super) fn meta_group(bytes: &[u8], complete: bool, repairs: &mut Vec<Repair>) -> Result<(Meta, usize), Walk> {
    let has_preamble = bytes.get(128..132) == Some(b"DICM");
    let mut position = if has_preamble { 132 } else { 0 };
    let group = |at: usize| Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    if !has_preamble && group(0) != Some(2) {
        return bare_data_set(bytes, repairs);
    }
    if !has_preamble {
        repairs.push(Repair::NoMeta);
    }
    let mut meta = Meta { transfer_syntax: String::new(), media_class: None, media_instance: None };
    let mut has_length = false;
    let explicit = Encoding { explicit: true, big_endian: false };
    while group(position) == Some(2) {
        let Some(element) = Element::read(bytes, position, explicit) else {
            return Err(if complete {
                Walk::Bad(FileError::Damaged("the file meta information is cut off"))
            } else {
                Walk::NeedsMore
            });
        };
        let end = element.value + element.length as usize;
        if element.length == u32::MAX || end > bytes.len() {
            return Err(if complete {
                Walk::Bad(FileError::Damaged("a length in the file meta information is wrong"))
            } else {
                Walk::NeedsMore
            });
        }
        let text = || {
            String::from_utf8_lossy(&bytes[element.value..end])
                .trim_matches(|c: char| c == '\0' || c.is_whitespace())
                .to_owned()
        };
        match element.tag.1 {
            0x0000 => has_length = true,
            0x0002 => meta.media_class = Some(text()),
            0x0003 => meta.media_instance = Some(text()),
            0x0010 => meta.transfer_syntax = text(),
            _ => {}
        }
        position = end;
    }
    if group(position).is_none() && !complete {
        return Err(Walk::NeedsMore);
    }
    if !has_length {
        repairs.push(Repair::MetaGroupLength);
    }
    if meta.transfer_syntax.is_empty() {
        repairs.push(Repair::NoMeta);
        meta.transfer_syntax = guess_syntax(bytes, position).ok_or(Walk::Bad(FileError::NotDicom))?.to_owned();
    }
    Ok((meta, position))
}

/// A data set without preamble and meta information, taken for DICOM only if it begins with elements of group 8 in order.
fn bare_data_set(bytes: &[u8], repairs: &mut Vec<Repair>) -> Result<(Meta, usize), Walk> {
    let syntax = guess_syntax(bytes, 0).ok_or(Walk::Bad(FileError::NotDicom))?;
    repairs.push(Repair::NoMeta);
    Ok((Meta { transfer_syntax: syntax.to_owned(), media_class: None, media_instance: None }, 0))
}

/// The transfer syntax of a data set, if its first three elements make sense in it.
fn guess_syntax(bytes: &[u8], start: usize) -> Option<&'static str> {
    [IMPLICIT_LE, EXPLICIT_LE].into_iter().find(|&syntax| {
        let encoding = Encoding { explicit: syntax == EXPLICIT_LE, big_endian: false };
        let mut position = start;
        let mut last = Tag(0, 0);
        for _ in 0..3 {
            let Some(element) = Element::read(bytes, position, encoding) else { return false };
            let sensible = element.tag.0 == 8 && element.tag > last && element.length <= 1024;
            if !sensible || (encoding.explicit && element.vr.is_none()) {
                return false;
            }
            last = element.tag;
            position = element.value + element.length as usize;
        }
        true
    })
}
