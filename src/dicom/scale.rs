//! Stored words to values, and the evidence that these are Hounsfield units.
//!
//! The header states where the bits of a value are, the modality LUT and the padding. Any of it may be wrong, so the values
//! themselves are asked: `spread` counts them, `judge` looks for air and soft tissue. A wrong header is repaired only where air and
//! soft tissue are exactly in place after the repair and not before, and the repair is listed. Otherwise the volume keeps the values
//! that the header gives, but they are not called Hounsfield units.

mod judge;
mod slices;
mod spread;
mod words;

use super::header::{Header, PixelLayout};
use crate::domain::{Modality, ModalityLut, NotHounsfield, Repair, Units, Volume};
use judge::{Verdict, air_mode, fits_exactly, judge};
use rayon::prelude::*;
use spread::{NEAR_AIR, Spread};
use std::collections::BTreeSet;
use words::{Alignment, Usage};

/// The scale of a volume's values.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    /// Whether they are Hounsfield units.
    pub(super) units: Units,
    /// The modality LUT of each slice, repaired.
    pub(super) luts: Vec<ModalityLut>,
    /// What was repaired.
    pub(super) repairs: BTreeSet<Repair>,
}

/// What the headers of all slices claim.
#[derive(Debug, Clone, Copy)]
struct Claim {
    /// Hounsfield units.
    stated: bool,
    /// Modality CT: only then a wrong rescale is repaired.
    is_ct: bool,
}

/// How words become values.
#[derive(Debug, Clone, Copy)]
struct Conversion {
    alignment: Alignment,
    /// HU added after the modality LUT.
    shift: i32,
    /// The value of padding and the least value that is kept.
    padding: Padding,
}

/// What becomes of padding and of values below air.
#[derive(Debug, Clone, Copy)]
enum Padding {
    /// Both become air. Padding in the range of tissue only does outside the reconstruction.
    Air,
    /// Padding becomes this value; no value is held.
    Value(i16),
}

/// Converts the stored words of slices in place, each of `len` words, by their headers.
pub(super) fn convert(words: &mut [i16], len: usize, headers: &[&Header]) -> Scale {
    let layouts: Vec<PixelLayout> = headers.iter().filter_map(|header| header.layout.ok()).collect();
    let stated = headers.iter().map(|header| header.hints.units.clone()).reduce(Units::and).unwrap_or_default();
    let judged = match &stated {
        Units::Hounsfield | Units::Unconfirmed if layouts.len() == headers.len() => {
            let is_ct = headers.iter().all(|header| header.modality == Modality::Ct);
            settle(words, len, &layouts, Claim { stated: stated == Units::Hounsfield, is_ct })
        }
        _ => Judged::as_stated(stated, Padding::Value(0)),
    };
    let Judged { units, conversion, mut repairs } = judged;
    let in_tissue: Vec<bool> = words
        .par_chunks_mut(len.max(1))
        .zip(&layouts)
        .map(|(slice, layout)| convert_slice(slice, layout, conversion))
        .collect();
    if in_tissue.contains(&true) {
        repairs.insert(Repair::PaddingInTissue);
    }
    let shifted =
        |lut: ModalityLut| ModalityLut::new(lut.slope(), lut.intercept() + f64::from(conversion.shift)).unwrap_or(lut);
    Scale { units, luts: layouts.iter().map(|layout| shifted(layout.lut)).collect(), repairs }
}

/// What the evidence comes to.
struct Judged {
    units: Units,
    conversion: Conversion,
    repairs: BTreeSet<Repair>,
}

impl Judged {
    fn as_stated(units: Units, padding: Padding) -> Self {
        let conversion = Conversion { alignment: Alignment::Stated, shift: 0, padding };
        Self { units, conversion, repairs: BTreeSet::new() }
    }
}

/// Weighs the header's claim against the values.
fn settle(words: &[i16], len: usize, layouts: &[PixelLayout], claim: Claim) -> Judged {
    let usage = words
        .par_chunks(len.max(1))
        .zip(layouts)
        .map(|(slice, layout)| Usage::of(slice, layout))
        .reduce(Usage::default, Usage::and);
    let spread = Spread::of(words, len, layouts, Alignment::Stated);
    let verdict = judge(&spread, claim.stated);
    let mut judged = Judged::as_stated(Units::Hounsfield, Padding::Air);
    if verdict == Verdict::Plausible && !usage.is_suspicious() {
        judged.units = uniform(words, len, layouts, judged.conversion);
        return judged;
    }
    let shift = if claim.stated && claim.is_ct && !usage.is_suspicious() { shift(&spread, layouts) } else { None };
    if let Some((shift, repair)) = shift {
        judged.conversion.shift = shift;
        judged.repairs.insert(repair);
        judged.units = uniform(words, len, layouts, judged.conversion);
        return judged;
    }
    realign(words, len, layouts, claim.stated, (&spread, verdict, usage))
}

/// Tries other alignments of the bits where the stated one is in doubt or gives no CT.
fn realign(
    words: &[i16],
    len: usize,
    layouts: &[PixelLayout],
    stated: bool,
    (spread, verdict, usage): (&Spread, Verdict, Usage),
) -> Judged {
    let differs = |alignment: Alignment| {
        layouts.iter().any(|layout| alignment.reading(layout) != Alignment::Stated.reading(layout))
    };
    let fitting: Vec<(Alignment, Spread)> = Alignment::OTHERS
        .into_iter()
        .filter(|alignment| differs(*alignment))
        .map(|alignment| (alignment, Spread::of(words, len, layouts, alignment)))
        .filter(|(_, spread)| judge(spread, false) == Verdict::Plausible && fits_exactly(spread, 0, 40))
        .collect();
    let mut judged = Judged::as_stated(Units::Hounsfield, Padding::Air);
    let repair = |alignment: Alignment| match alignment {
        Alignment::Low | Alignment::High => Repair::HighBit,
        Alignment::Full | Alignment::Stated => Repair::BitsStored,
    };
    match (verdict, fitting.as_slice()) {
        // Only the stated bits give CT: the others are rubbish or an overlay that is not declared.
        (Verdict::Plausible | Verdict::Open, []) => {
            if usage.is_suspicious() {
                judged.repairs.insert(Repair::StrayBits);
            }
            if verdict == Verdict::Open && stated {
                judged.units = Units::Unconfirmed;
            } else if verdict == Verdict::Open {
                let low = Padding::Value(spread.percentile(10));
                judged = Judged::as_stated(Units::Other(NotHounsfield::Unconfirmed), low);
            }
        }
        (Verdict::Implausible(values), []) => {
            judged = Judged::as_stated(Units::Other(NotHounsfield::Values(values)), Padding::Value(values.low));
        }
        (Verdict::Plausible, [(alignment, other), ..]) => {
            // Both readings give CT. Where they differ in nothing but padding, the wider one is right.
            let only_padding = other.count(-1064, i32::MAX / 2) <= spread.count(-1064, i32::MAX / 2)
                && other.count(2000, i32::MAX / 2) <= spread.count(2000, i32::MAX / 2);
            judged.conversion.alignment = *alignment;
            if only_padding {
                judged.repairs.insert(repair(*alignment));
            } else {
                judged.units = Units::Other(NotHounsfield::BitsOutsideStored);
                judged.conversion.padding = Padding::Value(other.percentile(10));
            }
        }
        (Verdict::Implausible(_) | Verdict::Open, [(alignment, _), ..]) => {
            judged.conversion.alignment = *alignment;
            judged.repairs.insert(repair(*alignment));
        }
    }
    if judged.units == Units::Hounsfield {
        judged.units = uniform(words, len, layouts, judged.conversion);
    }
    judged
}

/// Hounsfield units, unless some slices are on another scale than the rest.
fn uniform(words: &[i16], len: usize, layouts: &[PixelLayout], conversion: Conversion) -> Units {
    if slices::are_uniform(words, len, layouts, conversion.alignment, conversion.shift) {
        Units::Hounsfield
    } else {
        Units::Other(NotHounsfield::MixedScales)
    }
}

/// The shift that certainly repairs the rescale of all slices.
fn shift(spread: &Spread, layouts: &[PixelLayout]) -> Option<(i32, Repair)> {
    let first = layouts.first()?;
    let (lut, signed) = (first.lut, first.signed);
    let same = layouts.iter().all(|layout| layout.lut == lut && layout.signed == signed);
    if !same || (lut.slope() - 1.0).abs() > 1e-9 {
        return None;
    }
    let intercept = lut.intercept();
    if [-1024.0, -1000.0].contains(&intercept) {
        let back = -(intercept as i32);
        return (signed && fits_exactly(spread, back, 40)).then_some((back, Repair::RescaleTwice));
    }
    if intercept != 0.0 {
        return None;
    }
    // The two usual offsets are 24 HU apart: air must tell which. Where it was cut off at zero it cannot.
    let air = air_mode(spread, -1024).map(|mode| mode + 1024)?;
    let clipped = spread.least().is_none_or(|least| least >= 0);
    match air {
        16..=60 if fits_exactly(spread, -1024, 40) => Some((-1024, Repair::RescaleMissing1024)),
        -24..=4 if !clipped && fits_exactly(spread, -1000, 40) => Some((-1000, Repair::RescaleMissing1000)),
        _ => None,
    }
}

/// Converts one slice in place. Returns whether padding was found in the range of tissue and kept as tissue.
fn convert_slice(slice: &mut [i16], layout: &PixelLayout, conversion: Conversion) -> bool {
    let reading = conversion.alignment.reading(layout);
    let is_padding = |stored: i32| layout.padding.is_some_and(|(low, high)| (low..=high).contains(&stored));
    let value = |stored: i32| {
        (i32::from(layout.lut.hounsfield(stored)) + conversion.shift).clamp(i16::MIN.into(), i16::MAX.into()) as i16
    };
    // Padding in the range of tissue, and the value of every word.
    let convert = |word: u16| -> (i16, bool) {
        let stored = reading.value(word);
        let value = value(stored);
        match conversion.padding {
            Padding::Value(padding) => (if is_padding(stored) { padding } else { value }, false),
            Padding::Air if !is_padding(stored) => (value.max(Volume::AIR), false),
            Padding::Air if i32::from(value) <= NEAR_AIR => (Volume::AIR, false),
            Padding::Air => (value, true),
        }
    };
    let doubtful = matches!(conversion.padding, Padding::Air) && layout.padding.is_some();
    let columns = (layout.columns as usize).max(1);
    let outside: Vec<(usize, usize)> = if doubtful {
        let padded = |word: &i16| is_padding(reading.value(word.cast_unsigned()));
        let ends = |row: &[i16]| {
            let left = row.iter().take_while(|word| padded(word)).count();
            (left, row.len() - row.iter().rev().take_while(|word| padded(word)).count())
        };
        slice.chunks(columns).map(ends).collect()
    } else {
        Vec::new()
    };
    // An image has more pixels than there are words of its bits: each is converted once.
    let table: Vec<(i16, bool)> =
        if slice.len() > 1 << 16 { (0..=u16::MAX).map(convert).collect() } else { Vec::new() };
    let converted = |word: i16| {
        let word = word.cast_unsigned();
        table.get(usize::from(word)).copied().unwrap_or_else(|| convert(word))
    };
    let mut in_tissue = false;
    for (index, row) in slice.chunks_mut(columns).enumerate() {
        let (left, right) = outside.get(index).copied().unwrap_or((0, row.len()));
        for (column, word) in row.iter_mut().enumerate() {
            let (value, doubtful) = converted(*word);
            let padding = doubtful && (column < left || column >= right);
            in_tissue |= doubtful && !padding;
            *word = if padding { Volume::AIR } else { value };
        }
    }
    in_tissue
}

#[cfg(test)]
mod tests;
