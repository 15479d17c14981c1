//! Measurements and key images: made by keys and by mouse, listed, found again, taken away; and whatever is pressed, nothing breaks.

use crate::screens::{drawn, text};
use crate::support::model::{BROKEN, Session, plain, series_uid, uid};
use cspine::app::{
    Command, Drag, Effect, Exported, Gesture, Message, Motion, Pointer, PromptKey, Record, Screen, Source,
};
use cspine::domain::{Annotation, AnnotationChange, Measured, VoxelPoint};
use cspine::raster::Plane;
use cspine::theme::Theme;
use proptest::prelude::*;

const SLICES: usize = 140;

/// A broken neck, open on C6: voxels of 4 × 4 mm, slices 1 mm apart.
fn open() -> Session {
    let mut session = Session::with_network((120, 34));
    session.found(plain(1)).scanned(SLICES).analysed(1, SLICES, BROKEN).command(Command::Open).loaded();
    session
}

fn notice(session: &Session) -> &str {
    session.model.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

/// The change that the last message had written down.
fn kept(session: &Session) -> Option<AnnotationChange> {
    session.effects.iter().find_map(|effect| match effect {
        Effect::Record(Record::Annotation { study, change }) if *study == uid(1) => Some(change.clone()),
        _ => None,
    })
}

fn measurements(session: &Session) -> usize {
    session.model.annotations.of(&uid(1)).measurements.len()
}

/// A line of five voxels to the right, on the slice shown.
fn line(session: &mut Session) {
    session.command(Command::MeasureDistance).command(Command::PlacePoint);
    for _ in 0..5 {
        session.command(Command::CursorRight);
    }
    session.command(Command::PlacePoint);
}

fn click(session: &mut Session, row: f64, column: f64) {
    let reading = session.model.reading.as_ref().expect("open");
    let voxel = VoxelPoint { row, column, ..reading.cursor() };
    let pointer = Pointer {
        source: Source::Open,
        plane: Plane::Axial,
        gesture: Gesture::Press(Drag::Cursor),
        cell: (40, 10),
        voxel: Some(voxel),
        point: None,
        on_plane: (0.5, 0.5),
    };
    session.send(Message::Pointer(pointer));
}

#[test]
fn a_length_by_keys_is_told_kept_and_drawn() {
    let mut session = open();
    session.command(Command::MeasureDistance);
    assert!(text(&session.model).contains("distance: one end"), "{}", text(&session.model));
    session.command(Command::Cancel);
    line(&mut session);
    assert_eq!(notice(&session), "1 distance: 20.0 mm");
    let Some(AnnotationChange::Put(Annotation::Measurement(measurement))) = kept(&session) else {
        panic!("nothing is written down: {:?}", session.effects)
    };
    assert_eq!((measurement.id, &measurement.series), (1, &series_uid(1, 0)));
    let volume = session.model.reading.as_ref().and_then(|reading| reading.volume()).expect("a volume");
    assert!(matches!(measurement.measure(volume), Ok(Measured::Length { mm }) if (mm - 20.0).abs() < 1e-9));
    assert_eq!(session.model.figures().len(), 1);
    session.command(Command::ToggleMarks).command(Command::ToggleMarks);
    assert!(text(&session.model).contains("1 20.0 mm"), "it is told on its slice:\n{}", text(&session.model));
    session.command(Command::SliceDown).command(Command::ToggleMarks);
    assert!(!text(&session.model).contains("1 20.0 mm"));
}

#[test]
fn angles_and_regions_by_clicks() {
    let mut session = open();
    session.command(Command::MeasureAngle);
    click(&mut session, 10.0, 20.0);
    click(&mut session, 10.0, 10.0);
    click(&mut session, 20.0, 10.0);
    assert_eq!(notice(&session), "1 angle: 90.0°");
    session.command(Command::MeasureRectangle);
    click(&mut session, 10.0, 10.0);
    click(&mut session, 12.0, 14.0);
    // 3 rows and 5 columns; 16 mm by 8 mm from centre to centre.
    assert!(notice(&session).starts_with("2 rectangle: mean "), "{}", notice(&session));
    assert!(notice(&session).ends_with("128.0 mm²"), "{}", notice(&session));
    session.command(Command::MeasureEllipse);
    click(&mut session, 10.0, 10.0);
    click(&mut session, 12.0, 14.0);
    assert!(notice(&session).ends_with("100.5 mm²"), "{}", notice(&session));
    session.command(Command::Probe);
    assert!(notice(&session).starts_with("4 probe: ") && notice(&session).ends_with(" HU"), "{}", notice(&session));
    assert_eq!(measurements(&session), 4);
}

#[test]
fn a_series_without_spacing_is_not_measured_and_says_why() {
    let mut study = plain(1);
    for instance in &mut study.series[0].instances {
        (instance.plane, instance.spacing) = (None, None);
    }
    study.series[0].stack = None;
    let mut session = Session::with_network((120, 34));
    session.found(study).scanned(SLICES).command(Command::Open).loaded();
    for command in [Command::MeasureDistance, Command::MeasureAngle] {
        session.command(command);
        assert!(notice(&session).contains("no pixel spacing"), "{}", notice(&session));
        assert!(session.model.tool().is_none());
    }
    session.command(Command::MeasureRectangle).command(Command::PlacePoint).command(Command::CursorRight);
    session.command(Command::CursorDown).command(Command::PlacePoint);
    assert!(notice(&session).ends_with("4 pixels, area unknown"), "{}", notice(&session));
}

#[test]
fn escape_leaves_the_tool_before_the_study_and_another_study_has_none() {
    let mut session = open();
    session.found(plain(2)).command(Command::MeasureDistance).command(Command::PlacePoint).command(Command::Cancel);
    assert_eq!(session.model.screen(), Screen::Reading);
    assert!(session.model.tool().is_none());
    session.command(Command::MeasureDistance).command(Command::NextStudy).loaded();
    assert!(session.model.tool().is_none(), "a tool is of one study");
    session.command(Command::PlacePoint);
    assert!(notice(&session).contains("take a tool first"));
    session.command(Command::Cancel);
    assert_eq!(session.model.screen(), Screen::Worklist);
}

#[test]
fn measurements_are_listed_found_and_deleted() {
    let mut session = open();
    line(&mut session);
    let here = session.model.reading.as_ref().expect("open").slice();
    session.command(Command::FirstSlice);
    line(&mut session);
    session.command(Command::Measurements);
    let offers: Vec<String> =
        session.model.offers().iter().map(|offer| format!("{} {}", offer.name, offer.words)).collect();
    assert_eq!(offers, ["1 distance 20.0 mm", "2 distance 20.0 mm"]);
    session.key(PromptKey::Enter);
    assert_eq!(session.model.reading.as_ref().expect("open").slice(), here, "the list leads to its slice");
    session.command(Command::DeleteMeasurement);
    assert_eq!(notice(&session), "measurement 1 deleted", "the one on this slice");
    assert_eq!(kept(&session), Some(AnnotationChange::Removed { id: 1 }));
    session.command(Command::Palette).type_text("delete-measurement 7").key(PromptKey::Enter);
    assert_eq!(notice(&session), "this study has no measurement 7");
    session.command(Command::DeleteMeasurement).command(Command::DeleteMeasurement);
    assert_eq!((measurements(&session), notice(&session)), (0, "this study has no measurements"));
    line(&mut session);
    assert!(notice(&session).starts_with("3 "), "a number is given once: {}", notice(&session));
}

#[test]
fn key_images_are_marked_remarked_found_and_unmarked() {
    let mut session = open();
    let here = session.model.reading.as_ref().expect("open").slice();
    session.command(Command::WindowSoft).command(Command::KeyImage);
    assert!(matches!(kept(&session), Some(AnnotationChange::Put(Annotation::KeyImage(_)))));
    assert!(text(&session.model).contains('◆'), "the strip shows it:\n{}", text(&session.model));
    session.command(Command::Comment).type_text("arch, left").key(PromptKey::Enter);
    session.command(Command::FirstSlice).command(Command::WindowBone).command(Command::KeyImages);
    let words = session.model.offers().first().map(|offer| offer.words.clone()).unwrap_or_default();
    assert_eq!(words, format!("axial {} · arch, left", here + 1));
    session.key(PromptKey::Enter);
    let reading = session.model.reading.as_ref().expect("open");
    assert_eq!((reading.slice(), reading.appearance().window.width()), (here, 400.0), "its slice, in its window");
    session.command(Command::Back);
    assert_eq!(session.model.reading.as_ref().expect("open").slice(), 0);
    session.command(Command::NextKeyImage).command(Command::KeyImage);
    assert_eq!(session.model.annotations.of(&uid(1)).key_images.len(), 0);
    // A remark makes one where there is none.
    session.command(Command::Palette).type_text("comment dens").key(PromptKey::Enter);
    assert_eq!(session.model.annotations.of(&uid(1)).key_images[0].comment, "dens");
}

/// What the last message had exported.
fn exported(session: &Session) -> Option<(Option<String>, Vec<Exported>)> {
    session.effects.iter().find_map(|effect| match effect {
        Effect::Export { folder, pictures, .. } => Some((folder.clone(), pictures.clone())),
        _ => None,
    })
}

#[test]
fn an_export_takes_the_picture_as_it_is_or_without_what_is_drawn_over_it() {
    let mut session = open();
    line(&mut session);
    session.command(Command::Palette).type_text("export a b.png").key(PromptKey::Enter);
    let (folder, pictures) = exported(&session).expect("an export");
    let [with] = &pictures[..] else { panic!("{pictures:?}") };
    assert_eq!((folder, with.path.as_str()), (None, "a b.png"));
    assert!(!with.view.marks.is_empty());
    let captions = with.captions.as_ref().expect("texts");
    assert!(captions.top_left[0].starts_with("W 2000 L 350"), "{captions:?}");
    assert!(captions.bottom_left[0].starts_with("axial · "), "{captions:?}");
    assert!(captions.bottom_right.iter().any(|line| line.contains("research use only")), "{captions:?}");
    let all = format!("{captions:?}").to_lowercase();
    assert!(!all.contains("phantom 1") && !all.contains("doe"), "no patient: {all}");
    session.command(Command::Palette).type_text("export-plain c.png").key(PromptKey::Enter);
    let (_, plain) = exported(&session).expect("an export");
    assert!(plain[0].view.marks.is_empty() && plain[0].captions.is_none());
    session.command(Command::Export);
    let asked = session.model.prompt.as_ref().map(|prompt| prompt.text().to_owned()).unwrap_or_default();
    assert!(asked.starts_with("export axial-") && !asked.to_lowercase().contains("phantom"), "{asked}");
}

#[test]
fn all_key_images_are_exported_each_in_its_own_window() {
    let mut session = open();
    session.command(Command::Palette).type_text("export-all out").key(PromptKey::Enter);
    assert!(exported(&session).is_none());
    assert_eq!(notice(&session), "this study has no key images");
    session.command(Command::WindowSoft).command(Command::KeyImage).command(Command::WindowBone);
    session.command(Command::FirstSlice).command(Command::KeyImage);
    session.command(Command::Palette).type_text("comment dens").key(PromptKey::Enter);
    let before = session.model.reading.as_ref().map(|reading| (reading.plane, reading.slice()));
    session.command(Command::Palette).type_text("export-all out").key(PromptKey::Enter);
    let (folder, pictures) = exported(&session).expect("an export");
    assert_eq!(folder.as_deref(), Some("out"));
    let [first, second] = &pictures[..] else { panic!("{pictures:?}") };
    assert_eq!((first.view.window.width(), second.view.window.width()), (400.0, 2000.0));
    assert_eq!((second.view.slice, second.path.as_str()), (0, "key-image-2-axial-1.png"));
    assert_eq!(second.captions.as_ref().expect("texts").bottom_left[0], "dens");
    assert_eq!(
        session.model.reading.as_ref().map(|reading| (reading.plane, reading.slice())),
        before,
        "the reader stays"
    );
}

#[derive(Debug, Clone)]
enum Step {
    Command(usize),
    Digit(u32),
    Text(String),
    Key(u8),
    Click(f64, f64, f64),
    Tick,
    Woken(u64),
    Resize(u16, u16),
    Loaded,
}

fn step() -> impl Strategy<Value = Step> {
    let anywhere = || prop_oneof![-5.0..60.0_f64, Just(f64::NAN), Just(1e12)];
    prop_oneof![
        8 => (0..Command::ALL.len()).prop_map(Step::Command),
        2 => (0..10_u32).prop_map(Step::Digit),
        1 => prop_oneof!["[a-z0-9 -]{0,12}", "\\PC{0,6}", Just("goto -60mm".to_owned()), Just("window 400 40".to_owned())]
            .prop_map(Step::Text),
        1 => (0..6_u8).prop_map(Step::Key),
        2 => (anywhere(), anywhere(), anywhere()).prop_map(|(slice, row, column)| Step::Click(slice, row, column)),
        1 => Just(Step::Tick),
        1 => (0..20_u64).prop_map(Step::Woken),
        1 => (1..200_u16, 1..60_u16).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        1 => Just(Step::Loaded),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is pressed, clicked, typed and resized in whatever order: the screen can be drawn.
    #[test]
    fn no_sequence_of_keys_breaks_anything(steps in prop::collection::vec(step(), 1..60)) {
        let mut session = open();
        session.found(plain(2));
        for step in steps {
            match step {
                Step::Command(at) if session.model.prompt.is_none() => session.command(Command::ALL[at]),
                Step::Command(_) => session.key(PromptKey::Enter),
                Step::Digit(digit) => session.send(Message::Digit(digit, (digit < 8).then_some(Command::FirstSlice))),
                Step::Text(text) => session.key(PromptKey::Text(text)),
                Step::Key(at) => session.key([
                    PromptKey::Delete(Motion::Left), PromptKey::Enter, PromptKey::Escape, PromptKey::Go(Motion::Down), PromptKey::Go(Motion::Up), PromptKey::Tab,
                ][usize::from(at)].clone()),
                Step::Click(slice, row, column) => session.send(Message::Pointer(Pointer {
                    source: Source::Open,
                    plane: Plane::ALL[(slice.abs() as usize) % 3],
                    gesture: Gesture::Press(Drag::Cursor),
                    cell: (3, 3),
                    voxel: Some(VoxelPoint { slice, row, column }),
                    point: None,
                    on_plane: (row, column),
                })),
                Step::Tick => session.send(Message::CineTick),
                Step::Woken(serial) => session.send(Message::Woken(serial)),
                Step::Resize(columns, rows) => session.send(Message::Resized(columns, rows)),
                Step::Loaded => {
                    if session.model.reading.as_ref().is_some_and(|reading| reading.volume().is_none()) {
                        session.loaded();
                    }
                    &mut session
                }
            };
            drop(drawn(&session.model, &Theme::default()));
        }
    }
}
