//! What leaves the program anonymously names nobody.

use super::*;

/// Everything that could name a patient does: a study with a verdict that has a reason, a note, a key image with a remark and a
/// measurement; and the store of it.
fn named(home: &Path, folder: &Path) -> std::path::PathBuf {
    for number in 1..=4 {
        let mut elements = slice(number);
        for (tag, vr, value) in [
            ((0x0008, 0x0050), "SH", "SECRETACC"),
            ((0x0008, 0x0080), "LO", "SECRETHOUSE"),
            ((0x0008, 0x0090), "PN", "SECRETDOC"),
            ((0x0008, 0x1030), "LO", "CT neck of SecretName"),
            ((0x0008, 0x103E), "LO", "SecretName axial"),
            ((0x0018, 0x0015), "CS", "SECRETNAME"),
            ((0x0018, 0x1030), "LO", "neck, Anna"),
            ((0x0018, 0x1210), "SH", "SECRETID"),
            ((0x0010, 0x0010), "PN", "SecretName^Anna"),
            ((0x0010, 0x0020), "LO", "SECRETID"),
            ((0x0010, 0x0030), "DA", "19551102"),
            ((0x0010, 0x1010), "AS", "044Y"),
            ((0x0020, 0x0010), "SH", "SECRETNO"),
        ] {
            set(&mut elements, text(tag, vr, value));
        }
        let file = part10(EXPLICIT, &data_set(&elements, Writing::Explicit));
        std::fs::write(folder.join(format!("secretname-{number}.dcm")), file).expect("written");
    }
    let (data, study, series) = (home.join("named"), Uid::from_file("2.25.1"), Uid::from_file("2.25.2"));
    let mut store = Store::open(&data).expect("a store");
    let at = Stamp { utc_ms: 1_795_595_400_000, offset_minutes: 60 };
    for act in [
        Act::Note { text: CleanText::new("secretname fell") },
        Act::Study(StudyVerdict::Deferred { reason: CleanText::new("ask SECRETNAME") }),
    ] {
        let draft = Draft { study: study.clone(), act, report: None, blinded: false };
        store.append(&CleanText::new("lm"), at, &draft).expect("kept");
    }
    let mut put = |annotation: Annotation| {
        store.annotate("lm", at, &study, &AnnotationChange::Put(annotation)).expect("kept");
    };
    put(Annotation::KeyImage(KeyImage {
        id: 1,
        series: series.clone(),
        instance: Uid::from_file("2.25.3.3"),
        frame: 0,
        plane: Axis::HeadFoot,
        slice: 1,
        point: Some([0.0, 0.0, 6.0]),
        center: -776.5,
        width: 100.0,
        inverted: false,
        comment: "of SecretName".into(),
    }));
    put(Annotation::Measurement(Measurement {
        id: 2,
        series,
        geometry: Geometry::Probe { place: Place::Patient { mm: [1.0, 1.0, 6.0] } },
    }));
    data
}

#[test]
fn nothing_that_leaves_anonymously_names_the_patient_in_any_form() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    let store = named(home.path(), data.path());
    let names = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        ["secret", "anna", "19551102"].into_iter().find(|name| text.contains(name))
    };
    let mut pseudonyms = std::collections::BTreeSet::new();
    for form in ["json", "jsonl", "csv", "text", "markdown", "submission", "sr", "sc"] {
        let out = home.path().join(form);
        let report = |more: &[&str]| {
            let arguments = ["report", "--data", path(&store), "--format", form, "--out", path(&out), "--overwrite"];
            run(home.path(), &[&arguments[..], more, &[path(data.path())]].concat())
        };
        let files = || -> Vec<Vec<u8>> {
            let paths = if out.is_dir() {
                std::fs::read_dir(&out).expect("a folder").map(|entry| entry.expect("a file").path()).collect()
            } else {
                vec![out.clone()]
            };
            paths.iter().map(|path| std::fs::read(path).expect("a file")).collect()
        };
        let (code, said, error) = report(&["--anonymous"]);
        assert_eq!(code, 0, "{form}: {error}");
        let written = files();
        assert!(!written.is_empty(), "{form}");
        for bytes in written.iter().map(Vec::as_slice).chain([said.as_bytes(), error.as_bytes()]) {
            assert_eq!(names(bytes), None, "{form}: {}", String::from_utf8_lossy(bytes));
            let text = String::from_utf8_lossy(bytes);
            let found = text.match_indices("Patient ").filter_map(|(at, _)| text.get(at + 8..at + 14));
            pseudonyms.extend(found.filter(|code| code.bytes().all(|c| c.is_ascii_alphanumeric())).map(str::to_owned));
        }
        assert_eq!(report(&[]).0, 0, "{form}");
        let told = files().iter().any(|bytes| names(bytes).is_some());
        assert_eq!(told, form != "submission", "{form} names the patient where that is not asked for");
    }
    assert_eq!(pseudonyms.len(), 1, "one patient, one pseudonym: {pseudonyms:?}");
    // A study whose files are gone is told without the path to them, too.
    for file in std::fs::read_dir(data.path()).expect("the folder").skip(1) {
        std::fs::remove_file(file.expect("a file").path()).expect("it goes");
    }
    let out = home.path().join("gone");
    let arguments = ["report", "--data", path(&store), "--format", "sr", "--anonymous", "--out", path(&out)];
    let (code, said, error) = run(home.path(), &[&arguments[..], &[path(data.path())]].concat());
    assert_eq!((code, names(said.as_bytes()), names(error.as_bytes())), (1, None, None), "{error}");
}

#[test]
fn statistics_name_nobody_where_that_is_asked_for() {
    let home = tempfile::tempdir().expect("a home");
    let (folder, study) = (home.path().join("discordant"), Uid::from_file("2.25.1"));
    let p = |value| cspine::domain::Probability::new(value).expect("a probability");
    let report = cspine::domain::OnReport {
        model: "m".into(),
        version: "1".into(),
        sha256: "0".repeat(64),
        series: Uid::from_file("2.25.2"),
        overall: p(0.9),
        overall_threshold: p(0.5),
        levels: cspine::domain::PerLevel::default(),
        level_threshold: p(0.5),
        preliminary: false,
    };
    let at = Stamp { utc_ms: 1_795_595_400_000, offset_minutes: 60 };
    let draft =
        Draft { study: study.clone(), act: Act::Study(StudyVerdict::Negative), report: Some(report), blinded: false };
    Store::open(&folder).and_then(|mut store| store.append(&CleanText::new("lm"), at, &draft)).expect("kept");
    let patient = cspine::domain::Patient {
        name: CleanText::person_name("SecretName^Anna"),
        id: CleanText::new("SECRETID"),
        ..cspine::domain::Patient::default()
    };
    let listed = cspine::domain::Listed {
        uid: study,
        patient,
        date: None,
        description: CleanText::default(),
        accession: CleanText::default(),
        precedence: cspine::domain::Precedence::Ordinary,
        arrived: None,
        slices: 4,
        series: None,
    };
    let mut index = cspine::store::Index::open(&folder).expect("an index");
    index.keep_studies(&[(listed, "/data".into())]).expect("kept");
    drop(index);
    for form in ["text", "json"] {
        let stats = |more: &[&str]| {
            let (code, text, error) =
                run(home.path(), &[&["stats", "--data", path(&folder), "--format", form][..], more].concat());
            assert_eq!(code, 0, "{error}");
            text
        };
        assert!(stats(&[]).contains("SecretName"), "{form}");
        let text = stats(&["--anonymous"]);
        assert!(!text.to_lowercase().contains("secret") && text.contains("Patient "), "{form}: {text}");
    }
}
