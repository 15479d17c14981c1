//! The program's start as its user sees it, in a pseudo-terminal that answers no question: from the start to the list of a known
//! folder, and from `Enter` to the picture of a study that is not in memory. Ends with 1 where a goal is missed.

#[path = "../support/pty.rs"]
mod pty;

use pty::Program;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const STUDIES: usize = 3;
const ROUNDS: usize = 9;
/// How often the screen is looked at.
const LOOK: Duration = Duration::from_millis(1);
/// Cells of a picture on the screen: fewer are a bar or a mark.
const PICTURE_CELLS: usize = 200;

/// The time until the screen satisfies a condition.
fn until(program: &Program, what: &str, condition: impl Fn(&str) -> bool) -> Duration {
    let begun = Instant::now();
    while !condition(&program.screen()) {
        assert!(begun.elapsed() < Duration::from_secs(60), "waiting in vain for {what}:\n{}", program.screen());
        std::thread::sleep(LOOK);
    }
    begun.elapsed()
}

fn studies(screen: &str) -> usize {
    screen.matches("PHANTOM,").count()
}

fn shows_a_picture(screen: &str) -> bool {
    let part = |c: &char| ('\u{2580}'..='\u{259f}').contains(c) && !matches!(c, '█' | '░' | '▒' | '▓');
    screen.chars().filter(part).count() > PICTURE_CELLS
}

/// One start: to the list, and from `Enter` to the picture.
fn start(folder: &Path, home: &Path) -> (Duration, Duration) {
    let folder = folder.to_str().expect("UTF-8");
    let begun = Instant::now();
    let mut program = Program::start(&[folder, "--graphics", "halfblocks"], home, 140, 40);
    until(&program, "the list", |screen| studies(screen) >= STUDIES);
    let listed = begun.elapsed();
    let begun = Instant::now();
    program.press("\r");
    until(&program, "the picture", shows_a_picture);
    let shown = begun.elapsed();
    program.killed();
    (listed, shown)
}

fn median(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() - 1])
}

fn main() -> ExitCode {
    let home = tempfile::tempdir().expect("a home");
    let folder = home.path().join("studies");
    let made = Command::new(env!("CARGO_BIN_EXE_cspine"))
        .args(["phantom", "--preset", "queue", "--seed", "77", "--matrix", "512", "--least-spacing", "0.8", "--out"])
        .args([folder.as_os_str(), "--count".as_ref(), STUDIES.to_string().as_ref()])
        .stdout(Stdio::null())
        .status()
        .expect("the program runs");
    assert!(made.success(), "studies to open");
    // The first start learns the folder.
    start(&folder, home.path());
    let times: Vec<_> = (0..ROUNDS).map(|_| start(&folder, home.path())).collect();
    let mut missed = false;
    for (what, times, goal) in [
        ("start to the list", times.iter().map(|(listed, _)| *listed).collect(), 100),
        ("Enter to the picture, study not in memory", times.iter().map(|(_, shown)| *shown).collect(), 300),
    ] {
        let (median, slowest) = median(times);
        let met = median <= Duration::from_millis(goal);
        missed |= !met;
        let verdict = if met { "" } else { "MISSED" };
        println!("{what:<44} median {median:>10.1?}, slowest {slowest:>10.1?}, goal {goal} ms {verdict}");
    }
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
