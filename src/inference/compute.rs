//! What the network runs on: which engine, how many threads, and whether it gives way to everything else.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// More threads than this gain nothing for networks of this size.
const MOST_THREADS: usize = 16;

/// An execution provider of ONNX Runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// The first of the others that the library has, that works here, and whose numbers are the CPU's.
    #[default]
    Auto,
    /// ONNX Runtime's own; always there.
    Cpu,
    /// NVIDIA CUDA.
    Cuda,
    /// NVIDIA TensorRT; prepares itself for minutes, and is therefore never chosen by itself.
    TensorRt,
    /// Intel OpenVINO.
    OpenVino,
    /// Apple Core ML.
    CoreMl,
}

impl Engine {
    /// All that can be asked for.
    pub const ALL: [Self; 6] = [Self::Auto, Self::Cpu, Self::Cuda, Self::TensorRt, Self::OpenVino, Self::CoreMl];
    /// Those beside the CPU that `auto` tries, in this order.
    pub(super) const TRIED: [Self; 3] = [Self::Cuda, Self::CoreMl, Self::OpenVino];

    /// The name on the command line and in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::OpenVino => "openvino",
            Self::CoreMl => "coreml",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no engine's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an engine; choose one of auto, cpu, cuda, tensorrt, openvino, coreml")]
pub struct UnknownEngine(String);

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        Self::ALL.into_iter().find(|engine| engine.name() == name).ok_or_else(|| UnknownEngine(name.to_owned()))
    }
}

/// What the network runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compute {
    /// Which engine.
    pub engine: Engine,
    /// How many threads; as many as there are cores for the process where `None`.
    pub threads: Option<NonZeroUsize>,
    /// Whether it gives way to whatever else runs on the machine.
    pub background: bool,
}

impl Compute {
    /// The number of threads: what was asked for, or the cores that affinity and control groups leave to the process
    /// (`std::thread::available_parallelism`).
    #[must_use]
    pub fn threads(self) -> usize {
        let there = || std::thread::available_parallelism().map_or(2, NonZeroUsize::get).min(MOST_THREADS);
        self.threads.map_or_else(there, NonZeroUsize::get)
    }

    /// Holds the threads that read and prepare slices to the number that was asked for, for the rest of the process; the first call counts.
    pub fn hold_threads(self) {
        if let Some(threads) = self.threads {
            // An error says that the pool is there already.
            let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_is_found_by_its_name_and_no_other_word_is_one() {
        for engine in Engine::ALL {
            assert_eq!(engine.name().parse(), Ok(engine));
        }
        let error = "gpu".parse::<Engine>().expect_err("no engine");
        assert!(Engine::ALL.iter().all(|engine| error.to_string().contains(engine.name())), "{error}");
    }

    #[test]
    fn threads_are_those_asked_for_or_the_processs_cores() {
        let four = Compute { threads: NonZeroUsize::new(4), ..Compute::default() };
        assert_eq!(four.threads(), 4);
        assert!((1..=MOST_THREADS).contains(&Compute::default().threads()));
    }
}
