//! Structured reports and secondary captures: read back, and checked by dcmtk and dicom3tools.

use crate::support::result::{NAME, WRITTEN, bare, result};
use cspine::dicom::{
    Capture, CapturedPixels, Sources, WriteError, load_volume, scan_all, secondary_capture, structured_report,
};
use cspine::domain::{Geometry, Modality, Place, SeriesKind};
use cspine::results::StudyResult;
use cspine::task::Cancel;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::{InMemDicomObject, from_reader};
use std::path::Path;
use std::process::Command;

pub(super) fn report_of(result: &StudyResult) -> Vec<u8> {
    let sources = Sources::read(result).expect("the sources");
    structured_report(result, &sources, WRITTEN).expect("a report").bytes
}

fn capture_of(result: &StudyResult, pixels: CapturedPixels<'_>) -> Result<Vec<u8>, WriteError> {
    let sources = Sources::read(result).expect("the sources");
    let description = "axial slice 3, window 2000/350";
    let capture = Capture { image: &result.key_images[0], number: 1, columns: 5, rows: 3, pixels, description };
    secondary_capture(&capture, &sources, WRITTEN).map(|file| file.bytes)
}

fn text(object: &InMemDicomObject, tag: Tag) -> String {
    object.element(tag).expect("an element").to_str().expect("text").trim_end_matches(['\0', ' ']).to_owned()
}

/// The meaning of a code in a sequence of one.
fn code(object: &InMemDicomObject, sequence: Tag, tag: Tag) -> Option<String> {
    let items = object.element_opt(sequence).ok()??.items()?;
    Some(text(&items[0], tag))
}

/// The tree as lines, indented by depth.
pub(super) fn tree(object: &InMemDicomObject, depth: usize, out: &mut String) {
    let name = code(object, tags::CONCEPT_NAME_CODE_SEQUENCE, tags::CODE_MEANING).unwrap_or_default();
    let kind = text(object, tags::VALUE_TYPE);
    let value = match kind.as_str() {
        "TEXT" => text(object, tags::TEXT_VALUE),
        "CODE" => format!(
            "{} {}",
            code(object, tags::CONCEPT_CODE_SEQUENCE, tags::CODING_SCHEME_DESIGNATOR).expect("a scheme"),
            code(object, tags::CONCEPT_CODE_SEQUENCE, tags::CODE_MEANING).expect("a meaning")
        ),
        "NUM" => {
            let value =
                object.element(tags::MEASURED_VALUE_SEQUENCE).expect("a value").items().expect("items")[0].clone();
            format!(
                "{} {}",
                text(&value, tags::NUMERIC_VALUE),
                code(&value, tags::MEASUREMENT_UNITS_CODE_SEQUENCE, tags::CODE_VALUE).expect("a unit")
            )
        }
        "SCOORD" => {
            let points = object.element(tags::GRAPHIC_DATA).expect("points").to_multi_float32().expect("numbers");
            format!("{} {points:?}", text(object, tags::GRAPHIC_TYPE))
        }
        "PNAME" => text(object, tags::PERSON_NAME),
        "IMAGE" => code(object, tags::REFERENCED_SOP_SEQUENCE, tags::REFERENCED_SOP_INSTANCE_UID).expect("an instance"),
        _ => String::new(),
    };
    let relation = object
        .element_opt(tags::RELATIONSHIP_TYPE)
        .expect("readable")
        .map_or(String::new(), |element| format!("{}: ", element.to_str().expect("text").trim()));
    let when = object
        .element_opt(tags::OBSERVATION_DATE_TIME)
        .expect("readable")
        .map_or(String::new(), |element| format!(" @ {}", element.to_str().expect("text").trim()));
    out.push_str(&format!("{}{relation}{kind} {name} = {value}{when}\n", "  ".repeat(depth)));
    let children = object.element_opt(tags::CONTENT_SEQUENCE).expect("readable");
    for child in children.and_then(|element| element.items()).into_iter().flatten() {
        tree(child, depth + 1, out);
    }
}

#[test]
fn a_structured_report_says_what_is_known_and_who_said_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let result = result(folder.path());
    let file = from_reader(&report_of(&result)[..]).expect("a DICOM file");
    for (tag, value) in [
        (tags::SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.88.33"),
        (tags::MODALITY, "SR"),
        (tags::STUDY_INSTANCE_UID, "2.25.1"),
        (tags::PATIENT_NAME, NAME),
        (tags::PATIENT_ID, "P-001"),
        (tags::ACCESSION_NUMBER, "A*1|2"),
        (tags::STUDY_DESCRIPTION, "=CT <C-spine>"),
        (tags::COMPLETION_FLAG, "COMPLETE"),
        (tags::VERIFICATION_FLAG, "UNVERIFIED"),
        (tags::TIMEZONE_OFFSET_FROM_UTC, "+0100"),
    ] {
        assert_eq!(text(&file, tag), value, "{tag}");
    }
    let mut lines = String::new();
    tree(&file, 0, &mut lines);
    insta::assert_snapshot!("structured_report", lines);
    // Every image that is named is in the evidence.
    let evidence = file.element(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE).expect("evidence");
    let series = evidence.items().expect("a study")[0].element(tags::REFERENCED_SERIES_SEQUENCE).expect("series");
    let images = series.items().expect("a series")[0].element(tags::REFERENCED_SOP_SEQUENCE).expect("images");
    assert_eq!(images.items().expect("images").len(), 6, "six key slices, of which one is the key image");
}

/// A measurement in the same place for every figure: over the third picture from the head, 2 mm wide and 1 mm high.
#[test]
fn figures_have_their_columns_and_rows_from_the_corner_of_the_first_pixel() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut result = result(folder.path());
    let plane = result.study.series[0].instances[2].plane.expect("a plane");
    let at =
        |across: f64, down: f64| Place::at(plane.position + plane.row_cosines * across + plane.column_cosines * down);
    let (a, b, c) = (at(0.5, 0.5), at(2.5, 0.5), at(0.5, 1.5));
    let coordinates = |result: &StudyResult| {
        let mut lines = String::new();
        tree(&from_reader(&report_of(result)[..]).expect("a file"), 0, &mut lines);
        let measured = lines.lines().skip_while(|line| !line.contains("NUM Length"));
        let mut measured = measured.map(str::trim).skip_while(|line| !line.contains("SCOORD"));
        let figure = measured.next().map(|line| line.split(" = ").nth(1).expect("a figure").to_owned());
        (figure, measured.next().map(str::to_owned))
    };
    let cases = [
        // Pixels of 0.5 mm: the centre of the second is at 1.5.
        (Geometry::Distance { ends: [a.clone(), b.clone()] }, "POLYLINE [1.5, 1.5, 5.5, 1.5]"),
        (Geometry::Angle { places: [b.clone(), a.clone(), c.clone()] }, "POLYLINE [5.5, 1.5, 1.5, 1.5, 1.5, 3.5]"),
        (
            Geometry::Rectangle { corners: [a.clone(), b.clone(), c.clone()] },
            "POLYLINE [1.5, 1.5, 5.5, 1.5, 5.5, 3.5, 1.5, 3.5, 1.5, 1.5]",
        ),
        (
            // The longer axis first, whichever side of the rectangle comes first.
            Geometry::Ellipse { corners: [a.clone(), c, b] },
            "ELLIPSE [1.5, 2.5, 5.5, 2.5, 3.5, 1.5, 3.5, 3.5]",
        ),
        (Geometry::Probe { place: a }, "POINT [1.5, 1.5]"),
    ];
    let image = result.study.series[0].instances[2].sop_instance_uid.clone();
    for (geometry, figure) in cases {
        result.measurements[0].measurement.geometry = geometry;
        let (told, below) = coordinates(&result);
        assert_eq!(told.as_deref(), Some(figure));
        assert_eq!(below, Some(format!("SELECTED FROM: IMAGE  = {image}")));
        let out = folder.path().join("report.dcm");
        std::fs::write(&out, report_of(&result)).expect("written");
        for (program, package) in [("dsrdump", "dcmtk"), ("dciodvfy", "dicom3tools")] {
            let Some((_, said)) = checked(program, package, &out) else { continue };
            let wrong: Vec<&str> =
                said.lines().filter(|line| line.starts_with("E: ") || line.starts_with("Error")).collect();
            assert!(wrong.is_empty(), "{figure}: {wrong:#?}\n{said}");
        }
        std::fs::remove_file(&out).expect("it goes");
    }
    // Across slices, or beside the picture, there are no coordinates on one picture.
    for geometry in [
        Geometry::Distance { ends: [at(0.5, 0.5), Place::at(plane.position + plane.normal() * 6.0)] },
        Geometry::Distance { ends: [at(0.5, 0.5), at(0.5, 40.0)] },
    ] {
        result.measurements[0].measurement.geometry = geometry;
        assert_eq!(coordinates(&result), (None, None));
    }
}

#[test]
fn an_unread_study_is_partial_and_the_same_content_has_the_same_identifier() {
    let folder = tempfile::tempdir().expect("a folder");
    let full = result(folder.path());
    let file = from_reader(&report_of(&bare(&full))[..]).expect("a DICOM file");
    assert_eq!(text(&file, tags::COMPLETION_FLAG), "PARTIAL");
    assert_eq!(text(&file, tags::PRELIMINARY_FLAG), "PRELIMINARY");
    assert_eq!(report_of(&full), report_of(&full));
    let (one, other) = (from_reader(&report_of(&full)[..]).expect("a file"), file);
    assert_ne!(text(&one, tags::SOP_INSTANCE_UID), text(&other, tags::SOP_INSTANCE_UID));
    assert_eq!(text(&one, tags::SERIES_INSTANCE_UID), text(&other, tags::SERIES_INSTANCE_UID));
}

#[test]
fn what_is_written_belongs_to_its_study_when_it_is_read_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = result(folder.path());
    let grey: Vec<u8> = (0..15).map(|value| value * 17).collect();
    std::fs::write(folder.path().join("report.dcm"), report_of(&before)).expect("written");
    let capture = capture_of(&before, CapturedPixels::Grey(&grey)).expect("a capture");
    std::fs::write(folder.path().join("key1.dcm"), capture).expect("written");
    let (studies, unreadable, _) = scan_all(&[folder.path().to_owned()], &Cancel::new());
    assert!(unreadable.is_empty(), "{unreadable:?}");
    assert_eq!(studies.len(), 1, "all belong to one study");
    let study = &studies[0];
    assert_eq!((&study.patient, study.date), (&before.study.patient, before.study.date));
    let kinds: Vec<(String, SeriesKind)> =
        study.series.iter().map(|series| (series.modality.to_string(), series.kind)).collect();
    assert!(kinds.contains(&("SR".into(), SeriesKind::NoPixels)), "{kinds:?}");
    let capture =
        study.series.iter().find(|series| series.modality == Modality::Other(cspine::domain::CleanText::new("OT")));
    let volume = load_volume(capture.expect("the capture"), &Cancel::new(), &|_, _| {}).expect("its pixels");
    let read: Vec<i16> = grey.iter().map(|value| i16::from(*value)).collect();
    assert_eq!((volume.shape.rows, volume.shape.columns, &volume.voxels), (3, 5, &read));
    // The study's own series is still the one to analyse.
    let chosen = cspine::domain::rank_series(study);
    assert!(
        chosen.iter().zip(&study.series).all(|(verdict, series)| verdict.is_err() || series.modality == Modality::Ct)
    );
}

#[test]
fn a_capture_names_its_source_and_no_patient_in_its_pixels() {
    let folder = tempfile::tempdir().expect("a folder");
    let result = result(folder.path());
    let rgb = [7; 45];
    let file = from_reader(&capture_of(&result, CapturedPixels::Rgb(&rgb)).expect("a capture")[..]).expect("a file");
    for (tag, value) in [
        (tags::BURNED_IN_ANNOTATION, "NO"),
        (tags::CONVERSION_TYPE, "WSD"),
        (tags::PHOTOMETRIC_INTERPRETATION, "RGB"),
        (tags::LOSSY_IMAGE_COMPRESSION, "00"),
        (tags::IMAGE_COMMENTS, "dens, left"),
        (tags::PATIENT_NAME, NAME),
    ] {
        assert_eq!(text(&file, tag), value, "{tag}");
    }
    let source = code(&file, tags::SOURCE_IMAGE_SEQUENCE, tags::REFERENCED_SOP_INSTANCE_UID);
    assert_eq!(source.as_deref(), Some(result.key_images[0].instance.as_str()));
    assert!(matches!(capture_of(&result, CapturedPixels::Grey(&rgb)), Err(WriteError::Shape { .. })));
}

#[test]
fn a_key_image_that_is_gone_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut result = result(folder.path());
    result.key_images[0].frame = 9;
    assert!(matches!(Sources::read(&result), Err(WriteError::NoKeyImage(1))));
    result.key_images.clear();
    std::fs::remove_dir_all(folder.path()).expect("removed");
    let error = Sources::read(&result).expect_err("the files are gone").to_string();
    assert!(error.contains("need the study's files"), "{error}");
}

/// Runs a validator; `None` with a word where it is not installed, unless `CSPINE_REQUIRE_DICOM_TOOLS` is set.
fn checked(program: &str, package: &str, file: &Path) -> Option<(bool, String)> {
    let output = match Command::new(program).arg(file).output() {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("CSPINE_REQUIRE_DICOM_TOOLS").is_none(), "{program}: {error}; install {package}");
            println!("skipped: {program} is not here; install {package} (a package of Debian)");
            return None;
        }
    };
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Some((output.status.success(), said))
}

#[test]
fn dcmtk_and_dicom3tools_find_no_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let result = result(folder.path());
    let check = cspine::domain::DistributionCheck::Measured { distance: 1.84, threshold: 1.3 };
    let (grey, rgb) = ([9; 15], [9; 45]);
    let files = [
        ("report.dcm", report_of(&result)),
        ("bare.dcm", report_of(&bare(&result))),
        ("unlike_report.dcm", report_of(&crate::support::result::unlike(folder.path(), check))),
        ("grey.dcm", capture_of(&result, CapturedPixels::Grey(&grey)).expect("a capture")),
        ("rgb.dcm", capture_of(&result, CapturedPixels::Rgb(&rgb)).expect("a capture")),
    ];
    let out = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let path = out.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        if let Some((_, said)) = checked("dciodvfy", "dicom3tools", &path) {
            let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("Error")).collect();
            assert!(errors.is_empty(), "{name}: {errors:#?}\n{said}");
        }
        let is_report = name.ends_with("report.dcm") || name.ends_with("bare.dcm");
        if let Some((good, said)) = is_report.then(|| checked("dsrdump", "dcmtk", &path)).flatten() {
            // dcmtk 3.6.7 checks no values in UTF-8, and says so.
            let wrong = |line: &&str| {
                line.starts_with("E: ")
                    || (line.starts_with("W: ") && !line.contains("The VR checker does not support"))
            };
            let wrong: Vec<&str> = said.lines().filter(wrong).collect();
            assert!(good && wrong.is_empty(), "{name}: {wrong:#?}\n{said}");
            assert!(said.contains("Comprehensive SR Document"), "{name}:\n{said}");
        }
    }
}
