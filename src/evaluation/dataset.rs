//! What a data set in the RSNA 2022 layout says is true (Lin et al., Radiology: Artificial Intelligence 2023;5(5):e230034): `train.csv`,
//! `train_bounding_boxes.csv`, `segmentations/<StudyInstanceUID>.nii`, and what phantoms add in `truth.json`.

use crate::domain::{CervicalLevel, CleanText, PerLevel, Uid};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The layout, for error messages.
const LAYOUT: &str =
    "a data set is a folder with train.csv and train_images/<StudyInstanceUID>/*.dcm, as RSNA 2022 has it";

/// Why a data set cannot be used, and what is expected.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// Something that must be there is not.
    #[error("{} is not there; {LAYOUT}", shown(.0))]
    Missing(PathBuf),
    /// Something that a labeled folder needs is missing.
    #[error(
        "{} is missing; a labeled folder holds truth.csv (columns study, patient_overall, C1 to C7) and one folder of DICOM files per study",
        shown(.0)
    )]
    NotLabeled(PathBuf),
    /// A table does not have the form of RSNA 2022.
    #[error("{}, line {line}: {problem}; the columns must be as in RSNA 2022", shown(path))]
    Table {
        /// The table.
        path: PathBuf,
        /// Line, from 1; 0 where it cannot be told.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// `truth.json` does not have the form that `cspine phantom` writes.
    #[error("{}: {problem}; write the phantoms again with this version of cspine", shown(path))]
    Truth {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

fn shown(path: &Path) -> CleanText {
    CleanText::new(&path.to_string_lossy())
}

/// A data set's truths.
#[derive(Debug)]
pub struct Dataset {
    /// The folder's name.
    pub name: String,
    /// `train_images` in it.
    pub images: PathBuf,
    /// Studies by StudyInstanceUID.
    pub studies: BTreeMap<Uid, StudyTruth>,
}

/// What is true of one study.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyTruth {
    /// Whether any cervical level is broken.
    pub overall: bool,
    /// Which.
    pub levels: PerLevel<bool>,
    /// Where.
    pub boxes: Vec<TruthBox>,
    /// The label volume, where there is one.
    pub segmentation: Option<PathBuf>,
    /// What phantoms tell besides.
    pub made: Option<Made>,
}

/// A box about a fracture on one slice, in pixels of the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruthBox {
    /// InstanceNumber of the slice.
    pub instance_number: i32,
    /// First column.
    pub x: f64,
    /// First row.
    pub y: f64,
    /// Columns.
    pub width: f64,
    /// Rows.
    pub height: f64,
    /// The level that it is about, where the data set says so.
    pub level: Option<CervicalLevel>,
}

/// How a phantom was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// Names of the sources of its vertebrae, sorted, each once; empty if `truth.json` does not name them.
    pub anatomy: Vec<String>,
    /// Reconstruction kernel.
    pub kernel: String,
    /// Fractures that the scan shows.
    pub fractures: Vec<MadeFracture>,
    /// Levels with a healed fracture that it shows: by the tables they are whole.
    pub healed: Vec<CervicalLevel>,
}

/// One fracture of a phantom.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeFracture {
    /// Level.
    pub level: CervicalLevel,
    /// Kind, as the generator names it.
    pub kind: String,
    /// Width of the gap, mm.
    pub width_mm: f64,
    /// Motion of the fragment, mm.
    pub displacement_mm: f64,
}

#[derive(Deserialize)]
struct TruthFile {
    studies: Vec<TruthStudy>,
}

#[derive(Deserialize)]
struct TruthStudy {
    study_instance_uid: String,
    #[serde(default)]
    anatomy: Vec<String>,
    // Files from before `anatomy` name one kind of source.
    #[serde(default)]
    source: Option<String>,
    kernel: String,
    fractures: Vec<TruthFracture>,
    #[serde(default)]
    healed_fractures: Vec<TruthFracture>,
}

#[derive(Deserialize)]
struct TruthFracture {
    level: String,
    kind: String,
    width_mm: f64,
    displacement_mm: f64,
    boxes: Vec<BoxRow>,
}

/// A row of a table of boxes. A labeled folder's table names the study by its folder, and may name the level.
#[derive(Deserialize)]
pub(super) struct BoxRow {
    #[serde(rename = "StudyInstanceUID", alias = "study", default)]
    pub(super) study: String,
    #[serde(default)]
    pub(super) level: Option<String>,
    // RSNA's own table has it as an integer, others as 3.0.
    slice_number: f64,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// A row of a table of truths. A labeled folder's table names the study by its folder.
#[derive(Deserialize)]
pub(super) struct StudyRow {
    #[serde(rename = "StudyInstanceUID", alias = "study")]
    pub(super) study: String,
    patient_overall: f64,
    #[serde(rename = "C1")]
    c1: f64,
    #[serde(rename = "C2")]
    c2: f64,
    #[serde(rename = "C3")]
    c3: f64,
    #[serde(rename = "C4")]
    c4: f64,
    #[serde(rename = "C5")]
    c5: f64,
    #[serde(rename = "C6")]
    c6: f64,
    #[serde(rename = "C7")]
    c7: f64,
}

impl StudyRow {
    /// Whether the study is fractured, and which levels are.
    pub(super) fn truth(&self) -> (bool, PerLevel<bool>) {
        let levels = [self.c1, self.c2, self.c3, self.c4, self.c5, self.c6, self.c7].map(|value| value > 0.5);
        (self.patient_overall > 0.5, PerLevel(levels))
    }
}

impl BoxRow {
    pub(super) fn truth(&self, level: Option<CervicalLevel>) -> TruthBox {
        let Self { x, y, width, height, .. } = *self;
        TruthBox { instance_number: self.slice_number as i32, x, y, width, height, level }
    }
}

/// Reads a data set's tables.
///
/// # Errors
/// A folder without `train.csv` or `train_images`, or a table of another form.
pub fn read_dataset(root: &Path) -> Result<Dataset, DatasetError> {
    let images = root.join("train_images");
    let table = root.join("train.csv");
    for needed in [&table, &images] {
        if !needed.exists() {
            return Err(DatasetError::Missing(needed.clone()));
        }
    }
    let mut studies = BTreeMap::new();
    for row in rows::<StudyRow>(&table)? {
        let (overall, levels) = row.truth();
        let uid = Uid::from_file(&row.study);
        let truth =
            StudyTruth { overall, levels, boxes: Vec::new(), segmentation: segmentation(root, &uid), made: None };
        studies.insert(uid, truth);
    }
    let boxes = root.join("train_bounding_boxes.csv");
    if boxes.exists() {
        for row in rows::<BoxRow>(&boxes)? {
            if let Some(study) = studies.get_mut(&Uid::from_file(&row.study)) {
                study.boxes.push(row.truth(None));
            }
        }
    }
    add_made(&root.join("truth.json"), &mut studies)?;
    let full = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let name = full.file_name().map_or_else(|| "data".into(), |name| name.to_string_lossy());
    Ok(Dataset { name: CleanText::new(&name).to_string(), images, studies })
}

fn segmentation(root: &Path, uid: &Uid) -> Option<PathBuf> {
    let folder = root.join("segmentations");
    [".nii", ".nii.gz"].map(|end| folder.join(format!("{uid}{end}"))).into_iter().find(|path| path.is_file())
}

/// A table's rows; a byte-order mark before the header is passed over.
pub(super) fn rows<R: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<R>, DatasetError> {
    let failed = |line: u64, problem: String| DatasetError::Table { path: path.to_owned(), line, problem };
    let text = std::fs::read_to_string(path).map_err(|error| failed(0, error.to_string()))?;
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader
        .deserialize()
        .map(|row| {
            row.map_err(|error| {
                let line = error.position().map_or(0, csv::Position::line);
                failed(line, CleanText::new(&error.to_string()).to_string())
            })
        })
        .collect()
}

/// Adds what phantoms tell; their boxes, which name the level, replace those of the table.
fn add_made(path: &Path, studies: &mut BTreeMap<Uid, StudyTruth>) -> Result<(), DatasetError> {
    if !path.exists() {
        return Ok(());
    }
    let failed = |problem: String| DatasetError::Truth { path: path.to_owned(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let file: TruthFile = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    for made in file.studies {
        let Some(study) = studies.get_mut(&Uid::from_file(&made.study_instance_uid)) else { continue };
        let (mut boxes, mut fractures) = (Vec::new(), Vec::new());
        for fracture in made.fractures {
            let level: CervicalLevel = fracture.level.parse().map_err(failed)?;
            boxes.extend(fracture.boxes.iter().map(|row| row.truth(Some(level))));
            // Without a box the scan does not show it.
            if !fracture.boxes.is_empty() {
                let (width_mm, displacement_mm) = (fracture.width_mm, fracture.displacement_mm);
                let kind = CleanText::new(&fracture.kind).to_string();
                fractures.push(MadeFracture { level, kind, width_mm, displacement_mm });
            }
        }
        let healed = made.healed_fractures.iter().filter(|fracture| !fracture.boxes.is_empty());
        let healed = healed.map(|fracture| fracture.level.parse()).collect::<Result<_, _>>().map_err(failed)?;
        let named = if made.anatomy.is_empty() { Vec::from_iter(made.source) } else { made.anatomy };
        let mut anatomy: Vec<String> = named.iter().map(|name| CleanText::new(name).to_string()).collect();
        anatomy.sort();
        anatomy.dedup();
        study.boxes = boxes;
        study.made = Some(Made { anatomy, kernel: CleanText::new(&made.kernel).to_string(), fractures, healed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        std::fs::write(root.join(name), text).expect("a file");
    }

    const HEADER: &str = "StudyInstanceUID,patient_overall,C1,C2,C3,C4,C5,C6,C7\n";

    #[test]
    fn the_tables_of_the_competition_are_read() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("train_images")).expect("a folder");
        std::fs::create_dir_all(root.path().join("segmentations")).expect("a folder");
        write(root.path(), "segmentations/1.2.nii.gz", "");
        write(root.path(), "train.csv", &format!("\u{feff}{HEADER}1.2,1,0,0,0,0,1,0,0\r\n1.3,0,0,0,0,0,0,0,0\r\n"));
        let boxes = "StudyInstanceUID,x,y,width,height,slice_number\n1.2,219.28,216.71,17.3,23.38,133\n9.9,1,1,1,1,1\n";
        write(root.path(), "train_bounding_boxes.csv", boxes);
        let data = read_dataset(root.path()).expect("a data set");
        let study = &data.studies[&Uid::from_file("1.2")];
        assert!(study.overall && study.levels[CervicalLevel::C5] && !study.levels[CervicalLevel::C4]);
        assert!(study.segmentation.is_some() && study.made.is_none());
        let expected = TruthBox { instance_number: 133, x: 219.28, y: 216.71, width: 17.3, height: 23.38, level: None };
        assert_eq!(study.boxes, [expected]);
        assert!(!data.studies[&Uid::from_file("1.3")].overall);
    }

    #[test]
    fn anatomies_are_read_from_new_and_old_truth_files() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("train_images")).expect("a folder");
        let uids = ["1.2", "1.3", "1.4"];
        let table: String = uids.iter().map(|uid| format!("{uid},0,0,0,0,0,0,0,0\n")).collect();
        write(root.path(), "train.csv", &format!("{HEADER}{table}"));
        let study = |uid: &str, keys: &str| {
            format!("{{\"study_instance_uid\": \"{uid}\", \"kernel\": \"BONE\", \"fractures\": []{keys}}}")
        };
        let studies = [
            study("1.2", ", \"source\": \"meshes\", \"anatomy\": [\"vhf-neck\", \"gl003\", \"gl003\"]"),
            study("1.3", ", \"source\": \"parametric\""),
            study("1.4", ""),
        ];
        write(root.path(), "truth.json", &format!("{{\"studies\": [{}]}}", studies.join(", ")));
        let data = read_dataset(root.path()).expect("a data set");
        let anatomy = |uid: &str| data.studies[&Uid::from_file(uid)].made.clone().expect("a phantom").anatomy;
        assert_eq!(
            uids.map(anatomy),
            [vec!["gl003".to_owned(), "vhf-neck".to_owned()], vec!["parametric".to_owned()], vec![]]
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let root = tempfile::tempdir().expect("a folder");
        let told = || read_dataset(root.path()).expect_err("broken").to_string();
        assert!(told().contains("train.csv is not there"), "{}", told());
        write(root.path(), "train.csv", &format!("{HEADER}1.2,1,0,0,0,0,1,0,0\n1.3,0,0,no,0,0,0,0,0\n"));
        assert!(told().contains("train_images is not there"), "{}", told());
        std::fs::create_dir_all(root.path().join("train_images")).expect("a folder");
        assert!(told().contains("train.csv, line 3"), "{}", told());
        write(root.path(), "train.csv", "StudyInstanceUID,overall\n1.2,1\n");
        assert!(told().contains("patient_overall"), "{}", told());
        write(root.path(), "train.csv", HEADER);
        write(root.path(), "truth.json", "{\"studies\": [{}]}");
        assert!(told().contains("truth.json"), "{}", told());
    }
}
