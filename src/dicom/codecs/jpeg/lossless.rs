//! Lossless JPEG of one component (ITU-T T.81 Annex H, process 14).

use super::bits::{Bits, Differences, Huffman};
use super::{Fault, Frame};

/// What the scan header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan {
    /// Predictor 1 to 7 (T.81 table H.1).
    pub(super) predictor: u8,
    /// Bits by which samples were shifted down.
    pub(super) point_transform: u8,
    /// Samples in a restart interval; 0 for none.
    pub(super) restart: usize,
}

/// The codes of differences: the short ones at one look, and all.
struct Codes<'t> {
    short: Differences,
    all: &'t Huffman,
}

/// Decodes the samples, row by row.
pub(super) fn decode(bits: &mut Bits<'_>, table: &Huffman, frame: &Frame, scan: Scan) -> Result<Vec<u16>, Fault> {
    let columns = frame.columns;
    let shift = u32::from(scan.point_transform);
    if !(1..=7).contains(&scan.predictor) {
        return Err(Fault::Damaged("an unknown predictor"));
    }
    if shift >= u32::from(frame.precision) {
        return Err(Fault::Damaged("the point transform leaves no bits"));
    }
    // H.1.1: an interval of whole lines only.
    if !scan.restart.is_multiple_of(columns) {
        return Err(Fault::Damaged("a restart interval ends within a line"));
    }
    let lines_between_restarts = scan.restart / columns;
    let codes = Codes { short: Differences::new(table), all: table };
    let first = 1_i32 << (u32::from(frame.precision) - shift - 1);
    let mut samples = vec![0_u16; frame.rows * columns];
    let mut after_restart = true;
    for row in 0..frame.rows {
        if lines_between_restarts > 0 && row > 0 && row % lines_between_restarts == 0 {
            bits.restart()?;
            after_restart = true;
        }
        let (above, below) = samples.split_at_mut(row * columns);
        let above = &above[above.len().saturating_sub(columns)..];
        let line = &mut below[..columns];
        if after_restart {
            // H.1.2.1: the first line knows its left neighbour only.
            let mut left = first;
            for sample in line {
                left = (left + difference(bits, &codes)?) & 0xFFFF;
                *sample = left as u16;
            }
            after_restart = false;
        } else {
            lines(bits, &codes, scan.predictor, above, line)?;
        }
    }
    if shift > 0 {
        samples.iter_mut().for_each(|sample| *sample <<= shift);
    }
    Ok(samples)
}

/// A line below another one (H.1.2.1); its first sample is predicted from the one above.
fn lines(bits: &mut Bits<'_>, codes: &Codes<'_>, predictor: u8, above: &[u16], line: &mut [u16]) -> Result<(), Fault> {
    let mut left = (i32::from(above[0]) + difference(bits, codes)?) & 0xFFFF;
    line[0] = left as u16;
    // Nearly every file of a scanner.
    if predictor == 1 {
        for sample in &mut line[1..] {
            left = (left + difference(bits, codes)?) & 0xFFFF;
            *sample = left as u16;
        }
        return Ok(());
    }
    for (sample, pair) in line[1..].iter_mut().zip(above.windows(2)) {
        let (corner, up) = (i32::from(pair[0]), i32::from(pair[1]));
        let predicted = match predictor {
            2 => up,
            3 => corner,
            4 => left + up - corner,
            5 => left + ((up - corner) >> 1),
            6 => up + ((left - corner) >> 1),
            _ => (left + up) >> 1,
        };
        left = (predicted + difference(bits, codes)?) & 0xFFFF;
        *sample = left as u16;
    }
    Ok(())
}

/// A coded difference; category 16 stands for 32768 and has no further bits (H.1.2.2, table H.2).
fn difference(bits: &mut Bits<'_>, codes: &Codes<'_>) -> Result<i32, Fault> {
    if let Some(difference) = bits.short(&codes.short) {
        return Ok(difference);
    }
    match codes.all.decode(bits)? {
        size @ 0..=15 => bits.difference(u32::from(size)),
        16 => Ok(32_768),
        _ => Err(Fault::Damaged("a difference of more than 16 bits")),
    }
}
