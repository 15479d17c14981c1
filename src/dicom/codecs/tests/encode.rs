//! Encoders as simple as the standards allow.

use super::Shape;

/// Lossless JPEG (ITU-T T.81 Annex H) with every Huffman code five bits long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lossless {
    pub(super) precision: u8,
    pub(super) predictor: u8,
    pub(super) transform: u8,
    pub(super) restart: u16,
}

impl Default for Lossless {
    fn default() -> Self {
        Self { precision: 12, predictor: 1, transform: 0, restart: 0 }
    }
}

impl Lossless {
    pub(super) fn encode(self, pixels: &[u16], shape: Shape) -> Vec<u8> {
        let [rows, columns] = [shape.rows as u16, shape.columns as u16].map(u16::to_be_bytes);
        let [interval_high, interval_low] = self.restart.to_be_bytes();
        let mut stream = vec![0xFF, 0xD8, 0xFF, 0xDD, 0, 4, interval_high, interval_low];
        stream.extend([0xFF, 0xC3, 0, 11, self.precision, rows[0], rows[1], columns[0], columns[1], 1, 1, 0x11, 0]);
        stream.extend([0xFF, 0xC4, 0, 19 + 17, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        stream.extend(0..=16);
        stream.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, self.predictor, 0, self.transform]);
        let columns = shape.columns as usize;
        let at = |x: usize, y: usize| i32::from(pixels[y * columns + x] >> self.transform);
        let mut bits = Bits { stream, held: 0, count: 0 };
        let mut first_line = 0;
        for (index, _) in pixels.iter().enumerate() {
            let (x, y) = (index % columns, index / columns);
            if self.restart > 0 && index > 0 && index.is_multiple_of(usize::from(self.restart)) {
                bits.flush();
                let number = (index / usize::from(self.restart) - 1) as u8 & 7;
                bits.stream.extend([0xFF, 0xD0 + number]);
                first_line = y;
            }
            let predicted = match (x, y == first_line) {
                (0, true) => 1 << (self.precision - self.transform - 1),
                (_, true) => at(x - 1, y),
                (0, false) => at(x, y - 1),
                _ => {
                    let (a, b, c) = (at(x - 1, y), at(x, y - 1), at(x - 1, y - 1));
                    [a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) / 2]
                        [usize::from(self.predictor) - 1]
                }
            };
            // Differences are modulo 2^16: -32768 does not occur, 32768 does.
            let difference = match (at(x, y) - predicted) as i16 {
                i16::MIN => 32_768,
                other => i32::from(other),
            };
            let size = 32 - difference.unsigned_abs().leading_zeros();
            bits.put(size, 5);
            if size < 16 {
                let low = if difference < 0 { difference - 1 } else { difference };
                bits.put(low.cast_unsigned() & ((1 << size) - 1), size);
            }
        }
        bits.flush();
        bits.stream.extend([0xFF, 0xD9]);
        bits.stream
    }
}

struct Bits {
    stream: Vec<u8>,
    held: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.held = self.held << count | u64::from(value);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) as u8;
            self.stream.push(byte);
            if byte == 0xFF {
                self.stream.push(0);
            }
        }
    }

    /// Fills the last byte with ones (T.81 F.1.2.3).
    fn flush(&mut self) {
        if self.count > 0 {
            let missing = 8 - self.count;
            self.put((1 << missing) - 1, missing);
        }
    }
}

/// RLE Lossless (PS3.5 annex G) of 16-bit pixels: runs of three and more as runs, the rest literally.
pub(super) fn rle(pixels: &[u16]) -> Vec<u8> {
    let segments = [8, 0].map(|shift| pack(&pixels.iter().map(|pixel| (pixel >> shift) as u8).collect::<Vec<_>>()));
    let mut stream: Vec<u8> = [2, 64, 64 + segments[0].len() as u32].iter().flat_map(|n| n.to_le_bytes()).collect();
    stream.resize(64, 0);
    stream.extend(segments.concat());
    stream
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().take(128).take_while(|byte| **byte == bytes[at]).count();
        if run > 2 {
            packed.extend([(1 - run as i16) as u8, bytes[at]]);
            at += run;
        } else {
            let literal = bytes[at..].len().min(5);
            packed.push(literal as u8 - 1);
            packed.extend(&bytes[at..at + literal]);
            at += literal;
        }
    }
    packed
}
