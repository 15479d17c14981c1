//! JPEG of one component (ITU-T T.81): baseline, extended and progressive DCT of 8 or 12 bits, and lossless of 2 to 16 bits, with
//! Huffman codes. The crates at hand read 8-bit DCT only, and lossless at a third of this speed. What a stream needs in memory follows from
//! the header's size, and its scans can tell each bit of a coefficient once: time and memory are bounded.

mod bits;
mod coefficients;
mod dct;
mod lossless;

use super::{Fault, Shape};
use bits::{Bits, Huffman};
use coefficients::Coefficients;

/// How samples are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    Sequential,
    Progressive,
    Lossless,
}

/// The frame header (T.81 B.2.2), checked against the DICOM header.
#[derive(Debug, Clone, Copy)]
struct Frame {
    process: Process,
    /// Bits of a sample.
    precision: u8,
    rows: usize,
    columns: usize,
    component: u8,
    /// The component's quantisation table.
    quantisation: usize,
}

/// Tables that marker segments have set so far.
#[derive(Debug, Default)]
struct Tables {
    quantisation: [Option<[u16; 64]>; 4],
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    restart: usize,
}

/// The scan header (T.81 B.2.3).
#[derive(Debug, Clone, Copy)]
struct ScanHeader {
    dc: usize,
    ac: usize,
    from: u8,
    to: u8,
    high: u8,
    low: u8,
}

/// Decodes a stream into `rows · columns` samples.
pub(super) fn decode(stream: &[u8], shape: Shape) -> Result<Vec<u16>, Fault> {
    if !stream.starts_with(&[0xFF, 0xD8]) {
        return Err(Fault::Damaged("it does not begin as JPEG does"));
    }
    let mut at = 2;
    let mut tables = Tables::default();
    let mut frame: Option<Frame> = None;
    let mut coefficients: Option<Coefficients> = None;
    loop {
        let (marker, after) = next_marker(stream, at)?;
        at = after;
        match marker {
            // RSTn between segments, and TEM, have no length.
            0x01 | 0xD0..=0xD7 => continue,
            0xD9 => break,
            _ => {}
        }
        let segment = segment(stream, at)?;
        at += 2 + segment.len();
        match marker {
            0xC4 => tables.huffman(segment)?,
            0xDB => tables.quantisation(segment)?,
            0xDD => tables.restart = usize::from(u16_at(segment, 0)?),
            0xC0..=0xCF | 0xF7 if marker != 0xC8 && marker != 0xCC => {
                if frame.is_some() {
                    return Err(Fault::Damaged("it has two frame headers"));
                }
                frame = Some(Frame::read(marker, segment, shape)?);
            }
            0xDA => {
                let frame = frame.as_ref().ok_or(Fault::Damaged("a scan comes before the frame header"))?;
                let header = ScanHeader::read(segment, frame)?;
                let mut bits = Bits::new(stream, at);
                match frame.process {
                    Process::Lossless => return tables.lossless(&mut bits, frame, header),
                    Process::Sequential | Process::Progressive => {
                        let coefficients = coefficients.get_or_insert_with(|| Coefficients::new(frame));
                        tables.scan(&mut bits, frame, header, coefficients)?;
                        if frame.process == Process::Sequential {
                            break;
                        }
                    }
                }
                at = bits.position();
            }
            _ => {}
        }
    }
    let (frame, coefficients) =
        frame.zip(coefficients.filter(Coefficients::has_picture)).ok_or(Fault::Damaged("it holds no image"))?;
    let quantisation =
        tables.quantisation[frame.quantisation].as_ref().ok_or(Fault::Damaged("a quantisation table is missing"))?;
    Ok(coefficients.samples(&frame, quantisation))
}

/// The next marker's code and where what follows it begins; what is left of entropy-coded data is passed over.
fn next_marker(stream: &[u8], from: usize) -> Result<(u8, usize), Fault> {
    let rest = stream.get(from..).unwrap_or_default();
    let found = rest.windows(2).position(|pair| pair[0] == 0xFF && pair[1] != 0 && pair[1] != 0xFF);
    found.map(|offset| (rest[offset + 1], from + offset + 2)).ok_or(Fault::Cut)
}

/// A marker segment without its length.
fn segment(stream: &[u8], at: usize) -> Result<&[u8], Fault> {
    let length = usize::from(u16_at(stream, at)?);
    if length < 2 {
        return Err(Fault::Damaged("a segment is shorter than its own length"));
    }
    stream.get(at + 2..at + length).ok_or(Fault::Cut)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Fault> {
    bytes.get(at..at + 2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).ok_or(Fault::Cut)
}

impl Frame {
    fn read(marker: u8, segment: &[u8], shape: Shape) -> Result<Self, Fault> {
        let process = match marker {
            0xC0 | 0xC1 => Process::Sequential,
            0xC2 => Process::Progressive,
            0xC3 => Process::Lossless,
            0xF7 => return Err(Fault::Unsupported("JPEG-LS under the name of JPEG")),
            0xC9..=0xCB => return Err(Fault::Unsupported("JPEG with arithmetic coding")),
            _ => return Err(Fault::Unsupported("hierarchical JPEG")),
        };
        let &[precision, a, b, c, d, components, ..] = segment else { return Err(Fault::Cut) };
        // Zero rows are told after the first scan (T.81 B.2.5): the DICOM header knows them.
        let rows = Some(u32::from(u16::from_be_bytes([a, b]))).filter(|rows| *rows > 0);
        shape.check(rows.unwrap_or(shape.rows), u32::from(u16::from_be_bytes([c, d])), components.into(), precision)?;
        let legal = match process {
            Process::Lossless => (2..=16).contains(&precision),
            Process::Sequential | Process::Progressive => precision == 8 || precision == 12,
        };
        if !legal {
            return Err(Fault::Damaged("samples of a size that JPEG does not know"));
        }
        let &[component, _, quantisation, ..] = &segment[6..] else { return Err(Fault::Cut) };
        if quantisation > 3 {
            return Err(Fault::Damaged("a table's number is above 3"));
        }
        let (rows, columns) = (shape.rows as usize, shape.columns as usize);
        Ok(Self { process, precision, rows, columns, component, quantisation: quantisation.into() })
    }
}

impl ScanHeader {
    fn read(segment: &[u8], frame: &Frame) -> Result<Self, Fault> {
        let &[components, component, tables, from, to, bits, ..] = segment else { return Err(Fault::Cut) };
        if components != 1 || component != frame.component {
            return Err(Fault::Damaged("a scan is not of the image's component"));
        }
        let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
        if dc > 3 || ac > 3 {
            return Err(Fault::Damaged("a table's number is above 3"));
        }
        Ok(Self { dc, ac, from, to, high: bits >> 4, low: bits & 15 })
    }
}

impl Tables {
    /// A segment DHT (T.81 B.2.4.2).
    fn huffman(&mut self, mut segment: &[u8]) -> Result<(), Fault> {
        while let Some((&class, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(Fault::Cut)?;
            let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(total).ok_or(Fault::Cut)?;
            let place = match (class >> 4, usize::from(class & 15)) {
                (0, index @ 0..=3) => &mut self.dc[index],
                (1, index @ 0..=3) => &mut self.ac[index],
                _ => return Err(Fault::Damaged("a Huffman table of no known kind")),
            };
            *place = Some(Huffman::new(counts, symbols)?);
            segment = rest;
        }
        Ok(())
    }

    /// A segment DQT (T.81 B.2.4.1).
    fn quantisation(&mut self, mut segment: &[u8]) -> Result<(), Fault> {
        while let Some((&kind, rest)) = segment.split_first() {
            let place = self.quantisation.get_mut(usize::from(kind & 15));
            let place = place.ok_or(Fault::Damaged("a table's number is above 3"))?;
            let width = if kind >> 4 == 0 { 1 } else { 2 };
            let (steps, rest) = rest.split_at_checked(64 * width).ok_or(Fault::Cut)?;
            let mut table = [0; 64];
            for (step, bytes) in table.iter_mut().zip(steps.chunks_exact(width)) {
                *step = bytes.iter().fold(0, |value, &byte| value << 8 | u16::from(byte));
            }
            *place = Some(table);
            segment = rest;
        }
        Ok(())
    }

    fn lossless(&self, bits: &mut Bits<'_>, frame: &Frame, header: ScanHeader) -> Result<Vec<u16>, Fault> {
        let table = self.dc[header.dc].as_ref().ok_or(Fault::Damaged("a Huffman table is missing"))?;
        let scan = lossless::Scan { predictor: header.from, point_transform: header.low, restart: self.restart };
        lossless::decode(bits, table, frame, scan)
    }

    fn scan(
        &self,
        bits: &mut Bits<'_>,
        frame: &Frame,
        header: ScanHeader,
        coefficients: &mut Coefficients,
    ) -> Result<(), Fault> {
        let tables = coefficients::Tables { dc: self.dc[header.dc].as_ref(), ac: self.ac[header.ac].as_ref() };
        let progressive = frame.process == Process::Progressive;
        // A sequential scan holds every coefficient in full, whatever its header says: some writers leave zeros there.
        let (from, to, high, low) =
            if progressive { (header.from, header.to, header.high, header.low) } else { (0, 63, 0, 0) };
        let scan = coefficients::Scan { from: from.into(), to: to.into(), high, low, restart: self.restart };
        coefficients.scan(bits, tables, scan, progressive)
    }
}
