//! The mouse on the list: a click selects, a double click opens.

use crate::screens::planes::pointer;
use crate::support::model::{Session, plain, uid};
use cspine::app::{Command, Drag, Gesture, Message, Screen};
use cspine::raster::Plane;
use std::time::Duration;

fn list() -> Session {
    let mut session = Session::with_network((120, 40));
    session.found(plain(1)).found(plain(2)).scanned(280);
    session.pace = Duration::from_millis(300);
    session
}

fn click(session: &mut Session, n: usize) {
    session.send(Message::Select(uid(n)));
}

#[test]
fn a_click_selects_and_a_double_click_opens() {
    let mut session = list();
    click(&mut session, 1);
    session.pace = Duration::from_millis(500);
    click(&mut session, 1);
    assert_eq!(session.model.screen(), Screen::Worklist, "a click on the selected row opens nothing");
    session.pace = Duration::from_millis(400);
    click(&mut session, 1);
    let open = session.model.reading.as_ref().map(|reading| reading.study.uid.clone());
    assert_eq!(open, Some(uid(1)));
}

#[test]
fn quick_clicks_on_two_rows_open_nothing() {
    let mut session = list();
    for n in [1, 2, 1, 2] {
        click(&mut session, n);
        assert_eq!((session.model.screen(), session.selected()), (Screen::Worklist, uid(n)));
    }
}

#[test]
fn a_click_after_a_double_click_is_the_first_of_its_own() {
    let mut session = list();
    click(&mut session, 1);
    click(&mut session, 1);
    session.command(Command::Close);
    click(&mut session, 1);
    assert_eq!(session.model.screen(), Screen::Worklist);
}

#[test]
fn the_drag_of_a_double_click_moves_no_crosshair() {
    let mut session = list();
    click(&mut session, 1);
    click(&mut session, 1);
    session.loaded();
    let slices = |session: &Session| session.model.reading.as_ref().map(|reading| reading.slice_of(Plane::Axial));
    let before = slices(&session);
    session.send(pointer(Plane::Axial, Gesture::Move(Drag::Cursor), (7.0, 10.0, 30.0)));
    assert_eq!(slices(&session), before, "the button went down on the list");
    session.send(pointer(Plane::Axial, Gesture::Press(Drag::Cursor), (7.0, 10.0, 30.0)));
    assert_eq!(slices(&session), Some(7));
}
