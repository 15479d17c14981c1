//! The field's words as types. Nothing here opens a file, starts a thread or knows a screen.

mod activation;
mod annotation;
mod coverage;
mod decision;
mod finding;
mod fingerprint;
mod geometry;
mod key_image;
mod level;
mod listed;
mod lut;
mod measurement;
mod oddity;
mod position;
pub mod pseudonym;
mod report;
mod scoring;
mod sensitive;
mod spine;
mod stamp;
mod study;
mod text;
mod triage;
mod uid;
mod voi;
mod volume;

pub use activation::{Activation, ActivationSlice};
pub use annotation::{Annotation, AnnotationChange};
pub use coverage::{Coverage, coverage};
pub use decision::{
    Act, Agreement, Decided, Decision, Draft, EntryId, LevelVerdict, LevelWord, LogEntry, OnReport, Precedence,
    RejectionReason, StudyState, StudyVerdict, undoable,
};
pub use finding::{HotSpot, KeySlice, LevelExtent, LevelFinding, LevelOutcome, Probability, SliceScore};
pub use fingerprint::{ContentHash, FileStamp, Fingerprint, ReportKey};
pub use geometry::{Axis, ImagePlane, PatientPoint, PixelSpacing, SliceStack, anatomical_letters};
pub use key_image::KeyImage;
pub use level::{CervicalLevel, PerLevel};
pub use listed::{Listed, ListedSeries};
pub use lut::ModalityLut;
pub use measurement::{Geometry, Measured, Measurement, Place, Refusal, Region};
pub use oddity::{Oddity, PixelForm, Repair};
pub use position::ReadingPosition;
pub use report::{
    Absence, Aggregation, Analysis, Completeness, Declined, FractureReport, KeptAnalysis, LevelSpan, ModelIdentity,
    ModelNature, ScoredSlice, Thresholds, Timing,
};
pub use scoring::{ScorePart, SeriesScore};
pub use sensitive::{Disclosure, SensitiveText, WITHHELD};
pub use spine::SpineCourse;
pub use stamp::Stamp;
pub use study::{Instance, Modality, Patient, Series, SeriesHints, SeriesKind, Sex, Study, StudyDateTime};
pub use text::CleanText;
pub use triage::{Candidate, Missing, NotAnalysed, choose_series, explain, rank_series, suitable};
pub use uid::Uid;
pub use voi::{VoiFunction, VoiTable, WindowLevel, WindowPreset};
pub use volume::{SliceInfo, Volume, VolumeShape, VoxelPoint};
