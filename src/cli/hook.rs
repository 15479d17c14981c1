//! A command for every finished study. It is started as it is named, without a shell: what files say reaches it through its
//! environment and its input, never as words of a command line.

use crate::domain::{Analysis, Study};
use crate::results::AnalysisStatus;
use crate::task::Cancel;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A hook that takes longer is ended.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is looked after.
const LOOK: Duration = Duration::from_millis(20);

/// The command.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    program: PathBuf,
}

impl Hook {
    pub(super) fn new(program: &Path) -> Self {
        Self { program: program.to_owned() }
    }

    /// Runs the command for a study: `CSPINE_STUDY_UID`, `CSPINE_STATUS`, `CSPINE_OVERALL`, `CSPINE_ALERT`, `CSPINE_UNLIKE` (empty if
    /// unknown) and `CSPINE_MODEL` in its environment, `json` (the study's line of JSON) on its input, its output on stderr.
    ///
    /// # Errors
    /// In words: it cannot be started, fails, or takes too long.
    pub(super) fn run(&self, study: &Study, analysis: &Analysis, json: &str, cancel: &Cancel) -> Result<(), String> {
        let name = super::select::shown(&self.program);
        let flag = |is_set: bool| if is_set { "1" } else { "0" };
        let (overall, alert, unlike, model) = match analysis {
            Analysis::Analysed(report) => (
                report.overall.value().to_string(),
                flag(report.is_alert()),
                report.distribution.filter(|check| check.distance().is_some()).map_or("", |check| flag(check.is_out())),
                report.model.to_string(),
            ),
            _ => (String::new(), "", "", String::new()),
        };
        let mut child = Command::new(&self.program)
            .env("CSPINE_STUDY_UID", study.uid.as_str())
            .env("CSPINE_STATUS", AnalysisStatus::of(Some(analysis)).name())
            .env("CSPINE_OVERALL", overall)
            .env("CSPINE_ALERT", alert)
            .env("CSPINE_UNLIKE", unlike)
            .env("CSPINE_MODEL", model)
            .stdin(Stdio::piped())
            .stdout(Stdio::from(std::io::stderr()))
            .spawn()
            .map_err(|error| format!("the hook {name} cannot be started: {error}"))?;
        let input = child.stdin.take();
        let text = json.to_owned();
        // A hook that does not read its input must not be waited for: the pipe may be full.
        let writer = std::thread::spawn(move || input.map(|mut input| input.write_all(text.as_bytes())));
        let begun = Instant::now();
        let ended = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Ok(status),
                Ok(None) if begun.elapsed() > PATIENCE => break Err(format!("the hook {name} took too long")),
                Ok(None) if cancel.is_cancelled() => break Err(format!("the hook {name} was stopped")),
                Ok(None) => std::thread::sleep(LOOK),
                Err(error) => break Err(format!("the hook {name} was lost: {error}")),
            }
        };
        if ended.is_err() {
            // It may have ended by itself meanwhile.
            let _ = child.kill();
            let _ = child.wait();
        }
        // What the hook did not read is not its failure.
        drop(writer.join());
        match ended? {
            status if status.success() => Ok(()),
            status => Err(format!("the hook {name} failed: {status}")),
        }
    }
}
