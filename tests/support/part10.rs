//! Part 10 files made element by element, also ones that no toolkit would write.
#![allow(dead_code, reason = "each of its users needs another part")]

pub(crate) const IMPLICIT_LE: &str = "1.2.840.10008.1.2";
pub(crate) const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
pub(crate) const EXPLICIT_BE: &str = "1.2.840.10008.1.2.2";
pub(crate) const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// A data set in the making (PS3.5 section 7.1); the caller keeps the tags in order, or does not.
pub(crate) struct DataSet {
    syntax: String,
    bytes: Vec<u8>,
}

impl DataSet {
    pub(crate) fn new(syntax: &str) -> Self {
        Self { syntax: syntax.to_owned(), bytes: Vec::new() }
    }

    /// A CT slice of `rows` · `columns` with 16 bits, without its pixels. `number` gives its place and its identity.
    pub(crate) fn ct_slice(syntax: &str, rows: u16, columns: u16, signed: bool, bits_stored: u16, number: i32) -> Self {
        let mut set = Self::new(syntax);
        set.text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.2");
        set.text(0x0008_0018, b"UI", &format!("2.25.77.{number}"));
        set.text(0x0008_0020, b"DA", "20000102").text(0x0008_0060, b"CS", "CT");
        set.text(0x0010_0010, b"PN", "MADE^One").text(0x0010_0020, b"LO", "MADE");
        set.text(0x0018_0050, b"DS", "2");
        set.text(0x0020_000D, b"UI", "2.25.77").text(0x0020_000E, b"UI", "2.25.78");
        set.text(0x0020_0013, b"IS", &number.to_string());
        set.text(0x0020_0032, b"DS", &format!("-10\\-20\\{}", 2 * number));
        set.text(0x0020_0037, b"DS", "1\\0\\0\\0\\1\\0");
        set.number(0x0028_0002, 1).text(0x0028_0004, b"CS", "MONOCHROME2");
        set.number(0x0028_0010, rows).number(0x0028_0011, columns);
        set.text(0x0028_0030, b"DS", "0.5\\0.5");
        set.number(0x0028_0100, if bits_stored > 8 { 16 } else { 8 });
        set.number(0x0028_0101, bits_stored).number(0x0028_0102, bits_stored.saturating_sub(1));
        set.number(0x0028_0103, u16::from(signed));
        set.text(0x0028_1052, b"DS", if signed { "0" } else { "-1024" }).text(0x0028_1053, b"DS", "1");
        set
    }

    /// An element's tag, VR and length, without its value.
    pub(crate) fn head(&mut self, tag: u32, vr: &[u8; 2], length: u32) -> &mut Self {
        let (group, element) = ((tag >> 16) as u16, tag as u16);
        let big = self.syntax == EXPLICIT_BE;
        let two = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let four = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        self.bytes.extend(two(group));
        self.bytes.extend(two(element));
        let long = matches!(vr, b"OB" | b"OW" | b"OF" | b"OD" | b"OL" | b"SQ" | b"UN" | b"UT" | b"UC" | b"UR");
        if self.syntax == IMPLICIT_LE || group == 0xFFFE {
            self.bytes.extend(four(length));
        } else if long {
            self.bytes.extend(vr);
            self.bytes.extend([0, 0]);
            self.bytes.extend(four(length));
        } else {
            self.bytes.extend(vr);
            self.bytes.extend(two(length as u16));
        }
        self
    }

    pub(crate) fn raw(&mut self, tag: u32, vr: &[u8; 2], value: &[u8]) -> &mut Self {
        let padding: &[u8] = if vr == b"UI" || vr == b"OB" { &[0] } else { b" " };
        let odd = value.len() % 2;
        self.head(tag, vr, (value.len() + odd) as u32);
        self.bytes.extend(value);
        self.bytes.extend(&padding[..odd]);
        self
    }

    pub(crate) fn text(&mut self, tag: u32, vr: &[u8; 2], value: &str) -> &mut Self {
        self.raw(tag, vr, value.as_bytes())
    }

    pub(crate) fn number(&mut self, tag: u32, value: u16) -> &mut Self {
        let bytes = if self.syntax == EXPLICIT_BE { value.to_be_bytes() } else { value.to_le_bytes() };
        self.raw(tag, b"US", &bytes)
    }

    /// PixelData as it is.
    pub(crate) fn native(&mut self, samples: &[u16]) -> &mut Self {
        let big = self.syntax == EXPLICIT_BE;
        let bytes: Vec<u8> = samples.iter().flat_map(|n| if big { n.to_be_bytes() } else { n.to_le_bytes() }).collect();
        self.raw(0x7FE0_0010, b"OW", &bytes)
    }

    /// PixelData as fragments after an empty offset table (PS3.5 section A.4).
    pub(crate) fn fragments(&mut self, fragments: &[&[u8]]) -> &mut Self {
        self.head(0x7FE0_0010, b"OB", u32::MAX).head(0xFFFE_E000, b"  ", 0);
        for fragment in fragments {
            self.raw(0xFFFE_E000, b"OB", fragment);
        }
        self.head(0xFFFE_E0DD, b"  ", 0)
    }

    /// The bytes so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole file: preamble, meta group with its length, data set.
    pub(crate) fn part10(&self) -> Vec<u8> {
        let mut meta = Self::new(EXPLICIT_LE);
        meta.text(0x0002_0002, b"UI", "1.2.840.10008.5.1.4.1.1.2").text(0x0002_0003, b"UI", "2.25.77.1");
        meta.text(0x0002_0010, b"UI", &self.syntax);
        let mut file = vec![0; 128];
        file.extend(b"DICM");
        let mut length = Self::new(EXPLICIT_LE);
        length.raw(0x0002_0000, b"UL", &(meta.bytes.len() as u32).to_le_bytes());
        file.extend(length.bytes);
        file.extend(meta.bytes);
        if self.syntax == DEFLATED {
            let mut encoder = flate2::write::DeflateEncoder::new(file, flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, &self.bytes).expect("memory can be written");
            encoder.finish().expect("memory can be written")
        } else {
            file.extend(&self.bytes);
            file
        }
    }
}

/// An 8 · 8 picture's samples, a ramp.
pub(crate) fn ramp(rows: u16, columns: u16) -> Vec<u16> {
    (0..u32::from(rows) * u32::from(columns)).map(|i| ((i * 37) % 4096) as u16).collect()
}

/// Samples as one RLE frame (PS3.5 annex G): two segments of literal runs, high bytes first.
pub(crate) fn rle(samples: &[u16]) -> Vec<u8> {
    let segment = |byte: fn(u16) -> u8| -> Vec<u8> {
        let bytes: Vec<u8> = samples.iter().map(|&sample| byte(sample)).collect();
        let mut coded = Vec::new();
        for run in bytes.chunks(128) {
            coded.push((run.len() - 1) as u8);
            coded.extend(run);
        }
        coded.resize(coded.len().next_multiple_of(2), 0);
        coded
    };
    let (high, low) = (segment(|n| (n >> 8) as u8), segment(|n| n as u8));
    let mut frame = Vec::new();
    for number in [2, 64, 64 + high.len() as u32] {
        frame.extend(number.to_le_bytes());
    }
    frame.resize(64, 0);
    frame.extend(high);
    frame.extend(low);
    frame
}
