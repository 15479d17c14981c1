//! The index: what was read and computed once is not read or computed again, and nothing stale is taken for new.

use crate::support::{made, model};
use cspine::app::{Command, Effect, Message, Presence, Progress, Remembered, Screen};
use cspine::dicom::{KnownFiles, ScanEvent, ScanSummary, Scanner};
use cspine::domain::{
    Analysis, Completeness, ContentHash, Declined, FileStamp, Fingerprint, FractureReport, KeptAnalysis, Listed,
    ModelNature, NotAnalysed, Precedence, ReportKey, Study, Thumbnail, ThumbnailKey, Uid,
};
use cspine::store::{Index, KnownFile};
use cspine::task::Cancel;
use model::{BROKEN, Session, WHOLE, identity, plain, report, series_uid, uid};
use rustix::fs::inotify;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct Before(Mutex<Index>);

impl KnownFiles for Before {
    fn header(&self, path: &Path, stamp: FileStamp) -> Option<Vec<u8>> {
        self.0.lock().expect("the index").header(path, stamp).expect("a header or none")
    }
}

/// What a scan found.
#[derive(Default)]
struct Found {
    studies: Vec<Study>,
    gone: Vec<Uid>,
    read: Vec<KnownFile>,
    unreadable: usize,
    summary: ScanSummary,
}

impl Found {
    fn take(&mut self, event: ScanEvent) {
        match event {
            ScanEvent::Study(study) => {
                self.studies.retain(|known| known.uid != study.uid);
                self.studies.push(*study);
            }
            ScanEvent::Gone(study) => self.gone.push(study),
            ScanEvent::Read { path, stamp, study, header } => {
                self.read.push(KnownFile { path, stamp, study, header });
            }
            ScanEvent::Unreadable { .. } | ScanEvent::Skipped(_) => self.unreadable += 1,
            ScanEvent::Progress(summary) => self.summary = summary,
        }
    }
}

fn scanner(data: &Path) -> Scanner {
    Scanner::new(Box::new(Before(Mutex::new(Index::open(data).expect("an index")))))
}

fn scanned(data: &Path, folder: &Path) -> (Scanner, Found) {
    let (mut scanner, mut found) = (scanner(data), Found::default());
    scanner.scan(&[folder.to_owned()], &Cancel::new(), &mut |event| found.take(event));
    (scanner, found)
}

fn again(scanner: &mut Scanner, folder: &Path, settled: Duration) -> (Found, Vec<PathBuf>) {
    let mut found = Found::default();
    let later = scanner.look_again(&[folder.to_owned()], settled, &Cancel::new(), &mut |event| found.take(event));
    (found, later)
}

#[test]
fn files_that_did_not_change_are_not_opened_again() {
    let (data, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    made::good_slices(folder.path(), 1..=40);
    fs::write(folder.path().join("notes.txt"), "no DICOM").expect("a file");
    let (_, first) = scanned(data.path(), folder.path());
    assert_eq!((first.read.len(), first.summary.unchanged), (41, 0));
    Index::open(data.path()).expect("an index").keep_files(&first.read).expect("kept");
    // What lies in the files is destroyed behind the stamps' back: only a scan that does not open them finds the study.
    for file in &first.read {
        let modified = fs::metadata(&file.path).and_then(|metadata| metadata.modified()).expect("a time");
        let length = fs::metadata(&file.path).expect("metadata").len();
        let handle = fs::OpenOptions::new().write(true).open(&file.path).expect("a file");
        std::io::Write::write_all(&mut &handle, &vec![0xA5; length as usize]).expect("noise");
        handle.set_modified(modified).expect("the old time");
    }
    let (_, second) = scanned(data.path(), folder.path());
    assert_eq!((second.read.len(), second.unreadable, second.summary.unchanged), (0, 0, 41));
    assert_eq!(second.studies, first.studies, "the same study, with the same fingerprints");
    assert!(second.studies[0].series[0].fingerprint.is_some());
}

/// Counts how often a file is asked for: once for each `stat`, which is what it is asked by.
struct Counted(Before, Arc<Mutex<HashMap<PathBuf, usize>>>);

impl KnownFiles for Counted {
    fn header(&self, path: &Path, stamp: FileStamp) -> Option<Vec<u8>> {
        *self.1.lock().expect("the counts").entry(path.to_owned()).or_default() += 1;
        self.0.header(path, stamp)
    }
}

#[test]
fn ten_thousand_files_that_did_not_change_cost_one_stat_each() {
    const FILES: usize = 10_000;
    let (data, root) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let folder = root.path().join("studies");
    fs::create_dir(&folder).expect("a folder");
    // Names of fifty files: a stamp belongs to what is named, and a scan asks for every name.
    made::good_slices(root.path(), 1..=50);
    for number in 0..FILES {
        let file = root.path().join(format!("good{}", number % 50 + 1));
        fs::hard_link(file, folder.join(format!("{number}"))).expect("a name");
    }
    let (_, first) = scanned(data.path(), &folder);
    assert_eq!((first.read.len(), first.summary.dicom, first.summary.unchanged), (FILES, FILES, 0));
    Index::open(data.path()).expect("an index").keep_files(&first.read).expect("kept");
    // The system itself tells of every file that is opened.
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).expect("a watch");
    inotify::add_watch(&watch, &folder, inotify::WatchFlags::OPEN).expect("a watch");
    let counts = Arc::new(Mutex::new(HashMap::new()));
    let before = Before(Mutex::new(Index::open(data.path()).expect("an index")));
    let mut scanner = Scanner::new(Box::new(Counted(before, Arc::clone(&counts))));
    let mut second = Found::default();
    scanner.scan(std::slice::from_ref(&folder), &Cancel::new(), &mut |event| second.take(event));
    assert_eq!((second.read.len(), second.summary.files, second.summary.unchanged), (0, FILES, FILES));
    let counts = counts.lock().expect("the counts");
    assert!(counts.len() == FILES && counts.values().all(|asked| *asked == 1), "each is asked for once");
    assert_eq!(opened(&watch), 0, "and none is opened");
    fs::read(folder.join("7")).expect("a file");
    assert_eq!(opened(&watch), 1, "which would have been seen");
}

/// Files in the watched folder that were opened since this was last asked; the folder itself is none.
fn opened(watch: &impl std::os::fd::AsFd) -> usize {
    let mut buffer = [std::mem::MaybeUninit::uninit(); 65_536];
    let mut reader = inotify::Reader::new(watch, &mut buffer);
    let mut files = 0;
    while let Ok(event) = reader.next() {
        assert!(!event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW), "every event is told");
        files += usize::from(!event.events().contains(inotify::ReadFlags::ISDIR));
    }
    files
}

#[test]
fn a_file_that_was_written_anew_is_read_again_and_tells_by_its_fingerprint() {
    let (data, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    made::good_slices(folder.path(), 1..=10);
    let (_, first) = scanned(data.path(), folder.path());
    Index::open(data.path()).expect("an index").keep_files(&first.read).expect("kept");
    let path = &first.read[3].path;
    let bytes = fs::read(path).expect("a file");
    fs::remove_file(path).expect("it goes");
    fs::write(path, bytes).expect("it comes again");
    let (_, second) = scanned(data.path(), folder.path());
    assert_eq!((second.read.len(), second.summary.unchanged), (1, 9));
    let prints = |found: &Found| found.studies[0].series[0].fingerprint;
    assert_ne!(prints(&first), prints(&second));
}

#[test]
fn a_scanner_that_looks_again_sees_what_came_and_what_went_once_it_has_settled() {
    let (data, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    made::good_slices(folder.path(), 1..=10);
    let (mut scanner, first) = scanned(data.path(), folder.path());
    assert_eq!(first.studies[0].series[0].instances.len(), 10);
    let (nothing, _) = again(&mut scanner, folder.path(), Duration::ZERO);
    assert!(nothing.studies.is_empty() && nothing.read.is_empty(), "nothing has changed");
    made::good_slices(folder.path(), 11..=12);
    let (growing, later) = again(&mut scanner, folder.path(), Duration::from_secs(3600));
    assert!(growing.studies.is_empty() && later == [folder.path()], "a study that is still growing is left alone");
    let (grown, later) = again(&mut scanner, folder.path(), Duration::ZERO);
    assert!(later.is_empty());
    assert_eq!(grown.studies[0].series[0].instances.len(), 12);
    assert_eq!(grown.read.len(), 2, "only what is new is read");
    fs::remove_file(&first.read[0].path).expect("a file goes");
    let (less, _) = again(&mut scanner, folder.path(), Duration::ZERO);
    assert_eq!(less.studies[0].series[0].instances.len(), 11);
    for entry in fs::read_dir(folder.path()).expect("the folder") {
        fs::remove_file(entry.expect("a file").path()).expect("it goes");
    }
    let (none, _) = again(&mut scanner, folder.path(), Duration::ZERO);
    assert_eq!((none.studies.len(), none.gone.len()), (0, 1));
}

/// A tar of these slices.
fn tar_of(numbers: std::ops::RangeInclusive<i32>) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    made::good_slices(folder.path(), numbers);
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("study", folder.path()).expect("members");
    tar.into_inner().expect("an archive")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, bytes).expect("written");
    gzip.finish().expect("compressed")
}

/// Files that came into a folder at once, as a copy that was finished elsewhere and renamed.
fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let other = tempfile::NamedTempFile::new_in(folder.parent().expect("a folder")).expect("a file");
    fs::write(other.path(), bytes).expect("written");
    other.persist(folder.join(name)).expect("renamed");
}

#[test]
fn archives_that_come_change_and_go_are_seen() {
    for (name, pack) in [("study.tar", <[u8]>::to_vec as fn(&[u8]) -> Vec<u8>), ("study.tar.gz", gzip), ("study", gzip)]
    {
        let (data, root) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let folder = root.path().join("incoming");
        fs::create_dir(&folder).expect("a folder");
        let (mut scanner, first) = scanned(data.path(), &folder);
        assert!(first.studies.is_empty());
        put(&folder, name, &pack(&tar_of(1..=10)));
        let (came, _) = again(&mut scanner, &folder, Duration::ZERO);
        assert_eq!(came.studies[0].series[0].instances.len(), 10, "{name}");
        let (nothing, _) = again(&mut scanner, &folder, Duration::ZERO);
        assert!(nothing.studies.is_empty() && nothing.read.is_empty(), "{name} is as it was");
        put(&folder, name, &pack(&tar_of(1..=12)));
        let (grown, _) = again(&mut scanner, &folder, Duration::ZERO);
        assert_eq!(grown.studies.last().expect("a study").series[0].instances.len(), 12, "{name}");
        put(&folder, name, b"no archive any more");
        let (broken, _) = again(&mut scanner, &folder, Duration::ZERO);
        assert_eq!((broken.gone.len(), broken.unreadable), (1, usize::from(name != "study")), "{name}");
        put(&folder, name, &pack(&tar_of(1..=3)));
        let (back, _) = again(&mut scanner, &folder, Duration::ZERO);
        assert_eq!(back.studies[0].series[0].instances.len(), 3, "{name}");
        fs::remove_file(folder.join(name)).expect("it goes");
        assert_eq!(again(&mut scanner, &folder, Duration::ZERO).0.gone.len(), 1, "{name}");
    }
}

/// As a study is found again that an earlier run has listed: by the paths of its files.
#[test]
fn files_in_an_archive_are_found_by_their_paths() {
    let (data, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    fs::write(folder.path().join("study.tar.gz"), gzip(&tar_of(1..=10))).expect("written");
    let (_, first) = scanned(data.path(), folder.path());
    Index::open(data.path()).expect("an index").keep_files(&first.read).expect("kept");
    let study = first.studies[0].uid.clone();
    let paths = Index::open(data.path()).expect("an index").files_of(&study).expect("paths");
    assert_eq!(paths.len(), 10);
    let mut found = Found::default();
    scanner(data.path()).scan(&paths, &Cancel::new(), &mut |event| found.take(event));
    assert_eq!((found.studies.len(), found.unreadable, found.summary.unchanged), (1, 0, 10));
    assert_eq!(found.studies, first.studies);
}

#[test]
fn what_cannot_be_read_is_reported_once() {
    let (data, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    fs::write(folder.path().join("broken.dcm"), "no DICOM").expect("a file");
    let (mut scanner, first) = scanned(data.path(), folder.path());
    assert_eq!(first.unreadable, 1);
    fs::write(folder.path().join("broken.dcm"), "still no DICOM").expect("a file");
    assert_eq!(again(&mut scanner, folder.path(), Duration::ZERO).0.unreadable, 0);
}

fn key() -> ReportKey {
    let model = identity(ModelNature::Synthetic).sha256.clone();
    ReportKey { series: series_uid(1, 0), stack: 0, model, preprocessing: 2 }
}

#[test]
fn a_report_is_found_by_its_files_and_by_its_pixels_and_by_nothing_less() {
    let data = tempfile::tempdir().expect("a folder");
    let kept = KeptAnalysis::Report(report(1, 140, BROKEN, Completeness::Final));
    let (files, moved, content) = (Fingerprint([1; 16]), Fingerprint([2; 16]), ContentHash([3; 32]));
    let mut index = Index::open(data.path()).expect("an index");
    index.keep_report(&key(), Some(files), content, &kept).expect("kept");
    drop(index);
    let mut index = Index::open(data.path()).expect("an index");
    assert_eq!(index.report_of_files(&key(), files).expect("read"), Some(kept.clone()));
    for other in [
        ReportKey { model: "1".repeat(64), ..key() },
        ReportKey { preprocessing: 3, ..key() },
        ReportKey { stack: 1, ..key() },
        ReportKey { series: uid(9), ..key() },
    ] {
        assert_eq!(index.report_of_files(&other, files).expect("read"), None, "{other:?}");
        assert_eq!(index.report_of_content(&other, None, content).expect("read"), None, "{other:?}");
    }
    assert_eq!(index.report_of_files(&key(), moved).expect("read"), None, "other files may hold other pixels");
    assert_eq!(index.report_of_content(&key(), Some(moved), ContentHash([4; 32])).expect("read"), None);
    assert_eq!(index.report_of_content(&key(), Some(moved), content).expect("read"), Some(kept.clone()));
    assert_eq!(index.report_of_files(&key(), moved).expect("read"), Some(kept), "the pixels were the same");
}

/// A report and a line of the list, as they lie in the index. Their bytes say nothing of their types: where this test fails after a type
/// was changed, raise `FORMAT` in `src/store/index.rs` and put the new numbers here. (The second also holds `PREPROCESSING_VERSION`, which may change alone.)
#[test]
fn what_is_written_down_changes_only_with_its_format() {
    let data = tempfile::tempdir().expect("a folder");
    let whole = FractureReport::clone(&report(1, 4, BROKEN, Completeness::Final));
    let mut index = Index::open(data.path()).expect("an index");
    index.keep_report(&key(), None, ContentHash([3; 32]), &KeptAnalysis::Report(Arc::new(whole))).expect("kept");
    index.keep_studies(&[(left(), "/data".into())]).expect("kept");
    drop(index);
    let connection = rusqlite::Connection::open(data.path().join("index.sqlite")).expect("the file");
    let seal = |sql: &str| {
        let bytes: Vec<u8> = connection.query_row(sql, [], |row| row.get(0)).expect("a value");
        bytes[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let seals = [seal("SELECT body FROM report"), seal("SELECT line FROM study")];
    assert_eq!(seals, ["4f17ff998840b793", "f243f73595f3e8ad"]);
}

/// A report of an earlier version, before it had a distance from the training data, is not misread as another one: it is computed again.
#[test]
fn a_report_in_an_earlier_format_is_not_taken() {
    use sha2::Digest as _;
    let data = tempfile::tempdir().expect("a folder");
    let (files, content) = (Fingerprint([1; 16]), ContentHash([3; 32]));
    let kept = KeptAnalysis::Report(report(1, 4, BROKEN, Completeness::Final));
    let mut index = Index::open(data.path()).expect("an index");
    index.keep_report(&key(), Some(files), content, &kept).expect("kept");
    let connection = rusqlite::Connection::open(data.path().join("index.sqlite")).expect("the file");
    let body: Vec<u8> = connection.query_row("SELECT body FROM report", [], |row| row.get(0)).expect("a value");
    let sealed = |format: &str| {
        let seal = sha2::Sha256::new().chain_update(format).chain_update(&body[8..]).finalize();
        [&seal[..8], &body[8..]].concat()
    };
    assert_eq!(sealed("7"), body, "this test knows how values are sealed");
    connection.execute("UPDATE report SET body = ?1", [sealed("6")]).expect("written");
    assert_eq!(index.report_of_files(&key(), files).expect("no error"), None);
    assert_eq!(index.report_of_content(&key(), Some(files), content).expect("no error"), None);
    index.keep_report(&key(), Some(files), content, &kept).expect("kept");
    assert_eq!(index.report_of_files(&key(), files).expect("read"), Some(kept), "the new one takes its place");
}

fn declined() -> Declined {
    Declined { reason: NotAnalysed::NoCervicalSpine, model: identity(ModelNature::Synthetic) }
}

#[test]
fn that_a_model_declines_a_series_is_kept_as_reports_are() {
    let data = tempfile::tempdir().expect("a folder");
    let (files, content, kept) = (Fingerprint([1; 16]), ContentHash([3; 32]), KeptAnalysis::Declined(declined()));
    Index::open(data.path()).expect("an index").keep_report(&key(), Some(files), content, &kept).expect("kept");
    let mut index = Index::open(data.path()).expect("an index");
    assert_eq!(index.report_of_files(&key(), files).expect("read"), Some(kept.clone()));
    assert_eq!(index.report_of_content(&key(), None, content).expect("read"), Some(kept));
    let other = ReportKey { model: "1".repeat(64), ..key() };
    assert_eq!(index.report_of_files(&other, files).expect("read"), None, "another model may see it otherwise");
}

#[test]
fn a_study_that_was_declined_is_listed_so_and_not_asked_for_again_but_by_another_model() {
    let data = tempfile::tempdir().expect("a folder");
    let mut session = Session::with_network((120, 30));
    let mut study = plain(1);
    study.series[0].fingerprint = Some(Fingerprint([7; 16]));
    session.found(study.clone()).finished(1, Analysis::Declined(declined()));
    Index::open(data.path()).expect("an index").keep_studies(&[listing(&session)]).expect("kept");
    let mut told = Vec::new();
    let index = Index::open(data.path()).expect("an index");
    index.studies_under(&["/".into()], 9, &mut |mut some| told.append(&mut some)).expect("told");
    let asked = |session: &Session| {
        let jobs = session.effects.iter().rev().find_map(|effect| match effect {
            Effect::Queue(jobs) => Some(jobs.len()),
            _ => None,
        });
        jobs.unwrap_or_default()
    };
    let mut next = Session::with_network((120, 30));
    next.send(Message::Remembered(Remembered::Studies(told.clone())));
    let progress = |session: &Session| session.model.worklist.entry(&uid(1)).expect("the study").progress.clone();
    assert_eq!(progress(&next), Progress::Done(Analysis::Declined(declined())), "before its files are looked at");
    next.found(study.clone());
    assert_eq!((progress(&next), asked(&next)), (Progress::Done(Analysis::Declined(declined())), 0), "and after");
    let mut by_another = told;
    if let Some(series) = &mut by_another[0].series {
        let model = cspine::domain::ModelIdentity { sha256: "1".repeat(64), ..(*declined().model).clone() };
        series.analysis = Some(KeptAnalysis::Declined(Declined { model: Arc::new(model), ..declined() }));
    }
    let mut other = Session::with_network((120, 30));
    other.send(Message::Remembered(Remembered::Studies(by_another))).found(study);
    assert_eq!((progress(&other), asked(&other)), (Progress::Waiting, 1));
}

fn listing(session: &Session) -> (Listed, PathBuf) {
    let listed = session.effects.iter().find_map(|effect| match effect {
        Effect::List(listed, folder) => Some((Listed::clone(listed), folder.clone())),
        _ => None,
    });
    listed.expect("the study is listed")
}

/// Study 1 as an earlier run left it, analysed.
fn left() -> Listed {
    let mut session = Session::with_network((120, 30));
    let mut study = plain(1);
    study.series[0].fingerprint = Some(Fingerprint([7; 16]));
    study.precedence = Precedence::Stat;
    session.found(study).analysed(1, 140, BROKEN);
    listing(&session).0
}

#[test]
fn the_list_opens_with_what_an_earlier_run_knew_and_a_study_opens_once_its_files_are_found() {
    let data = tempfile::tempdir().expect("a folder");
    let mut index = Index::open(data.path()).expect("an index");
    index.keep_studies(&[(left(), "/data/incoming/one".into())]).expect("kept");
    let told = |root: &str| {
        let mut all = Vec::new();
        index.studies_under(&[root.into()], 100, &mut |mut some| all.append(&mut some)).expect("told");
        all
    };
    assert!(told("/data/inco").is_empty() && told("/other").is_empty());
    let mut session = Session::new((120, 30));
    session.send(Message::Remembered(Remembered::Studies(told("/data/incoming"))));
    let entry = session.model.worklist.entry(&uid(1)).expect("the study");
    assert_eq!((entry.overall().map(|p| p.percent()), entry.slices()), (Some(90), 140));
    assert_ne!(entry.presence, Presence::Found);
    assert!(entry.is_stat(), "what the files asked for is known before they are looked at");
    session.command(Command::Open);
    assert!(session.effects.iter().any(|effect| matches!(effect, Effect::Find(study) if *study == uid(1))));
    assert_eq!(session.model.screen(), Screen::Worklist);
    let mut study = plain(1);
    study.series[0].fingerprint = Some(Fingerprint([7; 16]));
    session.found(study);
    assert_eq!(session.model.screen(), Screen::Reading);
    assert!(session.model.worklist.entry(&uid(1)).expect("the study").report().is_some(), "the same files");
    let asked = session.effects.iter().any(|effect| match effect {
        Effect::Queue(jobs) => jobs.iter().any(|job| job.study.uid == uid(1)),
        _ => false,
    });
    assert!(asked, "the single slices of its report are asked for");
}

#[test]
fn nothing_stale_is_shown() {
    let listed = left();
    // Other files.
    let mut session = Session::with_network((120, 30));
    session.send(Message::Remembered(Remembered::Studies(vec![listed.clone()])));
    let mut study = plain(1);
    study.series[0].fingerprint = Some(Fingerprint([8; 16]));
    session.found(study);
    assert!(session.model.worklist.entry(&uid(1)).expect("the study").report().is_none());
    // Another model.
    let mut other = listed.clone();
    if let Some(series) = &mut other.series {
        let mut report = FractureReport::clone(&report(1, 140, WHOLE, Completeness::Final));
        report.model = Arc::new(cspine::domain::ModelIdentity { sha256: "1".repeat(64), ..(*report.model).clone() });
        series.analysis = Some(KeptAnalysis::Report(Arc::new(report)));
    }
    session = Session::with_network((120, 30));
    session.send(Message::Remembered(Remembered::Studies(vec![other])));
    assert!(session.model.worklist.entry(&uid(1)).expect("the study").report().is_none());
    // Another preprocessing.
    let mut older = listed;
    if let Some(series) = &mut older.series {
        series.preprocessing = 0;
    }
    session = Session::with_network((120, 30));
    session.send(Message::Remembered(Remembered::Studies(vec![older])));
    assert!(session.model.worklist.entry(&uid(1)).expect("the study").report().is_none());
}

#[test]
fn a_study_whose_files_are_gone_leaves_the_list() {
    let mut session = Session::with_network((120, 30));
    session.send(Message::Remembered(Remembered::Studies(vec![left()]))).found(plain(2)).found(plain(3));
    assert_eq!(session.order().len(), 3);
    session.scanned(280);
    assert_eq!(session.order(), [2, 3].map(uid), "what the scan did not find is gone");
    session.send(Message::StudyGone(uid(2)));
    assert_eq!(session.order(), [uid(3)]);
    session.command(Command::Open).send(Message::StudyGone(uid(3)));
    assert_eq!(session.model.screen(), Screen::Reading, "what is in memory can be read to the end");
}

#[test]
fn a_thumbnail_is_kept_until_its_study_is_gone() {
    let data = tempfile::tempdir().expect("a folder");
    let mut index = Index::open(data.path()).expect("an index");
    let key = |n| ThumbnailKey { series: series_uid(n, 0), stack: 0 };
    let image = |gray| Thumbnail::new(2, 3, vec![gray; 6]).expect("an image");
    for n in [1, 2] {
        index.keep_thumbnail(&uid(n), &key(n), &image(8)).expect("kept");
    }
    index.keep_thumbnail(&uid(1), &key(1), &image(255)).expect("kept once more");
    drop(index);
    let mut index = Index::open(data.path()).expect("the same index");
    assert_eq!(index.thumbnail(&key(1)).expect("read"), Some(image(255)), "the last one");
    assert_eq!(index.thumbnail(&ThumbnailKey { stack: 1, ..key(1) }).expect("read"), None, "another stack");
    index.forget_study(&uid(1)).expect("forgotten");
    assert_eq!(index.thumbnail(&key(1)).expect("read"), None, "no pixels outlive the study");
    assert_eq!(index.thumbnail(&key(2)).expect("read"), Some(image(8)));
}
