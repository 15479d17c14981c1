//! What the network runs on, from the command line and the settings.

use super::CliError;
use crate::config::Folders;
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
    /// For a command without a screen: the command line before the settings.
    ///
    /// # Errors
    /// Settings with a mistake.
    pub(super) fn of_command(self) -> Result<Compute, CliError> {
        let compute = super::settings(&Folders::find())?.compute.or(self.engine, self.threads);
        compute.hold_threads();
        Ok(compute)
    }
}
