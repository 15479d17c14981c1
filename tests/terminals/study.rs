//! A study whose every slice is another picture, and what the program itself says that they look like.

use crate::image::Image;
use cspine::domain::{PatientPoint, Sex};
use cspine::phantom::{Kernel, PhantomPatient, PhantomSlice, Preset, write_slice};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Slices of the study.
pub(crate) const SLICES: usize = 20;
/// Rows and columns of each.
pub(crate) const SIDE: usize = 512;

/// A home of its own with a study in it.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

/// Has planes open with their whole field in view, as `cspine render` draws them.
pub(crate) fn show_the_field(home: &Path) {
    let settings = home.join(".config/cspine");
    std::fs::create_dir_all(&settings).expect("a folder");
    std::fs::write(settings.join("settings.toml"), "[reading]\nframing = \"field\"\n").expect("settings");
}

impl Home {
    /// Makes one. The stack is 10 mm high: too short for a neck, so that no network runs beside.
    pub(crate) fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().expect("a home") };
        home.add("studies", "MADE^One", 1);
        show_the_field(home.folder.path());
        home
    }

    /// Adds a folder with a study of another patient, whose number tells the images from those of others.
    pub(crate) fn add(&self, folder: &str, name: &str, patient: u64) {
        let studies = self.folder.path().join(folder);
        std::fs::create_dir(&studies).expect("a folder");
        let (id, root) = (format!("MADE{patient}"), format!("2.25.{patient}"));
        let (study_uid, series_uid, frame_uid) = (format!("{root}.1"), format!("{root}.2"), format!("{root}.4"));
        let person = PhantomPatient { name: name.into(), id, age_years: 50, sex: Sex::Other };
        for number in 1..=SLICES {
            let voxels = voxels(patient, number);
            let slice = PhantomSlice {
                voxels: &voxels,
                rows: SIDE,
                columns: SIDE,
                pixel_mm: 0.5,
                spacing_mm: 0.5,
                thickness_mm: 0.5,
                position: PatientPoint::new(-128.0, -128.0, -0.5 * number as f64),
                down: [0.0, 1.0, 0.0],
                instance_number: number,
                study_uid: &study_uid,
                series_uid: &series_uid,
                instance_uid: &format!("{root}.3.{number}"),
                frame_uid: &frame_uid,
                patient: &person,
                description: "made",
                series_description: "made",
                body_part: "CSPINE",
                date: "20000102",
                time: "120000",
                kernel: Kernel::Bone,
                preset: Preset::Queue,
                intercept: -1024,
            };
            write_slice(&studies.join(format!("{number:02}.dcm")), &slice).expect("a slice");
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What `cspine render` makes of a slice, from 1, at this size.
    pub(crate) fn rendered(&self, slice: usize, width: usize, height: usize) -> Image {
        rendered(&self.path().join("studies"), self.path(), slice, width, height)
    }
}

/// What `cspine render` makes of a slice of any folder.
pub(crate) fn rendered(study: &Path, home: &Path, slice: usize, width: usize, height: usize) -> Image {
    let file = tempfile::tempdir().expect("a folder");
    let png: PathBuf = file.path().join("slice.png");
    let status = Command::new(env!("CARGO_BIN_EXE_cspine"))
        .arg("render")
        .arg(study)
        .args(["--slice", &slice.to_string(), "--size", &format!("{width}x{height}"), "-o"])
        .arg(&png)
        .env("HOME", home)
        .status();
    assert!(status.expect("the program runs").success());
    Image::read(&png)
}

/// A ramp, so that no side can be taken for another, a bright square whose place tells the slice, and noise, so that a picture has
/// as many bytes as a noisy scan's; the noise is the patient's own.
fn voxels(patient: u64, number: usize) -> Vec<i16> {
    let mut random = fastrand::Rng::with_seed((patient - 1) * 1000 + number as u64);
    let corner = (20 * number, 24 * (SLICES - number));
    let mut voxels = Vec::with_capacity(SIDE * SIDE);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let inside = (corner.0..corner.0 + 60).contains(&x) && (corner.1..corner.1 + 40).contains(&y);
            let base = if inside { 1300 } else { x + y / 2 };
            voxels.push(i16::try_from(base).expect("few HU") - 500 + random.i16(-80..80));
        }
    }
    voxels
}
