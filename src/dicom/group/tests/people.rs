//! Whose files they are: no study holds two patients, and placeholders join nothing.

use super::*;
use crate::domain::CleanText;

fn of_person(name: &str, id: &str, who: &str, birth: Option<(u16, u8, u8)>, z: f64) -> Found {
    found(name, z, z as i32, |header| {
        header.patient.id = CleanText::new(id);
        header.patient.name = CleanText::new(who);
        header.birth_date = birth;
    })
}

fn names(files: &[Found]) -> Vec<(String, usize)> {
    let mut names: Vec<_> = studies(&Uid::from_file("2.25.1"), files)
        .iter()
        .map(|study| (study.patient.name.to_string(), study.picture_count()))
        .collect();
    names.sort();
    names
}

#[test]
fn patients_who_contradict_each_other_never_share_a_study() {
    let born = Some((1970, 1, 1));
    let stack = |who: &str, id: &str, birth| -> Vec<Found> {
        (0..8)
            .map(|i| of_person(&format!("{who}{id}{i}"), id, who, birth, f64::from(i) + f64::from(who.len() as u32)))
            .collect()
    };
    let two = |other: Vec<Found>| -> Vec<Found> { stack("DOE, John", "77", born).into_iter().chain(other).collect() };
    for other in [
        stack("DOE, Jane", "77", born),
        stack("DOE, John", "78", born),
        stack("DOE, John", "77", Some((1971, 1, 1))),
        stack("Smith", "", None),
    ] {
        let files = two(other);
        let split = studies(&Uid::from_file("2.25.1"), &files);
        assert_eq!(split.iter().map(Study::picture_count).collect::<Vec<_>>(), [8, 8]);
        for study in &split {
            assert!(study.oddities.contains(&Oddity::SeveralPatients(2)));
            assert!(!study.uid.is_valid(), "decisions on one patient must not be found for the other");
        }
        assert_ne!(split[0].uid, split[1].uid);
    }
    // The same person: further given names, other case, values that are absent.
    let same = two(stack("Doe, John Michael", "77", None));
    assert_eq!(names(&same), [("DOE, John".to_owned(), 16)]);
    // Nobody knows whose these are.
    let mut unknown = two(stack("DOE, Jane", "78", born));
    unknown.extend(stack("", "", None));
    assert_eq!(names(&unknown).len(), 3);
}

#[test]
fn placeholder_uids_do_not_join_the_patients_of_two_folders() {
    for word in ["anonymized", "", "0", "1.2.3"] {
        let slices = |folder: &'static str, dz: f64| {
            (0..8).map(move |i| {
                let mut file = found(&format!("{folder}{i}"), dz + f64::from(i), i, |header| {
                    header.study = Uid::from_file(word);
                    header.series = Uid::from_file(word);
                    header.sop_instance = Uid::from_file(word);
                    header.frame_of_reference = Uid::from_file(word);
                    header.patient.id = CleanText::new("anonymized");
                    header.patient.name = CleanText::new("anonymized");
                });
                file.path = PathBuf::from(folder).join(format!("IM{i}"));
                file
            })
        };
        for dz in [0.0, 0.4, 8.0] {
            let files: Vec<Found> = slices("p1", 0.0).chain(slices("p2", dz)).collect();
            let mut by_key: BTreeMap<Uid, Vec<Found>> = BTreeMap::new();
            for file in files {
                by_key.entry(study_key(&file.path, &file.header)).or_default().push(file);
            }
            let all: Vec<Study> = by_key.iter().flat_map(|(key, files)| studies(key, files)).collect();
            assert_eq!(all.len(), 2, "{word:?}");
            for study in all {
                assert!(study.oddities.contains(&Oddity::PlaceholderUids), "{word:?}");
                let folders: std::collections::BTreeSet<_> =
                    study.series.iter().flat_map(|series| &series.instances).map(|slice| slice.path.parent()).collect();
                assert_eq!(folders.len(), 1, "{word:?}: two patients in one study");
            }
        }
    }
}

#[test]
fn two_patients_under_placeholders_in_one_folder_get_no_number() {
    for dz in [0.0, 0.4, 0.5] {
        let slices = |who: &'static str, dz: f64| {
            (0..8).map(move |i| {
                let mut file = found(&format!("{who}{i}"), dz + f64::from(i), i, |header| {
                    header.series = Uid::from_file("anonymized");
                    header.sop_instance = Uid::from_file("anonymized");
                });
                file.content = Some(Content::Pixels([who.len() as u8 * 16 + i as u8; 16]));
                file
            })
        };
        let files: Vec<Found> = slices("a", 0.0).chain(slices("bb", dz)).collect();
        let study = only_study(&files);
        assert!(study.series.iter().all(is_ambiguous), "{dz} mm apart");
        assert_eq!(study.picture_count(), 16, "every image can be seen");
    }
}

#[test]
fn the_date_is_that_of_the_images() {
    let on = |year: u16| Some(StudyDateTime { year, month: 1, day: 2, time: None });
    let mut files: Vec<Found> =
        (0..5).map(|i| found(&format!("a{i}"), f64::from(i), i, |header| header.date = on(2020))).collect();
    files.push(found("dose", 0.0, 1, |header| {
        (header.date, header.plane, header.series) = (on(1900), None, Uid::from_file("2.25.77"));
    }));
    assert_eq!(only_study(&files).date, on(2020));
    assert_eq!(only_study(&files[5..]).date, on(1900), "nothing else has a date");
}
