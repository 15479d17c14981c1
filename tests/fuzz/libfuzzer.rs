//! The targets under libFuzzer, which keeps the inputs that reach new code and goes on from them. `CSPINE_FUZZ_TARGET` chooses
//! the target; into the folder `CSPINE_FUZZ_SEEDS`, if that is set, go its seeds.

#![no_main]

#[path = "../support/corpus.rs"]
mod corpus;
mod geometry;
mod hounsfield;
#[path = "../support/jpeg_lossless.rs"]
mod jpeg_lossless;
mod mutate;
#[path = "../support/part10.rs"]
mod part10;
mod seeds;
mod stacks;
mod targets;

use fastrand::Rng;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use targets::Target;

/// The target, and the folder that it writes to.
static CHOSEN: OnceLock<(Target, PathBuf)> = OnceLock::new();
static SLOWEST: Mutex<Duration> = Mutex::new(Duration::ZERO);

fn set_up() {
    // libFuzzer's own hook ends the process at any panic; decoders may panic, as long as cspine catches it.
    std::panic::set_hook(Box::new(|_| {}));
    let name = std::env::var("CSPINE_FUZZ_TARGET").expect("CSPINE_FUZZ_TARGET names a target");
    let target = targets::ALL.into_iter().find(|target| target.name == name).expect("CSPINE_FUZZ_TARGET is a target");
    if let Some(folder) = std::env::var_os("CSPINE_FUZZ_SEEDS").map(PathBuf::from) {
        std::fs::create_dir_all(&folder).expect("the folder of seeds");
        for (index, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{index:04}")), seed).expect("the folder of seeds");
        }
    }
    let place = tempfile::tempdir().expect("a folder").keep();
    CHOSEN.get_or_init(|| (target, place));
}

fuzz_target!(init: set_up(), |input: &[u8]| {
    let (target, place) = CHOSEN.get().expect("set up");
    let begun = Instant::now();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(place, input))) {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        eprintln!("cspine panic: {}", text.unwrap_or("?"));
        std::process::abort();
    }
    let mut slowest = SLOWEST.lock().expect("one thread");
    if begun.elapsed() > *slowest {
        *slowest = begun.elapsed();
        eprintln!("cspine slowest: {} ms", slowest.as_millis());
    }
});

// Half of the inputs are changed with a plan, half as libFuzzer does it.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let (target, _) = CHOSEN.get().expect("set up");
    let mut random = Rng::with_seed(u64::from(seed));
    if random.bool() {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut input = data[..size].to_vec();
    for _ in 0..=random.u8(..3) {
        (target.mutate)(&mut input, &mut random, &[]);
    }
    input.truncate(max_size);
    data[..input.len()].copy_from_slice(&input);
    input.len()
});
