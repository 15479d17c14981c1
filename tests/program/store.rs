//! The store: what is kept stays kept, whatever becomes of its file, its folder, its disk or another program.

use crate::support::again;
use again::{again, given};
use cspine::app::{Message, Record, Remembered, Token};
use cspine::domain::{
    Act, Annotation, AnnotationChange, CervicalLevel, CleanText, Draft, EntryId, Geometry, LevelVerdict, LogEntry,
    Measurement, NoteText, Place, ReadingPosition, Stamp, StudyVerdict, Uid, WindowLevel,
};
use cspine::runtime::Keeper;
use cspine::store::{Store, StoreError, migrations};
use rusqlite::Connection;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const NOW: Stamp = Stamp { utc_ms: 1_795_596_936_123, offset_minutes: 60 };

fn draft(n: usize) -> Draft {
    let act = match n % 3 {
        0 => Act::Study(StudyVerdict::Negative),
        1 => Act::Note { text: NoteText::new(&format!("note {n}")) },
        _ => Act::Level { level: CervicalLevel::C6, verdict: LevelVerdict::Fractured, agreement: None },
    };
    Draft { study: Uid::from_file(&format!("1.2.{}", n % 7)), act, report: None, blinded: n.is_multiple_of(2) }
}

fn append(store: &mut Store, n: usize) -> LogEntry {
    store.append(&CleanText::new("lm"), NOW, &draft(n)).expect("an entry that is kept")
}

fn all(store: &Store) -> Vec<LogEntry> {
    store.log_after(EntryId(0), usize::MAX).expect("a log")
}

/// A store with so many entries, closed.
fn filled(folder: &Path, entries: usize) -> Vec<LogEntry> {
    let mut store = Store::open(folder).expect("a store");
    (0..entries).map(|n| append(&mut store, n)).collect()
}

#[test]
fn what_is_kept_comes_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = filled(folder.path(), 20);
    let store = Store::open(folder.path()).expect("a store");
    assert_eq!(all(&store), kept);
    assert_eq!(store.log_after(kept[17].id, 1).expect("a log"), kept[18..19]);
}

#[test]
fn only_the_owner_can_read_it() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("new/data");
    let mut store = Store::open(&folder).expect("a store");
    append(&mut store, 0);
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).expect("the folder") {
        let path = entry.expect("a file").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

fn probe(id: u64, z: f64) -> Annotation {
    let geometry = Geometry::Probe { place: Place::Patient { mm: [1.0, 2.0, z] } };
    Annotation::Measurement(Measurement { id, series: Uid::from_file("1.2.3"), geometry })
}

#[test]
fn annotations_and_positions_come_back_as_they_are_now() {
    let folder = tempfile::tempdir().expect("a folder");
    let study = Uid::from_file("1.2");
    let mut store = Store::open(folder.path()).expect("a store");
    for change in [
        AnnotationChange::Put(probe(1, 0.5)),
        AnnotationChange::Put(probe(2, 1.5)),
        AnnotationChange::Put(probe(1, 7.5)),
        AnnotationChange::Removed { id: 2 },
        AnnotationChange::Put(probe(3, 2.5)),
    ] {
        store.annotate("lm", NOW, &study, &change).expect("kept");
    }
    let place = |slice| ReadingPosition {
        series: Uid::from_file("1.2.3"),
        stack: 0,
        plane: 1,
        slices: [slice, 4, 5],
        window: WindowLevel::new(350.0, 2000.0).expect("a window"),
        window_name: "bone".into(),
    };
    store.keep_position("lm", NOW, &study, &place(3)).expect("kept");
    store.keep_position("lm", NOW, &study, &place(30)).expect("kept");
    drop(store);
    let store = Store::open(folder.path()).expect("a store");
    assert_eq!(store.annotations(&study).expect("read"), [probe(1, 7.5), probe(3, 2.5)]);
    assert_eq!(store.position("lm", &study).expect("read"), Some(place(30)));
    assert_eq!(store.position("kr", &study).expect("read"), None, "each reader has a place");
    assert_eq!(store.last_read("lm", NOW).expect("read"), Some(study));
    assert_eq!(store.last_read("lm", Stamp { utc_ms: NOW.utc_ms + 1, ..NOW }).expect("read"), None);
}

#[test]
fn the_log_cannot_be_changed_from_outside_either() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path(), 3);
    let connection = Connection::open(Store::path(folder.path())).expect("the file");
    assert!(connection.execute("UPDATE decision SET who = 'x'", []).is_err());
    assert!(connection.execute("DELETE FROM decision", []).is_err());
}

#[test]
fn every_version_is_brought_up_to_date_without_losing_an_entry() {
    for version in 1..=migrations().len() {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = Connection::open(Store::path(folder.path())).expect("a file");
        for sql in &migrations()[..version] {
            connection.execute_batch(sql).expect("a version");
        }
        connection.pragma_update(None, "application_id", 0x6373_7031).expect("a mark");
        connection.pragma_update(None, "user_version", version as i64).expect("a version");
        connection
            .execute(
                "INSERT INTO decision (study, who, utc_ms, offset_minutes, act, report, blinded)
                 VALUES ('1.2', 'lm', 1000, -210, '{\"act\":\"study\",\"verdict\":\"positive\"}', NULL, 0)",
                [],
            )
            .expect("an entry");
        drop(connection);
        let mut store = Store::open(folder.path()).expect("a store of every version");
        let log = all(&store);
        assert_eq!(log.len(), 1, "version {version}");
        assert_eq!(log[0].draft.act, Act::Study(StudyVerdict::Positive));
        assert_eq!(log[0].at, Stamp { utc_ms: 1000, offset_minutes: -210 });
        append(&mut store, 1);
        store.claim("here", "lm", Some(&Uid::from_file("1.2")), NOW).expect("a claim");
    }
}

#[test]
fn a_newer_store_and_a_foreign_file_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path(), 2);
    let path = Store::path(folder.path());
    let connection = Connection::open(&path).expect("the file");
    connection.pragma_update(None, "user_version", 99).expect("a version");
    drop(connection);
    let before = fs::read(&path).expect("the file");
    let error = Store::open(folder.path()).expect_err("a newer store");
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("newer cspine"), "{error}");
    assert_eq!(fs::read(&path).expect("the file"), before);

    let other = tempfile::tempdir().expect("a folder");
    let connection = Connection::open(Store::path(other.path())).expect("a file");
    connection.execute_batch("CREATE TABLE recipe (name TEXT)").expect("another program's table");
    drop(connection);
    assert!(matches!(Store::open(other.path()), Err(StoreError::Foreign(_))));
}

#[test]
fn a_database_has_one_key_of_pseudonyms_and_keeps_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut one = Store::open(folder.path()).expect("a store");
    let mut other = Store::open(folder.path()).expect("the same store");
    let key = one.pseudonym_key().expect("a key");
    assert_eq!(other.pseudonym_key().expect("a key"), key, "whoever asks first");
    assert_eq!(one.pseudonym_key().expect("a key"), key);
    let elsewhere = tempfile::tempdir().expect("a folder");
    assert_ne!(Store::open(elsewhere.path()).and_then(|mut store| store.pseudonym_key()).expect("a key"), key);
    let connection = Connection::open(Store::path(folder.path())).expect("the file");
    assert!(connection.execute("UPDATE secret SET value = x'00'", []).is_err());
    assert!(connection.execute("DELETE FROM secret", []).is_err());
    connection.execute_batch("DROP TRIGGER secret_stays; UPDATE secret SET value = x'00'").expect("a short key");
    assert!(matches!(one.pseudonym_key(), Err(StoreError::BadKey(_))), "no key is made up for a damaged one");
}

/// Where the damaged file was put aside.
fn aside(folder: &Path) -> std::path::PathBuf {
    folder.join("store.sqlite.damaged-1")
}

#[test]
fn a_file_that_is_no_database_is_set_aside_and_a_new_one_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    let noise: Vec<u8> = (0..40_000_u32).map(|n| (n * 7919 % 251) as u8).collect();
    fs::write(Store::path(folder.path()), &noise).expect("noise");
    let mut store = Store::open(folder.path()).expect("a new store");
    let words = store.recovered().expect("a word about it").to_string();
    assert!(words.contains("damaged") && words.contains("0 decisions"), "{words}");
    assert!(words.contains("the key of pseudonyms could not"), "{words}");
    assert_eq!(fs::read(aside(folder.path())).expect("what was there"), noise);
    append(&mut store, 0);
    assert!(store.recovered().is_none(), "it is told once");
}

#[test]
fn of_a_damaged_store_everything_that_can_be_read_is_recovered() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = filled(folder.path(), 600);
    let key = Store::open(folder.path()).and_then(|mut store| store.pseudonym_key()).expect("a key");
    let path = Store::path(folder.path());
    let connection = Connection::open(&path).expect("the file");
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("one file");
    drop(connection);
    let mut bytes = fs::read(&path).expect("the file");
    // A leaf in the middle of the table: found by what is written in it.
    let words = b"note 301";
    let at = bytes.windows(words.len()).position(|window| window == words).expect("an entry");
    let page = at / 4096 * 4096;
    bytes[page..page + 4096].fill(0xA5);
    fs::write(&path, &bytes).expect("damage");
    let mut store = Store::open(folder.path()).expect("a store");
    let words = store.recovered().expect("a word about it").to_string();
    let read = all(&store);
    assert!(words.contains(&format!("{} decisions", read.len())) && !words.contains("pseudonyms"), "{words}");
    assert_eq!(store.pseudonym_key().expect("a key"), key, "patients keep their pseudonyms");
    assert!(read.len() > 500 && read.len() < 600, "all but one page of {}: {}", kept.len(), read.len());
    assert!(read.iter().all(|entry| kept.contains(entry)), "nothing is made up");
    assert!(read.first() == kept.first() && read.last() == kept.last(), "both sides of the damage");
    assert_eq!(fs::read(aside(folder.path())).expect("what was there"), bytes);
    assert!(append(&mut store, 7).id > kept[599].id, "numbers go on");
}

#[test]
fn a_folder_that_vanishes_is_put_back_with_every_entry() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("data");
    let mut store = Store::open(&folder).expect("a store");
    let mut kept: Vec<LogEntry> = (0..10).map(|n| append(&mut store, n)).collect();
    fs::remove_dir_all(&folder).expect("the folder goes");
    kept.push(append(&mut store, 10));
    drop(store);
    assert_eq!(all(&Store::open(&folder).expect("a store")), kept);
}

#[test]
fn another_file_in_its_place_is_written_instead() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("data");
    let mut store = Store::open(&folder).expect("a store");
    append(&mut store, 0);
    fs::rename(&folder, root.path().join("old")).expect("moved away");
    let theirs = filled(&folder, 4);
    append(&mut store, 5);
    drop(store);
    let log = all(&Store::open(&folder).expect("a store"));
    assert_eq!((log.len(), &log[..4]), (5, &theirs[..]));
}

#[test]
fn a_folder_that_cannot_be_made_says_so_and_every_record_is_answered() {
    let root = tempfile::tempdir().expect("a folder");
    let file = root.path().join("file");
    fs::write(&file, "no folder").expect("a file");
    let folder = file.join("data");
    let opened = Store::open(&folder);
    assert!(matches!(opened, Err(StoreError::Unusable { .. })));
    let (sender, messages) = channel();
    let keeper = Keeper::start(Some(folder.clone()), opened, CleanText::new("lm"), move |message| {
        let _ = sender.send(message);
    });
    let next = || messages.recv_timeout(Duration::from_secs(60)).expect("an answer");
    assert!(matches!(next(), Message::Remembered(Remembered::Unavailable(_))));
    let record = Record::Decision { token: Token(1), draft: draft(0) };
    keeper.record(record.clone());
    assert!(matches!(next(), Message::RecordFailed(failure) if failure.record == record));
    // The way is free: the next try succeeds.
    fs::remove_file(&file).expect("the file goes");
    keeper.record(record);
    assert!(matches!(next(), Message::Recorded(_)));
    keeper.stop();
    assert_eq!(all(&Store::open(&folder).expect("a store")).len(), 1);
}

#[test]
fn a_read_only_folder_says_so_and_what_was_kept_can_be_read_again_later() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("data");
    let kept = filled(&folder, 3);
    let mode = |bits| fs::set_permissions(&folder, fs::Permissions::from_mode(bits)).expect("permissions");
    if rustix::process::geteuid().is_root() {
        // For root nothing is read-only: the folder and the other program are nobody's.
        let files = fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("a file").path());
        for path in files.chain([folder.clone(), root.path().to_owned()]) {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).expect("nobody's");
        }
    }
    mode(0o500);
    let output =
        again("store::writes_as_nobody").env("CSPINE_TEST_STORE", &folder).output().expect("the other program");
    mode(0o700);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = said.lines().find_map(|line| line.split("failed: ").nth(1)).unwrap_or_else(|| panic!("{said}"));
    assert!(words.contains("writable") || words.contains("make it yours"), "{words}");
    assert_eq!(all(&Store::open(&folder).expect("a store")), kept);
}

/// The user and group without any rights.
const NOBODY: u32 = 65_534;

#[test]
#[ignore = "the other program of a_read_only_folder_says_so_and_what_was_kept_can_be_read_again_later"]
fn writes_as_nobody() {
    let Some(folder) = given("CSPINE_TEST_STORE") else { return };
    if rustix::process::geteuid().is_root() {
        // SAFETY: the calls take numbers only; this program does nothing else.
        let done = unsafe { libc::setgroups(0, std::ptr::null()) | libc::setgid(NOBODY) | libc::setuid(NOBODY) };
        assert_eq!(done, 0, "root becomes nobody");
    }
    let opened = Store::open(Path::new(&folder));
    match opened.and_then(|mut store| store.append(&CleanText::new("lm"), NOW, &draft(4))) {
        Ok(entry) => println!("kept {}", entry.id.0),
        Err(error) => println!("failed: {error}"),
    }
}

#[test]
fn a_disk_that_takes_no_more_loses_nothing_that_was_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path(), 1);
    let child = again("store::fills_the_disk");
    // A limit on the size of files, as a full disk: the write itself fails. The signal for it is ignored, as by a shell's trap.
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\""]).arg(child.get_program());
    limited.args(child.get_args()).env("CSPINE_TEST_STORE", folder.path());
    let output = limited.output().expect("the other program");
    let lines: Vec<String> = output.stdout.lines().map_while(Result::ok).collect();
    let kept: Vec<i64> = lines.iter().filter_map(|line| line.split("kept ").nth(1)?.trim().parse().ok()).collect();
    let failed: Vec<&String> = lines.iter().filter(|line| line.contains("failed: ")).collect();
    assert!(kept.len() > 50, "{lines:?}");
    assert!(!failed.is_empty() && failed.iter().all(|line| line.contains("full")), "{failed:?}");
    let store = Store::open(folder.path()).expect("a store");
    let ids: Vec<i64> = all(&store).iter().map(|entry| entry.id.0).collect();
    assert!(kept.iter().all(|id| ids.contains(id)), "all that was said to be kept");
    assert_eq!(ids.len(), kept.len() + 1, "and nothing that was said to have failed");
}

#[test]
#[ignore = "the other program of a_disk_that_takes_no_more_loses_nothing_that_was_kept"]
fn fills_the_disk() {
    let Some(folder) = given("CSPINE_TEST_STORE") else { return };
    let mut store = Store::open(Path::new(&folder)).expect("a store");
    let text = NoteText::new(&"words ".repeat(40));
    for _ in 0..20_000 {
        let act = Act::Note { text: text.clone() };
        let draft = Draft { act, ..draft(1) };
        match store.append(&CleanText::new("lm"), NOW, &draft) {
            Ok(entry) => println!("kept {}", entry.id.0),
            Err(error) => return println!("failed: {error}"),
        }
    }
}

#[test]
fn two_programs_write_one_store_and_see_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(folder.path()).expect("a store");
    let mut other =
        again("store::writes_beside").env("CSPINE_TEST_STORE", folder.path()).spawn().expect("the other program");
    let mut lines = BufReader::new(other.stdout.take().expect("its output")).lines();
    let mut wait_for = |words: &str| {
        assert!(
            lines.by_ref().map_while(Result::ok).any(|line| line.contains(words)),
            "the other program says {words}"
        );
    };
    wait_for("begun");
    let own: Vec<LogEntry> = (0..100).map(|n| append(&mut store, n)).collect();
    wait_for("done");
    assert!(other.wait().expect("its end").success());
    assert!(store.changed_elsewhere().expect("a word"));
    assert!(!store.changed_elsewhere().expect("a word"), "each change is told once");
    let log = all(&store);
    assert_eq!(log.iter().filter(|entry| entry.who.as_str() == "kr").count(), 100);
    assert!(own.iter().all(|entry| log.contains(entry)) && log.len() == 200);
    let open = store.open_elsewhere("here", NOW).expect("claims");
    assert_eq!(open, [(Uid::from_file("1.2.3"), "kr".to_owned())]);
    let later = Stamp { utc_ms: NOW.utc_ms + 1, ..NOW };
    assert!(store.open_elsewhere("here", later).expect("claims").is_empty(), "an old claim is none");
}

#[test]
#[ignore = "the other program of two_programs_write_one_store_and_see_each_other"]
fn writes_beside() {
    let Some(folder) = given("CSPINE_TEST_STORE") else { return };
    let mut store = Store::open(Path::new(&folder)).expect("a store");
    store.claim("there", "kr", Some(&Uid::from_file("1.2.3")), NOW).expect("a claim");
    println!("begun");
    for n in 0..100 {
        store.append(&CleanText::new("kr"), NOW, &draft(n)).expect("an entry");
    }
    println!("done");
}

#[test]
fn the_keeper_tells_what_another_program_decides() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sender, messages) = channel();
    let opened = Store::open(folder.path());
    let keeper = Keeper::start(Some(folder.path().to_owned()), opened, CleanText::new("lm"), move |message| {
        let _ = sender.send(message);
    });
    let mut other = Store::open(folder.path()).expect("the same store");
    let theirs = append(&mut other, 0);
    let begun = Instant::now();
    loop {
        if let Ok(Message::Remembered(Remembered::Log(entries))) = messages.recv_timeout(Duration::from_millis(5)) {
            assert_eq!(entries, [theirs]);
            break;
        }
        // However busy this program is: a request every few milliseconds.
        keeper.claim(None);
        assert!(begun.elapsed() < Duration::from_secs(60), "the other's decision is seen");
    }
    keeper.stop();
}
