//! Whose images these are, and which of two copies counts.

use super::*;

const UIDS: [(u16, u16); 4] = [(0x0008, 0x0018), (0x0020, 0x000D), (0x0020, 0x000E), (0x0020, 0x0052)];

fn anonymized(slice: Slice) -> Slice {
    let slice = UIDS.into_iter().fold(slice, |slice, tag| slice.with(tag, "UI", "anonymized"));
    slice
        .with((0x0010, 0x0010), "PN", "anonymized")
        .with((0x0010, 0x0020), "LO", "anonymized")
        .without(&[(0x0010, 0x0030)])
}

#[test]
fn two_patients_with_one_word_for_every_uid_are_two_studies() {
    for shift in [0.0, 0.4] {
        let folder = tempfile::tempdir().expect("a folder");
        stack(&folder.path().join("p1"), 1, (COUNT, 100.0, 1.0), 40, |_, slice| anonymized(slice));
        stack(&folder.path().join("p2"), 1, (COUNT, 100.0 + shift, 1.0), 300, |_, slice| anonymized(slice));
        let studies = scan(folder.path());
        assert_eq!(studies.len(), 2);
        let mut found = Vec::new();
        for study in &studies {
            assert!(has(&study.oddities, "placeholder-uids"), "{:?}", study.oddities);
            assert_eq!(study.series.len(), 1);
            let values = tissue(&study.series[0]);
            assert!(values.len() == COUNT as usize && values.iter().all(|value| *value == values[0]), "{values:?}");
            found.push(values[0]);
        }
        found.sort_unstable();
        assert_eq!(found, [40, 300]);
    }
}

#[test]
fn two_patients_under_one_study_uid_are_split_with_a_warning() {
    for (tag, vr, other) in
        [((0x0010, 0x0010), "PN", "OTHER^Two"), ((0x0010, 0x0020), "LO", "OTHER"), ((0x0010, 0x0030), "DA", "19800101")]
    {
        let folder = tempfile::tempdir().expect("a folder");
        stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |_, slice| slice);
        stack(folder.path(), 2, (COUNT, 76.0, 1.0), 300, |_, slice| slice.with(tag, vr, other));
        let studies = scan(folder.path());
        assert_eq!(studies.len(), 2, "{other}");
        for study in &studies {
            assert!(has(&study.oddities, "several-patients"));
            assert!(tissue(&study.series[0]).windows(2).all(|pair| pair[0] == pair[1]), "one patient a volume");
        }
    }
}

/// The warning is part of what every command prints of such a study.
#[test]
fn predict_and_inspect_name_the_other_patient() {
    let (folder, home) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a home"));
    stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |_, slice| slice);
    stack(folder.path(), 2, (COUNT, 76.0, 1.0), 300, |_, slice| slice.with((0x0010, 0x0020), "LO", "OTHER"));
    for command in ["predict", "inspect"] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_cspine"))
            .args([command, "--format", "table"])
            .arg(folder.path())
            .env("HOME", home.path())
            .env_remove("XDG_DATA_HOME")
            .output()
            .expect("cspine runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let no_model = output.status.code() == Some(1) && text.is_empty();
        let warnings = text.matches("2 patients share this StudyInstanceUID").count();
        assert!(warnings == 2 || no_model, "{command}: {text}");
    }
}

#[test]
fn the_whole_copy_counts_and_not_the_cut_one() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |_, slice| slice);
    let path = folder.path().join("1-009.dcm");
    let whole = std::fs::read(&path).expect("a file");
    std::fs::write(folder.path().join("1-009_1.dcm"), &whole).expect("a file");
    std::fs::write(&path, &whole[..whole.len() - 200]).expect("a file");
    let study = only(folder.path());
    assert_eq!(load(&study.series[0]).shape.slices, COUNT as usize);
    assert!(!has(&study.series[0].oddities, "gaps"));
}

#[test]
fn equal_copies_count_once_and_different_ones_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |_, slice| slice);
    std::fs::copy(folder.path().join("1-009.dcm"), folder.path().join("copy.dcm")).expect("a copy");
    let study = only(folder.path());
    assert!(has(&study.series[0].oddities, "copies") && !has(&study.series[0].oddities, "conflicting-pixels"));
    Slice::new(1, 10, 91.0, -1000).write(&folder.path().join("copy.dcm"));
    let study = only(folder.path());
    let warning =
        study.series[0].oddities.iter().find(|oddity| oddity.name() == "conflicting-pixels").expect("a warning");
    let words = warning.to_string();
    assert!(words.contains("1-009.dcm") && words.contains("copy.dcm"), "{words}");
    assert_eq!(study.series[0].instances.len(), COUNT as usize);
}

#[test]
fn a_stray_object_does_not_date_the_study() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |_, slice| slice);
    let dose = Slice::new(2, 1, 0.0, 0)
        .with((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7")
        .with((0x0008, 0x0020), "DA", "19000101")
        .with((0x0020, 0x000E), "UI", "2.25.8.501")
        .without(&[(0x0020, 0x0032)]);
    dose.write(&folder.path().join("dose.dcm"));
    assert_eq!(only(folder.path()).date.map(|date| date.year), Some(2020));
}
