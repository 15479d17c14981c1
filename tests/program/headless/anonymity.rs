//! What leaves the program anonymously names nobody.

use super::*;
use std::collections::BTreeSet;

/// A slice that says who it is.
fn named_slice(number: i32) -> Vec<made::Element> {
    let mut elements = slice(number);
    for (tag, vr, value) in [
        ((0x0008, 0x0050), "SH", "SECRETACC"),
        ((0x0008, 0x0080), "LO", "SECRETHOUSE"),
        ((0x0008, 0x0090), "PN", "SECRETDOC"),
        ((0x0008, 0x1030), "LO", "CT neck of SecretName"),
        ((0x0010, 0x0010), "PN", "SecretName^Anna"),
        ((0x0010, 0x0020), "LO", "SECRETID"),
        ((0x0010, 0x0030), "DA", "19551102"),
        ((0x0010, 0x1010), "AS", "044Y"),
        ((0x0020, 0x0010), "SH", "SECRETNO"),
    ] {
        set(&mut elements, text(tag, vr, value));
    }
    elements
}

/// Everything that could name a patient does: a study with a verdict that has a reason, a note, a key image with a remark and a
/// measurement; and the store of it.
fn named(home: &Path, folder: &Path) -> std::path::PathBuf {
    for number in 1..=4 {
        let file = part10(EXPLICIT, &data_set(&named_slice(number), Writing::Explicit));
        std::fs::write(folder.join(format!("secretname-{number}.dcm")), file).expect("written");
    }
    let (data, study, series) = (home.join("named"), Uid::from_file("2.25.1"), Uid::from_file("2.25.2"));
    let mut store = Store::open(&data).expect("a store");
    let at = Stamp { utc_ms: 1_795_595_400_000, offset_minutes: 60 };
    for act in [
        Act::Note { text: NoteText::new("secretname fell") },
        Act::Study(StudyVerdict::Deferred { reason: NoteText::new("ask SECRETNAME") }),
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
    let mut pseudonyms = BTreeSet::new();
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
            pseudonyms.extend(labels(&text));
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

/// Pseudonyms in a text: `P-` and thirteen characters.
fn labels(text: &str) -> BTreeSet<String> {
    let found = text.match_indices("P-").filter_map(|(at, _)| text.get(at..at + 15));
    found
        .filter(|label| label[2..].bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// What an anonymous command prints and writes, with its exit code.
fn everything(home: &Path, arguments: &[&str], out: &Path) -> (i32, String) {
    let Output { status, stdout, stderr } =
        cspine(home, arguments).current_dir(home).output().expect("the program runs");
    let mut all = [stdout, stderr].concat();
    let written =
        walkdir::WalkDir::new(out).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    for entry in written {
        all.extend_from_slice(entry.file_name().as_encoded_bytes());
        all.extend(std::fs::read(entry.path()).expect("a file"));
    }
    (status.code().expect("an exit code"), String::from_utf8_lossy(&all).to_lowercase())
}

const FORMS: [&str; 7] = ["json", "csv", "text", "markdown", "submission", "sr", "sc"];

#[test]
fn errors_name_no_file_in_an_anonymous_output() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    let store = named(home.path(), data.path());
    let out = home.path().join("SECRET-out.json");
    std::fs::write(&out, "there already").expect("written");
    std::fs::write(home.path().join("SECRET.dcm"), "no DICOM").expect("written");
    let gone = home.path().join("SECRET-gone");
    let cases: [(&str, Vec<&str>, &str); 5] = [
        ("a bare file that is not there", vec!["SECRETGONE.dcm"], "cannot be opened: entity not found"),
        ("a bare file that is no DICOM", vec!["SECRET.dcm"], "no study matches"),
        ("a folder that is not there", vec![path(&gone)], "cannot be opened: entity not found"),
        (
            "an output that is there",
            vec![path(data.path()), "--format", "json", "--out", path(&out)],
            "is there already",
        ),
        (
            "an output in no folder",
            vec![path(data.path()), "--format", "json", "--out", "SECRET/x.json"],
            "cannot be written",
        ),
    ];
    for (what, more, wanted) in cases {
        let arguments = [&["report", "--data", path(&store), "--anonymous"][..], &more].concat();
        let (code, shown) = everything(home.path(), &arguments, &gone);
        assert_ne!(code, 0, "{what}");
        assert!(!shown.contains("secret") && shown.contains(wanted), "{what}: {shown}");
        let arguments = [&["report", "--data", path(&store)][..], &more].concat();
        let (_, shown) = everything(home.path(), &arguments, &gone);
        assert!(shown.contains("secret") || wanted == "no study matches", "{what}, by name: {shown}");
    }
    let database = home.path().join("SECRET-data");
    std::fs::create_dir_all(&database).expect("a folder");
    std::fs::write(database.join("store.sqlite"), "SQLite format 3\0 of SECRET").expect("written");
    for command in ["report", "stats"] {
        let (_, shown) = everything(home.path(), &[command, "--data", "SECRET-data", "--anonymous"], &gone);
        assert!(!shown.contains("secret"), "{command}: {shown}");
    }
    let (code, shown) = everything(home.path(), &["SECRETGONE.dcm", "--anonymous"], &gone);
    assert!(code == 3 && !shown.contains("secret") && shown.contains("cannot be opened"), "{shown}");
}

#[test]
fn a_measurement_that_fails_names_no_file() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    let store = named(home.path(), data.path());
    for number in 1..=4 {
        let mut elements = named_slice(number);
        elements.retain(|element| element.tag != (0x7FE0, 0x0010));
        let mut set = data_set(&elements, Writing::Explicit);
        // What looks like compressed pixels and is none shows only when it is decoded.
        for bytes in [&made::ENCAPSULATED[..], &made::item(&[]), &made::item(&[0xA5; 80]), &made::ENCAPSULATED_END] {
            set.extend_from_slice(bytes);
        }
        std::fs::write(data.path().join(format!("secretname-{number}.dcm")), part10(made::RLE, &set)).expect("written");
    }
    for form in FORMS {
        let out = home.path().join(form);
        let arguments =
            ["report", "--data", path(&store), "--anonymous", "--format", form, "--out", path(&out), path(data.path())];
        let (_, shown) = everything(home.path(), &arguments, &out);
        assert!(!shown.contains("secret") && !shown.contains("anna"), "{form}: {shown}");
        if form == "json" {
            assert!(shown.contains("no slice of the series could be read; …: pixels: "), "{shown}");
        }
    }
}

/// Every text element says who it is, the identifiers, too.
#[test]
fn no_text_of_a_file_leaves_anonymously() {
    const TEXTS: [((u16, u16), &str); 36] = [
        ((0x0008, 0x0050), "SH"),
        ((0x0008, 0x0070), "LO"),
        ((0x0008, 0x0080), "LO"),
        ((0x0008, 0x0081), "ST"),
        ((0x0008, 0x0090), "PN"),
        ((0x0008, 0x1010), "SH"),
        ((0x0008, 0x1030), "LO"),
        ((0x0008, 0x103E), "LO"),
        ((0x0008, 0x1040), "LO"),
        ((0x0008, 0x1050), "PN"),
        ((0x0008, 0x1070), "PN"),
        ((0x0008, 0x1080), "LO"),
        ((0x0008, 0x1090), "LO"),
        ((0x0010, 0x0021), "LO"),
        ((0x0010, 0x0030), "DA"),
        ((0x0010, 0x1000), "LO"),
        ((0x0010, 0x1001), "PN"),
        ((0x0010, 0x1010), "AS"),
        ((0x0010, 0x1040), "LO"),
        ((0x0010, 0x21B0), "LT"),
        ((0x0010, 0x4000), "LT"),
        ((0x0018, 0x0010), "LO"),
        ((0x0018, 0x0015), "CS"),
        ((0x0018, 0x1000), "LO"),
        ((0x0018, 0x1020), "LO"),
        ((0x0018, 0x1030), "LO"),
        ((0x0018, 0x1210), "SH"),
        ((0x0020, 0x0010), "SH"),
        ((0x0020, 0x4000), "LT"),
        ((0x0028, 0x1055), "LO"),
        ((0x0032, 0x1060), "LO"),
        ((0x0038, 0x0010), "LO"),
        ((0x0040, 0x0253), "SH"),
        ((0x0040, 0x0254), "LO"),
        ((0x0040, 0x1400), "LT"),
        ((0x0008, 0x0030), "TM"),
    ];
    for bad_uids in [false, true] {
        let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
        let store = named(home.path(), data.path());
        let folder = data.path().join("ZYXSECRET");
        std::fs::create_dir(&folder).expect("a folder");
        for number in 1..=4 {
            std::fs::remove_file(data.path().join(format!("secretname-{number}.dcm"))).expect("it goes");
            let mut elements = slice(number);
            for (tag, vr) in TEXTS {
                set(&mut elements, text(tag, vr, "ZYXSECRET"));
            }
            set(&mut elements, text((0x0010, 0x0010), "PN", "ZYXSECRET^Anna"));
            set(&mut elements, text((0x0010, 0x0020), "LO", "ZYXSECRET"));
            if bad_uids {
                set(&mut elements, text((0x0020, 0x000D), "UI", "ZYXSECRET"));
                set(&mut elements, text((0x0020, 0x000E), "UI", "ZYXSECRET.1"));
                set(&mut elements, text((0x0020, 0x0052), "UI", "ZYXSECRET.2"));
                set(&mut elements, text((0x0008, 0x0018), "UI", &format!("ZYXSECRET.{number}")));
            }
            let file = part10(EXPLICIT, &data_set(&elements, Writing::Explicit));
            std::fs::write(folder.join(format!("ZYXSECRET-{number}.dcm")), file).expect("written");
        }
        for form in FORMS {
            let out = home.path().join(form);
            if form == "text" {
                // A file a study, under the study's identifier.
                std::fs::create_dir(&out).expect("a folder");
            }
            let arguments =
                ["report", "--data", path(&store), "--anonymous", "--format", form, "--out", path(&out), path(&folder)];
            let (code, shown) = everything(home.path(), &arguments, &out);
            assert!(!shown.contains("zyxsecret") && !shown.contains("anna"), "{form}, bad UIDs {bad_uids}: {shown}");
            let is_refused = bad_uids && form == "sr";
            assert_eq!((code, shown.contains("no valid uids")), (i32::from(is_refused), is_refused), "{form}: {shown}");
        }
    }
}

#[test]
fn a_patient_has_one_pseudonym_in_a_database_and_another_in_another() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    let store = named(home.path(), data.path());
    let label = |store: &Path| {
        let arguments = ["report", "--data", path(store), "--anonymous", "--format", "csv", path(data.path())];
        let (code, said, error) = run(home.path(), &arguments);
        assert_eq!(code, 0, "{error}");
        let labels = labels(&said);
        assert_eq!(labels.len(), 1, "{said}");
        labels
    };
    let first = label(&store);
    assert_eq!(first, label(&store));
    let other = home.path().join("other");
    assert_ne!(first, label(&other), "the key is a secret of the database");
    assert_eq!(label(&other), label(&other), "a database that was made for it keeps its key");
    let mode = std::fs::metadata(Store::path(&other)).expect("a database").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
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
        alert_withheld: false,
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
        assert!(!text.to_lowercase().contains("secret") && labels(&text).len() == 1, "{form}: {text}");
    }
}
