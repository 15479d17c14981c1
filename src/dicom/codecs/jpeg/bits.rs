//! Bits and Huffman codes of an entropy-coded segment (ITU-T T.81 Annex C, Annex F.2.2).

use super::super::Fault;

/// Codes up to this length are found by one look into a table.
const FAST: u32 = 9;
/// Differences that take up to so many bits, code and all, likewise.
const SHORT: u32 = 12;

/// The bits of entropy-coded data, up to the next marker.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    /// The next byte to take in.
    at: usize,
    /// Bits taken in and not yet used, from the highest downwards; below them zeros, or the first of those that come next.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at, held: 0, count: 0 }
    }

    /// Takes in whole bytes; a zero stuffed after 0xFF is dropped, and a marker ends the data (T.81 B.1.1.5).
    fn fill(&mut self) {
        if self.count > 56 {
            return;
        }
        if let Some(eight) = self.data.get(self.at..).and_then(|rest| rest.first_chunk()) {
            let word = u64::from_be_bytes(*eight);
            if !has_all_ones(word) {
                // Of the last byte that does not fit the beginning is taken in, too, and once more with the next.
                self.held |= word >> self.count;
                let bytes = (64 - self.count) / 8;
                self.at += bytes as usize;
                self.count += 8 * bytes;
                return;
            }
        }
        while self.count <= 56 {
            let Some(&byte) = self.data.get(self.at) else { return };
            if byte == 0xFF {
                if self.data.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    fn drop_bits(&mut self, count: u32) -> Result<(), Fault> {
        if count > self.count {
            return Err(Fault::Cut);
        }
        self.held <<= count;
        self.count -= count;
        Ok(())
    }

    /// The next `count` bits (at most 16) as a number.
    pub(super) fn take(&mut self, count: u32) -> Result<i32, Fault> {
        if count == 0 {
            return Ok(0);
        }
        if self.count < count {
            self.fill();
        }
        let value = (self.held >> (64 - count)) as i32;
        self.drop_bits(count)?;
        Ok(value)
    }

    /// A difference of magnitude category `size` (at most 15): T.81 RECEIVE and EXTEND, F.2.2.1.
    pub(super) fn difference(&mut self, size: u32) -> Result<i32, Fault> {
        Ok(extended(self.take(size)?, size))
    }

    /// The next difference, if it is a short one.
    pub(super) fn short(&mut self, differences: &Differences) -> Option<i32> {
        if self.count < SHORT {
            self.fill();
        }
        let (difference, used) = differences.0[(self.held >> (64 - SHORT)) as usize & ((1 << SHORT) - 1)];
        let used = u32::from(used);
        if used == 0 || used > self.count {
            return None;
        }
        self.held <<= used;
        self.count -= used;
        Some(i32::from(difference))
    }

    /// Ends a restart interval: what is left of its last byte is dropped and the marker RSTn is passed (T.81 F.1.2.3).
    pub(super) fn restart(&mut self) -> Result<(), Fault> {
        if self.count >= 8 {
            return Err(Fault::Damaged("data is left over before a restart marker"));
        }
        (self.held, self.count) = (0, 0);
        while self.data.get(self.at) == Some(&0xFF) && self.data.get(self.at + 1) == Some(&0xFF) {
            self.at += 1;
        }
        match self.data.get(self.at..self.at + 2) {
            Some([0xFF, 0xD0..=0xD7]) => {
                self.at += 2;
                Ok(())
            }
            Some(_) => Err(Fault::Damaged("a restart marker is missing")),
            None => Err(Fault::Cut),
        }
    }

    /// Where the next byte would be taken in: at or before the marker that ends the data.
    pub(super) fn position(&self) -> usize {
        self.at
    }
}

/// Whether one of the eight bytes is 0xFF.
fn has_all_ones(word: u64) -> bool {
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    (!word).wrapping_sub(LOWEST) & word & (LOWEST << 7) != 0
}

/// A difference of magnitude category `size` (at most 15) from its bits: T.81 EXTEND, F.2.2.1.
fn extended(value: i32, size: u32) -> i32 {
    let positive = size == 0 || value >> (size - 1) == 1;
    if positive { value } else { value - (1 << size) + 1 }
}

/// For each [`SHORT`] bits the difference that they begin with and the bits that it takes, its code and what follows; 0 bits where it takes more.
#[derive(Debug)]
pub(super) struct Differences(Box<[(i16, u8); 1 << SHORT]>);

impl Differences {
    /// The short differences of a table of their categories.
    pub(super) fn new(table: &Huffman) -> Self {
        let mut differences = Box::new([(0, 0); 1 << SHORT]);
        for (length, &(first, count, index)) in (0_u32..).zip(&table.lengths).take(SHORT as usize + 1) {
            for (code, &symbol) in (first..first + count).zip(table.symbols.iter().skip(index)) {
                let size = u32::from(symbol);
                let used = length + size;
                if used > SHORT {
                    continue;
                }
                for value in 0..1_u32 << size {
                    let begin = (((code << size) | value) << (SHORT - used)) as usize;
                    // No more than SHORT bits: both fit.
                    let entry = (extended(value.cast_signed(), size) as i16, used as u8);
                    differences[begin..begin + (1 << (SHORT - used))].fill(entry);
                }
            }
        }
        Self(differences)
    }
}

/// A Huffman table, ready for decoding.
#[derive(Debug, Clone)]
pub(super) struct Huffman {
    /// For each `FAST` bits the symbol and the length of the code they begin with; length 0 where it is longer.
    fast: Vec<(u8, u8)>,
    /// By code length: the first code, how many there are, and where their symbols begin.
    lengths: [(u32, u32, usize); 17],
    symbols: Vec<u8>,
}

impl Huffman {
    /// Builds a table of the number of codes of each length 1 to 16, and their symbols (T.81 Annex C.2).
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Fault> {
        let mut table = Self { fast: vec![(0, 0); 1 << FAST], lengths: [(0, 0, 0); 17], symbols: symbols.to_vec() };
        let (mut code, mut index) = (0_u32, 0_usize);
        for (length, &count) in (1_u32..).zip(counts) {
            table.lengths[length as usize] = (code, u32::from(count), index);
            for _ in 0..count {
                let symbol = *symbols.get(index).ok_or(Fault::Damaged("a Huffman table is too short"))?;
                if code >= 1 << length {
                    return Err(Fault::Damaged("a Huffman table has more codes than there is room for"));
                }
                if length <= FAST {
                    let first = (code << (FAST - length)) as usize;
                    table.fast[first..first + (1 << (FAST - length))].fill((symbol, length as u8));
                }
                code += 1;
                index += 1;
            }
            code <<= 1;
        }
        Ok(table)
    }

    /// Decodes the next symbol.
    pub(super) fn decode(&self, bits: &mut Bits<'_>) -> Result<u8, Fault> {
        if bits.count < 16 {
            bits.fill();
        }
        let (symbol, length) = self.fast[(bits.held >> (64 - FAST)) as usize];
        if length > 0 {
            bits.drop_bits(u32::from(length))?;
            return Ok(symbol);
        }
        for length in FAST + 1..=16 {
            let (first, count, index) = self.lengths[length as usize];
            let offset = ((bits.held >> (64 - length)) as u32).wrapping_sub(first);
            if offset < count {
                bits.drop_bits(length)?;
                return Ok(self.symbols[index + offset as usize]);
            }
        }
        Err(if bits.count < 16 { Fault::Cut } else { Fault::Damaged("a Huffman code is in no table") })
    }
}
