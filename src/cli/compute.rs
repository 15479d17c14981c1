//! What the network runs on, from the command line and the settings.

use crate::config::{Folders, Settings};
use crate::inference::{Compute, Engine};
use std::num::NonZeroUsize;

/// What the network runs on.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct ComputeArgs {
    /// What runs the network: auto, cpu, cuda, tensorrt, openvino or coreml, where the ONNX Runtime that ORT_DYLIB_PATH names has it.
    #[arg(long, value_name = "ENGINE")]
    pub(super) engine: Option<Engine>,
    /// Threads for reading and for the network; as many as there are cores for this process where none are named.
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
}

impl ComputeArgs {
    /// For a command without a screen: the command line before the settings. Settings with a mistake are for `cspine doctor` to tell.
    pub(super) fn of_command(self) -> Compute {
        let file = Folders::find().settings_file();
        let settings = file.and_then(|file| Settings::load(&file).ok()).unwrap_or_default();
        let compute = settings.compute.or(self.engine, self.threads);
        compute.hold_threads();
        compute
    }
}
