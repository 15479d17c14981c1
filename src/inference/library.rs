//! Where ONNX Runtime comes from: `ORT_DYLIB_PATH`, a library beside the executable, or the one embedded by `build.rs`.

use ort::environment::Environment;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

#[cfg(embedded_onnxruntime)]
mod embedded {
    /// The library as the wheel carries it: a raw deflate stream.
    pub(super) const DEFLATED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/onnxruntime.deflate"));
    /// SHA-256 of the inflated library.
    pub(super) const SHA256: &str = env!("CSPINE_ONNXRUNTIME_SHA256");
    /// Its file name.
    pub(super) const NAME: &str = env!("CSPINE_ONNXRUNTIME_NAME");
}

/// Where the library came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LibrarySource {
    /// `ORT_DYLIB_PATH`.
    Environment(PathBuf),
    /// Beside the executable.
    BesideExecutable(PathBuf),
    /// Embedded, unpacked into the cache folder.
    Unpacked(PathBuf),
    /// Embedded, unpacked into memory because no folder could be written.
    Memory,
    /// Linked or found by ort itself (feature `ort-download`).
    Linked,
}

impl fmt::Display for LibrarySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(path) => write!(f, "{} (from ORT_DYLIB_PATH)", path.display()),
            Self::BesideExecutable(path) => write!(f, "{} (beside the program)", path.display()),
            Self::Unpacked(path) => write!(f, "built in, unpacked to {}", path.display()),
            Self::Memory => f.write_str("built in, unpacked into memory"),
            Self::Linked => f.write_str("linked by ort"),
        }
    }
}

/// Why there is no ONNX Runtime: one sentence, then what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// None is embedded and none was named.
    #[error(
        "this build carries no ONNX Runtime; set ORT_DYLIB_PATH to libonnxruntime 1.17 or newer (pip install onnxruntime \
         brings one in onnxruntime/capi), put it beside the program, or build again where pip can reach a package index"
    )]
    Missing,
    /// The library cannot be unpacked.
    #[error("the built-in ONNX Runtime cannot be unpacked: {0}; set ORT_DYLIB_PATH to a libonnxruntime")]
    Unpack(String),
    /// The library cannot be loaded.
    #[error("{path} cannot be loaded as ONNX Runtime: {problem}; name another with ORT_DYLIB_PATH")]
    Load {
        /// The library.
        path: String,
        /// What the loader says.
        problem: String,
    },
}

static LOADED: OnceLock<Result<(Environment, LibrarySource), LibraryError>> = OnceLock::new();

/// The one ONNX Runtime of the process, loaded at the first call.
pub(super) fn environment(cache: Option<&Path>) -> Result<&'static Environment, LibraryError> {
    let loaded = LOADED.get_or_init(|| load(cache));
    loaded.as_ref().map(|(environment, _)| environment).map_err(Clone::clone)
}

/// Loads ONNX Runtime (once in a process) and says where it came from, for `cspine doctor`. `cache` is the folder in which
/// the embedded library is unpacked.
///
/// # Errors
/// Why there is none, with what to do.
pub fn library_report(cache: Option<&Path>) -> Result<LibrarySource, LibraryError> {
    environment(cache)?;
    match LOADED.get() {
        Some(Ok((_, source))) => Ok(source.clone()),
        _ => Err(LibraryError::Missing),
    }
}

fn load(cache: Option<&Path>) -> Result<(Environment, LibrarySource), LibraryError> {
    if cfg!(feature = "ort-download") {
        let built = ort::init().with_name("cspine").with_telemetry(false).build();
        return built
            .map(|environment| (environment, LibrarySource::Linked))
            .map_err(|error| LibraryError::Load { path: "the linked library".into(), problem: error.to_string() });
    }
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        return Ok((open(&path)?, LibrarySource::Environment(path)));
    }
    if let Some(path) = beside_executable() {
        return Ok((open(&path)?, LibrarySource::BesideExecutable(path)));
    }
    unpacked(cache)
}

fn open(path: &Path) -> Result<Environment, LibraryError> {
    let problem =
        |problem: String| LibraryError::Load { path: path.display().to_string(), problem: problem.replace('\n', " ") };
    // A missing file must be told before ort is asked: some of its paths panic.
    std::fs::metadata(path).map_err(|error| problem(error.kind().to_string()))?;
    let builder = ort::init_from(path).map_err(|error| problem(error.to_string()))?;
    builder.with_name("cspine").with_telemetry(false).build().map_err(|error| problem(error.to_string()))
}

fn beside_executable() -> Option<PathBuf> {
    let name = if cfg!(target_os = "macos") { "libonnxruntime.dylib" } else { "libonnxruntime.so" };
    let path = std::env::current_exe().ok()?.parent()?.join(name);
    path.is_file().then_some(path)
}

#[cfg(not(embedded_onnxruntime))]
fn unpacked(_cache: Option<&Path>) -> Result<(Environment, LibrarySource), LibraryError> {
    Err(LibraryError::Missing)
}

#[cfg(embedded_onnxruntime)]
fn unpacked(cache: Option<&Path>) -> Result<(Environment, LibrarySource), LibraryError> {
    if let Some(path) = cache.and_then(|cache| unpack_to(cache).ok()) {
        // A damaged or forbidden (noexec) copy must not stop the program: memory is tried next.
        if let Ok(environment) = open(&path) {
            return Ok((environment, LibrarySource::Unpacked(path)));
        }
    }
    in_memory()
}

/// Unpacks the library into `cache/onnxruntime-<hash>/`, once. The file appears whole under its name or not at all.
#[cfg(embedded_onnxruntime)]
fn unpack_to(cache: &Path) -> io::Result<PathBuf> {
    let folder = cache.join(format!("onnxruntime-{}", &embedded::SHA256[..16]));
    let path = folder.join(embedded::NAME);
    if let Ok(bytes) = std::fs::read(&path)
        && sha256_hex(&bytes) == embedded::SHA256
    {
        return Ok(path);
    }
    std::fs::create_dir_all(&folder)?;
    let temporary = folder.join(format!("{}.{}", embedded::NAME, std::process::id()));
    let written = std::fs::File::create(&temporary).and_then(|mut file| {
        file.write_all(&inflate()?)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| std::fs::rename(&temporary, &path));
    if moved.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    moved.map(|()| path)
}

#[cfg(all(embedded_onnxruntime, target_os = "linux"))]
fn in_memory() -> Result<(Environment, LibrarySource), LibraryError> {
    use rustix::fs::{MemfdFlags, memfd_create};
    use std::os::fd::{AsRawFd, IntoRawFd};
    let unpack = |error: io::Error| LibraryError::Unpack(error.to_string());
    let descriptor = memfd_create("onnxruntime", MemfdFlags::CLOEXEC).map_err(|error| unpack(error.into()))?;
    let mut file = std::fs::File::from(descriptor);
    file.write_all(&inflate().map_err(unpack)?).map_err(unpack)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let environment = open(&path)?;
    // The descriptor stays open for as long as the library is mapped: until the process ends.
    let _ = file.into_raw_fd();
    Ok((environment, LibrarySource::Memory))
}

#[cfg(all(embedded_onnxruntime, not(target_os = "linux")))]
fn in_memory() -> Result<(Environment, LibrarySource), LibraryError> {
    let folder = std::env::temp_dir().join(format!("cspine-{}", std::process::id()));
    let path = unpack_to(&folder).map_err(|error| LibraryError::Unpack(error.to_string()))?;
    Ok((open(&path)?, LibrarySource::Unpacked(path)))
}

#[cfg(embedded_onnxruntime)]
fn inflate() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(embedded::DEFLATED).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
