//! What ends the program early.

use crate::domain::{Disclosure, SensitiveText};
use crate::runtime::RuntimeError;
use crate::store::StoreError;
use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Replaces a reason that cannot be shown anonymously.
const WITHHELD_REASON: &str = "the reason is hidden because it may name a patient: without --anonymous it is shown";

/// What ends the program early: one sentence for the user and the exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    message: SensitiveText,
    code: u8,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl CliError {
    /// A use that cannot work (exit code 2).
    pub fn usage(message: impl Into<SensitiveText>) -> Self {
        Self { message: message.into(), code: 2, source: None }
    }

    /// Nothing could be read (exit code 3).
    pub fn nothing_readable(message: impl Into<SensitiveText>) -> Self {
        Self { message: message.into(), code: 3, source: None }
    }

    /// Something failed on the way (exit code 1).
    pub fn failed(message: impl Into<SensitiveText>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { message: message.into(), code: 1, source: Some(source.into()) }
    }

    /// A signal ended it (exit code 143, as a shell counts SIGTERM).
    pub fn stopped() -> Self {
        Self { message: "stopped; nothing was written".into(), code: 143, source: None }
    }

    /// The error for an output that names nobody: without paths and values of files, in its causes, too.
    #[must_use]
    pub fn shown_to(self, to: Disclosure) -> Self {
        let Self { message, code, source } = self;
        match to {
            Disclosure::Named => Self { message, code, source },
            Disclosure::Anonymous => {
                let message = if message.has_words() { message.anonymous() } else { WITHHELD_REASON.into() };
                let source = source.map(|source| anonymous_cause(&*source).shown(to).into());
                Self { message, code, source }
            }
        }
    }

    /// The process's exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }

    /// The message with its causes, each on a line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.message.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let _ = write!(text, "\n  because: {error}");
            cause = error.source();
        }
        text
    }
}

/// A cause whose kind is known not to name a patient, or from which the paths can be taken; any other is hidden.
fn anonymous_cause(cause: &(dyn Error + 'static)) -> SensitiveText {
    if let Some(error) = cause.downcast_ref::<StoreError>() {
        return error.told();
    }
    if let Some(error) = cause.downcast_ref::<std::io::Error>() {
        return SensitiveText::plain(error.kind().to_string());
    }
    match cause.downcast_ref::<RuntimeError>() {
        Some(RuntimeError::Store(error)) => error.told(),
        // Settings, themes and terminals: no file of a patient's.
        Some(
            error @ (RuntimeError::Config(_)
            | RuntimeError::Theme(_)
            | RuntimeError::OpenFiles(_)
            | RuntimeError::Terminal(_)
            | RuntimeError::Graphics(_)),
        ) => SensitiveText::foreign(&error.to_string()),
        None => SensitiveText::from(WITHHELD_REASON),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn an_anonymous_error_keeps_what_names_nobody() {
        let message = || SensitiveText::at(Path::new("DOE.dcm")).words(" cannot be opened: entity not found");
        let error = CliError::nothing_readable(message());
        assert_eq!(error.chain(), "DOE.dcm cannot be opened: entity not found");
        let error = CliError::nothing_readable(message()).shown_to(Disclosure::Anonymous);
        assert_eq!(error.chain(), "… cannot be opened: entity not found");
        let full = || StoreError::Full("/data/DOE/store.sqlite".into());
        let error = CliError::failed("the store cannot be read", full()).shown_to(Disclosure::Anonymous);
        assert_eq!(
            error.chain(),
            "the store cannot be read\n  because: the disk that holds … is full: make room there"
        );
        assert!(CliError::failed("the store cannot be read", full()).chain().contains("/data/DOE/store.sqlite"));
    }

    #[test]
    fn what_is_not_known_to_name_nobody_is_hidden() {
        let unknown = std::fmt::Error;
        let error = CliError::failed(format!("{} failed", "DOE"), unknown).shown_to(Disclosure::Anonymous);
        assert_eq!(error.chain(), format!("{WITHHELD_REASON}\n  because: {WITHHELD_REASON}"));
        let error = CliError::failed("it failed", "DOE.dcm: damaged").shown_to(Disclosure::Anonymous);
        assert!(!error.chain().contains("DOE"), "{}", error.chain());
    }
}
