//! The pixels of images as stored words.

use super::codecs;
use super::header::{Fault, Header, PixelLayout};
use super::part10::{FileError, Part10, PixelBytes, is_native};
use crate::domain::{Oddity, Repair};
use dicom_dictionary_std::tags;
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use std::collections::BTreeSet;
use std::ops::Range;

/// Looks for the pixels of a file's pictures without reading them. What is put right is told in each header; pictures
/// whose pixels cannot be had are no slices, and the reason is returned.
pub(super) fn check(file: &Part10, headers: &mut [Header]) -> Option<FileError> {
    file.pixels.as_ref()?;
    let (layout, frames) = headers.first().and_then(|header| Some((header.layout.ok()?, header.frames)))?;
    let mut repairs = BTreeSet::new();
    let found = Frames::find(file, layout, frames, &mut repairs);
    let mut fault = found.as_ref().err().cloned();
    for header in headers {
        header.oddities.extend(repairs.iter().copied().map(Oddity::Repaired));
        let own = found.as_ref().ok().and_then(|frames| frames.missing(header.frame));
        fault = fault.or_else(|| own.clone());
        // A syntax that cannot be decoded is no fault of the file: its slices are there, for another program.
        if matches!(found, Err(FileError::Pixels(_))) || own.is_some() {
            header.layout = header.layout.and(Err(Fault::Size));
        }
    }
    fault
}

/// Where each picture of a file has its pixels.
pub(super) struct Frames<'f> {
    file: &'f Part10,
    layout: PixelLayout,
    place: Place,
}

enum Place {
    /// Native pixels, frame after frame.
    Native(Range<usize>),
    /// The fragments of each frame.
    Encapsulated(Vec<Range<usize>>),
}

impl<'f> Frames<'f> {
    /// Finds the frames' pixels; `repairs` takes what had to be put right.
    ///
    /// # Errors
    /// Pixels that are missing or of which it is not certain what they mean.
    pub(super) fn find(
        file: &'f Part10,
        layout: PixelLayout,
        frames: u32,
        repairs: &mut BTreeSet<Repair>,
    ) -> Result<Self, FileError> {
        let unknown = || FileError::TransferSyntax(codecs::name(&file.transfer_syntax));
        let native = is_native(&file.transfer_syntax);
        let place = match &file.pixels {
            None => return Err(FileError::Pixels("there are none".into())),
            Some(PixelBytes::Broken(what)) => return Err(FileError::Pixels((*what).into())),
            Some(PixelBytes::Native(value, rest)) => {
                let needed = layout.frame_bytes().saturating_mul(frames as usize);
                let all = needed..=needed.saturating_add(1);
                if !native {
                    // Under a syntax that nobody knows the bytes may mean anything: they are not guessed at.
                    let known = TransferSyntaxRegistry.get(&file.transfer_syntax).is_some();
                    if !known || !all.contains(&value.len()) {
                        return Err(unknown());
                    }
                    repairs.insert(Repair::TransferSyntax);
                }
                if value.len() < needed && all.contains(&rest.len()) {
                    repairs.insert(Repair::PixelLength);
                    Place::Native(rest.clone())
                } else {
                    Place::Native(value.clone())
                }
            }
            Some(PixelBytes::Fragments(_)) if native => {
                let what = "compressed, but the transfer syntax is uncompressed; export the study again";
                return Err(FileError::Pixels(what.into()));
            }
            Some(PixelBytes::Fragments(_)) if !codecs::can_decode(&file.transfer_syntax) => return Err(unknown()),
            Some(PixelBytes::Fragments(fragments)) => {
                let extended = file.set.value(tags::EXTENDED_OFFSET_TABLE).map(|value| value.bytes(&file.data));
                let found = fragments.frames(frames as usize, extended, repairs);
                Place::Encapsulated(found.map_err(|what| FileError::Pixels(what.into()))?)
            }
        };
        Ok(Self { file, layout, place })
    }

    /// Why a native frame is not whole.
    fn missing(&self, frame: u32) -> Option<FileError> {
        let Place::Native(range) = &self.place else { return None };
        let needed = self.layout.frame_bytes();
        let there = range.len().saturating_sub(needed.saturating_mul(frame as usize));
        (there < needed).then(|| FileError::Pixels(format!("cut off: {there} bytes of {needed}")))
    }

    /// Decodes a frame into the `rows · columns` words of `room`, as they are stored: `scale` makes values of them.
    ///
    /// # Errors
    /// Pixels that are cut off or cannot be decoded.
    pub(super) fn decode(&self, frame: u32, layout: &PixelLayout, room: &mut [i16]) -> Result<(), FileError> {
        let needed = self.layout.frame_bytes();
        let frame = frame as usize;
        match &self.place {
            Place::Native(range) => {
                let start = needed.saturating_mul(frame).min(range.len());
                let there = &self.file.data[range.clone()][start..];
                let bytes = there
                    .get(..needed)
                    .ok_or_else(|| FileError::Pixels(format!("cut off: {} bytes of {needed}", there.len())))?;
                words(bytes, layout, self.file.encoding.big_endian, room);
                Ok(())
            }
            Place::Encapsulated(frames) => {
                let (Some(fragments), Some(PixelBytes::Fragments(all))) = (frames.get(frame), &self.file.pixels) else {
                    return Err(FileError::Pixels("cut off".into()));
                };
                let stream = all.stream(&self.file.data, fragments);
                let bytes = codecs::decode_frame(&stream, &self.file.transfer_syntax, layout)?;
                let bytes = bytes
                    .get(..needed)
                    .ok_or_else(|| FileError::Pixels("the compressed image is smaller than the header says".into()))?;
                words(bytes, layout, false, room);
                Ok(())
            }
        }
    }
}

/// The stored words of samples, bits outside BitsStored and all.
fn words(bytes: &[u8], layout: &PixelLayout, big_endian: bool, room: &mut [i16]) {
    if layout.bits_allocated == 8 {
        for (place, &byte) in room.iter_mut().zip(bytes) {
            *place = i16::from(byte);
        }
    } else {
        let join = if big_endian { i16::from_be_bytes } else { i16::from_le_bytes };
        for (place, pair) in room.iter_mut().zip(bytes.as_chunks().0) {
            *place = join(*pair);
        }
    }
}
