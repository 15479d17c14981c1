//! How well a series serves the search for fractures of the neck, in named points. Pure: from headers alone.

use super::{Axis, Series, SeriesKind};
use std::fmt;

/// Head-foot extent in mm from which on nothing is gained: a whole neck with its ends. C1 to C7 measure 117 mm in BodyParts3D's man
/// and 123 mm in the Visible Human Female.
const WHOLE_NECK_MM: f64 = 130.0;

/// What points are given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScorePart {
    /// Extent from head to foot, 0 to 100.
    Coverage,
    /// Axial slices need no turning.
    Plane,
    /// Sharp (bone) kernel.
    Kernel,
    /// Distance of the slices.
    Spacing,
    /// SliceThickness.
    Thickness,
    /// Pixel size.
    PixelSize,
    /// ImageType and names: original slices rather than derived ones, projections and subtractions.
    Made,
    /// What the names say was scanned.
    BodyPart,
    /// Contrast medium.
    Contrast,
    /// Number of slices; decides between equals.
    Slices,
}

impl ScorePart {
    /// One or two words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Coverage => "coverage",
            Self::Plane => "plane",
            Self::Kernel => "kernel",
            Self::Spacing => "spacing",
            Self::Thickness => "thickness",
            Self::PixelSize => "pixel size",
            Self::Made => "image type",
            Self::BodyPart => "body part",
            Self::Contrast => "contrast",
            Self::Slices => "slices",
        }
    }
}

/// A series' points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesScore {
    /// Every part, with its points.
    pub parts: [(ScorePart, i32); 10],
}

impl SeriesScore {
    /// The sum.
    #[must_use]
    pub fn total(&self) -> i32 {
        self.parts.iter().map(|(_, points)| points).sum()
    }

    /// Where this one is worse than another, the worst first: "kernel −25, spacing −8".
    #[must_use]
    pub fn behind(&self, other: &Self) -> String {
        let mut lost: Vec<(i32, ScorePart)> = self
            .parts
            .iter()
            .zip(&other.parts)
            .map(|(own, better)| (own.1 - better.1, own.0))
            .filter(|(difference, _)| *difference < 0)
            .collect();
        lost.sort();
        let words: Vec<String> = lost.iter().map(|(points, part)| format!("{} −{}", part.name(), -points)).collect();
        words.join(", ")
    }
}

impl fmt::Display for SeriesScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} points", self.total())?;
        for (index, (part, points)) in self.parts.iter().filter(|(_, points)| *points != 0).enumerate() {
            write!(f, "{}{} {points}", if index == 0 { ": " } else { ", " }, part.name())?;
        }
        Ok(())
    }
}

/// The points of a series. Coverage weighs most: a sharper part of a neck never beats the whole of it.
pub(super) fn score(series: &Series) -> SeriesScore {
    use ScorePart::{BodyPart, Contrast, Coverage, Kernel, Made, PixelSize, Plane, Slices, Spacing, Thickness};
    SeriesScore {
        parts: [
            (Coverage, (100.0 * head_foot_mm(series).min(WHOLE_NECK_MM) / WHOLE_NECK_MM).round() as i32),
            (Plane, if series.kind == SeriesKind::Axial { 0 } else { -40 }),
            (Kernel, if is_sharp(series) { 25 } else { 0 }),
            (Spacing, series.slice_spacing().map_or(0, |mm| stepped(mm, &[(0.8, 20), (1.3, 17), (2.1, 10), (3.1, 4)]))),
            (Thickness, thickness(series).map_or(0, |mm| stepped(mm, &[(1.05, 6), (2.05, 4), (3.05, 2)]))),
            (PixelSize, pixel_mm(series).map_or(0, |mm| stepped(mm, &[(0.36, 8), (0.51, 6), (0.8, 2)]))),
            (Made, made(series)),
            (BodyPart, body_part(series)),
            (Contrast, if series.hints.contrast { -4 } else { 0 }),
            (Slices, (series.instances.len() / 100).min(4) as i32),
        ],
    }
}

/// Extent of a series along the body in mm, from the middle of its first voxel to that of its last; 0 where unknown.
pub(super) fn head_foot_mm(series: &Series) -> f64 {
    let Some(extent) = series.extent_mm() else { return 0.0 };
    if series.kind == SeriesKind::Axial {
        return extent;
    }
    let Some(first) = series.instances.first() else { return 0.0 };
    let (Some(plane), Some(spacing)) = (first.plane, first.spacing) else { return 0.0 };
    let down = spacing.row * f64::from(first.rows.saturating_sub(1));
    let right = spacing.column * f64::from(first.columns.saturating_sub(1));
    match (Axis::nearest(plane.column_cosines), Axis::nearest(plane.row_cosines)) {
        (Axis::HeadFoot, _) => down,
        (_, Axis::HeadFoot) => right,
        _ => 0.0,
    }
}

fn stepped(value: f64, steps: &[(f64, i32)]) -> i32 {
    steps.iter().find(|(limit, _)| value <= *limit).map_or(0, |(_, points)| *points)
}

fn thickness(series: &Series) -> Option<f64> {
    series.instances.first().and_then(|instance| instance.slice_thickness).filter(|mm| *mm > 0.0)
}

fn pixel_mm(series: &Series) -> Option<f64> {
    series.pixel_spacing().map(|spacing| spacing.row.max(spacing.column))
}

/// Upper-case words of a text; a hyphen divides.
fn words(text: &str) -> Vec<String> {
    text.to_uppercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(Into::into).collect()
}

/// What ImageType calls pictures that show the neck from outside or through one another (PS3.3 section C.8.16.1 and the
/// makers' own words).
const PROJECTIONS: [&str; 10] =
    ["MIP", "MINIP", "MAX_IP", "MIN_IP", "VRT", "SSD", "VOLREN", "3D", "PROJECTION IMAGE", "VOLUME RENDERING"];

/// Whether ImageType says that the pictures are projections, not slices.
pub(super) fn is_projection(series: &Series) -> bool {
    let image_type = series.hints.image_type.as_str().to_uppercase();
    let named = |value: &str| {
        let value = value.trim();
        PROJECTIONS.contains(&value) || value.split_whitespace().any(|word| PROJECTIONS.contains(&word))
    };
    image_type.split('\\').any(named)
}

/// ImageType and the series' name: reformats are worth less than what was reconstructed, and pictures without their bone nothing.
fn made(series: &Series) -> i32 {
    let image_type = series.hints.image_type.as_str().to_uppercase();
    let values: Vec<&str> = image_type.split('\\').map(str::trim).collect();
    let name = words(series.description.as_str());
    let has = |list: &[&str]| name.iter().any(|word| list.contains(&word.as_str()));
    let mut points = match values.first() {
        Some(&"ORIGINAL") => 6,
        _ => 0,
    };
    if values.contains(&"SECONDARY") || values.iter().any(|value| value.contains("REFORMAT") || value.contains("MPR")) {
        points -= 4;
    }
    if is_projection(series) || has(&["MIP", "MINIP", "VRT", "SSD"]) {
        points -= 60;
    }
    if is_without_bone(&name) {
        points -= 60;
    }
    if has(&["SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM", "MONITORING", "PREMONITORING", "TRACKER", "SMARTPREP"]) {
        points -= 60;
    }
    points
}

/// Subtracted bone, as angiography leaves it.
fn is_without_bone(name: &[String]) -> bool {
    let text = name.join(" ");
    ["NO BONE", "W O BONE", "WITHOUT BONE", "BONE REMOV", "BONE SUB", "BONELESS", "BONE FREE"]
        .iter()
        .any(|words| text.contains(words))
}

/// Whether the kernel's or the series' name is one that the makers give to sharp (bone) reconstructions: GE BONE, BONEPLUS, EDGE;
/// Siemens B60 to B80 and Br, Hr, Bl, Bv 59 and up, also with iterative reconstruction (I70f, J70h); Philips D, E, YA to YE;
/// Canon FC30 to FC39 and FC80 to FC89; or the word itself in some languages.
fn is_sharp(series: &Series) -> bool {
    let kernel = series.kernel.as_str().trim().to_uppercase();
    let name = words(series.description.as_str());
    let number = |prefix: &str| -> Option<u32> {
        let digits: String = kernel.strip_prefix(prefix)?.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let named = ["BONE", "BONES", "KNOCHEN", "OSSEUX", "OSEO", "HUESO", "OSSO"];
    kernel.contains("BONE")
        || kernel.contains("EDGE")
        || (name.iter().any(|word| named.contains(&word.as_str())) && !is_without_bone(&name))
        || ["D", "E", "YA", "YB", "YC", "YD", "YE"].contains(&kernel.as_str())
        || ["BR", "HR", "BL", "BV", "UR"].iter().any(|prefix| number(prefix).is_some_and(|n| n >= 59))
        || ["B", "H", "J", "I", "U"].iter().any(|prefix| number(prefix).is_some_and(|n| (60..=99).contains(&n)))
        || number("FC").is_some_and(|n| (30..=39).contains(&n) || (80..=89).contains(&n))
}

/// Whether a text names the neck.
fn names_neck(words: &[String]) -> bool {
    let neck = |word: &String| word.starts_with("CERV") || ["CSPINE", "NECK", "HWS", "HALS"].contains(&word.as_str());
    words.iter().any(neck) || words.windows(2).any(|pair| pair[0] == "C" && pair[1] == "SPINE")
}

/// The first word of a text that names another part of the body.
fn other_part(words: &[String]) -> Option<&str> {
    const OTHERS: [&str; 26] = [
        "HEAD", "BRAIN", "SKULL", "CRANIUM", "SINUS", "SINUSES", "ORBITS", "CHEST", "THORAX", "LUNG", "ABDOMEN", "ABD",
        "PELVIS", "LUMBAR", "LSPINE", "TSPINE", "THORACIC", "SACRUM", "HIP", "KNEE", "ANKLE", "FOOT", "SHOULDER",
        "ELBOW", "WRIST", "HEART",
    ];
    words.iter().map(String::as_str).find(|word| OTHERS.contains(word))
}

/// The part of the body that the files name, where that is not the neck. Names are a hint and no more: a neck is often scanned
/// under the head's protocol.
pub(super) fn named_other_part(series: &Series) -> Option<String> {
    let texts = [&series.description, &series.hints.protocol, &series.body_part].map(|text| words(text.as_str()));
    if texts.iter().any(|text| names_neck(text)) {
        return None;
    }
    texts.iter().find_map(|text| other_part(text)).map(ToOwned::to_owned)
}

fn body_part(series: &Series) -> i32 {
    let own = [&series.description, &series.hints.protocol].map(|text| words(text.as_str()));
    let stated = words(series.body_part.as_str());
    if own.iter().any(|text| names_neck(text)) {
        20
    } else if own.iter().any(|text| other_part(text).is_some()) {
        -20
    } else if names_neck(&stated) {
        12
    } else if other_part(&stated).is_some() {
        -10
    } else {
        0
    }
}
