//! Every codec on one synthetic picture, on what tests encode themselves, and on damaged streams.

mod encode;
mod streams;

use super::*;
use crate::domain::ModalityLut;
use encode::Lossless;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const ROWS: u32 = 11;
const COLUMNS: u32 = 17;
const SHAPE: Shape = Shape { rows: ROWS, columns: COLUMNS, bits_allocated: 16 };

/// The picture that `streams` hold: a slope with a pattern, in 12 bits.
fn picture() -> Vec<u16> {
    let pixel = |x: u16, y: u16| 1000 + 60 * x + 90 * y + 5 * ((x * 7 + y * 3) % 11);
    (0..ROWS as u16).flat_map(|y| (0..COLUMNS as u16).map(move |x| pixel(x, y))).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn layout(shape: Shape) -> PixelLayout {
    PixelLayout {
        rows: shape.rows,
        columns: shape.columns,
        bits_allocated: shape.bits_allocated,
        bits_stored: shape.bits_allocated,
        high_bit: shape.bits_allocated - 1,
        signed: false,
        padding: None,
        overlay_bits: 0,
        lut: ModalityLut::IDENTITY,
    }
}

/// Decodes under a syntax, given by what follows `1.2.840.10008.1.2.`.
fn decode(stream: &[u8], syntax: &str, shape: Shape) -> Result<Vec<u16>, String> {
    let bytes = decode_frame(stream, &format!("1.2.840.10008.1.2.{syntax}"), &layout(shape))
        .map_err(|error| error.to_string())?;
    Ok(if shape.bits_allocated == 8 {
        bytes.into_iter().map(u16::from).collect()
    } else {
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
    })
}

/// Syntax, stream and the shape that its header would have.
fn samples() -> Vec<(&'static str, Vec<u8>, Shape)> {
    let mut samples: Vec<_> = [
        ("4.51", streams::JPEG_EXTENDED),
        ("4.53", streams::JPEG_SPECTRAL),
        ("4.55", streams::JPEG_PROGRESSIVE),
        ("4.80", streams::JPEG_LS),
        ("4.81", streams::JPEG_LS_NEAR),
        ("4.90", streams::JPEG_2000),
        ("4.201", streams::HTJ2K),
        ("4.203", streams::HTJ2K_LOSSY),
        ("4.110", streams::JPEG_XL),
    ]
    .map(|(syntax, hex)| (syntax, bytes(hex), SHAPE))
    .into();
    samples.push(("4.50", bytes(streams::JPEG_BASELINE), Shape { bits_allocated: 8, ..SHAPE }));
    samples.push(("4.70", Lossless::default().encode(&picture(), SHAPE), SHAPE));
    samples.push(("5", encode::rle(&picture()), SHAPE));
    samples
}

#[test]
fn what_others_encoded_without_loss_is_the_picture() {
    for syntax in ["4.80", "4.90", "4.91", "4.201", "4.202", "4.203", "4.110", "4.112"] {
        let hex = match syntax {
            "4.80" => streams::JPEG_LS,
            "4.90" | "4.91" => streams::JPEG_2000,
            "4.110" | "4.112" => streams::JPEG_XL,
            _ => streams::HTJ2K,
        };
        assert_eq!(decode(&bytes(hex), syntax, SHAPE), Ok(picture()), "{syntax}");
    }
}

#[test]
fn what_others_encoded_with_loss_is_near_the_picture() {
    for (syntax, hex, bound) in [("4.81", streams::JPEG_LS_NEAR, 3), ("4.203", streams::HTJ2K_LOSSY, 2)] {
        let decoded = decode(&bytes(hex), syntax, SHAPE).unwrap();
        let far = decoded.iter().zip(picture()).map(|(a, b)| a.abs_diff(b)).max();
        assert!(far.is_some_and(|far| (1..=bound).contains(&far)), "{syntax}: {far:?}");
    }
}

/// dcmtk's encoder stretches the values before it encodes, so its own decoder is what ours is compared with: sha256 of the samples in
/// 16 bits, little-endian.
#[test]
fn jpeg_is_decoded_to_what_dcmtk_decodes_it_to() {
    let narrow = Shape { bits_allocated: 8, ..SHAPE };
    for (syntax, hex, shape, expected) in [
        ("4.50", streams::JPEG_BASELINE, narrow, "7ec47ad95888"),
        ("4.51", streams::JPEG_EXTENDED, SHAPE, "19e1537c4b80"),
        ("4.53", streams::JPEG_SPECTRAL, SHAPE, "19e1537c4b80"),
        ("4.55", streams::JPEG_PROGRESSIVE, SHAPE, "19e1537c4b80"),
    ] {
        let decoded = decode(&bytes(hex), syntax, shape).unwrap();
        let hash = Sha256::digest(decoded.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>());
        let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, expected, "{syntax}");
    }
}

#[test]
fn a_stream_cut_anywhere_is_refused() {
    for (syntax, stream, shape) in samples() {
        // The last bytes may be padding or an end marker that says nothing about the picture.
        for length in 0..stream.len() - 8 {
            let cut = decode(&stream[..length], syntax, shape);
            assert!(cut.is_err(), "{syntax} cut to {length} bytes of {}", stream.len());
        }
    }
}

#[test]
fn a_stream_that_contradicts_the_header_is_refused_for_that() {
    for (syntax, stream, shape) in samples().into_iter().filter(|(syntax, ..)| *syntax != "5") {
        let error = decode(&stream, syntax, Shape { rows: 12, ..shape }).unwrap_err();
        assert!(error.contains("17 × 11 pixels, the header says 17 × 12"), "{syntax}: {error}");
        if shape.bits_allocated == 16 {
            let error = decode(&stream, syntax, Shape { bits_allocated: 8, ..shape }).unwrap_err();
            assert!(error.contains("bits a sample, the header has room for 8"), "{syntax}: {error}");
        }
    }
    let error = decode(&encode::rle(&picture()), "5", Shape { bits_allocated: 8, ..SHAPE }).unwrap_err();
    assert!(error.contains("2 bytes a pixel in the code stream, 1 in the header"), "{error}");
}

/// Streams that claim 65535 × 65535 pixels under a small header, and a tiling of one pixel each.
#[test]
fn a_bomb_is_refused_before_it_is_decoded() {
    for (syntax, mut stream, shape) in samples() {
        let at = match syntax {
            // Width and height lie behind SOFn's length and precision.
            "4.50" | "4.51" | "4.53" | "4.55" | "4.70" | "4.80" | "4.81" => {
                let sof = |pair: &[u8]| pair[0] == 0xFF && [0xC0, 0xC1, 0xC2, 0xC3, 0xF7].contains(&pair[1]);
                stream.windows(2).position(sof).unwrap() + 5
            }
            // Xsiz.
            "4.90" | "4.201" | "4.203" => 8,
            _ => continue,
        };
        stream[at..at + 4].fill(0xFF);
        let error = decode(&stream, syntax, shape).unwrap_err();
        assert!(error.contains("contradicts the header"), "{syntax}: {error}");
    }
    let mut tiled = bytes(streams::HTJ2K);
    tiled[27] = 1;
    tiled[31] = 1;
    let error = decode(&tiled, "4.201", SHAPE).unwrap_err();
    assert!(error.contains("too many tiles"), "{error}");
}

#[test]
fn a_stream_in_colour_is_refused_for_that() {
    let mut stream = Lossless::default().encode(&picture(), SHAPE);
    let sof = stream.windows(2).position(|pair| pair == [0xFF, 0xC3]).unwrap();
    stream[sof + 9] = 3;
    let error = decode(&stream, "4.70", SHAPE).unwrap_err();
    assert!(error.contains("it is in color (3 components), the header says gray"), "{error}");
}

#[test]
fn what_stays_out_is_named_with_what_to_do() {
    for (syntax, name) in [
        ("4.52", "1.2.840.10008.1.2.4.52"),
        ("4.92", "JPEG 2000 Part 2"),
        ("4.94", "JPIP Referenced"),
        ("4.100", "MPEG2"),
        ("4.103", "MPEG-4"),
        ("7.1", "SMPTE"),
    ] {
        let error = decode(&[], syntax, SHAPE).unwrap_err();
        assert!(error.contains(name) && error.contains(&format!("1.2.840.10008.1.2.{syntax}")), "{error}");
        assert!(error.contains("gdcmconv --raw"), "{error}");
    }
    let arithmetic = {
        let mut stream = Lossless::default().encode(&picture(), SHAPE);
        let sof = stream.windows(2).position(|pair| pair == [0xFF, 0xC3]).unwrap();
        stream[sof + 1] = 0xCB;
        decode(&stream, "4.57", SHAPE).unwrap_err()
    };
    assert!(arithmetic.contains("arithmetic coding") && arithmetic.contains("gdcmconv"), "{arithmetic}");
}

proptest! {
    /// T.81 Annex H: every predictor, precision, point transform and restart interval.
    #[test]
    fn lossless_jpeg_gives_back_what_was_encoded(
        rows in 1_u32..9,
        columns in 1_u32..9,
        precision in 2_u8..=16,
        predictor in 1_u8..=7,
        transform in 0_u8..3,
        lines_between_restarts in 0_u16..4,
        seed in proptest::collection::vec(any::<u16>(), 64),
    ) {
        let shape = Shape { rows, columns, bits_allocated: 16 };
        let transform = transform.min(precision - 1);
        let mask = ((1_u32 << precision) - 1) as u16;
        let pixels: Vec<u16> =
            seed[..shape.pixels()].iter().map(|pixel| (pixel & mask) >> transform << transform).collect();
        let restart = lines_between_restarts * columns as u16;
        let stream = Lossless { precision, predictor, transform, restart }.encode(&pixels, shape);
        prop_assert_eq!(decode(&stream, "4.57", shape), Ok(pixels));
    }

    #[test]
    fn rle_gives_back_what_was_encoded(pixels in proptest::collection::vec(prop_oneof![Just(7_u16), any::<u16>()], 1..400)) {
        let shape = Shape { rows: 1, columns: pixels.len() as u32, bits_allocated: 16 };
        prop_assert_eq!(decode(&encode::rle(&pixels), "5", shape), Ok(pixels));
    }

    /// No decoder of ours panics (`decode_frame` would hide it), and none gives more or less than the picture.
    #[test]
    fn damage_is_an_error_or_a_picture_and_never_a_panic(
        which in 0_usize..12,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let (syntax, mut stream, shape) = samples().swap_remove(which);
        for (at, byte) in damage {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        if let Some(cut) = cut {
            stream.truncate(cut.index(stream.len()));
        }
        let ours = match syntax {
            "4.50" | "4.51" | "4.53" | "4.55" | "4.70" => jpeg::decode(&stream, shape),
            "5" => rle::decode(&stream, shape),
            "4.80" | "4.81" => jpeg_ls::decode(&stream, shape),
            _ => {
                let _ = decode(&stream, syntax, shape);
                return Ok(());
            }
        };
        if let Ok(samples) = ours {
            prop_assert_eq!(samples.len(), shape.pixels());
        }
    }

    #[test]
    fn random_bytes_are_refused(stream in proptest::collection::vec(any::<u8>(), 0..300), which in 0_usize..12) {
        let (syntax, _, shape) = samples().swap_remove(which);
        prop_assert!(syntax == "5" || decode(&stream, syntax, shape).is_err());
    }
}
