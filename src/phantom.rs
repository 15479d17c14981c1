//! Synthetic cervical spines with known truth: for the demo, the tests and training.
//!
//! A [`Recipe`] says who is scanned, how, and what is broken; [`generate`] makes the CT. The same recipe always makes the
//! same voxels, and a broken neck and its [intact twin](Recipe::intact) differ only near the fractures.
//!
//! The vertebrae C1 to T9 are signed distances in their own frames (`vertebra`), sized after published means
//! (`morphometry`), stood up along a curve (`spine`), broken along jagged planes into fragments that move (`fracture`,
//! `injury`), set among soft parts (`neck`, `flesh`) and other bones (`head`, `scene`), sliced (`render`) and shown with a kernel,
//! noise and artefacts (`scanner`). `mesh` and `grid` put closed surfaces in the place of the vertebrae, `volume`
//! a real scan in the place of all; `prevalence` says how often what is broken, `special` holds implants and what else only some
//! necks have, `exact` the functions that give the same bits on every machine; `write` and `nifti` lay a data set out. They look
//! like a neck to a person and to a network; they are no patient, and a network trained on them alone is not fit for one.

mod blend;
mod demo;
mod exact;
mod face;
mod flesh;
mod fracture;
mod grid;
mod growth;
mod head;
mod injury;
mod joints;
mod label_shapes;
mod lanes;
mod lattice;
mod library;
mod lookalike;
mod mesh;
mod morphometry;
mod neck;
mod nifti;
mod prevalence;
mod random;
mod recipe;
mod registration;
mod render;
mod rise;
mod scanner;
mod scene;
mod sdf;
mod slice_file;
mod solid;
mod special;
mod spine;
mod study;
#[cfg(test)]
mod tests;
mod vertebra;
mod volume;
mod write;

pub use demo::demo_recipes;
pub use fracture::FractureKind;
pub use library::{AnatomyLibrary, AnatomySource};
pub use lookalike::{Lookalike, LookalikeKind};
pub use mesh::MeshSet;
pub use recipe::{Coverage, FractureSpec, Kernel, PhantomPatient, Preset, Recipe, Scan};
pub use slice_file::write_slice;
pub use study::{FractureTruth, PhantomStudy, Truth, TruthBox, generate};
pub use volume::RealNeck;
pub use write::{Anatomy, PhantomError, PhantomSlice, WriteSlice, write_dataset, write_study};
