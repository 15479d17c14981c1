//! Files that commands write: whole or not at all, readable by their owner only, and never over another one unasked.

use super::CliError;
use crate::domain::SensitiveText;
use std::io::Write;
use std::path::Path;

/// What is to become of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// It stays, and nothing is written.
    Keep,
    /// It is replaced.
    Replace,
}

/// Writes a file: first beside its place, under another name (0600), and then in its place in one step.
///
/// # Errors
/// A file that is there already and is to be kept, a folder that is not there, a full disk.
pub(super) fn write(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::failed(SensitiveText::at(path).words(" cannot be written"), error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    let kept = match existing {
        Existing::Replace => file.persist(path),
        Existing::Keep => file.persist_noclobber(path),
    };
    match kept {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(CliError::usage(
            SensitiveText::at(path).words(" is there already; name another place, or add --overwrite"),
        )),
        Err(error) => Err(failed(error.error)),
    }
}

/// Makes a folder (0700) and those above it, if they are not there.
///
/// # Errors
/// A folder that cannot be made.
pub(super) fn folder(path: &Path) -> Result<(), CliError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| CliError::failed(SensitiveText::at(path).words(" cannot be made"), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_kept_unless_asked() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("report.txt");
        write(&path, b"one", Existing::Keep).expect("written");
        let refused = write(&path, b"two", Existing::Keep).expect_err("it is there");
        assert!(refused.chain().contains("--overwrite"), "{}", refused.chain());
        assert_eq!(std::fs::read(&path).expect("a file"), b"one");
        write(&path, b"three", Existing::Replace).expect("written");
        assert_eq!(std::fs::read(&path).expect("a file"), b"three");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(home.path()).expect("a folder").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_by_name() {
        let home = tempfile::tempdir().expect("a folder");
        let error = write(&home.path().join("none/report.txt"), b"", Existing::Keep).expect_err("no folder");
        assert!(error.chain().contains("report.txt cannot be written"), "{}", error.chain());
    }
}
