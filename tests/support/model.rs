//! Models for the tests of screens and of whole sessions: made by feeding messages to `app::update`, as the runtime does.

#![allow(dead_code, reason = "each test program uses its own part")]

use cspine::app::{Command, Effect, Message, Model, PromptKey, update};
use cspine::dicom::ScanSummary;
use cspine::domain::{
    Aggregation, Analysis, CervicalLevel, CleanText, Completeness, FractureReport, HotSpot, ImagePlane, Instance,
    KeySlice, LevelExtent, LevelFinding, LevelOutcome, Modality, ModalityLut, ModelIdentity, ModelNature,
    NotHounsfield, Oddity, Patient, PatientPoint, PerLevel, PixelSpacing, Precedence, Probability, Provenance,
    ScoredSlice, Series, SeriesHints, SeriesKind, Sex, SliceInfo, SliceScore, SliceStack, Study, StudyDateTime,
    Thresholds, Timing, Uid, Units, Volume, VolumeShape,
};
use cspine::inference::WorkerEvent;
use std::sync::Arc;
use std::time::Duration;

/// Rows and columns of the made pictures; one pixel is 4 mm.
const SIDE: usize = 48;
/// z of the first slice in mm; every slice lies 1 mm nearer to the foot.
const FIRST_Z: f64 = -20.0;

/// The identifier of study number `n`.
pub(crate) fn uid(n: usize) -> Uid {
    Uid::from_file(&format!("1.2.3.{n}"))
}

/// The identifier of a series of study number `n`.
pub(crate) fn series_uid(n: usize, series: usize) -> Uid {
    Uid::from_file(&format!("1.2.3.{n}.{series}"))
}

fn orientation(kind: SeriesKind) -> [f64; 6] {
    match kind {
        SeriesKind::Sagittal => [0.0, 1.0, 0.0, 0.0, 0.0, -1.0],
        SeriesKind::Coronal => [1.0, 0.0, 0.0, 0.0, 0.0, -1.0],
        _ => [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    }
}

fn position(kind: SeriesKind, slice: usize) -> [f64; 3] {
    let along = slice as f64;
    match kind {
        SeriesKind::Sagittal => [-90.0 + along, -90.0, FIRST_Z],
        SeriesKind::Coronal => [-90.0, -90.0 + along, FIRST_Z],
        _ => [-90.0, -90.0, FIRST_Z - along],
    }
}

/// A series of `slices` pictures, 1 mm apart.
pub(crate) fn series(n: usize, index: usize, kind: SeriesKind, slices: usize) -> Series {
    let instance = |slice: usize| Instance {
        path: "a.dcm".into(),
        sop_instance_uid: Uid::from_file(&format!("1.2.3.{n}.{index}.{slice}")),
        frame: 0,
        instance_number: i32::try_from(slice + 1).ok(),
        plane: ImagePlane::new(position(kind, slice), orientation(kind)),
        spacing: PixelSpacing::new(4.0, 4.0),
        rows: SIDE as u32,
        columns: SIDE as u32,
        slice_thickness: Some(1.0),
    };
    Series {
        uid: series_uid(n, index),
        frame_of_reference: Uid::from_file(&format!("1.2.3.{n}.99")),
        stack_index: 0,
        number: i32::try_from(index + 1).ok(),
        description: CleanText::new("neck"),
        modality: Modality::Ct,
        kernel: CleanText::new("BONE"),
        body_part: CleanText::new("CSPINE"),
        hints: SeriesHints::default(),
        kind,
        fingerprint: None,
        instances: (0..slices).map(instance).collect(),
        stack: Some(SliceStack::new((0..slices).map(|slice| slice as f64).collect())),
        oddities: Vec::new(),
    }
}

/// A study with one axial series.
pub(crate) fn study(n: usize, name: &str, age: u16, sex: Sex, description: &str, slices: usize) -> Study {
    Study {
        uid: uid(n),
        patient: Patient {
            name: CleanText::person_name(name),
            id: CleanText::new(&format!("P{n:03}")),
            age_years: Some(age),
            sex: Some(sex),
        },
        date: Some(StudyDateTime { year: 2026, month: 11, day: 23, time: Some((8, (n % 60) as u8)) }),
        description: CleanText::new(description),
        accession: CleanText::new(&format!("A{n:03}")),
        precedence: Precedence::Ordinary,
        series: vec![series(n, 0, SeriesKind::Axial, slices)],
        oddities: Vec::new(),
    }
}

/// A study that only differs by its number.
pub(crate) fn plain(n: usize) -> Study {
    study(n, &format!("PHANTOM^N{n:02}"), 40, Sex::Other, "CT C-spine", 140)
}

/// A volume that belongs to a series; without geometry where the series has none.
pub(crate) fn volume(series: &Series) -> Volume {
    let shape = VolumeShape { slices: series.instances.len(), rows: SIDE, columns: SIDE };
    let plane = series.instances.first().and_then(|instance| instance.plane);
    let step = match series.kind {
        SeriesKind::Sagittal => PatientPoint::X,
        SeriesKind::Coronal => PatientPoint::Y,
        _ => PatientPoint::NEG_Z,
    };
    Volume {
        series_uid: series.uid.clone(),
        shape,
        voxels: (0..shape.len()).map(|voxel| (voxel % 1500) as i16 - 500).collect(),
        plane,
        stack_axis: step,
        spacing: series.pixel_spacing(),
        stack: series.stack.clone().unwrap_or_else(|| SliceStack::new((0..shape.slices).map(|i| i as f64).collect())),
        slices: series
            .instances
            .iter()
            .map(|instance| SliceInfo {
                sop_instance_uid: instance.sop_instance_uid.clone(),
                frame: 0,
                instance_number: instance.instance_number,
                position: instance.plane.map(|plane| plane.position),
                lut: ModalityLut::IDENTITY,
            })
            .collect(),
        windows: Vec::new(),
        units: match &series.modality {
            Modality::Ct => Units::Hounsfield,
            Modality::Other(code) => Units::Other(NotHounsfield::Modality(code.clone())),
            Modality::Unstated => Units::Unconfirmed,
        },
        inverted: false,
        oddities: series.oddities.clone(),
    }
}

/// A probability.
pub(crate) fn p(value: f32) -> Probability {
    Probability::new(value).expect("a probability")
}

/// The model that speaks in the tests.
pub(crate) fn identity(nature: ModelNature) -> Arc<ModelIdentity> {
    Arc::new(ModelIdentity {
        name: "phantom-b0".into(),
        version: "0.3".into(),
        sha256: "0".repeat(64),
        nature,
        aggregation: Aggregation::VisibilityWeightedMean,
        thresholds: Thresholds { overall: p(0.5), level: p(0.3), distance: None },
    })
}

/// The key slice of a level in a report over `slices` slices: the middle of its seventh.
pub(crate) fn key_slice(level: CervicalLevel, slices: usize) -> usize {
    (2 * level.index() + 1) * slices / 14
}

/// A report about study number `n`; `None` for a level that is not seen. The neck is divided into sevenths, and each level's
/// suspicion rises towards the middle of its own.
pub(crate) fn report(
    n: usize,
    slices: usize,
    levels: [Option<f32>; 7],
    completeness: Completeness,
) -> Arc<FractureReport> {
    let finding = |level: CervicalLevel| {
        let index = key_slice(level, slices);
        let outcome = levels[level.index()].map_or(LevelOutcome::NotSeen, |value| LevelOutcome::Seen {
            probability: p(value),
            key_slice: KeySlice {
                index,
                instance_number: i32::try_from(index + 1).ok(),
                position_mm: Some(FIRST_Z - index as f64),
            },
            extent: LevelExtent::Whole,
            hot_spot: Some(HotSpot { point: PatientPoint::new(-30.0, -10.0, FIRST_Z - index as f64) }),
        });
        LevelFinding { level, outcome }
    };
    let analysed = match completeness {
        Completeness::Preliminary { done, .. } => done.min(slices),
        Completeness::Final => slices,
    };
    let slice = |index: usize| {
        let mut score = SliceScore::default();
        let level = CervicalLevel::ALL[(index * 7 / slices.max(1)).min(6)];
        if let Some(value) = levels[level.index()] {
            score.vertebra[level] = p(0.9);
            let distance = index.abs_diff(key_slice(level, slices)) as f32 * 14.0 / slices.max(1) as f32;
            score.fracture[level] = p((value * (1.1 - distance * 0.5)).clamp(0.0, 1.0));
        }
        ScoredSlice {
            index,
            instance_number: i32::try_from(index + 1).ok(),
            position_mm: Some(FIRST_Z - index as f64),
            score,
        }
    };
    let unbroken: f32 = levels.iter().flatten().map(|value| 1.0 - value).product();
    Arc::new(FractureReport {
        study_uid: uid(n),
        series_uid: series_uid(n, 0),
        overall: p((1.0 - unbroken).clamp(0.0, 1.0)),
        levels: PerLevel::from_fn(finding),
        activations: PerLevel::default(),
        distribution: None,
        slices: (0..analysed).map(slice).collect(),
        model: identity(ModelNature::Synthetic),
        completeness,
        searched: None,
        timing: Timing::default(),
        provenance: Provenance::default(),
    })
}

/// Two broken levels, C2 and C6.
pub(crate) const BROKEN: [Option<f32>; 7] =
    [Some(0.01), Some(0.44), Some(0.02), Some(0.01), Some(0.06), Some(0.81), Some(0.01)];
/// Nothing broken.
pub(crate) const WHOLE: [Option<f32>; 7] =
    [Some(0.01), Some(0.04), Some(0.02), Some(0.01), Some(0.06), Some(0.05), Some(0.01)];

/// A session: the model and what it wanted done last.
pub(crate) struct Session {
    /// The model.
    pub model: Model,
    /// Effects of the last message.
    pub effects: Vec<Effect>,
    /// Time since the program started.
    pub elapsed: Duration,
    /// How much of it passes before a message: by default more than the dwell rule asks for.
    pub pace: Duration,
}

impl Session {
    /// The program at its start.
    pub(crate) fn new(size: (u16, u16)) -> Self {
        let model = Model::new("/data/incoming", size, "kitty");
        Self { model, effects: Vec::new(), elapsed: Duration::ZERO, pace: Duration::from_secs(3) }
    }

    /// The program with its model loaded.
    pub(crate) fn with_network(size: (u16, u16)) -> Self {
        let mut session = Self::new(size);
        session.worker(WorkerEvent::ModelReady(identity(ModelNature::Synthetic)));
        session
    }

    /// Feeds a message after a while, then draws the screen, as the runtime does.
    pub(crate) fn send(&mut self, message: Message) -> &mut Self {
        self.elapsed += self.pace;
        update(&mut self.model, Message::Elapsed(self.elapsed));
        self.effects = update(&mut self.model, message);
        update(&mut self.model, Message::Drawn);
        self
    }

    /// Gives a final assessment with its second key, where that is asked for.
    pub(crate) fn assess(&mut self, command: Command) -> &mut Self {
        self.command(command);
        if self.model.second_key.is_some() {
            self.command(command).woken();
        }
        self
    }

    /// The timer that the last message set runs out.
    pub(crate) fn woken(&mut self) -> &mut Self {
        let serial = self.effects.iter().find_map(|effect| match effect {
            Effect::Wake(serial, _) => Some(*serial),
            _ => None,
        });
        self.send(Message::Woken(serial.expect("a timer")))
    }

    /// Feeds a command.
    pub(crate) fn command(&mut self, command: Command) -> &mut Self {
        self.send(Message::Command(command))
    }

    /// Feeds commands by name.
    pub(crate) fn commands(&mut self, names: &[&str]) -> &mut Self {
        for name in names {
            self.command(Command::from_name(name).expect("a command"));
        }
        self
    }

    /// Types into the prompt.
    pub(crate) fn type_text(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            self.send(Message::Prompt(PromptKey::Text(letter.to_string())));
        }
        self
    }

    /// A key of the prompt.
    pub(crate) fn key(&mut self, key: PromptKey) -> &mut Self {
        self.send(Message::Prompt(key))
    }

    /// A study is found.
    pub(crate) fn found(&mut self, study: Study) -> &mut Self {
        self.send(Message::StudyFound(Arc::new(study)))
    }

    /// The scan ends.
    pub(crate) fn scanned(&mut self, files: usize) -> &mut Self {
        self.send(Message::ScanFinished(ScanSummary { files, dicom: files, ..ScanSummary::default() }))
    }

    /// The worker tells something.
    pub(crate) fn worker(&mut self, event: WorkerEvent) -> &mut Self {
        self.send(Message::Worker(event))
    }

    /// The worker begins a study's first series.
    pub(crate) fn started(&mut self, n: usize) -> &mut Self {
        self.worker(WorkerEvent::Started { study: uid(n), series: 0 })
    }

    /// The worker has analysed some slices.
    pub(crate) fn progress(&mut self, n: usize, done: usize, total: usize) -> &mut Self {
        self.worker(WorkerEvent::Progress { study: uid(n), series: 0, done, total })
    }

    /// The worker has a preliminary report.
    pub(crate) fn partial(&mut self, n: usize, report: Arc<FractureReport>) -> &mut Self {
        self.worker(WorkerEvent::Partial { study: uid(n), series: 0, report })
    }

    /// The worker ends with a study's first series.
    pub(crate) fn finished(&mut self, n: usize, analysis: Analysis) -> &mut Self {
        self.worker(WorkerEvent::Finished { study: uid(n), series: 0, analysis })
    }

    /// A study's first series is analysed.
    pub(crate) fn analysed(&mut self, n: usize, slices: usize, levels: [Option<f32>; 7]) -> &mut Self {
        self.started(n).finished(n, Analysis::Analysed(report(n, slices, levels, Completeness::Final)))
    }

    /// What the open study asked for arrives.
    pub(crate) fn loaded(&mut self) -> &mut Self {
        self.loaded_with(&[])
    }

    /// The open series arrives, with oddities found while loading.
    pub(crate) fn loaded_with(&mut self, oddities: &[Oddity]) -> &mut Self {
        let reading = self.model.reading.as_ref().expect("an open study");
        let (study, series) = (reading.study.uid.clone(), reading.series);
        let mut volume = volume(&reading.study.series[series]);
        volume.oddities.extend_from_slice(oddities);
        self.send(Message::VolumeLoaded { study, series, result: Ok(Arc::new(volume)) });
        update(&mut self.model, Message::ImagesShown);
        self
    }

    /// Identifier of the selected study.
    pub(crate) fn selected(&self) -> Uid {
        self.model.worklist.selected().expect("a selection").study.uid.clone()
    }

    /// The list from its top.
    pub(crate) fn order(&self) -> Vec<Uid> {
        self.model.worklist.rows().map(|entry| entry.study.uid.clone()).collect()
    }
}
