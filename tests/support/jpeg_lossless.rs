//! JPEG lossless, process 14 selection value 1 (ITU-T T.81 annex H), written: the compression of the RSNA 2022 files
//! (transfer syntax .70), for tests and benchmarks that must make their own.

/// Huffman code lengths: difference categories 0 to 16, near zero the shorter. Counts of codes by length 1 to 16
/// (T.81 section B.2.4.2); the categories follow in order.
const LENGTHS: [u8; 16] = [0, 1, 3, 3, 3, 2, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
const CATEGORIES: [u8; 17] = [4, 3, 5, 2, 6, 1, 0, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

struct Bits {
    bytes: Vec<u8>,
    buffer: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.buffer = (self.buffer << count) | u64::from(value);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.buffer >> self.count) as u8;
            self.bytes.push(byte);
            // A stuffed zero keeps data from looking like a marker (T.81 section B.1.1.5).
            if byte == 0xFF {
                self.bytes.push(0);
            }
        }
        self.buffer &= (1 << self.count) - 1;
    }
}

/// The code stream of `rows` · `columns` samples of `precision` bits.
pub(crate) fn encode(samples: &[u16], rows: u16, columns: u16, precision: u8) -> Vec<u8> {
    assert_eq!(samples.len(), usize::from(rows) * usize::from(columns), "samples fill the image");
    let mut codes = [(0_u32, 0_u32); 17];
    let (mut code, mut next) = (0, 0);
    for (length, &count) in (1..).zip(&LENGTHS) {
        for _ in 0..count {
            codes[usize::from(CATEGORIES[next])] = (code, length);
            code += 1;
            next += 1;
        }
        code <<= 1;
    }
    let mut stream = vec![0xFF, 0xD8, 0xFF, 0xC3, 0, 11, precision];
    stream.extend(rows.to_be_bytes());
    stream.extend(columns.to_be_bytes());
    stream.extend([1, 1, 0x11, 0]);
    stream.extend([0xFF, 0xC4, 0, 36, 0]);
    stream.extend(LENGTHS);
    stream.extend(CATEGORIES);
    stream.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 0, 0]);
    let mut bits = Bits { bytes: stream, buffer: 0, count: 0 };
    let width = usize::from(columns);
    for (index, &sample) in samples.iter().enumerate() {
        let predicted = match (index / width, index % width) {
            (0, 0) => 1 << (precision - 1),
            (_, 0) => samples[index - width],
            _ => samples[index - 1],
        };
        // Differences are taken modulo 2^16 (T.81 section H.1.2.1).
        let difference = sample.wrapping_sub(predicted).cast_signed();
        let magnitude = u32::from(difference.unsigned_abs());
        let category = 32 - magnitude.leading_zeros();
        let (code, length) = codes[category as usize];
        bits.put(code, length);
        if (1..16).contains(&category) {
            let value = if difference < 0 { !magnitude & ((1 << category) - 1) } else { magnitude };
            bits.put(value, category);
        }
    }
    let fill = (8 - bits.count % 8) % 8;
    bits.put((1 << fill) - 1, fill);
    bits.bytes.extend([0xFF, 0xD9]);
    bits.bytes
}
