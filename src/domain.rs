//! The field's words as types. Nothing here opens a file, starts a thread or knows a screen.

mod activation;
mod annotation;
mod coverage;
mod decision;
mod distribution;
mod extent;
mod finding;
mod fingerprint;
mod geometry;
mod key_image;
mod level;
mod listed;
mod lut;
mod measurement;
mod note_text;
mod oddity;
mod plan;
mod position;
pub mod pseudonym;
mod report;
mod scoring;
mod searched;
mod sensitive;
mod slice_stack;
mod spine;
mod stamp;
mod study;
mod text;
mod thumbnail;
mod triage;
mod uid;
mod units;
mod voi;
mod volume;

pub use activation::{Activation, ActivationSlice};
pub use annotation::{Annotation, AnnotationChange};
pub use coverage::{Coverage, coverage};
pub use decision::{
    Act, Agreement, Assessment, Conflict, Decided, Decision, Draft, EntryId, LevelVerdict, LevelWord, LogEntry,
    OnReport, Precedence, RejectionReason, StudyState, StudyVerdict, undoable,
};
pub use distribution::{DistributionCheck, NoDistance};
pub use extent::{ZRange, series_extent, volume_extent};
pub use finding::{HotSpot, KeySlice, LevelExtent, LevelFinding, LevelOutcome, Probability, SliceScore};
pub use fingerprint::{ContentHash, FileStamp, Fingerprint, ReportKey};
pub use geometry::{Axis, ImagePlane, PatientPoint, PixelSpacing, anatomical_letters};
pub use key_image::KeyImage;
pub use level::{CervicalLevel, PerLevel};
pub use listed::{Listed, ListedSeries};
pub use lut::ModalityLut;
pub use measurement::{Geometry, Measured, Measurement, Place, Refusal, Region};
pub use note_text::NoteText;
pub use oddity::{Ambiguity, Oddity, PixelForm, Repair};
pub use plan::{
    MAX_SERIES, SeriesOutcome, SeriesRole, SeriesRun, conclude, next_series, plan_series, series_roles,
    study_fingerprint, study_slices,
};
pub use position::ReadingPosition;
pub use report::{
    Absence, Aggregation, Alert, Analysis, Completeness, Declined, FractureReport, KeptAnalysis, LevelSpan,
    ModelIdentity, ModelNature, Provenance, ScoredSlice, SeriesFailure, Thresholds, Timing, level_range, merge,
};
pub use scoring::{ScorePart, SeriesScore};
pub use searched::SearchedSlices;
pub use sensitive::{Disclosure, SensitiveText, WITHHELD};
pub use slice_stack::SliceStack;
pub use spine::SpineCourse;
pub use stamp::Stamp;
pub use study::{Instance, Modality, Patient, Series, SeriesHints, SeriesKind, Sex, Study, StudyDateTime};
pub use text::CleanText;
pub use thumbnail::{Thumbnail, ThumbnailKey};
pub use triage::{Candidate, Missing, NotAnalysed, choose_series, explain, rank_series, suitable};
pub use uid::Uid;
pub use units::{MissingPeak, NotHounsfield, OddValues, Units};
pub use voi::{VoiFunction, VoiTable, WindowLevel, WindowPreset};
pub use volume::{SliceInfo, Volume, VolumeShape, VoxelPoint};
