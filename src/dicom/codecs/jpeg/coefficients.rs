//! The DCT coefficients of one component, filled by sequential or progressive scans (ITU-T T.81 Annex F and G).

use super::bits::{Bits, Huffman};
use super::{Fault, Frame, dct};

/// Where the coefficient that comes n-th in a block lies in it (T.81 figure A.6).
pub(super) const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// No scan has told anything about a coefficient yet.
const UNTOLD: u8 = 0xFF;

/// What a scan header says (T.81 B.2.3): the band of coefficients and which of their bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The bit down to which earlier scans have told them; 0 in their first scan.
    pub(super) high: u8,
    /// The bit down to which this scan tells them.
    pub(super) low: u8,
    /// Blocks in a restart interval; 0 for none.
    pub(super) restart: usize,
}

/// The tables a scan needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) dc: Option<&'a Huffman>,
    pub(super) ac: Option<&'a Huffman>,
}

/// Quantised coefficients in zigzag order.
#[derive(Debug)]
pub(super) struct Coefficients {
    blocks: Vec<[i16; 64]>,
    /// Blocks in a row.
    across: usize,
    /// The bit down to which each coefficient is told: every scan tells one more, which bounds their number.
    told: [u8; 64],
}

impl Coefficients {
    pub(super) fn new(frame: &Frame) -> Self {
        let across = frame.columns.div_ceil(8);
        Self { blocks: vec![[0; 64]; across * frame.rows.div_ceil(8)], across, told: [UNTOLD; 64] }
    }

    /// Whether the scans so far make a picture.
    pub(super) fn has_picture(&self) -> bool {
        self.told[0] != UNTOLD
    }

    /// Checks that a scan tells something new and legal (T.81 G.1.1.1), and marks it as told.
    fn tell(&mut self, scan: Scan, progressive: bool) -> Result<(), Fault> {
        let band = scan.from <= scan.to
            && scan.to < 64
            && scan.high <= 13
            && scan.low <= 13
            && (scan.high == 0 || scan.high == scan.low + 1);
        // A progressive scan holds DC or AC, a sequential one both.
        let shape = !progressive || scan.from > 0 || scan.to == 0;
        if !band || !shape {
            return Err(Fault::Damaged("a scan header makes no sense"));
        }
        for told in &mut self.told[scan.from..=scan.to] {
            if *told != if scan.high == 0 { UNTOLD } else { scan.high } {
                return Err(Fault::Damaged("scans are out of order"));
            }
            *told = scan.low;
        }
        Ok(())
    }

    /// Decodes one scan.
    pub(super) fn scan(
        &mut self,
        bits: &mut Bits<'_>,
        tables: Tables<'_>,
        scan: Scan,
        progressive: bool,
    ) -> Result<(), Fault> {
        self.tell(scan, progressive)?;
        let missing = || Fault::Damaged("a Huffman table is missing");
        let mut decoder = Decoder { bits, scan, predicted: 0, skip: 0 };
        for (index, block) in self.blocks.iter_mut().enumerate() {
            if scan.restart > 0 && index > 0 && index % scan.restart == 0 {
                decoder.bits.restart()?;
                (decoder.predicted, decoder.skip) = (0, 0);
            }
            if scan.from == 0 {
                if scan.high == 0 {
                    decoder.dc(tables.dc.ok_or_else(missing)?, block)?;
                } else {
                    block[0] |= (decoder.bits.take(1)? << scan.low) as i16;
                }
            }
            if scan.to > 0 {
                let table = tables.ac.ok_or_else(missing)?;
                if scan.high == 0 { decoder.ac(table, block)? } else { decoder.refine(table, block)? }
            }
        }
        Ok(())
    }

    /// The samples, row by row, with the quantisation table in zigzag order (T.81 A.3.4).
    pub(super) fn samples(&self, frame: &Frame, quantisation: &[u16; 64]) -> Vec<u16> {
        let mut samples = vec![0; frame.rows * frame.columns];
        for (index, block) in self.blocks.iter().enumerate() {
            let mut values = [0_i64; 64];
            for (n, (&value, &step)) in block.iter().zip(quantisation).enumerate() {
                values[ZIGZAG[n]] = i64::from(value) * i64::from(step);
            }
            let (top, left) = (index / self.across * 8, index % self.across * 8);
            let width = (frame.columns - left).min(8);
            let square = dct::inverse(&values, frame.precision);
            for (line, row) in square.chunks_exact(8).zip(top..frame.rows) {
                samples[row * frame.columns + left..][..width].copy_from_slice(&line[..width]);
            }
        }
        samples
    }
}

/// The state of one scan.
#[derive(Debug)]
struct Decoder<'d, 'b> {
    bits: &'d mut Bits<'b>,
    scan: Scan,
    /// The last block's DC coefficient.
    predicted: i32,
    /// Blocks still covered by an end-of-band run (T.81 G.1.2.2).
    skip: u32,
}

impl Decoder<'_, '_> {
    /// DC: the difference to the last block's (T.81 F.2.2.1, G.1.2.1).
    fn dc(&mut self, table: &Huffman, block: &mut [i16; 64]) -> Result<(), Fault> {
        let size = table.decode(self.bits)?;
        if size > 15 {
            return Err(Fault::Damaged("a DC difference of more than 15 bits"));
        }
        let difference = self.bits.difference(u32::from(size))?;
        // What a sound stream holds fits; the rest is kept from running over.
        self.predicted = (self.predicted + difference).clamp(-0x7FFF, 0x7FFF);
        block[0] = (self.predicted << self.scan.low) as i16;
        Ok(())
    }

    /// AC in a band's first scan (T.81 F.2.2.2, G.1.2.2): runs of zeros, each followed by a coefficient.
    fn ac(&mut self, table: &Huffman, block: &mut [i16; 64]) -> Result<(), Fault> {
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(());
        }
        let mut k = self.scan.from.max(1);
        while k <= self.scan.to {
            let symbol = table.decode(self.bits)?;
            let (run, size) = (symbol >> 4, symbol & 15);
            match (run, size) {
                (15, 0) => k += 16,
                (_, 0) => {
                    self.skip = self.run_length(run)? - 1;
                    return Ok(());
                }
                _ => {
                    k += usize::from(run);
                    if k > self.scan.to {
                        return Err(Fault::Damaged("a run of zeros leaves its block"));
                    }
                    block[k] = (self.bits.difference(u32::from(size))? << self.scan.low) as i16;
                    k += 1;
                }
            }
        }
        Ok(())
    }

    /// An end-of-band run of category `run` (T.81 table G.1): how many blocks it covers, this one included. In sequential scans
    /// only category 0, one block, is legal.
    fn run_length(&mut self, run: u8) -> Result<u32, Fault> {
        if run > 0 && self.scan.from == 0 {
            return Err(Fault::Damaged("an end-of-band run in a sequential scan"));
        }
        Ok((1 << run) + self.bits.take(u32::from(run))?.cast_unsigned())
    }

    /// AC in a later scan (T.81 G.1.2.3): one more bit of each coefficient that is not zero, and those that now become ±1.
    fn refine(&mut self, table: &Huffman, block: &mut [i16; 64]) -> Result<(), Fault> {
        let unit = 1_i16 << self.scan.low;
        let mut k = self.scan.from;
        if self.skip == 0 {
            while k <= self.scan.to {
                let symbol = table.decode(self.bits)?;
                let (run, size) = (symbol >> 4, symbol & 15);
                let born = match (run, size) {
                    (_, 1) => {
                        if self.bits.take(1)? == 1 {
                            unit
                        } else {
                            -unit
                        }
                    }
                    (15, 0) => 0,
                    (_, 0) => {
                        self.skip = self.run_length(run)?;
                        break;
                    }
                    _ => return Err(Fault::Damaged("a refinement of more than one bit")),
                };
                k = self.pass(block, k, Some(run), unit)?;
                if born != 0 {
                    *block
                        .get_mut(k)
                        .filter(|_| k <= self.scan.to)
                        .ok_or(Fault::Damaged("a run leaves its block"))? = born;
                }
                k += 1;
            }
        }
        if self.skip > 0 {
            self.pass(block, k, None, unit)?;
            self.skip -= 1;
        }
        Ok(())
    }

    /// Refines coefficients that are not zero from `k` on, up to the one after `zeros` zeros or to the band's end; returns where
    /// it stopped.
    fn pass(&mut self, block: &mut [i16; 64], from: usize, zeros: Option<u8>, unit: i16) -> Result<usize, Fault> {
        let mut left = zeros;
        let band = block.iter_mut().enumerate().take(self.scan.to + 1).skip(from);
        for (k, value) in band {
            if *value == 0 {
                match &mut left {
                    Some(0) => return Ok(k),
                    Some(zeros) => *zeros -= 1,
                    None => {}
                }
            } else if self.bits.take(1)? == 1 {
                // The value's lower bits are zero until now; its magnitude grows.
                *value = value.saturating_add(if *value > 0 { unit } else { -unit });
            }
        }
        Ok(self.scan.to + 1)
    }
}
