//! ROC curves, reliability and probabilities by truth, as SVG on a white card, so that they are readable on dark pages too.

use super::bootstrap::Draws;
use super::case::Case;
use super::measures::{Measures, scores, told};
use super::metrics::{Bin, Called, Proportion, Scored, quantile, walk};
use crate::domain::CervicalLevel;
use std::fmt::Write as _;

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 460.0;
/// Edges of the plotting area: left, top, right, bottom.
const AREA: [f64; 4] = [64.0, 48.0, 500.0, 404.0];
/// Colours that colour-blind readers tell apart (Okabe & Ito 2008): overall, then C1 to C7.
const COLOURS: [&str; 8] = ["#0072b2", "#e69f00", "#56b4e9", "#009e73", "#b8a800", "#d55e00", "#cc79a7", "#444444"];
/// Points of the ROC curve's band.
const GRID: usize = 100;
/// Bars of the histogram.
const BARS: usize = 20;

/// The plots: file name and content.
#[must_use]
pub fn plots(cases: &[&Case], measures: &Measures) -> [(&'static str, String); 3] {
    [
        ("roc.svg", roc(cases, measures)),
        ("reliability.svg", reliability(measures)),
        ("probabilities.svg", probabilities(cases, measures)),
    ]
}

struct Canvas(String);

impl Canvas {
    /// A card with title and axes from 0 to 1; `y_ticks` are drawn in the canvas's own terms by the caller where `None`.
    fn new(title: &str, x_label: &str, y_label: &str, unit_y: bool) -> Self {
        let [left, top, right, bottom] = AREA;
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\" font-size=\"12\" fill=\"#333333\">\n\
             <title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\" fill=\"#ffffff\"/>\n\
             <text x=\"{left}\" y=\"28\" font-size=\"15\" font-weight=\"bold\">{title}</text>\n"
        );
        for tick in 0..=5 {
            let share = f64::from(tick) / 5.0;
            let (x, y) = (px(share), py(share));
            if unit_y {
                let _ = writeln!(text, "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#e8e8e8\"/>");
                let _ = writeln!(
                    text,
                    "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{share:.1}</text>",
                    left - 8.0,
                    y + 4.0
                );
            }
            let _ = writeln!(text, "<path d=\"M{x:.1} {top}V{bottom}\" stroke=\"#e8e8e8\"/>");
            let _ =
                writeln!(text, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{share:.1}</text>", bottom + 18.0);
        }
        let (middle_x, middle_y) = (f64::midpoint(left, right), f64::midpoint(top, bottom));
        let _ =
            writeln!(text, "<text x=\"{middle_x}\" y=\"{}\" text-anchor=\"middle\">{x_label}</text>", HEIGHT - 16.0);
        let _ = writeln!(
            text,
            "<text transform=\"translate(20 {middle_y}) rotate(-90)\" text-anchor=\"middle\">{y_label}</text>"
        );
        Self(text)
    }

    fn line(&mut self, points: &[(f64, f64)], colour: &str, width: f64, dash: &str) {
        let path = path(points);
        let _ = writeln!(
            self.0,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\" stroke-dasharray=\"{dash}\"/>"
        );
    }

    /// Lines of words in a colour each, on white, with their first baseline at `y`, ending at the right or beginning at `x`.
    fn legend(&mut self, x: f64, y: f64, entries: &[(String, &str)]) {
        let width = 8.0 + entries.iter().map(|(words, _)| words.chars().count()).max().unwrap_or(0) as f64 * 6.4 + 22.0;
        let height = entries.len() as f64 * 17.0 + 8.0;
        let _ = writeln!(
            self.0,
            "<rect x=\"{x}\" y=\"{}\" width=\"{width:.0}\" height=\"{height}\" rx=\"4\" fill=\"#ffffff\" fill-opacity=\"0.9\" stroke=\"#d8d8d8\"/>",
            y - 16.0
        );
        for (index, (words, colour)) in entries.iter().enumerate() {
            let at = y + index as f64 * 17.0;
            let _ = writeln!(
                self.0,
                "<path d=\"M{} {}h14\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{}\" y=\"{at}\">{words}</text>",
                x + 8.0,
                at - 4.0,
                x + 28.0
            );
        }
    }

    fn finish(mut self) -> String {
        let [left, top, right, bottom] = AREA;
        let _ = writeln!(
            self.0,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888888\"/>\n</svg>",
            right - left,
            bottom - top
        );
        self.0
    }
}

/// Pixels of a share along an axis.
fn px(share: f64) -> f64 {
    AREA[0] + share * (AREA[2] - AREA[0])
}

fn py(share: f64) -> f64 {
    AREA[3] - share * (AREA[3] - AREA[1])
}

fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let _ = write!(path, "{}{:.1} {:.1}", if index == 0 { 'M' } else { 'L' }, px(*x), py(*y));
    }
    path
}

/// The ROC curve as (1 − specificity, sensitivity); nothing where one class is missing.
fn curve(scores: &[Scored]) -> Vec<(f64, f64)> {
    let steps = walk(scores);
    let Some(all) = steps.last().filter(|all| all.positives > 0 && all.negatives > 0) else { return Vec::new() };
    let share =
        |step: &Called| (step.negatives as f64 / all.negatives as f64, step.positives as f64 / all.positives as f64);
    std::iter::once((0.0, 0.0)).chain(steps.iter().map(share)).collect()
}

/// Sensitivity of a curve at a share of false alarms, along its straight pieces.
fn height(curve: &[(f64, f64)], x: f64) -> Option<f64> {
    let after = curve.partition_point(|point| point.0 <= x);
    let (a, b) = (curve.get(after.checked_sub(1)?)?, curve.get(after));
    Some(b.map_or(a.1, |b| a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0)))
}

fn roc(cases: &[&Case], measures: &Measures) -> String {
    let mut canvas = Canvas::new("Receiver operating characteristic", "1 − specificity", "sensitivity", true);
    let draws = Draws::new(cases.len());
    let curves = draws.each(|counts| curve(&scores(cases, 0, counts)));
    let band = |share: f64| -> Vec<(f64, f64)> {
        let at = |index: usize| {
            let x = index as f64 / GRID as f64;
            let mut heights: Vec<f64> = curves.iter().filter_map(|curve| height(curve, x)).collect();
            heights.sort_by(f64::total_cmp);
            Some((x, quantile(&heights, share)?))
        };
        (0..=GRID).filter_map(at).collect()
    };
    let outline: Vec<(f64, f64)> = band(0.025).into_iter().chain(band(0.975).into_iter().rev()).collect();
    let _ = writeln!(canvas.0, "<path d=\"{}Z\" fill=\"{}\" fill-opacity=\"0.15\"/>", path(&outline), COLOURS[0]);
    canvas.line(&[(0.0, 0.0), (1.0, 1.0)], "#aaaaaa", 1.0, "4 4");
    let ones = vec![1; cases.len()];
    let mut legend = Vec::new();
    for label in (0..8).rev() {
        let width = if label == 0 { 3.0 } else { 1.25 };
        let points = curve(&scores(cases, label, &ones));
        if !points.is_empty() {
            canvas.line(&points, COLOURS[label], width, "none");
        }
    }
    let area =
        |area: Option<super::bootstrap::Interval>| area.map_or("–".into(), |found| format!("{:.3}", found.value));
    let bounds = |found: super::bootstrap::Interval| Some(format!(" [{:.3}, {:.3}]", found.low?, found.high?));
    let overall = measures.auc.overall;
    legend.push((format!("study: AUC {}{}", area(overall), overall.and_then(bounds).unwrap_or_default()), COLOURS[0]));
    for level in CervicalLevel::ALL {
        let found = measures.auc.levels.get(level.name()).copied().flatten();
        legend.push((format!("{level}: AUC {}", area(found)), COLOURS[level.index() + 1]));
    }
    canvas.legend(262.0, 260.0, &legend);
    canvas.finish()
}

fn reliability(measures: &Measures) -> String {
    let mut canvas = Canvas::new("Reliability", "predicted probability", "share broken", true);
    canvas.line(&[(0.0, 0.0), (1.0, 1.0)], "#aaaaaa", 1.0, "4 4");
    let parts: [(&str, &[Bin], Option<f64>, usize); 2] = [
        ("levels", &measures.reliability.level, measures.ece.level, 5),
        ("studies", &measures.reliability.study, measures.ece.study, 0),
    ];
    let mut legend = Vec::new();
    for (name, bins, error, colour) in parts {
        let colour = COLOURS[colour];
        let points: Vec<(f64, f64)> = bins.iter().filter_map(|bin| Some((bin.mean_probability?, bin.rate?))).collect();
        for bin in bins {
            let count = bin.rate.map_or(0, |rate| (rate * bin.count as f64).round() as usize);
            let share = Proportion::new(count, bin.count);
            if let (Some(x), Some(low), Some(high)) = (bin.mean_probability, share.low, share.high) {
                let _ = writeln!(
                    canvas.0,
                    "<path d=\"M{0:.1} {1:.1}V{2:.1}\" stroke=\"{colour}\" stroke-opacity=\"0.45\"/>",
                    px(x),
                    py(low),
                    py(high)
                );
            }
        }
        canvas.line(&points, colour, 2.0, "none");
        for (x, y) in points {
            let _ = writeln!(canvas.0, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{colour}\"/>", px(x), py(y));
        }
        let error = error.map_or("–".into(), |error| format!("{error:.3}"));
        let count: usize = bins.iter().map(|bin| bin.count).sum();
        legend.push((format!("{name}: {count}, ECE {error}"), colour));
    }
    // On the side of the diagonal where the curves are not.
    let below: f64 = measures
        .reliability
        .study
        .iter()
        .filter_map(|bin| Some((bin.mean_probability? - bin.rate?) * bin.count as f64))
        .sum();
    let (x, y) = if below > 0.0 { (80.0, 78.0) } else { (290.0, 360.0) };
    canvas.legend(x, y, &legend);
    canvas.finish()
}

/// Broken studies upwards, sound ones downwards.
fn probabilities(cases: &[&Case], measures: &Measures) -> String {
    let mut canvas = Canvas::new("Overall probability by truth", "overall probability", "studies", false);
    let mut counts = [[0_usize; BARS]; 2];
    for (p, broken) in told(cases, 0..1) {
        counts[usize::from(broken)][((p * BARS as f64) as usize).min(BARS - 1)] += 1;
    }
    let most = |broken: usize| counts[broken].iter().copied().max().unwrap_or(0).max(1);
    let all = most(0) + most(1);
    let base = 0.05 + 0.9 * most(0) as f64 / all as f64;
    let unit = 0.9 / all as f64;
    let step = (all as f64 / 6.0).max(1.0);
    // 1, 2 or 5 times a power of ten.
    let power = 10_f64.powf(step.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|nice| *nice >= step).unwrap_or(step);
    for tick in -6_i32..=6 {
        let value = f64::from(tick) * step;
        let share = base + value * unit;
        if (0.0..=1.0).contains(&share) {
            let y = py(share);
            let _ = writeln!(
                canvas.0,
                "<path d=\"M{} {y:.1}H{}\" stroke=\"#e8e8e8\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{:.0}</text>",
                AREA[0],
                AREA[2],
                AREA[0] - 8.0,
                y + 4.0,
                value.abs()
            );
        }
    }
    let colours = [COLOURS[0], COLOURS[5]];
    for (broken, direction) in [(0, -1.0), (1, 1.0)] {
        for (bar, count) in counts[broken].iter().enumerate().filter(|(_, count)| **count > 0) {
            let (from, to) = (py(base), py(base + direction * *count as f64 * unit));
            let _ = writeln!(
                canvas.0,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\" fill-opacity=\"0.85\"/>",
                px(bar as f64 / BARS as f64) + 1.0,
                from.min(to),
                (AREA[2] - AREA[0]) / BARS as f64 - 2.0,
                (from - to).abs(),
                colours[broken]
            );
        }
    }
    canvas.line(&[(0.0, base), (1.0, base)], "#888888", 1.0, "none");
    let threshold = measures.thresholds.overall.threshold;
    canvas.line(&[(threshold, 0.0), (threshold, 1.0)], "#333333", 1.5, "5 4");
    let count = |broken: usize| counts[broken].iter().sum::<usize>();
    let legend = [
        (format!("broken: {}", count(1)), colours[1]),
        (format!("sound: {}", count(0)), colours[0]),
        (format!("alert from {threshold:.3}"), "#333333"),
    ];
    canvas.legend(330.0, if base < 0.25 { 78.0 } else { 350.0 }, &legend);
    canvas.finish()
}
