//! What an anonymous screen hears: every message without what may name a patient.
//!
//! Nothing that is not in the model can be shown, so messages are changed before the model takes them in. Every message is matched by
//! name: a new one does not compile before it is decided here whether it may name a patient.

use super::super::Message;
use super::super::record::{RecordFailure, Recorded, Remembered};
use crate::domain::pseudonym::{self, Pseudonyms};
use crate::domain::{ReadingPosition, SensitiveText, WITHHELD};
use crate::inference::WorkerEvent;
use std::sync::Arc;

/// The message as the model of an anonymous screen takes it in.
pub(super) fn message(message: Message, pseudonyms: &Pseudonyms) -> Message {
    match message {
        Message::StudyFound(study) => Message::StudyFound(Arc::new(pseudonyms.study(&study))),
        Message::Remembered(remembered) => Message::Remembered(self::remembered(remembered, pseudonyms)),
        // A reason may name another file: the members of an archive, the entries of a DICOMDIR.
        Message::Unreadable { path: _, reason: _ } => Message::Unreadable {
            path: WITHHELD.to_owned(),
            reason: "a file cannot be used; cspine inspect shows which and why".to_owned(),
        },
        Message::ScanFailed(text) => Message::ScanFailed(text.anonymous()),
        Message::Trouble(text) => Message::Trouble(text.anonymous()),
        Message::Notice(text) => Message::Notice(text.anonymous()),
        Message::VolumeLoaded { study, series, result } => {
            Message::VolumeLoaded { study, series, result: result.map_err(|problem| problem.anonymous()) }
        }
        Message::BesideLoaded { study, series, result } => {
            Message::BesideLoaded { study, series, result: result.map_err(|problem| problem.anonymous()) }
        }
        Message::Worker(event) => Message::Worker(worker(event)),
        Message::RecordFailed(RecordFailure { record, problem }) => {
            // The record is what the reader has just typed, and is kept as it was typed.
            Message::RecordFailed(RecordFailure { record, problem: problem.anonymous() })
        }
        Message::Recorded(Recorded::Decision { token, entry }) => {
            Message::Recorded(Recorded::Decision { token, entry })
        }
        // The texts of volumes (names of windows, warnings) are withheld where they are shown: a volume is too large to be copied.
        Message::FirstSlice { study, series, volume } => Message::FirstSlice { study, series, volume },
        // What the reader does, what the terminal says, numbers and UIDs.
        Message::Command(_)
        | Message::Held(_)
        | Message::Elapsed(_)
        | Message::Drawn
        | Message::Digit(..)
        | Message::Woken(_)
        | Message::CineTick
        | Message::Help(_)
        | Message::Prompt(_)
        | Message::Unbound(_)
        | Message::PasteIgnored(_)
        | Message::NoThumbnail(_)
        | Message::CapsLock(_)
        | Message::Select(_)
        | Message::Pointer(_)
        | Message::GoToSlice(_)
        | Message::Resized(..)
        | Message::Cells(_)
        | Message::Terminal { graphics: _, name: _, note: _, withdrawn: _ }
        | Message::StudyGone(_)
        | Message::MakingDemo { study: _, total: _ }
        | Message::ScanProgress(_)
        | Message::ScanFinished(_)
        | Message::VolumeProgress { study: _, series: _, done: _, total: _ }
        | Message::SpineFound { study: _, series: _, course: _ }
        | Message::ImagesShown
        | Message::PictureShown { round_trip: _, bytes: _ }
        | Message::PictureRefused { slot: _, reason: _ }
        | Message::PictureWanted(_)
        | Message::Line(_)
        | Message::Leaving
        | Message::Clock(_)
        | Message::ThemeChanged(_) => message,
    }
}

fn remembered(remembered: Remembered, pseudonyms: &Pseudonyms) -> Remembered {
    match remembered {
        Remembered::Log(entries) => Remembered::Log(entries.into_iter().map(pseudonym::log_entry).collect()),
        Remembered::Studies(studies) => {
            Remembered::Studies(studies.iter().map(|listed| pseudonyms.listed(listed)).collect())
        }
        Remembered::Position(study, position) => {
            let window_name = pseudonym::kept_window_name(&position.window_name).to_owned();
            Remembered::Position(study, ReadingPosition { window_name, ..position })
        }
        Remembered::Annotations(study, kept) => {
            Remembered::Annotations(study, kept.into_iter().map(pseudonym::annotation).collect())
        }
        Remembered::LastRead(study) => Remembered::LastRead(study),
        // Readers are named on every screen.
        Remembered::OpenElsewhere(studies) => Remembered::OpenElsewhere(studies),
        Remembered::Unavailable(problem) => Remembered::Unavailable(problem.anonymous()),
    }
}

fn worker(event: WorkerEvent) -> WorkerEvent {
    let without_paths = |text: &str| SensitiveText::foreign(text).anonymous().to_string();
    match event {
        WorkerEvent::ModelUnavailable(problem) => WorkerEvent::ModelUnavailable(without_paths(&problem)),
        WorkerEvent::EngineNotice(notice) => WorkerEvent::EngineNotice(without_paths(&notice)),
        WorkerEvent::Finished { study, series, analysis } => {
            WorkerEvent::Finished { study, series, analysis: analysis.anonymous() }
        }
        WorkerEvent::ModelReady(_)
        | WorkerEvent::Started { study: _, series: _ }
        | WorkerEvent::Progress { study: _, series: _, done: _, total: _ }
        | WorkerEvent::Partial { study: _, series: _, report: _ }
        | WorkerEvent::Cancelled { study: _, series: _ } => event,
    }
}
