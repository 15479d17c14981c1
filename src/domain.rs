//! The field's words as types. Nothing here opens a file, starts a thread or knows a screen.

mod activation;
mod coverage;
mod decision;
mod finding;
mod geometry;
mod key_image;
mod level;
mod lut;
mod measurement;
mod oddity;
mod report;
mod scoring;
mod spine;
mod stamp;
mod study;
mod text;
mod triage;
mod uid;
mod voi;
mod volume;

pub use activation::{Activation, ActivationSlice};
pub use coverage::{Coverage, coverage};
pub use decision::{
    Act, Agreement, Decided, Decision, Draft, EntryId, LevelVerdict, LogEntry, OnReport, Precedence, RejectionReason,
    StudyState, StudyVerdict, undoable,
};
pub use finding::{HotSpot, KeySlice, LevelExtent, LevelFinding, LevelOutcome, Probability, SliceScore};
pub use geometry::{Axis, ImagePlane, PatientPoint, PixelSpacing, SliceStack, anatomical_letters};
pub use key_image::KeyImage;
pub use level::{CervicalLevel, PerLevel};
pub use lut::ModalityLut;
pub use measurement::{Geometry, Measured, Measurement, Place, Refusal, Region};
pub use oddity::{Oddity, PixelForm, Repair};
pub use report::{
    Absence, Aggregation, Analysis, Completeness, FractureReport, LevelSpan, ModelIdentity, ModelNature, ScoredSlice,
    Thresholds, Timing,
};
pub use scoring::{ScorePart, SeriesScore};
pub use spine::SpineCourse;
pub use stamp::Stamp;
pub use study::{Instance, Modality, Patient, Series, SeriesHints, SeriesKind, Sex, Study, StudyDateTime};
pub use text::CleanText;
pub use triage::{Candidate, NotAnalysed, choose_series, explain, rank_series, suitable};
pub use uid::Uid;
pub use voi::{VoiFunction, VoiTable, WindowLevel, WindowPreset};
pub use volume::{SliceInfo, Volume, VolumeShape, VoxelPoint};
