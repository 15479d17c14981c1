//! Whether a distribution of values is that of a body in CT on the Hounsfield scale. Air lies at −1000, fat near −100, muscle, brain
//! and blood at 30 to 70; the gaps between are nearly empty. A shift or a wrong slope moves at least one of these out of its place.

use super::spread::Spread;
use crate::domain::{MissingPeak, OddValues};

/// Fewer values than this prove nothing against a header.
const FEW: u64 = 1000;
/// Where air lies, HU.
const AIR: (i32, i32) = (-1064, -936);
/// Where the noise of air lies, but not its peak, HU; padding is lower, or one value.
const NOISE: (i32, i32) = (-1500, -1065);
/// Where fat, muscle and other soft tissue lie, HU.
const SOFT: (i32, i32) = (-160, 140);
/// Where muscle, brain and blood lie, HU.
const WATERY: (i32, i32) = (-30, 130);
/// Where fat lies, HU.
const FAT: (i32, i32) = (-140, -60);

/// What the values say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Air and soft tissue are where CT has them.
    Plausible,
    /// Nothing contradicts, not enough confirms.
    Open,
    /// Values that CT of a body does not have.
    Implausible(OddValues),
}

/// Judges values. `stated` is whether the header claims Hounsfield units: then a body that fills its image without any air counts, too.
pub(super) fn judge(spread: &Spread, stated: bool) -> Verdict {
    let (air, soft) = (has_air(spread, 0), has_soft_tissue(spread, 0));
    if (air && soft) || (stated && fills_image(spread)) {
        return Verdict::Plausible;
    }
    if spread.total() < FEW || (stated && is_open(spread, air, soft)) {
        return Verdict::Open;
    }
    let missing = match (air, soft) {
        (true, _) => MissingPeak::SoftTissue,
        (false, true) => MissingPeak::Air,
        (false, false) => MissingPeak::Both,
    };
    Verdict::Implausible(OddValues { missing, low: spread.percentile(10), high: spread.percentile(990) })
}

/// Whether air and soft tissue are exactly where CT has them once `shift` is added to every value. Stricter than [`judge`]: the header
/// is known to be wrong, and so cannot support it.
pub(super) fn fits_exactly(spread: &Spread, shift: i32, tolerance: i32) -> bool {
    let Some(air) = air_mode(spread, shift) else { return false };
    let soft = spread.mode(SOFT.0 - 100 - shift, 400 - shift, 32).map(|mode| mode + shift);
    let share = spread.count(AIR.0 - shift, AIR.1 - shift);
    has_air(spread, shift)
        && has_soft_tissue(spread, shift)
        && share * 50 > spread.total()
        && (air + 1000).abs() <= tolerance
        && soft.is_some_and(|mode| (-130..=110).contains(&mode))
}

/// The peak of air once `shift` is added. A spike at the smallest value is where values were cut off or padded, unless it is all the air.
pub(super) fn air_mode(spread: &Spread, shift: i32) -> Option<i32> {
    let (low, high) = (AIR.0 - shift, AIR.1 - shift);
    let rest =
        spread.least().map(|least| spread.without(least)).filter(|rest| 100 * rest.count(low, high) > rest.total());
    rest.as_ref().unwrap_or(spread).mode(low, high, 16).map(|mode| mode + shift)
}

/// Air has a peak of its own; what is below is padding or the noise of air.
fn has_air(spread: &Spread, shift: i32) -> bool {
    let count = |low: i32, high: i32| spread.count(low - shift, high - shift);
    let air = count(AIR.0, AIR.1);
    let below = count(i32::MIN / 2, AIR.0 - 1);
    let noise = count(NOISE.0, NOISE.1).saturating_sub(spread.spikes(NOISE.0 - shift, NOISE.1 - shift));
    let near = count(AIR.1 + 1, -808);
    // The air of an airway is a small part, but denser on the scale than what lies between air and fat.
    let between = count(-800, -300);
    air * 500 > spread.total() - below && 5 * air > 6 * near && 4 * noise <= air && air * 500 > 2 * between * 128
}

/// Soft tissue is where fat and muscle are, and not beside.
fn has_soft_tissue(spread: &Spread, shift: i32) -> bool {
    let count = |(low, high): (i32, i32)| spread.count(low - shift, high - shift);
    let soft = count(SOFT);
    let within = spread.total() - count((i32::MIN / 2, AIR.0 - 1));
    let share = if count(AIR) * 50 > within { 20 } else { 2 };
    soft * share > within
        && soft > 2 * count((141, 400))
        && soft > count((-400, -161))
        && soft * 500 > 2 * count((-800, -300)) * 300
        && count(WATERY) * 100 > 15 * soft
}

/// Values that a part of a body may have, although they lack air or soft tissue: a field of view within the body shows fat or at
/// least noise below water, and what is not air is not mostly denser than bone.
fn is_open(spread: &Spread, air: bool, soft: bool) -> bool {
    let share = |low: i32, high: i32| spread.count(low, high) * 100 / spread.total().max(1);
    if air { share(600, i32::MAX / 2) < 10 } else { soft && share(SOFT.0, SOFT.1) >= 50 && share(-300, -10) >= 1 }
}

/// Fat, muscle and bone without any air: a narrow field of view within the body.
fn fills_image(spread: &Spread) -> bool {
    let share = |(low, high): (i32, i32)| spread.count(low, high) * 100 / spread.total().max(1);
    let near_soft = share((-400, -161)) + share((141, 400));
    // Below is padding of one value or two, not stretched air.
    let padding = (i32::MIN / 2, NOISE.0 - 1);
    let below = spread.count(padding.0, AIR.0 - 1);
    spread.total() >= FEW
        && 20 * (below - spread.spikes(padding.0, padding.1).min(below)) <= below
        && spread.count(FAT.0, FAT.1) > spread.count(-200, FAT.0 - 1)
        // A peak between air and fat is air on another scale.
        && share((-1064, -300)) < 5
        && 50 * spread.count(AIR.1 + 1, -300) < spread.total()
        && share((200, i32::MAX / 2)) >= 1
        && spread.mode(-60, SOFT.1, 32).is_some_and(|muscle| (10..=110).contains(&muscle))
        && share(SOFT) >= 60
        && share(FAT) >= 2
        && share(WATERY) >= 20
        && 3 * near_soft < share(SOFT)
}
