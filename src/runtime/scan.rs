//! The thread that finds (or makes) the studies, and what the list hears of it.

use super::indexer::{self, Indexer};
use super::{Source, demo, watch};
use crate::app::Message;
use crate::dicom::{KnownFiles, ScanEvent, Scanner};
use crate::domain::CleanText;
use crate::store::KnownFile;
use crate::task::Cancel;
use crossbeam_channel::Sender;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Starts the thread that finds (or makes) the studies.
///
/// # Errors
/// The system's, where it has no room for a thread.
pub(super) fn start(
    source: Source,
    cache: Option<PathBuf>,
    known: Box<dyn KnownFiles + Send>,
    indexer: Arc<Indexer>,
    sender: Sender<Message>,
) -> std::io::Result<(Cancel, JoinHandle<()>)> {
    let cancel = Cancel::new();
    let thread = std::thread::Builder::new().name("scan".into()).spawn({
        let cancel = cancel.clone();
        move || {
            let mut scanner = Scanner::new(known);
            let mut tell = |event| {
                // Nobody listens any more once the program ends.
                if let Some(message) = scan_message(event, &indexer) {
                    drop(sender.send(message));
                }
            };
            match source {
                Source::Paths(paths) => {
                    let roots: Vec<PathBuf> = paths.iter().map(|path| indexer::whole_path(path)).collect();
                    let summary = scanner.scan(&roots, &cancel, &mut tell);
                    drop(sender.send(Message::ScanFinished(summary)));
                    watch::watch(&mut scanner, &roots, &cancel, &mut tell);
                }
                Source::Demo => {
                    demo::make(cache.as_deref(), &mut scanner, &cancel, &mut tell, &|message| {
                        drop(sender.send(message))
                    });
                }
            }
        }
    });
    thread.map(|thread| (cancel, thread))
}

/// What the list hears of a scan; what only the index is to know goes there.
fn scan_message(event: ScanEvent, indexer: &Indexer) -> Option<Message> {
    Some(match event {
        ScanEvent::Study(study) => Message::StudyFound(Arc::from(study)),
        ScanEvent::Gone(study) => Message::StudyGone(study),
        ScanEvent::Read { path, stamp, study, header } => {
            indexer.file(KnownFile { path, stamp, study, header });
            return None;
        }
        ScanEvent::Unreadable { path, reason } => {
            Message::Unreadable { path: CleanText::new(&path.to_string_lossy()).to_string(), reason }
        }
        ScanEvent::Skipped(files) => Message::Unreadable {
            path: CleanText::new(&files.path.to_string_lossy()).to_string(),
            reason: files.to_string(),
        },
        ScanEvent::Progress(summary) => Message::ScanProgress(summary),
    })
}
