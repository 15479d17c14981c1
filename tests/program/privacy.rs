//! Whose studies they are stays where it belongs: not in logs, not on an anonymous screen, not in files that others can read.

use crate::support::{made, pty};
use cspine::domain::EntryId;
use cspine::store::Store;
use pty::Program;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// In every text of the files that the program reads, and in the names of folder and files.
const SECRET: &str = "ZYXSECRET";

/// A folder with a study of a patient with a name, and files that cannot be read.
fn studies(root: &Path) -> PathBuf {
    let folder = root.join(format!("{SECRET}-folder"));
    fs::create_dir_all(&folder).expect("a folder");
    for number in 1..=30 {
        let mut slice = made::slice(number);
        for (tag, vr) in [
            ((0x0008, 0x0050), "SH"),
            ((0x0008, 0x0090), "PN"),
            ((0x0008, 0x1030), "LO"),
            ((0x0008, 0x103E), "LO"),
            ((0x0010, 0x0010), "PN"),
            ((0x0010, 0x0020), "LO"),
            ((0x0010, 0x4000), "LT"),
            ((0x0018, 0x0015), "CS"),
            ((0x0018, 0x1030), "LO"),
            ((0x0018, 0x1210), "SH"),
            ((0x0028, 0x1055), "LO"),
        ] {
            made::set(&mut slice, made::text(tag, vr, SECRET));
        }
        let file = made::part10(made::EXPLICIT, &made::data_set(&slice, made::Writing::Explicit));
        fs::write(folder.join(format!("{SECRET}-{number}")), file).expect("written");
    }
    fs::write(folder.join(format!("{SECRET}.dcm")), "no DICOM").expect("written");
    let mut cut = fs::read(folder.join(format!("{SECRET}-1"))).expect("a file");
    cut.truncate(cut.len() / 2);
    fs::write(folder.join(format!("{SECRET}-cut")), cut).expect("written");
    folder
}

/// The first pseudonym in a text.
fn label(text: &str) -> String {
    let at = text.find("P-").expect("a pseudonym");
    text.get(at..at + 15).expect("all of it").to_owned()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path.clone());
            }
            paths.push(path);
        }
    }
    paths
}

#[test]
fn neither_log_nor_anonymous_screen_names_anyone_and_all_files_are_private() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    let folder = studies(data.path());
    let folder = folder.to_str().expect("a path");
    let settings = home.path().join(".config/cspine");
    fs::create_dir_all(&settings).expect("a folder");
    let mut program = Program::start(&[folder, "--graphics", "none", "--anonymous"], home.path(), 120, 30);
    program.wait_for("the study under a pseudonym", |screen| screen.contains("P-"));
    let label = label(&program.screen());
    program.press("\r");
    program.wait_for("the reading screen", |screen| screen.contains("fracture probability"));
    for _ in 0..20 {
        program.press("x");
        // At a hand's pace: within two seconds of opening the study the key is asked for again.
        std::thread::sleep(std::time::Duration::from_millis(700));
        if program.screen().contains("worklist") {
            break;
        }
    }
    program
        .wait_for("the assessment in the list", |screen| screen.contains("worklist") && screen.contains("✓ negative"));
    program.press("q");
    assert_eq!(program.wait(), 0);
    let screen = String::from_utf8_lossy(&program.bytes()).into_owned();
    assert!(!screen.contains(SECRET), "nothing that was ever on the screen names anyone");

    let report = Command::new(env!("CARGO_BIN_EXE_cspine"))
        .args(["report", "--anonymous", "--format", "csv", folder])
        .env_clear()
        .env("HOME", home.path())
        .output()
        .expect("the program runs");
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(report.contains(&label), "one patient has one pseudonym on screen and in reports: {label} {report}");

    let log = Store::open(&home.path().join(".local/share/cspine")).and_then(|store| store.log_after(EntryId(0), 9));
    assert_eq!(log.expect("the log").len(), 1, "the decision is kept");

    let own: Vec<PathBuf> = [".local", ".cache"].iter().flat_map(|folder| below(&home.path().join(folder))).collect();
    assert!(own.iter().any(|path| path.ends_with("store.sqlite")));
    for path in &own {
        let mode = fs::symlink_metadata(path).expect("metadata").permissions().mode() & 0o777;
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode & !wanted, 0, "{} is {mode:o}", path.display());
        if path.extension().is_some_and(|ending| ending == "log") {
            let text = fs::read_to_string(path).expect("a log");
            assert!(!text.contains(SECRET), "{text}");
        }
    }
}
