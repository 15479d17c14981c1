//! Pictures written into files: whole or not at all, readable by their owner only, and never over another file.

use crate::app::{Exported, Message};
use crate::domain::{SensitiveText, Volume};
use crate::raster::{self, Picture, PictureSize, Pixels};
use crossbeam_channel::Sender;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Pixels of the longer side.
const LONGER: f64 = 1024.0;

/// Draws and writes on a thread of its own, and tells how it went.
pub(super) fn start(
    (folder, elsewhere): (Option<String>, usize),
    volume: Arc<Volume>,
    pictures: Vec<Exported>,
    sender: Sender<Message>,
) {
    let spawned = std::thread::Builder::new().name("export".into()).spawn(move || {
        let message = match folder {
            Some(folder) => write_all(&folder, &volume, &pictures, elsewhere),
            None => write_one(&volume, &pictures),
        };
        // Nobody listens any more once the program ends.
        drop(sender.send(message));
    });
    if let Err(error) = spawned {
        tracing::error!("no thread for an export: {error}");
    }
}

fn write_one(volume: &Volume, pictures: &[Exported]) -> Message {
    let Some(picture) = pictures.first() else { return Message::Notice("nothing to write".into()) };
    let path = target(&picture.path);
    match write(&path, volume, picture) {
        Ok(()) => Message::Notice(SensitiveText::plain("written: ").path(&path)),
        Err(problem) => {
            Message::Trouble(SensitiveText::private(&picture.path).words(" is not written: ").then(problem))
        }
    }
}

/// Writes as many as can be written, and tells of the first that cannot.
fn write_all(folder: &str, volume: &Volume, pictures: &[Exported], elsewhere: usize) -> Message {
    let folder = from_home(folder);
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    if let Err(error) = made {
        return Message::Trouble(SensitiveText::at(&folder).words(format!(" cannot be made: {error}")));
    }
    let tried = pictures.iter().map(|picture| (picture, write(&folder.join(&picture.path), volume, picture)));
    let failed: Vec<SensitiveText> = tried
        .filter_map(|(picture, result)| Some(SensitiveText::private(&picture.path).words(": ").then(result.err()?)))
        .collect();
    let written = pictures.len() - failed.len();
    match failed.first() {
        None => {
            let others = if elsewhere == 0 { String::new() } else { format!("; {elsewhere} of other series are not") };
            Message::Notice(
                SensitiveText::plain(format!("written: {written} key images in ")).path(&folder).words(others),
            )
        }
        Some(first) => Message::Trouble(
            SensitiveText::plain(format!("{written} of {} key images are written; ", pictures.len()))
                .then(first.clone()),
        ),
    }
}

/// The path as a shell would take it: from the home where it begins with `~/`.
fn from_home(path: &str) -> PathBuf {
    let path = path.trim();
    match path.strip_prefix("~/") {
        Some(rest) => {
            directories::BaseDirs::new().map_or_else(|| PathBuf::from(path), |dirs| dirs.home_dir().join(rest))
        }
        None => PathBuf::from(path),
    }
}

/// The file meant by a path: a PNG whatever its name.
fn target(path: &str) -> PathBuf {
    let whole = from_home(path);
    if whole.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
        whole
    } else {
        let mut name = whole.into_os_string();
        name.push(".png");
        name.into()
    }
}

fn write(path: &Path, volume: &Volume, Exported { view, captions, .. }: &Exported) -> Result<(), SensitiveText> {
    let (width, height) = raster::plane_extent(volume, view.plane).unwrap_or((1.0, 1.0));
    let scale = LONGER / width.max(height);
    let pixels = |extent: f64| (extent * scale).round().clamp(1.0, LONGER) as u32;
    let size = PictureSize { width: pixels(width), height: pixels(height), pixel_aspect: 1.0 };
    let mut picture = raster::render(volume, view, size).map_err(|error| SensitiveText::plain(error.to_string()))?;
    if let Some(captions) = captions {
        raster::burn_in(&mut picture, captions);
    }
    let bytes = encode(&picture).map_err(|error| SensitiveText::plain(error.to_string()))?;
    put(path, &bytes).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => "a file of this name is there already; choose another name".into(),
        io::ErrorKind::NotFound => "its folder does not exist".into(),
        _ => SensitiveText::foreign(&error.to_string()),
    })
}

fn encode(picture: &Picture) -> Result<Vec<u8>, png::EncodingError> {
    let (bytes, colour) = match &picture.pixels {
        Pixels::Grey(bytes) => (bytes, png::ColorType::Grayscale),
        Pixels::Rgb(bytes) => (bytes, png::ColorType::Rgb),
    };
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width, picture.height);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    if let Some(mm) = picture.mm_per_pixel.filter(|mm| *mm > 0.0) {
        let per_metre = (1000.0 / mm).round() as u32;
        encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter }));
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(bytes)?;
    writer.finish()?;
    Ok(file)
}

/// Writes a file that was not there before: into a hidden one beside it, on disk, then under its name.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.part", std::process::id()));
    let hidden = folder.join(hidden);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&hidden)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // A link is made only where nothing has the name yet; renaming would replace it.
        std::fs::hard_link(&hidden, path)
    })();
    if written.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::AlreadyExists) && !path.exists() {
        // File systems without links: the name is taken first, and is nobody else's then.
        let taken = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        if taken.is_ok() {
            return std::fs::rename(&hidden, path).inspect_err(|_| {
                // What was taken is empty and is given back; the other file was never there.
                let _ = std::fs::remove_file(path);
                let _ = std::fs::remove_file(&hidden);
            });
        }
    }
    let _ = std::fs::remove_file(&hidden);
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_its_owners_whole_and_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.png");
        put(&path, b"first").expect("written");
        assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        let error = put(&path, b"second").expect_err("there already");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).expect("a file"), b"first");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside it");
        let error = put(&folder.path().join("none/a.png"), b"x").expect_err("no folder");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn names_become_png() {
        assert_eq!(target(" axial-3 "), PathBuf::from("axial-3.png"));
        assert_eq!(target("a.b.PNG"), PathBuf::from("a.b.PNG"));
        assert_eq!(target("/tmp/x.jpg"), PathBuf::from("/tmp/x.jpg.png"));
    }
}
