//! Whose files they are: which study and series a file belongs to, and which patient.
//!
//! A UID identifies something only if it is valid (PS3.5 section 9) and consistent. Where it is not, folder, patient and what
//! the header says of the series take its place. Patients who contradict each other never share a study.

use super::Found;
use crate::dicom::header::Header;
use crate::domain::Uid;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// The identifier under which a file's study is collected: its StudyInstanceUID, or what its folder and patient come to.
pub(in crate::dicom) fn study_key(path: &Path, header: &Header) -> Uid {
    if header.study.is_valid() { header.study.clone() } else { folder_key(path, header) }
}

fn folder_key(path: &Path, header: &Header) -> Uid {
    let folder = path.parent().unwrap_or(path).to_string_lossy();
    let person = Person::of(header);
    Uid::derived(&["folder", &folder, header.study.as_str(), &person.id, &person.name.join(" "), &person.born()])
}

/// The identifier of a file's series within its study.
pub(super) fn series_key(file: &Found) -> Uid {
    let header = &file.header;
    if header.series.is_valid() {
        return header.series.clone();
    }
    let folder = file.path.parent().unwrap_or(&file.path).to_string_lossy();
    let number = header.series_number.map(|number| number.to_string()).unwrap_or_default();
    Uid::derived(&[
        "series",
        &folder,
        header.series.as_str(),
        header.frame_of_reference.as_str(),
        &number,
        header.series_description.as_str(),
        &header.modality.to_string(),
    ])
}

/// Files of one worklist entry.
pub(super) struct Entry<'f> {
    pub(super) uid: Uid,
    pub(super) files: Vec<&'f Found>,
    /// Patients who share the StudyInstanceUID; 1 for an ordinary study.
    pub(super) patients: usize,
    /// Whether UIDs of these files identify nothing.
    pub(super) has_placeholders: bool,
}

/// Splits the files of one [`study_key`] into worklist entries: by folder if their SOPInstanceUIDs repeat, and by patient.
pub(super) fn entries<'f>(key: &Uid, files: &'f [Found]) -> Vec<Entry<'f>> {
    let repeats = repeats_instances(files);
    let mut folders: BTreeMap<Option<&Path>, Vec<&Found>> = BTreeMap::new();
    for file in files {
        let folder = if repeats { file.path.parent() } else { None };
        folders.entry(folder).or_default().push(file);
    }
    let mut result = Vec::new();
    for files in folders.into_values() {
        let people = by_patient(files);
        let patients = people.len();
        for (person, files) in people {
            let uid = match files.first() {
                Some(file) if repeats => folder_key(&file.path, &file.header),
                Some(_) if patients > 1 => {
                    Uid::derived(&["patient", key.as_str(), &person.id, &person.name.join(" "), &person.born()])
                }
                _ => key.clone(),
            };
            let invalid = |file: &&Found| {
                let header = &file.header;
                [&header.study, &header.series, &header.sop_instance].into_iter().any(|uid| !uid.is_valid())
            };
            let has_placeholders = repeats || files.iter().any(invalid);
            result.push(Entry { uid, files, patients, has_placeholders });
        }
    }
    result
}

/// Whether most files have a SOPInstanceUID that a file at another position has, too: it names no instance then, and the other
/// UIDs of such files are not to be trusted either.
fn repeats_instances(files: &[Found]) -> bool {
    let mut seen: HashMap<(&Uid, u32), Vec<&Header>> = HashMap::new();
    let images = || files.iter().filter(|file| file.header.plane.is_some() && file.header.sop_instance.is_valid());
    for file in images() {
        seen.entry((&file.header.sop_instance, file.header.frame)).or_default().push(&file.header);
    }
    let elsewhere = |headers: &&Vec<&Header>| headers.iter().any(|header| header.plane != headers[0].plane);
    let repeating: usize = seen.values().filter(elsewhere).map(Vec::len).sum();
    2 * repeating > images().count()
}

/// PatientID, PatientName and PatientBirthDate, normalized to compare them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
struct Person {
    id: String,
    /// The words of the name in alphabetical order.
    name: Vec<String>,
    birth: Option<(u16, u8, u8)>,
}

impl Person {
    fn of(header: &Header) -> Self {
        let words = |text: &str| -> Vec<String> {
            let lower = text.to_lowercase();
            lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let mut name = words(header.patient.name.as_str());
        name.sort();
        name.dedup();
        Self { id: header.patient.id.as_str().trim().to_lowercase(), name, birth: header.birth_date }
    }

    fn born(&self) -> String {
        self.birth.map(|(year, month, day)| format!("{year:04}{month:02}{day:02}")).unwrap_or_default()
    }

    fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Whether both cannot be one person. An absent value contradicts nothing, nor does a name with further given names.
    fn contradicts(&self, other: &Self) -> bool {
        let within = |a: &[String], b: &[String]| a.iter().all(|word| b.contains(word));
        let names = self.name.is_empty()
            || other.name.is_empty()
            || within(&self.name, &other.name)
            || within(&other.name, &self.name);
        let ids = self.id.is_empty() || other.id.is_empty() || self.id == other.id;
        let births = self.birth.zip(other.birth).is_none_or(|(a, b)| a == b);
        !(names && ids && births)
    }

    fn join(&mut self, other: &Self) {
        if self.id.is_empty() {
            self.id.clone_from(&other.id);
        }
        if self.name.len() < other.name.len() {
            self.name.clone_from(&other.name);
        }
        self.birth = self.birth.or(other.birth);
    }
}

/// Files by patient. Files that fit several patients, or name none where there are several, stay by themselves: it is not
/// certain whose they are.
fn by_patient(files: Vec<&Found>) -> Vec<(Person, Vec<&Found>)> {
    let persons: Vec<Person> = files.iter().map(|file| Person::of(&file.header)).collect();
    let distinct: BTreeSet<&Person> = persons.iter().collect();
    // Those of whom most is known first.
    let mut ordered: Vec<&Person> = distinct.into_iter().collect();
    let known = |person: &Person| {
        usize::from(!person.id.is_empty()) + usize::from(!person.name.is_empty()) + usize::from(person.birth.is_some())
    };
    ordered.sort_by_key(|person| std::cmp::Reverse((known(person), person.name.len())));
    let mut groups: Vec<Person> = Vec::new();
    let mut group_of: HashMap<&Person, usize> = HashMap::new();
    for person in ordered {
        let fitting: Vec<usize> = (0..groups.len()).filter(|&index| !groups[index].contradicts(person)).collect();
        let index = match fitting[..] {
            [only] if !(person.is_unknown() && groups.len() > 1) => {
                groups[only].join(person);
                only
            }
            _ => {
                groups.push(person.clone());
                groups.len() - 1
            }
        };
        group_of.insert(person, index);
    }
    let mut result: Vec<(Person, Vec<&Found>)> = groups.into_iter().map(|person| (person, Vec::new())).collect();
    for (file, person) in files.iter().zip(&persons) {
        if let Some((_, files)) = group_of.get(person).and_then(|&index| result.get_mut(index)) {
            files.push(*file);
        }
    }
    result
}
