//! A folder of labeled studies: `truth.csv` and `boxes.csv` beside one folder of DICOM files per study.

use super::dataset::{BoxRow, DatasetError, StudyRow, TruthBox, rows};
use crate::domain::{CervicalLevel, PerLevel};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// A study of the folder with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabeledStudy {
    /// Name of its folder, as in `truth.csv`.
    pub name: String,
    /// Its folder.
    pub images: PathBuf,
    /// Whether any cervical level is fractured.
    pub overall: bool,
    /// Which levels are fractured.
    pub levels: PerLevel<bool>,
    /// Boxes about its fractures; they name a level if the table does.
    pub boxes: Vec<TruthBox>,
    /// First and last slice of each level by InstanceNumber, smaller number first, if a table of ranges is given.
    pub ranges: PerLevel<Option<[i32; 2]>>,
}

#[derive(Deserialize)]
struct RangeRow {
    study: String,
    level: String,
    first: i32,
    last: i32,
}

/// Reads the tables of a folder. `ranges`: a table of level ranges with the columns `study,level,first,last` (InstanceNumbers).
///
/// # Errors
/// A missing table or study folder, a table of another form, or a table that names an unknown study.
pub fn read_labeled_folder(root: &Path, ranges: Option<&Path>) -> Result<Vec<LabeledStudy>, DatasetError> {
    let table = root.join("truth.csv");
    if !table.exists() {
        return Err(DatasetError::NotLabeled(table));
    }
    let wrong = |path: &Path, problem: String| DatasetError::Table { path: path.to_owned(), line: 0, problem };
    let mut studies = BTreeMap::new();
    for row in rows::<StudyRow>(&table)? {
        let name = row.study.clone();
        let below = Path::new(&name).components().all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || !below {
            return Err(wrong(&table, format!("study {name:?} is not the name of a folder beside the table")));
        }
        let images = root.join(&name);
        if !images.exists() {
            return Err(DatasetError::NotLabeled(images));
        }
        let (overall, levels) = row.truth();
        let study = LabeledStudy {
            name: name.clone(),
            images,
            overall,
            levels,
            boxes: Vec::new(),
            ranges: PerLevel::default(),
        };
        studies.insert(name, study);
    }
    let level = |path: &Path, name: &str| name.parse::<CervicalLevel>().map_err(|problem| wrong(path, problem));
    let unknown = |path: &Path, name: &str| wrong(path, format!("study {name:?} is not in truth.csv"));
    let boxes = root.join("boxes.csv");
    if boxes.exists() {
        for row in rows::<BoxRow>(&boxes)? {
            let of = row.level.as_deref().map(|name| level(&boxes, name)).transpose()?;
            let study = studies.get_mut(&row.study).ok_or_else(|| unknown(&boxes, &row.study))?;
            study.boxes.push(row.truth(of));
        }
    }
    if let Some(path) = ranges {
        for row in rows::<RangeRow>(path)? {
            let of = level(path, &row.level)?;
            let study = studies.get_mut(&row.study).ok_or_else(|| unknown(path, &row.study))?;
            study.ranges[of] = Some([row.first.min(row.last), row.first.max(row.last)]);
        }
    }
    Ok(studies.into_values().collect())
}

impl LabeledStudy {
    /// First and last InstanceNumber of a fractured level's boxes; `None` without boxes, or if the boxes name no level and several
    /// levels are fractured.
    #[must_use]
    pub fn boxed(&self, level: CervicalLevel) -> Option<[i32; 2]> {
        let alone = CervicalLevel::ALL.into_iter().filter(|level| self.levels[*level]).count() == 1;
        let mine = |found: &&TruthBox| found.level.map_or(alone && self.levels[level], |of| of == level);
        let numbers = || self.boxes.iter().filter(mine).map(|found| found.instance_number);
        Some([numbers().min()?, numbers().max()?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "study,patient_overall,C1,C2,C3,C4,C5,C6,C7\n";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for study in ["one", "two"] {
            std::fs::create_dir(root.path().join(study)).expect("a folder");
        }
        for (name, text) in files {
            std::fs::write(root.path().join(name), text).expect("a file");
        }
        root
    }

    #[test]
    fn boxes_belong_to_the_only_fractured_level_or_to_the_one_they_name() {
        let root = folder(&[
            ("truth.csv", &format!("{HEADER}one,1,0,0,0,1,0,0,0\ntwo,1,0,1,0,0,0,0,1\n")),
            (
                "boxes.csv",
                "study,x,y,width,height,slice_number,level\none,1,1,5,5,133,\none,1,1,5,5,148,\ntwo,1,1,5,5,30,\ntwo,1,1,5,5,90,C7\n",
            ),
            ("ranges.csv", "study,level,first,last\none,C4,155,127\n"),
        ]);
        let studies = read_labeled_folder(root.path(), Some(&root.path().join("ranges.csv"))).expect("labels");
        let [one, two] = &studies[..] else { panic!("{studies:?}") };
        assert_eq!((one.boxed(CervicalLevel::C4), one.boxed(CervicalLevel::C5)), (Some([133, 148]), None));
        assert_eq!(one.ranges[CervicalLevel::C4], Some([127, 155]));
        assert_eq!((two.boxed(CervicalLevel::C2), two.boxed(CervicalLevel::C7)), (None, Some([90, 90])));
    }

    #[test]
    fn wrong_tables_name_the_problem() {
        let truth = format!("{HEADER}one,0,0,0,0,0,0,0,0\n");
        let boxes = "study,x,y,width,height,slice_number\nthree,1,1,5,5,1\n";
        let outside = format!("{HEADER}../one,0,0,0,0,0,0,0,0\n");
        let missing = format!("{HEADER}three,0,0,0,0,0,0,0,0\n");
        for (files, expected) in [
            (vec![], "truth.csv is missing"),
            (vec![("truth.csv", missing.as_str())], "three is missing"),
            (vec![("truth.csv", outside.as_str())], "not the name of a folder"),
            (vec![("truth.csv", truth.as_str()), ("boxes.csv", boxes)], "study \"three\" is not in truth.csv"),
        ] {
            let root = folder(&files);
            let problem = read_labeled_folder(root.path(), None).expect_err("wrong").to_string();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
