//! The sizes of a neck's vertebrae.
//!
//! Guided by the means of Panjabi MM et al. 1991, *Cervical human vertebrae: quantitative three-dimensional anatomy of the
//! middle and lower regions*, Spine 16(8):861–869 (end plate widths and depths, canal width and depth, spinous and
//! transverse spans) and Gilad I, Nissan M 1986, *A study of vertebra and disc geometric relations of the human cervical
//! and lumbar spine*, Spine 11(2):154–157 (body and disc heights). They are rounded after, smoothed from level to level
//! where the mean of a dozen spines jumps, and not a copy of the papers' tables: bodies are some 4 mm wider than the end
//! plates, for the uncinate processes at their sides, and lengths are set by what looks right in the finished picture. C1,
//! C2, T1 and T2, the facets' slopes and the processes' thicknesses are our own round numbers. They make pictures, not
//! reference values.

use super::random::Random;
use glam::Vec3;

/// Sizes of one vertebra in mm; C1 has its own meaning for some (see `atlas`).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sizes {
    /// Half width of the upper and the lower end plate.
    pub half_width: [f32; 2],
    /// Half depth (front to back) of the body.
    pub half_depth: f32,
    /// Half height of the body.
    pub half_height: f32,
    /// Half width of the canal.
    pub canal_half_width: f32,
    /// Depth of the canal, front to back.
    pub canal_depth: f32,
    /// Distance of the spinous process's tip from the canal's back wall.
    pub spinous: f32,
    /// How far the tip lies below the body's centre.
    pub spinous_drop: f32,
    /// Half the distance between the transverse processes' tips.
    pub transverse: f32,
    /// Slope of the facets from the horizontal, radians.
    pub facet_slope: f32,
    /// Height of the disc below.
    pub disc: f32,
    /// Where this vertebra's middle stands over that of the next caudal one, between the frames of the two; `None` where body and
    /// disc heights alone say so.
    pub seat: Option<Vec3>,
    /// Rise of the uncinate processes.
    pub uncus: f32,
    /// Whether the spinous process ends in two tips.
    pub bifid: bool,
    /// Lipping of the body's rims by wear, mm.
    pub osteophytes: f32,
    /// Thickening of the facets by wear, mm.
    pub arthrosis: f32,
    /// Half width of a gap that the back arch of C1 has from birth; 0 where it is whole.
    pub cleft: f32,
    /// Radius of the vein's channel in the body, from its back.
    pub vein: f32,
    /// Thickness of the cortical shell.
    pub cortex: f32,
    /// HU of the shell and of the spongy bone inside.
    pub density: [f32; 2],
}

// half width upper, lower, half depth, half height, canal half width, canal depth, spinous, drop, transverse, slope, disc
const MEANS: [[f32; 11]; 9] = [
    [15.0, 15.0, 8.0, 6.0, 13.5, 16.0, 6.0, 0.0, 38.0, 0.0, 2.0],
    [9.5, 10.2, 7.6, 8.5, 12.0, 18.0, 19.0, 8.0, 27.0, 48.0, 4.8],
    [10.2, 10.6, 7.4, 6.4, 11.5, 14.5, 14.5, 6.0, 25.5, 46.0, 5.2],
    [10.6, 10.9, 7.5, 6.2, 12.2, 14.5, 14.5, 7.0, 26.0, 46.0, 5.2],
    [10.9, 11.6, 7.7, 6.1, 12.4, 14.6, 16.0, 8.0, 27.0, 47.0, 5.2],
    [11.4, 12.6, 8.1, 6.2, 12.8, 14.6, 22.0, 9.0, 29.0, 50.0, 5.2],
    [12.6, 13.4, 8.4, 6.8, 12.4, 14.4, 31.0, 11.0, 33.0, 55.0, 5.0],
    [14.0, 14.6, 8.6, 7.8, 10.5, 14.6, 33.0, 16.0, 37.0, 62.0, 4.4],
    [13.6, 14.0, 9.0, 8.6, 9.0, 14.6, 32.0, 20.0, 34.0, 66.0, 4.2],
];

/// What a whole neck shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Build {
    /// Size against the mean.
    pub scale: f32,
    /// Wear, 0 (none) to 1 (an old neck).
    pub wear: f32,
    /// HU of the cortical shell and the spongy bone.
    pub density: [f32; 2],
}

/// The sizes of C1 to T2 for one person.
pub(super) fn draw(build: Build, random: &mut Random) -> Vec<Sizes> {
    MEANS
        .iter()
        .enumerate()
        .map(|(level, mean)| {
            let mut vary = |mm: f32| mm * build.scale * random.normal(1.0, 0.035).clamp(0.9, 1.1);
            let half_width = [vary(mean[0]), vary(mean[1])];
            let (half_depth, half_height) = (vary(mean[2]), vary(mean[3]));
            let (canal_half_width, canal_depth) = (vary(mean[4]), vary(mean[5]));
            let (spinous, spinous_drop, transverse) = (vary(mean[6]), vary(mean[7]), vary(mean[8]));
            let slope = mean[9] + random.normal(0.0, 3.0).clamp(-6.0, 6.0);
            // Wear is greatest at C5 to C7, where necks move most.
            let site = [0.0, 0.3, 0.5, 0.8, 1.2, 1.2, 0.8, 0.3, 0.2][level];
            let worn = build.wear * site * random.range(0.2, 1.3);
            Sizes {
                half_width,
                half_depth,
                half_height,
                canal_half_width,
                canal_depth,
                spinous,
                spinous_drop,
                transverse,
                facet_slope: slope.to_radians(),
                disc: mean[10] * build.scale * random.range(0.9, 1.1) * (1.0 - 0.55 * worn.min(1.0)),
                seat: None,
                uncus: if (2..7).contains(&level) { random.range(3.2, 5.0) } else { 0.8 },
                bifid: (1..6).contains(&level) && (level != 5 || random.chance(0.6)),
                osteophytes: 2.6 * worn * random.range(0.4, 1.0),
                arthrosis: 1.6 * build.wear * random.range(0.0, 1.0),
                // About one atlas in 25 is open behind (own round number).
                cleft: if level == 0 && random.chance(0.04) { random.range(1.5, 3.5) } else { 0.0 },
                vein: if (2..9).contains(&level) { random.range(0.5, 1.5) } else { 0.0 },
                cortex: random.range(0.28, 0.75),
                density: [build.density[0] * random.range(0.94, 1.06), build.density[1] * random.range(0.85, 1.15)],
            }
        })
        .collect()
}

/// How many vertebrae below T2 a chest shows.
const BELOW: usize = 7;

/// T3 and those below it, in the likeness of T2: each a little larger than the last.
pub(super) fn thorax(last: &Sizes) -> Vec<Sizes> {
    (1..=BELOW)
        .map(|i| {
            let more = |part: f32| 1.0 + part * i as f32;
            Sizes {
                half_width: last.half_width.map(|half| half * more(0.012)),
                half_depth: last.half_depth * more(0.05),
                half_height: last.half_height * more(0.025),
                spinous_drop: last.spinous_drop + (i as f32).min(4.0) * 1.5,
                transverse: last.transverse * more(-0.015),
                seat: None,
                ..last.clone()
            }
        })
        .collect()
}
