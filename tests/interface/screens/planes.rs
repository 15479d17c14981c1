//! The pictures of the reading screen: which planes have room, one cursor for all of them, what the mouse does on them.

use crate::screens::{drawn, keep, styled, text};
use crate::support::model::{BROKEN, Session, WHOLE, plain, series, study, uid, volume};
use cspine::app::{Alignment, Command, Drag, Effect, Gesture, Message, Pointer, Reading, Source};
use cspine::domain::{CleanText, SeriesKind, Sex, SpineCourse, Study, VoxelPoint};
use cspine::raster::{PictureSize, Plane, Zoom};
use cspine::theme::Theme;
use std::sync::Arc;

fn opened(size: (u16, u16)) -> Session {
    let mut session = Session::with_network(size);
    session.found(plain(1)).scanned(140).analysed(1, 140, BROKEN).command(Command::Open).loaded();
    session
}

fn reading(session: &Session) -> &Reading {
    session.model.reading.as_ref().expect("an open study")
}

fn planes(session: &Session) -> Vec<Plane> {
    drawn(&session.model, &Theme::default()).1.panes.iter().map(|pane| pane.plane).collect()
}

fn slices(session: &Session) -> [usize; 3] {
    Plane::ALL.map(|plane| reading(session).slice_of(plane))
}

pub(crate) fn pointer(plane: Plane, gesture: Gesture, voxel: (f64, f64, f64)) -> Message {
    let voxel = Some(VoxelPoint { slice: voxel.0, row: voxel.1, column: voxel.2 });
    Message::Pointer(Pointer {
        source: Source::Open,
        plane,
        gesture,
        cell: (40, 20),
        voxel,
        point: None,
        on_plane: (0.25, 0.5),
    })
}

#[test]
fn all_planes_have_room_on_a_large_screen_and_leave_in_order() {
    use Plane::{Axial, Coronal, Sagittal};
    for (size, expected) in [
        ((250, 80), vec![Axial, Sagittal, Coronal]),
        ((160, 45), vec![Axial, Sagittal, Coronal]),
        ((160, 36), vec![Axial, Sagittal, Coronal]),
        ((160, 24), vec![Axial, Sagittal]),
        ((120, 40), vec![Axial]),
        ((80, 24), vec![Axial]),
    ] {
        let mut session = opened(size);
        assert_eq!(planes(&session), expected, "{size:?}");
        let count = expected.len();
        session.command(Command::NextPlane);
        assert_eq!(
            (planes(&session)[0], planes(&session).len()),
            (Sagittal, count),
            "the active plane is the large one"
        );
        session.command(Command::TogglePlanes);
        assert_eq!(planes(&session), [Sagittal]);
    }
}

#[test]
fn no_two_pictures_overlap_and_the_active_one_is_the_largest() {
    for size in [(250, 80), (200, 50), (160, 45), (140, 60), (300, 40)] {
        let panes = drawn(&opened(size).model, &Theme::default()).1.panes;
        for (index, pane) in panes.iter().enumerate() {
            assert!(panes[index + 1..].iter().all(|other| !pane.area.intersects(other.area)), "{size:?}: {panes:?}");
            assert!(pane.area.area() <= panes[0].area.area(), "{size:?}: {panes:?}");
        }
    }
}

#[test]
fn one_cursor_goes_through_all_planes() {
    let mut session = opened((250, 80));
    session.send(pointer(Plane::Axial, Gesture::Press(Drag::Cursor), (70.0, 10.0, 30.0)));
    assert_eq!(slices(&session), [70, 30, 10]);
    session.send(pointer(Plane::Sagittal, Gesture::Move(Drag::Cursor), (90.0, 12.0, 30.0)));
    assert_eq!(slices(&session), [90, 30, 12], "a place in one plane moves the others");
    assert_eq!(reading(&session).plane, Plane::Axial, "and leaves the large one large");
    session.command(Command::SliceDown);
    assert_eq!(slices(&session), [91, 30, 12], "a slice moves nothing else");
    session.send(pointer(Plane::Coronal, Gesture::Scroll(1), (0.0, 0.0, 0.0)));
    assert_eq!(slices(&session), [91, 30, 13], "the wheel turns the plane under it");
    session.command(Command::CursorRight).command(Command::CursorDown);
    assert_eq!(slices(&session), [91, 31, 14], "keys move the cursor by what is nearest to 2 mm, a pixel at least");
    session.command(Command::HotSpot);
    let spot = reading(&session).cursor_point().expect("metric");
    assert!((spot.x - -30.0).abs() <= 2.0 && (spot.y - -10.0).abs() <= 2.0, "{spot}");
}

#[test]
fn every_plane_remembers_its_window_and_zoom() {
    let mut session = opened((250, 80));
    session.commands(&["window-soft", "zoom-in", "next-plane"]);
    assert_eq!(
        (reading(&session).appearance().window_name.as_str(), reading(&session).appearance().zoom),
        ("bone", Zoom::WHOLE)
    );
    session.commands(&["window-lung", "window-everywhere"]);
    assert!(Plane::ALL.iter().all(|plane| reading(&session).appearance_of(*plane).window_name == "lung"));
    assert_eq!(reading(&session).appearance_of(Plane::Axial).zoom, Zoom::Fit(1.25));
}

#[test]
fn zooming_keeps_the_place_under_the_mouse_and_the_cursor() {
    let mut session = opened((250, 80));
    session.send(pointer(Plane::Axial, Gesture::Zoom(4), (0.0, 0.0, 0.0)));
    let appearance = reading(&session).appearance().clone();
    let Zoom::Fit(zoom) = appearance.zoom else { panic!("{:?}", appearance.zoom) };
    // The mouse was a quarter of the plane from its left, a quarter left of the middle: it still is.
    assert!(((0.25 - appearance.center.0) * zoom - -0.25).abs() < 1e-9, "{appearance:?}");
    session.send(pointer(Plane::Axial, Gesture::Zoom(-9), (0.0, 0.0, 0.0)));
    assert_eq!((reading(&session).appearance().zoom, reading(&session).appearance().center), (Zoom::WHOLE, (0.5, 0.5)));
}

#[test]
fn dragging_with_the_right_button_changes_the_window_of_that_plane_only() {
    let mut session = opened((250, 80));
    let at = |gesture, cell| {
        Message::Pointer(Pointer {
            source: Source::Open,
            plane: Plane::Coronal,
            gesture,
            cell,
            voxel: None,
            point: None,
            on_plane: (0.5, 0.5),
        })
    };
    session.send(at(Gesture::Press(Drag::Window), (200, 60)));
    session.send(at(Gesture::Move(Drag::Window), (210, 60))).send(at(Gesture::Move(Drag::Window), (210, 55)));
    let changed = reading(&session).appearance_of(Plane::Coronal).window;
    assert!(changed.width() > 2000.0, "rightward is wider: {changed}");
    assert!(changed.center() > 350.0, "upward is darker: {changed}");
    assert_eq!(reading(&session).appearance_of(Plane::Axial).window.width().round(), 2000.0);
    session.send(at(Gesture::Release, (210, 55))).send(at(Gesture::Move(Drag::Window), (220, 55)));
    assert_eq!(reading(&session).appearance_of(Plane::Coronal).window, changed, "nothing is held any more");
}

#[test]
fn slabs_go_from_the_slice_to_30_mm_and_say_so() {
    let mut session = opened((250, 80));
    session.command(Command::SlabThicker).command(Command::SlabThicker);
    assert!(text(&session.model).contains("mean of 2 mm"), "{}", text(&session.model));
    for _ in 0..20 {
        session.command(Command::SlabThicker);
    }
    session.command(Command::SlabKind);
    assert!(text(&session.model).contains("MIP of 30 mm"), "{}", text(&session.model));
    for _ in 0..20 {
        session.command(Command::SlabThinner);
    }
    assert_eq!(reading(&session).appearance().slab, None);
}

const PICTURE: PictureSize = PictureSize { width: 400, height: 400, pixel_aspect: 1.0 };

/// The series of another kernel or study arrives.
fn beside_loaded(session: &mut Session, study: &Study, index: usize) {
    let asked = session.effects.iter().any(
        |effect| matches!(effect, Effect::LoadBeside(asked, series) if asked.uid == study.uid && *series == index),
    );
    assert!(asked, "{:?}", session.effects);
    let result = Ok(Arc::new(volume(&study.series[index])));
    session.send(Message::BesideLoaded { study: study.uid.clone(), series: index, result });
}

#[test]
fn another_kernel_stands_beside_and_follows_by_position() {
    let mut two = plain(1);
    two.series.push(series(1, 1, SeriesKind::Axial, 70));
    two.series[1].kernel = CleanText::new("SOFT");
    let mut session = Session::with_network((250, 80));
    session.found(two.clone()).scanned(210).command(Command::Open).loaded().command(Command::Beside);
    beside_loaded(&mut session, &two, 1);
    session.send(pointer(Plane::Axial, Gesture::Press(Drag::Cursor), (30.0, 12.0, 20.0)));
    let panes = drawn(&session.model, &Theme::default()).1.panes;
    assert_eq!((panes[0].source, panes[1].source), (Source::Open, Source::Beside));
    assert!(panes[0].area.width.abs_diff(panes[1].area.width) <= 1 && panes[0].area.height == panes[1].area.height);
    session.command(Command::ZoomIn);
    let view = reading(&session).beside_view(PICTURE).expect("something at this place");
    assert_eq!(view.slice, 30);
    assert_eq!(view.zoom, Zoom::Fit(1.25), "at the same scale");
    assert_eq!(reading(&session).beside.as_ref().map(|beside| beside.appearance.window_name.as_str()), Some("soft"));
    session.send(pointer(Plane::Axial, Gesture::Press(Drag::Cursor), (100.0, 12.0, 20.0)));
    assert_eq!(reading(&session).beside_view(PICTURE), None);
    assert!(text(&session.model).contains("this series has nothing at this place"));
    session.command(Command::Beside);
    assert!(reading(&session).beside.is_none(), "there is no third series");
}

#[test]
fn an_earlier_study_is_aligned_by_the_levels_that_both_show() {
    let prior = study(2, "PHANTOM^N01", 39, Sex::Other, "CT C-spine", 70);
    let mut prior = Study { patient: plain(1).patient, ..prior };
    prior.patient.age_years = Some(39);
    let mut session = Session::with_network((250, 80));
    session.found(plain(1)).found(prior.clone()).scanned(210).analysed(2, 70, WHOLE).analysed(1, 140, BROKEN);
    session.send(Message::Select(uid(1))).command(Command::Open).loaded().command(Command::Beside);
    beside_loaded(&mut session, &prior, 0);
    session.send(pointer(Plane::Axial, Gesture::Press(Drag::Cursor), (70.0, 12.0, 20.0)));
    let alignment = reading(&session).beside.as_ref().map(|beside| beside.alignment);
    assert!(matches!(alignment, Some(Alignment::Levels(_))), "{alignment:?}");
    let slice = reading(&session).beside_view(PICTURE).expect("a view").slice;
    assert!(slice.abs_diff(35) <= 1, "the middle of C4 is the middle of C4: {slice}");
    assert!(text(&session.model).contains("aligned by levels"));
}

#[test]
fn two_series_need_room_and_a_patient_with_two() {
    let mut session = opened((80, 24));
    session.command(Command::Beside);
    assert!(text(&session.model).contains("need 100 columns"));
    let mut session = opened((160, 45));
    session.command(Command::Beside);
    assert!(text(&session.model).contains("this patient has no other series"));
}

#[test]
fn both_screens_in_every_theme() {
    for theme in Theme::builtin() {
        let mut session = opened((160, 45));
        keep(&format!("theme_{}_reading", theme.name()), &styled(&session.model, &theme));
        session.command(Command::Close).send(Message::Resized(100, 30));
        keep(&format!("theme_{}_worklist", theme.name()), &styled(&session.model, &theme));
    }
}

fn course() -> Arc<SpineCourse> {
    Arc::new(SpineCourse::new((0..140).map(|slice| (30.0, 20.0 + f64::from(slice) / 70.0)).collect()))
}

/// A study that opens with the spine's course known.
fn framed(levels: [Option<f32>; 7]) -> Session {
    let mut session = Session::with_network((250, 80));
    session.found(plain(1)).scanned(140).analysed(1, 140, levels).command(Command::Open);
    session.send(Message::SpineFound { study: uid(1), series: 0, course: course() }).loaded();
    session
}

fn zooms(session: &Session) -> [Zoom; 3] {
    Plane::ALL.map(|plane| reading(session).appearance_of(plane).zoom)
}

#[test]
fn a_study_opens_framed_on_the_spine_and_a_key_goes_through_the_framings() {
    let mut session = framed(BROKEN);
    assert!(zooms(&session).iter().all(|zoom| matches!(zoom, Zoom::Region { .. })), "{:?}", zooms(&session));
    let own = reading(&session).appearance_of(Plane::Axial).center;
    assert!((own.0 - 21.5 / 48.0).abs() < 0.02 && (own.1 - 30.5 / 48.0).abs() < 0.02, "about the spine: {own:?}");
    session.command(Command::NextFraming);
    assert_eq!(zooms(&session), [Zoom::WHOLE; 3]);
    assert!(text(&session.model).contains("whole field"));
    session.command(Command::NextFraming);
    assert_eq!(zooms(&session), [Zoom::Pixels(1.0); 3]);
    session.command(Command::NextFraming);
    assert!(matches!(zooms(&session)[0], Zoom::Region { .. }));
}

#[test]
fn a_course_that_is_known_later_frames_the_planes_unless_the_reader_has_zoomed() {
    for has_zoomed in [false, true] {
        let mut session = opened((250, 80));
        if has_zoomed {
            session.command(Command::ZoomIn);
        }
        let before = zooms(&session);
        session.send(Message::SpineFound { study: uid(1), series: 0, course: course() });
        assert_eq!(zooms(&session) == before, has_zoomed);
    }
}

#[test]
fn without_a_course_the_whole_field_is_shown_and_the_key_says_so() {
    let mut session = opened((250, 80));
    assert_eq!(zooms(&session), [Zoom::WHOLE; 3]);
    session.commands(&["framing", "framing", "framing"]);
    assert!(text(&session.model).contains("course is not known"), "{}", text(&session.model));
    assert_eq!(zooms(&session), [Zoom::WHOLE; 3]);
}

#[test]
fn a_study_with_nothing_flagged_opens_on_the_midline_of_the_neck() {
    let session = framed(WHOLE);
    assert_eq!(reading(&session).plane, Plane::Sagittal);
    assert_eq!(reading(&session).slice(), 21, "through the spine");
    let flagged = framed(BROKEN);
    assert_eq!(reading(&flagged).plane, Plane::Axial, "a flagged one at its most suspicious slice");
}

#[test]
fn along_the_spine_the_cursor_keeps_its_distance_and_the_surface_stays() {
    let mut session = opened((250, 80));
    session.command(Command::FollowSpine);
    assert!(text(&session.model).contains("course is not known"), "{}", text(&session.model));
    let course = SpineCourse::new((0..140).map(|slice| (20.0, 10.0 + f64::from(slice) / 10.0)).collect());
    session.send(Message::SpineFound { study: uid(1), series: 0, course: Arc::new(course) });
    session.command(Command::FollowSpine);
    session.send(pointer(Plane::Axial, Gesture::Press(Drag::Cursor), (40.0, 20.0, 17.0)));
    let bend = |session: &Session| reading(session).view(Plane::Sagittal, None, true).and_then(|view| view.bend);
    let before = bend(&session).expect("a surface along the spine");
    session.commands(&["slices-down", "slices-down"]);
    assert_eq!(slices(&session), [60, 19, 20], "two columns on, as the spine is");
    assert_eq!(bend(&session), Some(before));
    assert!(text(&session.model).contains("sagittal along the spine"));
    session.command(Command::FollowSpine);
    assert_eq!(bend(&session), None);
}
