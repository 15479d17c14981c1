//! The file meta information (PS3.10 section 7.1), files without it, and transfer syntaxes that are not the data set's.

use super::element::{Element, Encoding};
use super::{EXPLICIT_BE, EXPLICIT_LE, FileError, IMPLICIT_LE, Walk};
use crate::domain::Repair;
use dicom_core::{Tag, VR};
use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub(super) struct Meta {
    pub(super) transfer_syntax: String,
    pub(super) media_class: Option<String>,
    pub(super) media_instance: Option<String>,
}

/// Reads the file meta information, with or without its group length, and returns where the data set begins.
pub(super) fn meta_group(bytes: &[u8], complete: bool, repairs: &mut BTreeSet<Repair>) -> Result<(Meta, usize), Walk> {
    let start = match (bytes.get(128..132), bytes.get(..4)) {
        (Some(b"DICM"), _) => 132,
        (_, Some(b"DICM")) => 4,
        _ => 0,
    };
    let mut position = start;
    let group = |at: usize| Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    if start == 0 && group(0) != Some(2) {
        repairs.insert(Repair::NoMeta);
        let syntax = guess_syntax(bytes, 0).ok_or(Walk::Bad(FileError::NotDicom))?;
        return Ok((Meta { transfer_syntax: syntax.to_owned(), ..Meta::default() }, 0));
    }
    if start < 132 {
        repairs.insert(Repair::NoPreamble);
    }
    let mut meta = Meta::default();
    let mut stated_end = None;
    while group(position) == Some(2) {
        let cut = |what| Err(if complete { Walk::Bad(FileError::Damaged(what)) } else { Walk::NeedsMore });
        let Some(element) = Element::read(bytes, position, Encoding::EXPLICIT) else {
            return cut("the file meta information is cut off");
        };
        let Some(end) = element.end(bytes) else { return cut("a length in the file meta information is wrong") };
        let text = || {
            String::from_utf8_lossy(&bytes[element.value..end])
                .trim_matches(|c: char| c == '\0' || c.is_whitespace())
                .to_owned()
        };
        match element.tag.1 {
            0x0000 => {
                let length = bytes[element.value..end].try_into().map(u32::from_le_bytes).unwrap_or_default();
                stated_end = Some(end.saturating_add(length as usize));
            }
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
    match stated_end {
        None => drop(repairs.insert(Repair::MetaGroupLength)),
        Some(end) if end != position => drop(repairs.insert(Repair::WrongMetaGroupLength)),
        Some(_) => {}
    }
    if meta.transfer_syntax.is_empty() {
        repairs.insert(Repair::NoMeta);
        meta.transfer_syntax = guess_syntax(bytes, position).ok_or(Walk::Bad(FileError::NotDicom))?.to_owned();
    }
    Ok((meta, position))
}

/// How the data set is written: as its transfer syntax says, unless the first element makes no sense so and the first
/// three do otherwise.
pub(super) fn encoding(syntax: &str, data: &[u8], start: usize, repairs: &mut BTreeSet<Repair>) -> Encoding {
    let stated = encoding_of(syntax);
    let agrees = Element::read(data, start, stated).is_none_or(|element| {
        let begins = (1..=0x0028).contains(&element.tag.0);
        let looks_explicit =
            data.get(start + 4..start + 6).and_then(|code| VR::from_binary([code[0], code[1]])).is_some();
        begins && looks_explicit == stated.explicit
    });
    if agrees {
        return stated;
    }
    match guess_syntax(data, start).map(encoding_of) {
        Some(found) if found != stated => {
            repairs.insert(Repair::TransferSyntax);
            found
        }
        _ => stated,
    }
}

fn encoding_of(syntax: &str) -> Encoding {
    match syntax {
        IMPLICIT_LE => Encoding::IMPLICIT,
        EXPLICIT_BE => Encoding::BIG_ENDIAN,
        _ => Encoding::EXPLICIT,
    }
}

/// The transfer syntax of a data set, if its first three elements are of group 8, in order and make sense in it.
fn guess_syntax(bytes: &[u8], start: usize) -> Option<&'static str> {
    [IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE].into_iter().find(|&syntax| {
        let encoding = encoding_of(syntax);
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
