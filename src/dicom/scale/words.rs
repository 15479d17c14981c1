//! Stored words: where in them the pixel value lies, and which bits are used (PS3.5 section 8.1.1).

use crate::dicom::header::PixelLayout;

/// Where the bits of a value are assumed to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alignment {
    /// As BitsStored and HighBit state.
    Stated,
    /// BitsStored bits, the lowest of the word.
    Low,
    /// BitsStored bits, the highest of the word.
    High,
    /// All allocated bits.
    Full,
}

impl Alignment {
    /// The alternatives to the stated alignment.
    pub(super) const OTHERS: [Self; 3] = [Self::Low, Self::High, Self::Full];

    /// How words are read under this alignment.
    pub(super) fn reading(self, layout: &PixelLayout) -> Reading {
        let (allocated, stored) = (u32::from(layout.bits_allocated), u32::from(layout.bits_stored));
        let (shift, bits) = match self {
            Self::Stated => ((u32::from(layout.high_bit) + 1).saturating_sub(stored), stored),
            Self::Low => (0, stored),
            Self::High => (allocated.saturating_sub(stored), stored),
            Self::Full => (0, allocated),
        };
        Reading { shift, bits: bits.clamp(1, 16), signed: layout.signed }
    }
}

/// The position of a value in its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    shift: u32,
    bits: u32,
    signed: bool,
}

impl Reading {
    fn mask(self) -> u32 {
        (1 << self.bits) - 1
    }

    fn sign(self) -> u32 {
        1 << (self.bits - 1)
    }

    /// The stored value of a word: bits outside are cut off, the sign is extended.
    pub(super) fn value(self, word: u16) -> i32 {
        let bits = (u32::from(word) >> self.shift) & self.mask();
        if self.signed && bits & self.sign() != 0 { (bits | !self.mask()).cast_signed() } else { bits.cast_signed() }
    }
}

/// Which bits outside the stated ones are set in some word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Usage {
    /// Negative values with their sign extended.
    extended: bool,
    /// Negative values without sign extension, as decoders of compressed pixels give them.
    unextended: bool,
    /// Bits above that are no sign extension and no declared overlay.
    above: bool,
    /// Bits below the value.
    below: bool,
}

impl Usage {
    /// The usage of a slice's words. Bits that `layout` declares as overlay planes do not count.
    pub(super) fn of(words: &[i16], layout: &PixelLayout) -> Self {
        let reading = Alignment::Stated.reading(layout);
        let (low, end) = ((1_u32 << reading.shift) - 1, reading.shift + reading.bits);
        let allocated = if layout.bits_allocated == 8 { 0xFF } else { 0xFFFF };
        let upper = allocated & !((1_u32 << end) - 1);
        let overlay = u32::from(layout.overlay_bits);
        let (upper, low) = (upper & !overlay, low & !overlay);
        let mut usage = Self::default();
        if upper == 0 && low == 0 {
            return usage;
        }
        for word in words {
            let word = u32::from(word.cast_unsigned());
            usage.below |= word & low != 0;
            let negative = reading.signed && (word >> reading.shift) & reading.sign() != 0;
            match (word & upper, negative) {
                (0, true) => usage.unextended |= upper != 0,
                (0, false) => {}
                (bits, true) if bits == upper => usage.extended = true,
                _ => usage.above = true,
            }
        }
        usage
    }

    /// The usage of both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            extended: self.extended || other.extended,
            unextended: self.unextended || other.unextended,
            above: self.above || other.above,
            below: self.below || other.below,
        }
    }

    /// Whether the stated alignment is in doubt.
    pub(super) fn is_suspicious(self) -> bool {
        self.above || self.below || (self.extended && self.unextended)
    }
}
