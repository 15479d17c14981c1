//! Nothing that may name a patient reaches an anonymous screen, whatever goes wrong.

use crate::screens::{SIZES, text};
use crate::support::model::{BROKEN, Session, series, study, uid, volume};
use cspine::app::{Command, Effect, Message, Record, RecordFailure, Remembered};
use cspine::domain::pseudonym::{PseudonymKey, Pseudonyms, Validity};
use cspine::domain::{
    Act, Analysis, Annotation, Axis, CleanText, Draft, EntryId, KeyImage, Listed, ListedSeries, LogEntry, Modality,
    NotAnalysed, NoteText, Oddity, ReadingPosition, SensitiveText, SeriesKind, Sex, Stamp, Study, StudyVerdict, Uid,
    Units, WindowLevel, WindowPreset,
};
use cspine::inference::WorkerEvent;
use std::path::Path;
use std::sync::Arc;

/// In every text that comes from a file or a path.
const CANARY: &str = "Zyxsecret";

fn anonymous(size: (u16, u16)) -> Session {
    let mut session = Session::with_network(size);
    session.model.anonymous = Some(Pseudonyms::new(PseudonymKey::new([7; 32]), Validity::Database));
    "anonymous".clone_into(&mut session.model.source);
    session
}

/// A study of one patient that says who it is wherever it can.
fn named(n: usize) -> Study {
    let canary = CleanText::new(CANARY);
    let mut study = study(n, "Zyxsecret^Anna", 44, Sex::Female, "CT neck of anna ZYXSECRET", 140);
    study.patient.id = CleanText::new("Zyxsecret-4711");
    study.accession = canary.clone();
    study.oddities = vec![unread()];
    study.series.push(series(n, 1, SeriesKind::Axial, 140));
    for series in &mut study.series {
        series.description = CleanText::new("bone_zyxsecret_4711");
        series.kernel = CleanText::new("Br60 Zyxsecret");
        series.body_part = canary.clone();
        series.hints.protocol = canary.clone();
        series.hints.image_type = CleanText::new("ORIGINAL\\PRIMARY\\Zyxsecret");
        series.oddities = vec![unread()];
        for instance in &mut series.instances {
            instance.path = Path::new("/data/Zyxsecret/Zyxsecret.dcm").into();
        }
    }
    study
}

fn unread() -> Oddity {
    Oddity::Unread { slices: 2, reason: SensitiveText::plain("cannot be decoded: ").value(CANARY) }
}

fn problem() -> SensitiveText {
    SensitiveText::at(Path::new("Zyxsecret.dcm")).words(" cannot be read: permission denied")
}

#[track_caller]
fn assert_anonymous(session: &mut Session) {
    for size in SIZES {
        session.model.size = size;
        let shown = text(&session.model).to_lowercase();
        for name in ["zyxsecret", "anna", "4711"] {
            assert!(!shown.contains(name), "{name} at {size:?}:\n{shown}");
        }
    }
    session.model.size = SIZES[2];
}

fn entry(id: i64, act: Act) -> LogEntry {
    let draft = Draft { study: uid(1), act, report: None, blinded: false };
    let at = Stamp { utc_ms: 1_795_595_400_000, offset_minutes: 60 };
    LogEntry { id: EntryId(id), who: CleanText::new("lm"), at, draft }
}

fn key_image() -> KeyImage {
    KeyImage {
        id: 1,
        series: named(1).series[0].uid.clone(),
        instance: named(1).series[0].instances[70].sop_instance_uid.clone(),
        frame: 0,
        plane: Axis::HeadFoot,
        slice: 70,
        point: None,
        center: 300.0,
        width: 1500.0,
        inverted: false,
        comment: format!("of {CANARY}"),
    }
}

/// The open series, loaded, with texts of its files in it.
fn loaded(session: &mut Session, is_hounsfield: bool) {
    let mut volume = volume(&named(1).series[0]);
    volume.oddities = vec![unread()];
    volume.units = if is_hounsfield { Units::Hounsfield } else { Units::Unconfirmed };
    let name = CleanText::new(CANARY);
    volume.windows = vec![WindowPreset { name, window: WindowLevel::default(), table: None }];
    session.send(Message::VolumeLoaded { study: uid(1), series: 0, result: Ok(Arc::new(volume)) });
}

#[test]
fn no_state_of_the_list_names_anyone() {
    let mut session = anonymous(SIZES[2]);
    let listed = Listed {
        uid: uid(9),
        patient: named(9).patient,
        date: None,
        description: CleanText::new("ZYXSECRET neck"),
        accession: CleanText::new(CANARY),
        precedence: cspine::domain::Precedence::Ordinary,
        arrived: None,
        slices: 140,
        series: Some(ListedSeries {
            uid: Uid::from_file("1.2.3.9.0"),
            stack: 0,
            fingerprint: None,
            explanation: format!("0.6 mm, {CANARY} kernel, 140 slices"),
            analysis: None,
            preprocessing: 1,
        }),
    };
    session.send(Message::Remembered(Remembered::Studies(vec![listed])));
    assert_anonymous(&mut session);
    assert!(text(&session.model).contains("P-"), "{}", text(&session.model));
    session.send(Message::Unreadable { path: CANARY.into(), reason: format!("the entry {CANARY} is missing") });
    assert_anonymous(&mut session);
    session.found(named(1)).found(named(2)).scanned(280);
    assert_anonymous(&mut session);
    let mut photo = named(3);
    photo.series.iter_mut().for_each(|series| series.modality = Modality::Other(CleanText::new(CANARY)));
    session.found(photo);
    assert_anonymous(&mut session);
    session.send(Message::Unreadable { path: CANARY.into(), reason: CANARY.into() });
    assert_anonymous(&mut session);
    for analysis in [
        Analysis::Failed(problem()),
        Analysis::NotAnalysed(NotAnalysed::NotCt(CANARY.into())),
        Analysis::Failed(CANARY.to_owned().into()),
    ] {
        session.started(1).finished(1, analysis);
        assert_anonymous(&mut session);
    }
    for message in [
        Message::Trouble(problem()),
        Message::Trouble(CANARY.to_owned().into()),
        Message::Notice(SensitiveText::plain("written: ").path(Path::new("Zyxsecret.png"))),
        Message::Worker(WorkerEvent::EngineNotice(format!("the model /models/{CANARY}/model.onnx is slow"))),
        Message::Worker(WorkerEvent::ModelUnavailable(format!("/models/{CANARY} is no model"))),
        Message::Remembered(Remembered::Unavailable(problem())),
        Message::ScanFailed(problem()),
    ] {
        let shown = format!("{message:?}");
        session.send(message);
        assert!(shown.contains(CANARY));
        assert_anonymous(&mut session);
    }
}

#[test]
fn no_state_of_the_reading_screen_names_anyone() {
    let mut session = anonymous(SIZES[2]);
    session.found(named(1)).scanned(140).analysed(1, 140, BROKEN);
    let log = [
        entry(1, Act::Note { text: NoteText::new("Zyxsecret fell") }),
        entry(2, Act::Study(StudyVerdict::Deferred { reason: NoteText::new("ask Zyxsecret") })),
    ];
    session.send(Message::Remembered(Remembered::Log(log.into())));
    assert_anonymous(&mut session);
    session.command(Command::Open);
    assert_anonymous(&mut session);
    for failed in [problem(), CANARY.to_owned().into()] {
        session.send(Message::VolumeLoaded { study: uid(1), series: 0, result: Err(failed) });
        assert_anonymous(&mut session);
    }
    for is_hounsfield in [true, false] {
        loaded(&mut session, is_hounsfield);
        assert_anonymous(&mut session);
        session.command(Command::WindowFile);
        assert_anonymous(&mut session);
    }
    loaded(&mut session, true);
    let position = ReadingPosition {
        series: Uid::from_file("1.2.3.1.0"),
        stack: 0,
        plane: 0,
        slices: [70, 24, 24],
        window: WindowLevel::default(),
        window_name: CANARY.into(),
    };
    session.send(Message::Remembered(Remembered::Position(uid(1), position)));
    assert_anonymous(&mut session);
    let kept = vec![Annotation::KeyImage(key_image())];
    session.send(Message::Remembered(Remembered::Annotations(uid(1), kept)));
    session.command(Command::KeyImages);
    assert_anonymous(&mut session);
    session.key(cspine::app::PromptKey::Enter);
    assert_anonymous(&mut session);
    session.command(Command::Beside);
    assert!(session.effects.iter().any(|effect| matches!(effect, Effect::LoadBeside(..))), "{}", text(&session.model));
    assert_anonymous(&mut session);
    session.send(Message::BesideLoaded { study: uid(1), series: 1, result: Err(problem()) });
    assert!(text(&session.model).contains("… cannot be read: permission"), "{}", text(&session.model));
    assert_anonymous(&mut session);
    session.assess(Command::Negative);
    let failed = session.effects.iter().find_map(|effect| match effect {
        Effect::Record(record @ Record::Decision { .. }) => Some(record.clone()),
        _ => None,
    });
    let record = failed.expect("a decision to keep");
    session.send(Message::RecordFailed(RecordFailure { record, problem: problem() }));
    assert_anonymous(&mut session);
}

#[test]
fn a_patients_other_studies_are_found_without_the_name() {
    let mut session = anonymous(SIZES[2]);
    let mut stranger = named(3);
    stranger.patient.id = CleanText::new("another");
    session.found(named(1)).found(named(2)).found(stranger).scanned(420).analysed(1, 140, BROKEN);
    session.command(Command::Open);
    loaded(&mut session, true);
    let mut beside = Vec::new();
    for _ in 0..4 {
        session.command(Command::Beside);
        beside.extend(session.effects.iter().filter_map(|effect| match effect {
            Effect::LoadBeside(study, series) => Some((study.uid.clone(), *series)),
            _ => None,
        }));
    }
    assert!(beside.contains(&(uid(2), 0)), "the prior study can be put beside: {beside:?}");
    assert!(beside.iter().all(|(study, _)| *study != uid(3)), "a stranger's cannot: {beside:?}");
}

#[test]
fn a_hidden_remark_is_not_deleted_by_who_cannot_see_it() {
    let mut session = anonymous(SIZES[2]);
    session.found(named(1)).scanned(140).analysed(1, 140, BROKEN).command(Command::Open);
    loaded(&mut session, true);
    session.send(Message::Remembered(Remembered::Annotations(uid(1), vec![Annotation::KeyImage(key_image())])));
    session.command(Command::NextKeyImage).command(Command::Comment);
    assert_eq!(session.model.prompt.as_ref().map(|prompt| prompt.text().to_owned()), Some(String::new()));
    session.key(cspine::app::PromptKey::Enter);
    assert!(!session.effects.iter().any(|effect| matches!(effect, Effect::Record(Record::Annotation { .. }))));
}

#[test]
fn nothing_anonymous_is_kept_in_the_index() {
    let mut session = anonymous(SIZES[2]);
    session.found(named(1)).scanned(140).analysed(1, 140, BROKEN);
    assert!(!session.effects.iter().any(|effect| matches!(effect, Effect::List(..))), "{:?}", session.effects);
}
