//! Runs the network. With `library`, the only user of `ort`.

use super::compute::Engine;
use super::library;
use super::manifest::Manifest;
use crate::domain::{PerLevel, Probability, SliceScore};
use crate::task::Cancel;
use ort::ep::{self, ExecutionProvider as _, ExecutionProviderDispatch};
use ort::session::{RunOptions, Session};
use ort::value::TensorRef;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Why the network gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NetworkError {
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Library(#[from] library::LibraryError),
    #[error("{0}")]
    Failed(String),
}

/// The network's outputs for one slice.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceOutputs {
    /// The two heads.
    pub score: SliceScore,
    /// Fracture logits by place, `[7, height, width]`; empty where the package gives none.
    pub activation: Vec<f32>,
    /// Height and width of the activation map.
    pub map_size: (usize, usize),
    /// White features, `[d]`; empty for a package without them.
    pub features: Vec<f32>,
}

/// Stops a run from another thread: `ort` ends it within some milliseconds.
#[derive(Default)]
pub(super) struct Interrupt {
    cancel: Cancel,
    running: Mutex<Option<Arc<RunOptions>>>,
}

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interrupt").field("cancel", &self.cancel).finish_non_exhaustive()
    }
}

impl Interrupt {
    /// One that a flag stops, too: between two runs.
    pub(super) fn by(cancel: &Cancel) -> Self {
        Self { cancel: cancel.clone(), ..Self::default() }
    }

    /// Ends the run in flight, if any, and refuses later ones.
    pub(super) fn stop(&self) {
        self.cancel.cancel();
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(options) = running.as_ref() {
            // An error here means that the run cannot be ended early; it then ends by itself.
            let _ = options.terminate();
        }
    }

    /// The flag that loading and preprocessing look at.
    pub(super) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    fn begin(&self) -> Result<Arc<RunOptions>, NetworkError> {
        // A terminated RunOptions is spent: each run has its own.
        let options = Arc::new(RunOptions::new().map_err(|error| NetworkError::Failed(error.to_string()))?);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.cancel.is_cancelled() {
            return Err(NetworkError::Interrupted);
        }
        *running = Some(Arc::clone(&options));
        Ok(options)
    }

    fn end(&self) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A loaded network.
#[derive(Debug)]
pub(super) struct Network {
    session: Session,
    manifest: Manifest,
    /// Features of a slice, as the first run gave them.
    feature_count: Option<usize>,
}

impl Network {
    /// Loads a graph onto an engine and checks that it has the manifest's inputs and outputs. Of [`Engine::Auto`] there is none: the
    /// CPU is taken.
    pub(super) fn load(
        onnx: &[u8],
        manifest: &Manifest,
        cache: Option<&Path>,
        engine: Engine,
        threads: usize,
    ) -> Result<Self, NetworkError> {
        let environment = library::environment(cache)?;
        let failed = |error: &dyn std::fmt::Display| NetworkError::Failed(error.to_string().replace('\n', " "));
        let mut builder = Session::builder(environment)
            .map_err(|error| failed(&error))?
            .with_intra_threads(threads)
            .map_err(|error| failed(&error))?
            // Threads spin while the network runs, and sleep as soon as it has nothing to do: decoding and drawing have the cores then.
            .with_intra_op_spinning(true)
            .map_err(|error| failed(&error))?
            .with_config_entry("session.force_spinning_stop", "1")
            .map_err(|error| failed(&error))?;
        if let Some(provider) = provider(engine, threads) {
            builder =
                builder.with_execution_providers([provider.error_on_failure()]).map_err(|error| failed(&error))?;
        }
        let session = builder.commit_from_memory(onnx).map_err(|error| failed(&error))?;
        let inputs: Vec<&str> = session.inputs().iter().map(|input| input.name()).collect();
        if inputs != [manifest.input.name.as_str()] {
            return Err(NetworkError::Failed(format!(
                "the graph's inputs are {inputs:?}, input.name says {:?}",
                manifest.input.name
            )));
        }
        let outputs: Vec<&str> = session.outputs().iter().map(|output| output.name()).collect();
        let wanted = [
            Some(&manifest.outputs.vertebra),
            Some(&manifest.outputs.fracture),
            manifest.outputs.activation.as_ref(),
            manifest.features.as_ref().map(|features| &features.output),
        ];
        for name in wanted.into_iter().flatten() {
            if !outputs.contains(&name.as_str()) {
                return Err(NetworkError::Failed(format!("the graph has outputs {outputs:?} but not {name:?}")));
            }
        }
        Ok(Self { session, manifest: manifest.clone(), feature_count: None })
    }

    /// Runs `count` inputs, `[count, channels, size, size]` bytes.
    pub(super) fn run(
        &mut self,
        inputs: &[u8],
        count: usize,
        interrupt: &Interrupt,
    ) -> Result<Vec<SliceOutputs>, NetworkError> {
        let options = interrupt.begin()?;
        let result = self.run_with(inputs, count, &options);
        interrupt.end();
        if interrupt.cancel.is_cancelled() {
            return Err(NetworkError::Interrupted);
        }
        result
    }

    fn run_with(
        &mut self,
        inputs: &[u8],
        count: usize,
        options: &RunOptions,
    ) -> Result<Vec<SliceOutputs>, NetworkError> {
        let failed = |error: &dyn std::fmt::Display| NetworkError::Failed(error.to_string().replace('\n', " "));
        let spec = &self.manifest.input;
        let size = spec.size as usize;
        let shape = [count, spec.channel_offsets_mm.len(), size, size];
        let tensor = TensorRef::from_array_view((shape, inputs)).map_err(|error| failed(&error))?;
        let names = self.manifest.outputs.clone();
        let outputs = self
            .session
            .run_with_options(ort::inputs![spec.name.as_str() => tensor], options)
            .map_err(|error| failed(&error))?;
        let output = |name: &str| -> Result<(Vec<i64>, &[f32]), NetworkError> {
            let value = outputs.get(name).ok_or_else(|| failed(&format!("no output {name:?}")))?;
            let (shape, data) = value.try_extract_tensor::<f32>().map_err(|error| failed(&error))?;
            Ok((shape.to_vec(), data))
        };
        let (vertebra, fracture) = (output(&names.vertebra)?, output(&names.fracture)?);
        for (name, (shape, _)) in [(&names.vertebra, &vertebra), (&names.fracture, &fracture)] {
            if shape[..] != [count as i64, 7] {
                return Err(failed(&format!("output {name:?} has the shape {shape:?}, [{count}, 7] is needed")));
            }
        }
        let activation = names.activation.as_deref().map(output).transpose()?;
        let map_size = match activation.as_ref().map(|(shape, _)| &shape[..]) {
            None => (0, 0),
            Some(&[n, 7, height, width])
                if n == count as i64 && (1..=1024).contains(&height) && (1..=1024).contains(&width) =>
            {
                (height as usize, width as usize)
            }
            Some(shape) => {
                return Err(failed(&format!("the activation has the shape {shape:?}, [{count}, 7, h, w] is needed")));
            }
        };
        let map_len = 7 * map_size.0 * map_size.1;
        let features = self.manifest.features.as_ref().map(|spec| output(&spec.output)).transpose()?;
        let feature_count = match features.as_ref().map(|(shape, _)| &shape[..]) {
            None => 0,
            Some(&[n, d]) if n == count as i64 && (1..=65_536).contains(&d) => d as usize,
            Some(shape) => {
                return Err(failed(&format!("the features have the shape {shape:?}, [{count}, d] is needed")));
            }
        };
        let first = *self.feature_count.get_or_insert(feature_count);
        if feature_count != first {
            return Err(failed(&format!("the graph gives {feature_count} features a slice, before it gave {first}")));
        }
        (0..count)
            .map(|index| {
                let score = SliceScore {
                    vertebra: probabilities(&vertebra.1[index * 7..][..7])?,
                    fracture: probabilities(&fracture.1[index * 7..][..7])?,
                };
                let activation =
                    activation.as_ref().map_or(Vec::new(), |(_, data)| data[index * map_len..][..map_len].to_vec());
                let features = features
                    .as_ref()
                    .map_or(Vec::new(), |(_, data)| data[index * feature_count..][..feature_count].to_vec());
                Ok(SliceOutputs { score, activation, map_size, features })
            })
            .collect()
    }
}

/// The execution provider of an engine; `None` for the CPU's.
fn provider(engine: Engine, threads: usize) -> Option<ExecutionProviderDispatch> {
    Some(match engine {
        Engine::Auto | Engine::Cpu => return None,
        Engine::Cuda => ep::CUDA::default().build(),
        Engine::TensorRt => ep::TensorRT::default().build(),
        Engine::OpenVino => ep::OpenVINO::default().with_num_threads(threads).build(),
        Engine::CoreMl => ep::CoreML::default().build(),
    })
}

/// Whether the loaded library carries an engine at all; whether it works here is seen only when it is used.
pub(super) fn is_carried(engine: Engine) -> bool {
    let carried = match engine {
        Engine::Auto | Engine::Cpu => return true,
        Engine::Cuda => ep::CUDA::is_available(),
        Engine::TensorRt => ep::TensorRT::is_available(),
        Engine::OpenVino => ep::OpenVINO::is_available(),
        Engine::CoreMl => ep::CoreML::is_available(),
    };
    carried.unwrap_or(false)
}

fn probabilities(values: &[f32]) -> Result<PerLevel<Probability>, NetworkError> {
    let mut levels = PerLevel::default();
    for (slot, value) in levels.0.iter_mut().zip(values) {
        *slot = Probability::new(*value)
            .ok_or_else(|| NetworkError::Failed(format!("the network's output {value} is not a probability")))?;
    }
    Ok(levels)
}
