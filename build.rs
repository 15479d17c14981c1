//! Fetches ONNX Runtime and embeds it, so that the user needs no step of their own.
//!
//! The wheel of `onnxruntime` on PyPI, pinned by hash, is got through pip, which honours the user's own index, proxy and
//! certificates. The library stays compressed as the wheel has it. Where it cannot be got the build succeeds with one warning, and
//! tries again at the next build.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const VERSION: &str = "1.32.0";

/// The wheel for a target.
struct Wheel {
    platform: &'static str,
    sha256: &'static str,
    shared_object: &'static str,
}

fn wheel_for(os: &str, arch: &str, env: &str) -> Option<Wheel> {
    match (os, arch, env) {
        ("linux", "x86_64", "gnu") => Some(Wheel {
            platform: "manylinux_2_28_x86_64",
            sha256: "99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8",
            shared_object: "libonnxruntime.so.1.32.0",
        }),
        ("linux", "aarch64", "gnu") => Some(Wheel {
            platform: "manylinux_2_28_aarch64",
            sha256: "e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054",
            shared_object: "libonnxruntime.so.1.32.0",
        }),
        ("macos", "aarch64", _) => Some(Wheel {
            platform: "macosx_14_0_arm64",
            sha256: "d52510bbbcc880c13b826f7d75cdf33ac5cf0bb864d960000fc29ce73f0cb83e",
            shared_object: "libonnxruntime.1.32.0.dylib",
        }),
        _ => None,
    }
}

fn main() {
    println!("cargo:rustc-check-cfg=cfg(embedded_onnxruntime)");
    println!("cargo:rustc-check-cfg=cfg(embedded_model)");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=models/phantom-b0");
    println!("cargo:rerun-if-env-changed=CSPINE_NO_ONNXRUNTIME");
    if ["model.onnx", "model.toml"].iter().all(|name| Path::new("models/phantom-b0").join(name).is_file()) {
        println!("cargo:rustc-cfg=embedded_model");
    }
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let out = PathBuf::from(var("OUT_DIR"));
    if !var("CARGO_FEATURE_ORT_DOWNLOAD").is_empty() || !var("CSPINE_NO_ONNXRUNTIME").is_empty() {
        return;
    }
    let wheel = wheel_for(&var("CARGO_CFG_TARGET_OS"), &var("CARGO_CFG_TARGET_ARCH"), &var("CARGO_CFG_TARGET_ENV"));
    let Some(wheel) = wheel else {
        println!("cargo:warning=no ONNX Runtime is known for this target; cspine will look for one in ORT_DYLIB_PATH");
        return;
    };
    match embed(&wheel, &out) {
        Ok(sha256) => {
            println!("cargo:rustc-cfg=embedded_onnxruntime");
            println!("cargo:rustc-env=CSPINE_ONNXRUNTIME_SHA256={sha256}");
            println!("cargo:rustc-env=CSPINE_ONNXRUNTIME_NAME={}", wheel.shared_object);
        }
        Err(problem) => {
            // A file that never exists makes the next build try again.
            println!("cargo:rerun-if-changed={}", out.join("try-again").display());
            println!(
                "cargo:warning=ONNX Runtime was not embedded ({problem}): pictures work, analysis needs ORT_DYLIB_PATH; to embed it \
                 make `python3 -m pip download onnxruntime=={VERSION}` work and build again"
            );
        }
    }
}

/// Gets the wheel and takes out of it what is embedded. Returns the library's SHA-256.
fn embed(wheel: &Wheel, out: &Path) -> Result<String, String> {
    let file = download(wheel, &out.join("wheel"))?;
    let bytes = fs::read(&file).map_err(|error| error.to_string())?;
    if sha256_hex(&bytes) != wheel.sha256 {
        let _ = fs::remove_file(&file);
        return Err("the wheel's hash is wrong".into());
    }
    let mut reader = std::io::Cursor::new(&bytes);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).map_err(|error| error.to_string())?;
    for (name, target) in [
        ("onnxruntime/LICENSE", "onnxruntime-LICENSE"),
        ("onnxruntime/ThirdPartyNotices.txt", "onnxruntime-ThirdPartyNotices.txt"),
    ] {
        let raw = raw_entry(&mut archive, &mut reader, name)?;
        let text = inflate(&raw)?;
        // include_str! needs UTF-8, which the notices are not everywhere.
        fs::write(out.join(target), String::from_utf8_lossy(&text).as_bytes()).map_err(|error| error.to_string())?;
    }
    let raw = raw_entry(&mut archive, &mut reader, &format!("onnxruntime/capi/{}", wheel.shared_object))?;
    let library = inflate(&raw)?;
    fs::write(out.join("onnxruntime.deflate"), &raw).map_err(|error| error.to_string())?;
    Ok(sha256_hex(&library))
}

/// An entry's compressed bytes.
fn raw_entry(
    archive: &mut zip::ZipArchive<std::io::Cursor<&Vec<u8>>>,
    reader: &mut std::io::Cursor<&Vec<u8>>,
    name: &str,
) -> Result<Vec<u8>, String> {
    let index = archive.index_for_name(name).ok_or_else(|| format!("the wheel holds no {name}"))?;
    let entry = archive.by_index_raw(index).map_err(|error| error.to_string())?;
    if entry.compression() != zip::CompressionMethod::DEFLATE {
        return Err(format!("{name} is compressed in another way than expected"));
    }
    let size = usize::try_from(entry.compressed_size()).map_err(|error| error.to_string())?;
    let start = entry.data_start().ok_or_else(|| format!("{name} cannot be found in the wheel"))?;
    let mut raw = vec![0; size];
    reader.seek(SeekFrom::Start(start)).and_then(|_| reader.read_exact(&mut raw)).map_err(|error| error.to_string())?;
    Ok(raw)
}

fn inflate(raw: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(raw).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Downloads the wheel, unless it is there already from an earlier build.
fn download(wheel: &Wheel, folder: &Path) -> Result<PathBuf, String> {
    let found = || {
        let mut files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        files.find(|path| path.to_string_lossy().contains(wheel.platform))
    };
    if let Some(file) = found() {
        return Ok(file);
    }
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, format!("onnxruntime=={VERSION} --hash=sha256:{}\n", wheel.sha256))
        .map_err(|error| error.to_string())?;
    let mut problem = "no Python with pip was found".to_owned();
    for python in ["python3", "python"] {
        let output = Command::new(python)
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"])
            .args(["--only-binary=:all:", "--platform", wheel.platform, "--python-version", "3.12"])
            .args(["--implementation", "cp", "--abi", "cp312", "--retries", "1", "--timeout", "30", "--dest"])
            .arg(folder)
            .arg("-r")
            .arg(&requirements)
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => {
                return found().ok_or_else(|| "pip downloaded nothing".to_owned());
            }
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr).into_owned();
                problem = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("pip failed").to_owned();
            }
            Err(_) => {}
        }
    }
    Err(problem)
}

fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
