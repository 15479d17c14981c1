//! `evaluation.md`: the measures as tables, for the terminal as for a file.

use super::anatomy::{Anatomies, joined};
use super::bootstrap::Interval;
use super::document::Document;
use super::measures::{Errors, Group, Measures, NoNumber, OperatingPoint};
use super::metrics::Proportion;
use crate::domain::CervicalLevel;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The document as Markdown. `plots`: names of pictures that lie beside it.
#[must_use]
pub fn markdown(document: &Document, plots: &[&str]) -> String {
    let model = &document.model;
    let mut text = format!(
        "# {} {} on {}\n\nTrained on {} data; sha256 {}. Research use only. In brackets: 95 % intervals (AUC, loss and sensitivity at 95 % specificity by \
         {} resamples of studies, shares by Wilson's score).\n",
        model.name,
        model.version,
        document.datasets.keys().cloned().collect::<Vec<_>>().join(", "),
        model.nature,
        model.sha256,
        document.bootstrap.resamples,
    );
    for (name, left_out) in &document.left_out {
        for (count, what) in [
            (left_out.without_images, "studies of train.csv have no images and are in no measure"),
            (left_out.unreadable_labels, "label files cannot be read"),
        ] {
            if count > 0 {
                let _ = writeln!(text, "\n{name}: {count} {what}.");
            }
        }
    }
    anatomies(&mut text, &document.anatomies);
    if document.datasets.len() == 1 {
        measures(&mut text, &document.all, "##");
    } else {
        text.push_str("\n## All\n");
        measures(&mut text, &document.all, "###");
        for (name, found) in &document.datasets {
            let _ = writeln!(text, "\n## {name}");
            measures(&mut text, found, "###");
        }
    }
    for plot in plots {
        let _ = writeln!(text, "\n![{}]({plot})", plot.trim_end_matches(".svg"));
    }
    text
}

/// Headline figures: held-out anatomies first, then known ones, then every combination of sources.
fn anatomies(text: &mut String, found: &Anatomies) {
    text.push_str("\n## Anatomies\n\n");
    match &found.training {
        Some(names) => {
            let _ = writeln!(
                text,
                "Trained on: {}. Held-out: none of a study's sources trained the model. Known: at least one did.",
                names.join(", ")
            );
        }
        None => text.push_str(
            "The package does not name the anatomies that trained it: held-out and known anatomies are not separated.\n",
        ),
    }
    let groups = [("held-out anatomies", &found.held_out), ("known anatomies", &found.known)];
    if groups.iter().any(|(_, measured)| measured.is_some()) {
        let header = "anatomies | studies | fractured | AUC overall | AUC of levels, mean | sensitivity, levels | \
            specificity, levels | both ends within 5 mm | unlike the training data";
        let _ = writeln!(text, "\n| {header} |\n|---|---|---|---|---|---|---|---|---|");
        for (name, measured) in groups {
            let cells = measured.as_ref().map_or_else(
                || "0 | 0 | – | – | – | – | – | –".to_owned(),
                |found| {
                    let levels = &found.thresholds.level;
                    format!(
                        "{} | {} | {} | {} | {} | {} | {} | {}",
                        found.studies,
                        found.fractured,
                        interval(found.auc.overall),
                        interval(found.auc.mean_level),
                        share(&levels.sensitivity),
                        share(&levels.specificity),
                        share(&found.level_ranges.within_5mm),
                        counted(&found.unlike)
                    )
                },
            );
            let _ = writeln!(text, "| {name} | {cells} |");
        }
    }
    let header = "sources of the vertebrae | anatomy | studies | fractured | AUC overall | AUC of levels, mean | \
        sensitivity, levels | specificity, levels | both ends within 5 mm | unlike the training data";
    let _ = writeln!(text, "\n| {header} |\n|---|---|---|---|---|---|---|---|---|---|");
    for one in &found.combinations {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            joined(&one.sources),
            one.training.name(),
            one.studies,
            one.fractured,
            interval(one.auc_overall),
            interval(one.auc_mean_level),
            share(&one.level_sensitivity),
            share(&one.level_specificity),
            share(&one.level_ranges_within_5mm),
            counted(&one.unlike)
        );
    }
}

fn measures(text: &mut String, found: &Measures, heading: &str) {
    let loss = &found.rsna_log_loss;
    let value = loss.value.map(|value| Interval { value, low: loss.low, high: loss.high });
    let mut rows = vec![
        ("studies, broken".into(), format!("{}, {}", found.studies, found.fractured)),
        ("AUC overall".into(), interval(found.auc.overall)),
        ("AUC of levels, mean".into(), interval(found.auc.mean_level)),
    ];
    rows.extend(found.auc.levels.iter().map(|(level, area)| (format!("AUC {level}"), interval(*area))));
    rows.push(("RSNA 2022 metric (weighted log loss)".into(), interval(value)));
    rows.push(("… of guessing these studies' own rates, RSNA's rates".into(), pair(loss.guess_rates, loss.guess_rsna)));
    rows.extend(operating_point("overall", &found.thresholds.overall));
    rows.extend(operating_point("levels", &found.thresholds.level));
    if found.healed_alarms.of > 0 {
        rows.push(("levels with a healed fracture called broken".into(), share(&found.healed_alarms)));
    }
    if found.unlike.of > 0 {
        rows.push(("studies unlike the training data".into(), share(&found.unlike)));
        rows.push(("alerts withheld for that, of studies at the threshold".into(), share(&found.alerts_withheld)));
    }
    rows.push(("sensitivity at 95 % specificity, overall".into(), interval(found.sensitivity_at_95_specificity)));
    rows.push(("calibration error (ECE), study, level".into(), pair(found.ece.study, found.ece.level)));
    let name = format!("visibility of levels, mean average precision ({} slices)", found.visibility_slices);
    rows.push((name, number(found.visibility_ap.mean)));
    rows.push(("whole levels with both ends within 5 mm".into(), share(&found.level_ranges.within_5mm)));
    rows.push(("… upper end, reported minus labelled".into(), errors(found.level_ranges.upper_mm)));
    rows.push(("… lower end".into(), errors(found.level_ranges.lower_mm)));
    rows.push((
        "activation peak in the box, of flagged fractured levels".into(),
        share(&found.localisation.hot_spot_in_box),
    ));
    rows.push(("activation peak in the box enlarged by 5 mm".into(), share(&found.localisation.in_box_5mm)));
    rows.push(("key slice among the fracture's".into(), share(&found.localisation.key_slice)));
    for (what, counts) in [
        ("declined studies", &found.declined),
        ("failed studies", &found.failed),
        ("levels without a number", &found.levels_without_number),
    ] {
        rows.push((what.into(), no_number(counts)));
    }
    let speed = &found.timing;
    let seconds = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.2} s"));
    let per_second = speed.slices_per_second.map_or("–".into(), |value| format!("{value:.0}"));
    rows.push((
        "time per study, median, 95th percentile; slices per second".into(),
        format!("{}, {}; {per_second}", seconds(speed.median_s), seconds(speed.p95_s)),
    ));
    table(text, ["", ""], &rows);
    let levels: Vec<(String, String)> = CervicalLevel::ALL
        .map(|level| {
            let name = level.name();
            let ap = found.visibility_ap.levels.get(name).copied().flatten();
            let within = found.level_ranges.within_5mm_by_level.get(name).map_or("–".into(), share);
            (name.to_owned(), format!("{} | {within}", number(ap)))
        })
        .into();
    let _ = writeln!(text, "\n{heading} Levels\n");
    text.push_str("| level | visibility AP | ends within 5 mm |\n|---|---|---|\n");
    levels.iter().for_each(|(name, cells)| {
        let _ = writeln!(text, "| {name} | {cells} |");
    });
    for (what, parts) in [
        ("kind", &found.by_kind),
        ("width of the gap, mm", &found.by_width_mm),
        ("motion of the fragment, mm", &found.by_displacement_mm),
    ] {
        if !parts.is_empty() {
            let _ = writeln!(text, "\n{heading} Fractures found, by {what}");
            let rows: Vec<_> = parts.iter().map(|(name, found)| (name.clone(), share(found))).collect();
            table(text, [what, "found"], &rows);
        }
    }
    for (what, groups) in [
        ("widest gap, mm, each beside all sound studies", &found.by_widest_gap_mm),
        ("distance of slices, mm", &found.by_spacing_mm),
        ("kernel", &found.by_kernel),
    ] {
        if !groups.is_empty() {
            group_table(text, heading, what, groups);
        }
    }
}

fn group_table(text: &mut String, heading: &str, what: &str, groups: &BTreeMap<String, Group>) {
    let _ = writeln!(text, "\n{heading} By {what}\n");
    let _ = writeln!(
        text,
        "| {what} | studies | fractured | alerts among fractured | false alerts | fractured levels flagged | AUC overall | AUC of levels, mean |\n|---|---|---|---|---|---|---|---|"
    );
    for (name, group) in groups {
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} | {} |",
            group.studies,
            group.fractured,
            share(&group.sensitivity),
            share(&group.false_alarms),
            share(&group.levels_found),
            interval(group.auc_overall),
            interval(group.auc_mean_level)
        );
    }
}

fn table(text: &mut String, header: [&str; 2], rows: &[(String, String)]) {
    let _ = writeln!(text, "\n| {} | {} |\n|---|---|", header[0], header[1]);
    for (name, value) in rows {
        let _ = writeln!(text, "| {name} | {value} |");
    }
}

fn operating_point(what: &str, point: &OperatingPoint) -> [(String, String); 2] {
    let name = |measure: &str| format!("{measure}, {what}, at {:.3}", point.threshold);
    [(name("sensitivity"), share(&point.sensitivity)), (name("specificity"), share(&point.specificity))]
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.3}"))
}

fn pair(first: Option<f64>, second: Option<f64>) -> String {
    format!("{}, {}", number(first), number(second))
}

fn bounds(low: Option<f64>, high: Option<f64>) -> String {
    low.zip(high).map_or_else(String::new, |(low, high)| format!(" [{low:.3}, {high:.3}]"))
}

fn interval(value: Option<Interval>) -> String {
    value.map_or_else(|| "–".into(), |found| format!("{:.3}{}", found.value, bounds(found.low, found.high)))
}

fn share(part: &Proportion) -> String {
    format!("{}{} ({}/{})", number(part.value), bounds(part.low, part.high), part.count, part.of)
}

/// A share; a dash where there is nothing to count.
fn counted(part: &Proportion) -> String {
    if part.of == 0 { "–".into() } else { share(part) }
}

fn errors(errors: Option<Errors>) -> String {
    errors.map_or_else(
        || "–".into(),
        |found| {
            format!(
                "{:+.1} mm on average, half within {:.1}, 95 % within {:.1}",
                found.mean, found.median_amount, found.p95_amount
            )
        },
    )
}

fn no_number(counts: &NoNumber) -> String {
    let reasons: Vec<String> = counts.reasons.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
    let why = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
    format!("{} broken, {} sound{why}", counts.fractured, counts.sound)
}
