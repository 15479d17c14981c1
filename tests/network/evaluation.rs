//! `cspine evaluate`: a report that repeats the truth is perfect by every measure, small lies are seen, and the command measures what the model
//! says.

use crate::support::{network, shared};
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{
    Aggregation, Analysis, CervicalLevel, Completeness, DistributionCheck, FractureReport, HotSpot, KeySlice,
    LevelExtent, LevelFinding, LevelOutcome, ModelIdentity, ModelNature, PatientPoint, PerLevel, Probability,
    Provenance, ScoredSlice, SliceScore, Study, Thresholds, Timing,
};
use cspine::evaluation::{
    Case, Document, LabelSlices, LabeledDocument, LabeledResult, LabeledStudy, LeftOut, StudyTruth, markdown, plots,
    predictions, read_dataset, read_labeled_folder,
};
use cspine::nifti::LabelVolume;
use cspine::phantom::{Anatomy, Coverage, Recipe, write_dataset, write_slice};
use cspine::task::Cancel;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

/// Three necks in few, coarse slices, of which two are broken.
fn recipes() -> Vec<Recipe> {
    let drawn = (0..).map(Recipe::random).filter(|recipe| recipe.scan.coverage == Coverage::Neck);
    let (broken, whole): (Vec<Recipe>, Vec<Recipe>) = drawn.take(12).partition(|recipe| !recipe.fractures.is_empty());
    broken.into_iter().take(2).chain(whole.into_iter().take(1)).map(small).collect()
}

fn small(mut recipe: Recipe) -> Recipe {
    let length = recipe.scan.slices as f32 * recipe.scan.spacing_mm;
    recipe.scan.spacing_mm = 3.0;
    recipe.scan.thickness_mm = 3.0;
    recipe.scan.slices = (length / 3.0) as usize;
    recipe.with_matrix(128)
}

fn write(root: &Path) {
    write_dataset(root, &recipes(), Anatomy::Parametric, false, &Cancel::new(), &|_| {}, &write_slice)
        .expect("a data set");
}

fn p(value: f32) -> Probability {
    Probability::new(value).expect("a probability")
}

fn identity() -> Arc<ModelIdentity> {
    Arc::new(ModelIdentity {
        name: "oracle".into(),
        version: "1".into(),
        sha256: "0".repeat(64),
        nature: ModelNature::Synthetic,
        aggregation: Aggregation::VisibilityWeightedMean,
        thresholds: Thresholds { overall: p(0.5), level: p(0.5), distance: Some(1.3) },
    })
}

/// How an oracle lies.
#[derive(Clone, Copy, Default)]
struct Lie {
    /// Hot spots are told this far to the left, mm.
    left_mm: f64,
    /// Levels are told this far to the head, mm.
    up_mm: f64,
    /// Whether fractured studies are reported as unlike the training data.
    unlike: bool,
}

/// The report of a model that knows everything. Places are found from the file's own numbers, by another way than the evaluation's.
fn oracle(study: &Study, truth: &StudyTruth, labels: &LabelVolume, lie: Lie) -> Analysis {
    let series = &study.series[0];
    let slices = LabelSlices::new(labels);
    let z = |index: usize| series.instances[index].plane.expect("a plane").position.z;
    let scored = |index: usize| {
        let mut score = SliceScore::default();
        for level in CervicalLevel::ALL {
            let visible = slices.at(z(index) - lie.up_mm).is_some_and(|visible| visible[level]);
            score.vertebra[level] = p(if visible { 0.9 } else { 0.1 });
        }
        ScoredSlice { index, instance_number: Some(index as i32 + 1), position_mm: Some(z(index)), score }
    };
    let finding = |level: CervicalLevel| {
        let mine: Vec<_> = truth.boxes.iter().filter(|b| b.level == Some(level)).collect();
        let key = mine.get(mine.len() / 2);
        let spot = key.map(|b| {
            let instance = series.instances.iter().find(|i| i.instance_number == Some(b.instance_number));
            let instance = instance.expect("the box's slice");
            let (corner, spacing) = (instance.plane.expect("a plane").position, instance.spacing.expect("a spacing"));
            let x = corner.x + (b.x + (b.width - 1.0) / 2.0) * spacing.column;
            let y = corner.y + (b.y + (b.height - 1.0) / 2.0) * spacing.row;
            HotSpot { point: PatientPoint::new(x + lie.left_mm, y, corner.z) }
        });
        let index = key.map_or(0, |b| b.instance_number as usize - 1);
        let key_slice = KeySlice { index, instance_number: Some(index as i32 + 1), position_mm: Some(z(index)) };
        let probability = p(if truth.levels[level] { 0.9 } else { 0.1 });
        LevelFinding {
            level,
            outcome: LevelOutcome::Seen { probability, key_slice, extent: LevelExtent::Whole, hot_spot: spot },
        }
    };
    Analysis::Analysed(Arc::new(FractureReport {
        study_uid: study.uid.clone(),
        series_uid: series.uid.clone(),
        overall: p(if truth.overall { 0.9 } else { 0.1 }),
        levels: PerLevel::from_fn(finding),
        activations: PerLevel::default(),
        distribution: Some(DistributionCheck::Measured {
            distance: if lie.unlike && truth.overall { 1.8 } else { 1.0 },
            threshold: 1.3,
        }),
        slices: (0..series.instances.len()).map(scored).collect(),
        model: identity(),
        completeness: Completeness::Final,
        searched: None,
        timing: Timing::default(),
        provenance: Provenance::default(),
    }))
}

#[test]
fn who_knows_the_truth_is_perfect_and_small_lies_are_seen() {
    let root = tempfile::tempdir().expect("a folder");
    write(root.path());
    let data = read_dataset(root.path()).expect("a data set");
    let (studies, _, _) = scan_all(std::slice::from_ref(&data.images), &Cancel::new());
    assert_eq!(studies.len(), 3);
    let document = |lie: Lie, forget: bool, trained: Option<&[String]>| {
        let cases: Vec<Case> = studies
            .iter()
            .map(|study| {
                let mut truth = data.studies[&study.uid].clone();
                let labels = LabelVolume::read(truth.segmentation.as_deref().expect("labels")).expect("labels");
                let analysis = oracle(study, &truth, &labels, lie);
                if forget {
                    // As in RSNA's own tables, where boxes name no level.
                    truth.boxes.iter_mut().for_each(|b| b.level = None);
                }
                Case::new(0, study, &truth, Some(&labels), &analysis, 0.5)
            })
            .collect();
        (Document::new(&identity(), trained, std::slice::from_ref(&data.name), &[LeftOut::default()], &cases), cases)
    };
    for forget in [false, true] {
        let (found, cases) = document(Lie::default(), forget, None);
        let all = &found.all;
        let perfect = |share: &cspine::evaluation::Proportion, what: &str| {
            assert!(share.of > 0 && share.count == share.of, "{what}: {share:?}");
        };
        assert_eq!((all.studies, all.fractured), (3, 2));
        assert_eq!(all.auc.overall.map(|area| area.value), Some(1.0));
        assert_eq!(all.auc.mean_level.map(|area| area.value), Some(1.0));
        assert_eq!(all.visibility_ap.mean, Some(1.0));
        perfect(&all.thresholds.overall.sensitivity, "sensitivity");
        perfect(&all.thresholds.level.specificity, "specificity");
        perfect(&all.level_ranges.within_5mm, "ranges");
        perfect(&all.localisation.hot_spot_in_box, "hot spots");
        perfect(&all.localisation.key_slice, "key slices");
        assert!(all.by_kind.values().all(|kind| kind.count == kind.of));
        assert!(found.anatomies.held_out.is_none() && found.anatomies.known.is_none());
        assert_eq!(found.anatomies.unstated, 3);
        // Everything that is written speaks of it.
        let text = markdown(&found, &["roc.svg"]);
        assert!(text.contains("does not name the anatomies that trained it"), "{text}");
        assert!(text.contains("| parametric | unstated | 3 | 2 |"), "{text}");
        assert!(text.contains("| AUC overall | 1.000") && text.contains("![roc](roc.svg)"), "{text}");
        for (name, plot) in plots(&cases.iter().collect::<Vec<_>>(), all) {
            assert!(plot.starts_with("<svg") && plot.ends_with("</svg>\n") && !plot.contains("NaN"), "{name}");
        }
    }
    let (aside, _) = document(Lie { left_mm: 30.0, ..Lie::default() }, false, None);
    assert_eq!(aside.all.localisation.in_box_5mm.count, 0);
    assert!(aside.all.localisation.key_slice.count > 0);
    let (up, _) = document(Lie { up_mm: 9.0, ..Lie::default() }, false, None);
    assert_eq!(up.all.level_ranges.within_5mm.count, 0);
    let error = up.all.level_ranges.lower_mm.expect("levels").mean;
    assert!((error - 9.0).abs() < 0.1, "headward is positive: {error}");
    let (strange, cases) = document(Lie { unlike: true, ..Lie::default() }, false, None);
    let combination = &strange.anatomies.combinations[0];
    assert_eq!((combination.unlike.count, combination.unlike.of), (2, 3));
    assert_eq!((strange.all.alerts_withheld.count, strange.all.alerts_withheld.of), (2, 2));
    let text = markdown(&strange, &[]);
    assert!(text.contains("| studies unlike the training data | 0.667 [") && text.contains("(2/3) |"), "{text}");
    let table = predictions(&["set".to_owned()], &cases).expect("a table");
    assert_eq!(table.lines().filter(|line| line.ends_with(",true")).count(), 2, "{table}");
    for (trained, held_out) in [("VHF", true), ("parametric", false)] {
        let (found, _) = document(Lie::default(), false, Some(&[trained.to_owned()]));
        let groups =
            [&found.anatomies.held_out, &found.anatomies.known].map(|group| group.as_ref().map_or(0, |g| g.studies));
        assert_eq!(groups, if held_out { [3, 0] } else { [0, 3] });
        let text = markdown(&found, &[]);
        let (first, second) = (text.find("| held-out anatomies |"), text.find("| known anatomies |"));
        assert!(first.is_some() && first < second && second < text.find("| sources of the vertebrae |"), "{text}");
    }
}

/// A data set's studies as a labeled folder: `truth.csv`, `boxes.csv`, and the folders of `train_images`.
fn label(root: &Path, studies: &[&str]) {
    for (from, to) in [("train.csv", "truth.csv"), ("train_bounding_boxes.csv", "boxes.csv")] {
        let text = std::fs::read_to_string(root.join(from)).expect("a table").replace("StudyInstanceUID", "study");
        let mine =
            |line: &&str| line.starts_with("study") || studies.iter().any(|uid| line.starts_with(&format!("{uid},")));
        let lines: Vec<&str> = text.lines().filter(mine).collect();
        std::fs::write(root.join(to), lines.join("\n")).expect("a table");
    }
    for uid in studies {
        std::fs::rename(root.join("train_images").join(uid), root.join(uid)).expect("a folder");
    }
}

#[test]
fn every_level_of_a_labeled_folder_is_listed() {
    let root = tempfile::tempdir().expect("a folder");
    write(root.path());
    let data = read_dataset(root.path()).expect("a data set");
    let (studies, _, _) = scan_all(std::slice::from_ref(&data.images), &Cancel::new());
    let uids: Vec<String> = studies.iter().map(|study| study.uid.to_string()).collect();
    label(root.path(), &uids.iter().map(String::as_str).collect::<Vec<_>>());
    // The labels' ranges as a table of InstanceNumbers.
    let mut table = "study,level,first,last\n".to_owned();
    for study in &studies {
        let labels =
            LabelVolume::read(data.studies[&study.uid].segmentation.as_deref().expect("labels")).expect("labels");
        let slices = LabelSlices::new(&labels);
        let number = |z: f64| {
            let slice =
                study.series[0].instances.iter().find(|i| (i.plane.expect("a plane").position.z - z).abs() < 0.1);
            slice.and_then(|slice| slice.instance_number).expect("a slice")
        };
        for level in CervicalLevel::ALL {
            if let Some((low, high)) = slices.whole(level) {
                table += &format!("{},{level},{},{}\n", study.uid, number(high), number(low));
            }
        }
    }
    let ranges = root.path().join("ranges.csv");
    std::fs::write(&ranges, table).expect("a table");
    let labeled = read_labeled_folder(root.path(), Some(&ranges)).expect("labels");
    let result = |labeled: &LabeledStudy, lie: Lie| {
        let study = studies.iter().find(|study| study.uid.to_string() == labeled.name).expect("a study");
        let truth = &data.studies[&study.uid];
        let labels = LabelVolume::read(truth.segmentation.as_deref().expect("labels")).expect("labels");
        LabeledResult::new(labeled, study, &oracle(study, truth, &labels, lie), 0.5)
    };
    // An export that numbers all slices 1 names none of them.
    let study = studies.iter().find(|study| study.uid.to_string() == labeled[0].name).expect("a study");
    let truth = &data.studies[&study.uid];
    let labels = LabelVolume::read(truth.segmentation.as_deref().expect("labels")).expect("labels");
    let Analysis::Analysed(report) = oracle(study, truth, &labels, Lie::default()) else { panic!("a report") };
    let mut report = FractureReport::clone(&report);
    report.slices.iter_mut().for_each(|slice| slice.instance_number = Some(1));
    let same = LabeledResult::new(&labeled[0], study, &Analysis::Analysed(Arc::new(report)), 0.5);
    assert!(!same.has_unique_numbers && same.levels_in_order == Some(true));
    assert!(same.levels.iter().all(|level| level.range.is_none() && level.key_slice.is_none()), "{same:?}");
    let (mut boxed, mut ranged) = (0, 0);
    for one in &labeled {
        let (found, up) = (result(one, Lie::default()), result(one, Lie { up_mm: 9.0, ..Lie::default() }));
        assert_eq!((found.alert, found.false_flags, found.levels_in_order), (one.overall, 0, Some(true)));
        for (level, up) in found.levels.iter().zip(&up.levels) {
            assert_eq!(
                (level.flag, level.fractured.then_some(level.rank)),
                (level.fractured, level.fractured.then_some(Some(1)))
            );
            if let Some(inside) = level.key_slice_in_boxed_range {
                assert!(inside && level.fractured, "{level:?}");
                boxed += 1;
            }
            if level.labeled_range.is_some() {
                assert_eq!((level.range, level.ends_mm), (level.labeled_range, Some([0.0, 0.0])), "{level:?}");
                let [cranial, caudal] = up.ends_mm.expect("both ends");
                assert!((caudal - 9.0).abs() < 0.1 && cranial <= 9.1, "cranial is positive: {up:?}");
                ranged += 1;
            }
        }
    }
    assert!(boxed > 0 && ranged > 7, "{boxed} levels with boxes, {ranged} with ranges");
    let strange = labeled.iter().map(|one| result(one, Lie { unlike: true, ..Lie::default() })).collect();
    let strange = LabeledDocument::new(&identity(), "necks".into(), strange);
    let text = strange.markdown();
    assert!(text.contains("Unlike the training data (distance above 1.30): 2 of 3 studies."), "{text}");
    assert!(text.contains("Overall 90.0 %: alert withheld.") && text.contains("distance 1.80."), "{text}");
    let json: serde_json::Value = serde_json::from_str(&strange.to_json().expect("JSON")).expect("JSON");
    assert_eq!((&json["unlike"]["count"], &json["unlike"]["of"]), (&2.into(), &3.into()));
    let results = labeled.iter().map(|one| result(one, Lie::default())).collect();
    let text = LabeledDocument::new(&identity(), "necks".into(), results).markdown();
    assert!(text.contains("Overall 90.0 %: alert. Levels found: in order. Unfractured levels flagged: 0."), "{text}");
    assert!(!text.contains("AUC"), "{text}");
}

/// Real necks, in place.
#[test]
fn real_necks_are_listed_level_by_level() {
    let home = tempfile::tempdir().expect("a home");
    let Some(folder) = shared::folder("real-necks") else { return };
    if !network::can_analyse(home.path()) {
        return;
    }
    let output = evaluate(home.path(), &[Path::new("--real"), &folder, Path::new("--out"), home.path()]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    for heading in ["## juno-body (not fractured)", "## pycerr-neck (not fractured)", "## rsna-10051 (fractured: C4)"] {
        assert!(printed.contains(heading), "{heading}: {printed}");
    }
    let text = std::fs::read_to_string(home.path().join("real.json")).expect("JSON");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["format"], 1);
    let c4 = &json["studies"][2]["levels"][3];
    assert_eq!(
        (&c4["level"], &c4["fractured"], &c4["boxed"]),
        (&"C4".into(), &true.into(), &serde_json::json!([133, 148]))
    );
    println!("{printed}");
}

fn evaluate(home: &Path, arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cspine"))
        .arg("evaluate")
        .args(arguments)
        .env("HOME", home)
        .env_remove("XDG_CACHE_HOME")
        .output()
        .expect("the program runs")
}

#[test]
fn the_command_measures_what_the_model_says() {
    let home = tempfile::tempdir().expect("a home");
    let (first, second) = (home.path().join("one/set"), home.path().join("two/set"));
    for root in [&first, &second] {
        std::fs::create_dir_all(root).expect("a folder");
    }
    if !network::can_analyse(home.path()) {
        return;
    }
    write(&first);
    // One study as a labeled folder, whose numbers are those of the data set.
    let uid = std::fs::read_to_string(first.join("train.csv")).expect("a table");
    let uid = uid.lines().nth(1).and_then(|line| line.split(',').next()).expect("a study").to_owned();
    let real = home.path().join("real");
    write_dataset(&real, &recipes(), Anatomy::Parametric, false, &Cancel::new(), &|_| {}, &write_slice)
        .expect("a data set");
    label(&real, &[&uid]);
    // A study in train.csv without images.
    let table = first.join("train.csv");
    let mut text = std::fs::read_to_string(&table).expect("a table");
    text.push_str("1.2.3,0,0,0,0,0,0,0,0\n");
    std::fs::write(&table, text).expect("a table");
    write_dataset(&second, &recipes()[2..], Anatomy::Parametric, false, &Cancel::new(), &|_| {}, &write_slice)
        .expect("a data set");
    let out = home.path().join("out");
    let output = evaluate(home.path(), &[&first, &second, Path::new("--out"), &out]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("RSNA 2022 metric") && printed.contains("## set 2"), "{printed}");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect(name);
    let json: serde_json::Value = serde_json::from_str(&read("evaluation.json")).expect("JSON");
    assert_eq!(json["format"], 2);
    assert_eq!(json["all"]["studies"], 4);
    assert_eq!(json["datasets"]["set"]["studies"], 3);
    assert_eq!(json["datasets"]["set 2"]["fractured"], 0);
    assert_eq!(json["left_out"]["set"]["without_images"], 1);
    assert_eq!(json["model"]["name"], "phantom-b0");
    for path in ["/auc/overall/value", "/rsna_log_loss/value", "/ece/level", "/visibility_ap/mean", "/timing/median_s"]
    {
        assert!(json["all"].pointer(path).is_some_and(serde_json::Value::is_number), "{path}: {json:#}");
    }
    let anatomies = &json["anatomies"];
    let keys: Vec<&str> = anatomies.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["combinations", "held_out", "known", "training", "unstated"]);
    let combination = &anatomies["combinations"][0];
    let keys: Vec<&str> = combination.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "auc_mean_level",
            "auc_overall",
            "fractured",
            "level_ranges_within_5mm",
            "level_sensitivity",
            "level_specificity",
            "sources",
            "studies",
            "training",
            "unlike",
        ]
    );
    assert_eq!(combination["sources"], serde_json::json!(["parametric"]));
    assert_eq!(combination["studies"], 4);
    // Cards are made from these keys: one that goes or changes its meaning needs another format.
    let keys: Vec<&str> = json["all"].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "alerts_withheld",
            "auc",
            "by_displacement_mm",
            "by_kernel",
            "by_kind",
            "by_spacing_mm",
            "by_widest_gap_mm",
            "by_width_mm",
            "declined",
            "ece",
            "failed",
            "fractured",
            "healed_alarms",
            "level_ranges",
            "levels_without_number",
            "localisation",
            "rates",
            "reliability",
            "rsna_log_loss",
            "sensitivity_at_95_specificity",
            "studies",
            "thresholds",
            "timing",
            "unlike",
            "visibility_ap",
            "visibility_slices",
        ]
    );
    let guess = json["all"]["rsna_log_loss"]["guess_rsna"].as_f64().expect("a number");
    assert!((0.3..1.0).contains(&guess), "{guess}");
    assert_eq!(read("predictions.csv").lines().count(), 5);
    let output = evaluate(home.path(), &[Path::new("--real"), &real, Path::new("--out"), &out]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed: serde_json::Value = serde_json::from_str(&read("real.json")).expect("JSON");
    let predictions = read("predictions.csv");
    let row: Vec<&str> = predictions.lines().find(|line| line.contains(&uid)).expect("a row").split(',').collect();
    assert_eq!(listed["studies"].as_array().map(Vec::len), Some(1));
    for (level, column) in (0..7).zip(14..) {
        let probability = listed["studies"][0]["levels"][level]["probability"].as_f64();
        assert_eq!(probability.map_or(String::new(), |p| format!("{p:.6}")), row[column], "C{}", level + 1);
    }
    assert!(read("evaluation.md").contains("![reliability](reliability.svg)"));
    assert!(read("roc.svg").starts_with("<svg") && read("probabilities.svg").starts_with("<svg"));
}

/// The labels of the real neck, drawn apart from this project: where their own description says each level lies, and on its bone.
#[test]
fn labels_of_a_real_neck_lie_on_its_bone() {
    let (Some(images), Some(labels)) = (shared::folder("vhf-neck"), shared::folder("vhf-neck-labels")) else { return };
    let labels = LabelVolume::read(&labels.join("labels.nii.gz")).expect("labels");
    let (studies, _, _) = scan_all(&[images], &Cancel::new());
    let volume = load_volume(&studies[0].series[0], &Cancel::new(), &|_, _| {}).expect("a volume");
    let (mut bone, mut all) = (0, 0);
    for slice in (60..180).step_by(12) {
        for row in 0..volume.shape.rows {
            for column in 0..volume.shape.columns {
                let point = volume.patient_point(slice as f64, row as f64, column as f64).expect("inside");
                if (1..=7).contains(&labels.label_at(point)) {
                    all += 1;
                    bone += usize::from(volume.at(slice, row, column).is_some_and(|hu| hu > 100));
                }
            }
        }
    }
    assert!(all > 2000 && bone * 10 > all * 8, "{bone} of {all}");
    // First and last InstanceNumber of each level; z falls by 1 mm from 239 mm at the first.
    let slices = LabelSlices::new(&labels);
    let table = [(56, 86), (61, 105), (98, 119), (111, 135), (124, 150), (139, 166), (152, 184)];
    for (level, (first, last)) in CervicalLevel::ALL.into_iter().zip(table) {
        let (low, high) = slices.whole(level).expect("whole");
        let (first, last) = (240.0 - f64::from(first), 240.0 - f64::from(last));
        assert!((first - 5.0..=first).contains(&high), "{level}: {high} for {first}");
        assert!((last..=last + 5.0).contains(&low), "{level}: {low} for {last}");
    }
}

#[test]
fn a_folder_that_is_no_data_set_is_told_what_one_is() {
    let home = tempfile::tempdir().expect("a home");
    let output = evaluate(home.path(), &[home.path()]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("train.csv is not there") && told.contains("train_images"), "{told}");
}
