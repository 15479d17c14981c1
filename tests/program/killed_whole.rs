//! The whole program, killed in the middle of reading: what its screen showed as decided is in its report afterwards.

use crate::support::{made, pty};
use pty::Program;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Points at which the program is killed.
const POINTS: usize = 25;

#[test]
fn killed_at_25_points_the_program_reports_every_decision_that_it_had_shown() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    // Too few slices for the network: the program has nothing else to do.
    made::good_slices(data.path(), 1..=4);
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut shown, mut cut_short) = (BTreeSet::new(), 0);
    for point in 0..POINTS {
        let (seen, cut) = killed(home.path(), data.path(), point, &mut random);
        shown.extend(seen);
        cut_short += usize::from(cut);
        let reported = reported(home.path(), data.path());
        let missing: Vec<&String> = shown.iter().filter(|note| !reported.contains(*note)).collect();
        assert!(missing.is_empty(), "{missing:?} was shown and is not in the report; point {point}, seed {seed}");
    }
    assert!(
        shown.len() > POINTS && cut_short > 0,
        "{} shown, {cut_short} killed in the middle; seed {seed}",
        shown.len()
    );
}

/// Reads, writes notes, each another one, and is killed after some of them: at once, or while the next one is on its way to the disk.
/// What its screen had shown as kept, and whether it was killed on the way.
fn killed(home: &Path, data: &Path, point: usize, random: &mut fastrand::Rng) -> (BTreeSet<String>, bool) {
    let folder = data.to_str().expect("a path");
    let mut program = Program::start(&[folder, "--graphics", "none"], home, 120, 32);
    program.wait_for("the list", |screen| screen.contains("MADE, One") && !screen.contains("scanning"));
    program.press("\r");
    program.wait_for("the reading screen", |screen| screen.contains("fracture probability"));
    let mut shown = BTreeSet::new();
    let note = |number: usize| format!("kept-{point}-{number}.");
    let whole = random.usize(1..4);
    for number in 0..whole {
        program.type_line(("W\u{15}", "note: "), &note(number));
        let screen = program.wait_for("the note", |screen| kept(screen).contains(&note(number)));
        shown.extend(kept(&screen));
    }
    // Some bytes of what it draws for the next one, and it is gone.
    program.type_text(("W\u{15}", "note: "), &note(whole));
    let before = program.bytes().len();
    program.press("\r");
    let more = random.usize(0..6_000);
    program.wait_for_bytes("the next note", |bytes, screen| {
        bytes.len() >= before + more || kept(screen).contains(&note(whole))
    });
    let left = kept(&program.killed());
    let cut = !left.contains(&note(whole));
    shown.extend(left);
    (shown, cut)
}

/// Notes that the panel shows as kept: not those that are typed or on their way to the disk.
fn kept(screen: &str) -> BTreeSet<String> {
    let panel = screen.lines().filter_map(|line| line.split_once("note: ")).filter(|(before, _)| before.contains('│'));
    let kept = panel.filter(|(before, _)| !before.contains("saving") && !before.contains("SAVED"));
    let notes = kept.filter_map(|(_, after)| after.split_once('.')).map(|(note, _)| format!("{note}."));
    notes.filter(|note| note.starts_with("kept-")).collect()
}

/// The notes in the log that `cspine report` tells.
fn reported(home: &Path, data: &Path) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_cspine"))
        .args(["report", "--format", "json"])
        .arg(data)
        .env_clear()
        .env("HOME", home)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let log =
        json["studies"].as_array().expect("studies").iter().flat_map(|study| study["log"].as_array().expect("a log"));
    let says = log.filter_map(|entry| entry["text"].as_str()?.strip_prefix("note: ").map(str::to_owned));
    says.collect()
}
