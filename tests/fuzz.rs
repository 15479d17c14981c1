//! The short fuzzing run: every target of `fuzz/targets.rs` with a fixed seed and a fixed number of inputs, on any stable
//! toolchain. The long, coverage-guided run is `tests/fuzz/run`; `tests/fuzz/README.md` says how to use both.

#[path = "support/corpus.rs"]
mod corpus;
#[path = "fuzz/geometry.rs"]
mod geometry;
#[path = "fuzz/hounsfield.rs"]
mod hounsfield;
#[path = "support/jpeg_lossless.rs"]
mod jpeg_lossless;
#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "support/part10.rs"]
mod part10;
#[path = "fuzz/process.rs"]
mod process;
#[path = "fuzz/seeds.rs"]
mod seeds;
#[path = "fuzz/stacks.rs"]
mod stacks;
#[path = "fuzz/targets.rs"]
mod targets;

use fastrand::Rng;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use targets::Target;

/// No input may take longer.
const LIMIT: Duration = Duration::from_secs(5);
/// No target may hold more, MiB: the largest picture that is read takes 128 MiB as voxels, 128 as samples and 160 inflated.
const MEMORY_MIB: u64 = 1024;
/// Failures of one target that are worth keeping.
const ENOUGH: usize = 10;

/// What panicked last and how often something did, in any thread: decoders may, as long as cspine catches them.
static PANIC: Mutex<String> = Mutex::new(String::new());
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Ends the process when an input hangs, after telling which.
struct Watchdog {
    /// When the input at work began, ms after `zero`; 0 when none is.
    since: Arc<AtomicU64>,
    zero: Instant,
}

impl Watchdog {
    fn new(name: &'static str, input: PathBuf) -> Self {
        let (since, zero) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let watched = Arc::downgrade(&since);
        std::thread::spawn(move || {
            while let Some(since) = watched.upgrade() {
                let begun = since.load(Ordering::Relaxed);
                if begun > 0 && zero.elapsed() > Duration::from_millis(begun) + 4 * LIMIT {
                    eprintln!("{name}: an input does not end; it is in {}", input.display());
                    std::process::abort();
                }
                drop(since);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Self { since, zero }
    }

    fn begin(&self) {
        self.since.store(self.zero.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
    }

    fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }
}

/// A folder that is best in memory: inputs are written to it by the thousand.
fn place() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// Runs one input; what is wrong with it, if anything is, and how long it took.
fn fault(target: &Target, place: &Path, input: &[u8]) -> (Option<String>, Duration) {
    let (begun, computed) = (Instant::now(), process::computed());
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(place, input)));
    // On a busy machine an input may wait long for little: what counts then is what it computed.
    let computed = process::computed().zip(computed).map(|(now, then)| now.saturating_sub(then));
    let took = begun.elapsed();
    let took = computed.filter(|_| took > Duration::from_millis(100)).map_or(took, |computed| took.min(computed));
    let fault = match outcome {
        Err(_) => Some(PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        Ok(()) => (took > LIMIT).then(|| format!("it took {:.1} s", took.as_secs_f64())),
    };
    (fault, took)
}

/// Keeps a failing input for replay.
fn keep(target: &Target, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let path = folder.join(format!("{}-{:016x}", target.name, hasher.finish()));
    std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, input)).expect("the input can be kept");
    path
}

/// Runs a target on its seeds and on so many damaged ones. Returns what went wrong.
fn run(target: &Target, inputs: u64) -> Vec<String> {
    let place = place();
    let current = place.path().join("input");
    let watchdog = Watchdog::new(target.name, current.clone());
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} has seeds", target.name);
    let seed = std::env::var("CSPINE_FUZZ_SEED").map_or(1, |text| text.parse().expect("a number"));
    let mut random = Rng::with_seed(seed);
    let (mut faults, mut slowest, mut peak) = (Vec::new(), Duration::ZERO, None);
    let caught = PANICS.load(Ordering::Relaxed);
    let damaged = std::iter::repeat_with(|| {
        let mut input = seeds[random.usize(..seeds.len())].clone();
        for _ in 0..=random.u8(..6) {
            (target.mutate)(&mut input, &mut random, &seeds);
        }
        input
    });
    for input in seeds.iter().cloned().chain(damaged.take(inputs as usize)) {
        std::fs::write(&current, &input).expect("the place can be written to");
        process::forget_peak();
        watchdog.begin();
        let (fault, took) = fault(target, place.path(), &input);
        watchdog.end();
        slowest = slowest.max(took);
        let held = process::peak_mib();
        peak = peak.max(held);
        let too_much = held.filter(|mib| *mib > MEMORY_MIB).map(|mib| format!("it held {mib} MiB"));
        if let Some(fault) = fault.or(too_much) {
            faults.push(format!("{}: {fault}\n  input: {}", target.name, keep(target, &input).display()));
            if faults.len() == ENOUGH {
                break;
            }
        }
    }
    println!(
        "{}: {} inputs ({} seeds), {} crashes, slowest {} ms, peak RSS {} MiB, panics of decoders caught: {}",
        target.name,
        grouped(seeds.len() as u64 + inputs),
        seeds.len(),
        faults.len(),
        slowest.as_millis(),
        peak.map_or_else(|| "?".to_owned(), |mib| mib.to_string()),
        PANICS.load(Ordering::Relaxed) - caught,
    );
    faults
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| std::str::from_utf8(part).ok()).collect();
    parts.join(",")
}

#[test]
fn nothing_that_a_stranger_wrote_stops_the_program() {
    let asked = |name: &str| std::env::var(name).ok();
    std::panic::set_hook(Box::new(|info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        let trace = std::backtrace::Backtrace::capture();
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("{info}\n{trace}");
    }));
    let wanted = asked("CSPINE_FUZZ_TARGET");
    let scale: f64 = asked("CSPINE_FUZZ_SCALE").map_or(1.0, |text| text.parse().expect("a number"));
    let replayed = asked("CSPINE_FUZZ_INPUT").map(|path| std::fs::read(path).expect("the input to replay"));
    let mut faults = Vec::new();
    let mut ran = 0;
    for target in targets::ALL.iter().filter(|target| wanted.as_deref().is_none_or(|name| name == target.name)) {
        ran += 1;
        match &replayed {
            Some(input) => faults.extend(fault(target, place().path(), input).0),
            None => faults.extend(run(target, (target.inputs as f64 * scale) as u64)),
        }
    }
    drop(std::panic::take_hook());
    assert!(ran > 0, "CSPINE_FUZZ_TARGET names none of the targets");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A target that panics, hangs or is wrong is told, with its input; one that is well is not.
#[test]
fn a_planted_fault_is_found() {
    fn planted(_: &Path, input: &[u8]) {
        assert!(!input.starts_with(b"\xff\xff"), "planted");
    }
    let target = Target {
        name: "planted",
        run: planted,
        mutate: mutate::bytes,
        seeds: || vec![b"\0\0seed".to_vec()],
        inputs: 0,
    };
    assert!(fault(&target, Path::new("."), b"well").0.is_none());
    assert!(fault(&target, Path::new("."), b"\xff\xff").0.is_some());
    assert_eq!(grouped(1_234_567), "1,234,567");
}
