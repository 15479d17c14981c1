//! What a header says about the unit of its values. Every CT header claims Hounsfield units unless something in it names another
//! quantity: spectral scanners, perfusion programs and exports write maps and windowed images as modality CT, too.

use super::elements::Elements;
use super::header::PixelLayout;
use super::part10::Part10;
use crate::domain::{CleanText, Modality, NotHounsfield, Units};
use dicom_dictionary_std::tags;

/// Above this every value of a layout is denser than air, HU.
const ABOVE_AIR: f64 = -500.0;
/// Energies at which a monoenergetic image has the Hounsfield units of an ordinary tube voltage, keV.
const ORDINARY_KEV: std::ops::RangeInclusive<f64> = 60.0..=80.0;

/// The unit that the elements of one image give its values.
pub(super) fn of(file: &Part10, elements: &Elements<'_>, modality: &Modality, layout: Option<&PixelLayout>) -> Units {
    if let Modality::Other(code) = modality {
        return Units::Other(NotHounsfield::Modality(code.clone()));
    }
    let rescale = elements.text(tags::RESCALE_TYPE).trim().to_uppercase();
    let is_stated = matches!(rescale.as_str(), "HU" | "HOUNSFIELD" | "HOUNSFIELD UNIT" | "HOUNSFIELD UNITS");
    if !is_stated && !rescale.is_empty() {
        return Units::Other(NotHounsfield::RescaleType(CleanText::new(&rescale)));
    }
    if let Some(code) = units_code(file, elements) {
        return Units::Other(NotHounsfield::UnitsCode(CleanText::new(&code)));
    }
    for tag in [tags::IMAGE_TYPE, tags::FRAME_TYPE] {
        if let Some(value) = map_value(&elements.text(tag), elements) {
            return Units::Other(NotHounsfield::ImageType(CleanText::new(&value)));
        }
    }
    if *modality == Modality::Ct {
        let is_export = layout.is_some_and(|layout| layout.bits_stored <= 8 && least(layout) > ABOVE_AIR);
        return if is_export { Units::Other(NotHounsfield::EightBit) } else { Units::Hounsfield };
    }
    let below_zero = layout.is_some_and(|layout| layout.lut.intercept() <= ABOVE_AIR);
    if is_stated || below_zero { Units::Hounsfield } else { Units::Unconfirmed }
}

/// The smallest value that a layout can hold, after the modality LUT.
fn least(layout: &PixelLayout) -> f64 {
    let half = f64::from(1_u32 << layout.bits_stored.clamp(1, 16)) / 2.0;
    let ends = if layout.signed { [-half, half - 1.0] } else { [0.0, 2.0 * half - 1.0] };
    let [first, last] = ends.map(|stored| stored.mul_add(layout.lut.slope(), layout.lut.intercept()));
    first.min(last)
}

/// The code of a unit that is not Hounsfield units, from the real world value mapping (PS3.3 section C.7.6.16.2.11). A mapping to
/// Hounsfield units beside others is enough.
fn units_code(file: &Part10, elements: &Elements<'_>) -> Option<String> {
    let mappings = elements.items(tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE);
    let inner = mappings.iter().flat_map(|item| item.items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE));
    let own = elements.items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE);
    let codes: Vec<String> = inner
        .chain(own)
        .map(|item| Elements::new(&file.data, vec![item]).text(tags::CODE_VALUE))
        .filter(|code| !code.is_empty())
        .collect();
    let is_hounsfield = |code: &String| {
        let code = code.trim_matches(['[', ']', '{', '}']).to_uppercase();
        matches!(code.as_str(), "HNSF'U" | "HU" | "HNSFU" | "HOUNSFIELD")
    };
    if codes.iter().any(is_hounsfield) { None } else { codes.into_iter().next() }
}

/// Words in an ImageType value that name another quantity or a computed image: those of PS3.3 sections C.8.2.1.1.1 and C.8.16.1.4,
/// and the makers'.
const MAPS: &[&str] = &[
    "EFFZ",
    "ZEFF",
    "ZEFFECTIVE",
    "EFFECTIVEZ",
    "EFFATOMICNUM",
    "EFFECTIVEATOMICNUMBER",
    "RHOZ",
    "RHO",
    "ELECTRONDENSITY",
    "MATSPECIFIC",
    "MATREMOVED",
    "MATFRACTIONAL",
    "MATVALUEBASED",
    "MATMODIFIED",
    "IODINE",
    "IODINEMAP",
    "IODINENOWATER",
    "IODINEDENSITY",
    "IODINEREMOVED",
    "IODINEOVERLAY",
    "WATERIODINE",
    "IODINEWATER",
    "CALCIUMREMOVED",
    "URICACID",
    "VNC",
    "VNCA",
    "VNU",
    "VIRTUALNONCONTRAST",
    "VIRTUALUNENHANCED",
    "LIVERVNC",
    "BRAINVNC",
    "PBV",
    "LUNGPBV",
    "CBF",
    "CBV",
    "MTT",
    "TTP",
    "TMAX",
    "TTD",
    "QUANTITY",
    "SUBTRACTION",
    "DIVISION",
    "MULTIPLICATION",
    "STDDEVIATION",
];
/// Words for monoenergetic images.
const MONO: &[&str] =
    &["VMI", "MONO", "MONOE", "MONOENERGETIC", "MONOENERGETICPLUS", "MONOCHROMATIC", "VIRTUALMONO", "MONOPLUS"];

/// The value of ImageType that says that the image is no ordinary CT image.
fn map_value(image_type: &str, elements: &Elements<'_>) -> Option<String> {
    let image_type = image_type.to_uppercase();
    // The first two values say original or derived, primary or secondary.
    image_type.split('\\').skip(2).map(str::trim).find(|value| is_map(value, elements)).map(str::to_owned)
}

fn is_map(value: &str, elements: &Elements<'_>) -> bool {
    let joined: String = value.chars().filter(|c| c.is_alphanumeric()).collect();
    let parts: Vec<&str> = value.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let has = |list: &[&str]| list.contains(&joined.as_str()) || parts.iter().any(|part| list.contains(part));
    let pairs = parts.windows(2).any(|pair| MAPS.contains(&pair.concat().as_str()));
    if has(MAPS) || pairs {
        return true;
    }
    // The energy may follow the word: MONO40KEV.
    let mono = joined.trim_end_matches("KEV").trim_end_matches(|c: char| c.is_ascii_digit());
    (has(MONO) || MONO.contains(&mono)) && !energy(value, elements).is_some_and(|kev| ORDINARY_KEV.contains(&kev))
}

/// The energy of a monoenergetic image in keV, where ImageType or SeriesDescription gives it.
fn energy(value: &str, elements: &Elements<'_>) -> Option<f64> {
    let of_text = |text: &str| -> Option<f64> {
        let text = text.to_uppercase();
        let before = text.split_once("KEV")?.0.trim_end();
        let start = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        before.get(start..)?.parse().ok()
    };
    of_text(value).or_else(|| of_text(&elements.text(tags::SERIES_DESCRIPTION)))
}
