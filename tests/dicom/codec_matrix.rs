//! One CT slice in every transfer syntax, through the public way: scan, then load. What was encoded without loss must be the
//! uncompressed slice to the voxel; what was encoded with loss, within what the data's own table says.

use crate::support::shared;
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{Oddity, Volume};
use cspine::task::Cancel;
use std::path::{Path, PathBuf};

/// The only volume of a file; an error's text where it cannot be loaded.
fn volume(path: &Path) -> Result<Volume, String> {
    let (studies, ..) = scan_all(&[path.to_owned()], &Cancel::new());
    let [study] = studies.as_slice() else { return Err(format!("{} studies", studies.len())) };
    let [series] = study.series.as_slice() else { return Err(format!("{} series", study.series.len())) };
    load_volume(series, &Cancel::new(), &|_, _| {}).map_err(|error| error.to_string())
}

fn file(root: &Path, ending: &str) -> PathBuf {
    let entries = std::fs::read_dir(root).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    assert_eq!(found.len(), 1, "files ending in {ending}");
    found.remove(0)
}

/// How far two slices lie apart, in HU: mean and largest difference.
fn distance(one: &Volume, other: &Volume) -> (f64, u32) {
    assert_eq!(one.voxels.len(), other.voxels.len());
    let apart = || one.voxels.iter().zip(&other.voxels).map(|(a, b)| u32::from(a.abs_diff(*b)));
    let mean = apart().map(f64::from).sum::<f64>() / one.voxels.len() as f64;
    (mean, apart().max().unwrap_or(0))
}

#[test]
fn lossless_syntaxes_give_the_uncompressed_slice() {
    let Some(root) = shared::folder("codec-matrix") else { return };
    let reference = volume(&root.join("CTImage.dcm")).expect("the reference");
    // −2000 stored with intercept −1024 is padding; the rest is as stored.
    assert_eq!(reference.voxels.iter().min(), Some(&Volume::AIR));
    assert_eq!(reference.voxels.iter().max(), Some(&(2402 - 1024)));
    for syntax in ["1.2", "1.2.1", "1.2.2", "1.2.1.99", "1.2.5", "1.2.4.57", "1.2.4.70", "1.2.4.80", "1.2.4.90"] {
        let read = volume(&file(&root, &format!("_1.2.840.10008.{syntax}.dcm"))).expect(syntax);
        assert!(read.voxels == reference.voxels, "{syntax}: {:?} HU off", distance(&read, &reference));
    }
    let fragments = volume(&file(&root, "five_fragments_no_offset_table.dcm")).expect("fragments");
    assert!(fragments.voxels == reference.voxels, "five fragments");
}

/// What is less than air is air in a volume, so differences down there do not count here; `dicom::codecs` has a test of the values as
/// stored.
#[test]
fn lossy_syntaxes_stay_within_their_bounds() {
    let Some(root) = shared::folder("codec-matrix") else { return };
    let reference = volume(&root.join("CTImage.dcm")).expect("the reference");
    for (syntax, mean, largest) in [
        ("1.2.4.81", 1.0, 1),
        ("1.2.4.91", 2.0, 5),
        ("1.2.4.50", 18.5, 64),
        ("1.2.4.51", 4.6, 36),
        ("1.2.4.53", 4.6, 36),
        ("1.2.4.55", 4.6, 36),
    ] {
        let read = volume(&file(&root, &format!("_1.2.840.10008.{syntax}.dcm"))).expect(syntax);
        let found = distance(&read, &reference);
        println!("{syntax}: {:.2} HU off in the mean, {} at most", found.0, found.1);
        assert!(found.0 > 0.0 && found.0 <= mean && found.1 <= largest, "{syntax}: {found:?} HU off");
    }
}

/// The spectral and the progressive file hold the sequential one's coefficients.
#[test]
fn the_three_ways_of_extended_jpeg_give_one_picture() {
    let Some(root) = shared::folder("codec-matrix") else { return };
    let [one, two, three] = ["1.2.4.51", "1.2.4.53", "1.2.4.55"]
        .map(|syntax| volume(&file(&root, &format!("_1.2.840.10008.{syntax}.dcm"))).expect(syntax).voxels);
    assert!(one == two && one == three);
}

#[test]
fn colour_makes_no_volume_and_is_told() {
    let Some(root) = shared::folder("codec-matrix") else { return };
    for entry in std::fs::read_dir(&root).expect("the folder") {
        let path = entry.expect("an entry").path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("TestPattern")) {
            continue;
        }
        let (studies, ..) = scan_all(std::slice::from_ref(&path), &Cancel::new());
        let told = studies.iter().flat_map(|study| &study.series).any(|series| {
            series.instances.is_empty() && series.oddities.iter().any(|oddity| matches!(oddity, Oddity::NotGrey(_)))
        });
        assert!(told, "{}: {studies:?}", path.display());
    }
}
