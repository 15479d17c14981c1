//! Pictures written into files: whole or not at all, readable by their owner only, and never over another file.

use crate::app::Message;
use crate::domain::{CleanText, Volume};
use crate::raster::{self, Picture, PictureSize, Pixels, View};
use crossbeam_channel::Sender;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Pixels of the longer side.
const LONGER: f64 = 1024.0;

/// Draws and writes on a thread of its own, and tells how it went.
pub(super) fn start(path: String, volume: Arc<Volume>, view: Box<View>, sender: Sender<Message>) {
    let spawned = std::thread::Builder::new().name("export".into()).spawn(move || {
        let shown = CleanText::new(&path);
        let message = match write(&path, &volume, &view) {
            Ok(written) => Message::Notice(format!("written: {}", CleanText::new(&written.to_string_lossy()))),
            Err(problem) => Message::Trouble(format!("{shown} is not written: {problem}")),
        };
        // Nobody listens any more once the program ends.
        drop(sender.send(message));
    });
    if let Err(error) = spawned {
        tracing::error!("no thread for an export: {error}");
    }
}

/// The path as a shell would take it: from the home where it begins with `~/`, a PNG whatever its name.
fn target(path: &str) -> PathBuf {
    let path = path.trim();
    let whole = match path.strip_prefix("~/") {
        Some(rest) => {
            directories::BaseDirs::new().map_or_else(|| PathBuf::from(path), |dirs| dirs.home_dir().join(rest))
        }
        None => PathBuf::from(path),
    };
    if whole.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
        whole
    } else {
        let mut name = whole.into_os_string();
        name.push(".png");
        name.into()
    }
}

fn write(path: &str, volume: &Volume, view: &View) -> Result<PathBuf, String> {
    let path = target(path);
    let (width, height) = raster::plane_extent(volume, view.plane).unwrap_or((1.0, 1.0));
    let scale = LONGER / width.max(height);
    let pixels = |extent: f64| (extent * scale).round().clamp(1.0, LONGER) as u32;
    let size = PictureSize { width: pixels(width), height: pixels(height), pixel_aspect: 1.0 };
    let picture = raster::render(volume, view, size).map_err(|error| error.to_string())?;
    let bytes = encode(&picture).map_err(|error| error.to_string())?;
    put(&path, &bytes).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => "a file of this name is there already; choose another name".to_owned(),
        io::ErrorKind::NotFound => "its folder does not exist".to_owned(),
        _ => error.to_string(),
    })?;
    Ok(path)
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
