//! Screens in terminals without UTF-8, and in those that put names from right to left into visual order.

use crate::screens::{drawn, keep, lines, worklist};
use crate::support::model::{BROKEN, Session, study};
use cspine::app::Command;
use cspine::domain::Sex;
use cspine::terminal::{keep_columns, to_ascii};
use cspine::theme::Theme;
use ratatui::buffer::Buffer;
use unicode_bidi::{BidiInfo, Level};

fn in_ascii(session: &Session) -> String {
    let (mut buffer, _) = drawn(&session.model, &Theme::default());
    to_ascii(&mut buffer);
    lines(&buffer).join("\n")
}

#[test]
fn a_terminal_without_utf8_shows_every_column_mark_and_bar() {
    let mut session = worklist::full((120, 30));
    keep("ascii_list_120x30", &in_ascii(&session));
    session.command(Command::Help);
    keep("ascii_help_120x30", &in_ascii(&session));
    session.command(Command::Help).command(Command::OpenMostUrgent).loaded();
    keep("ascii_reading_120x30", &in_ascii(&session));
}

/// The row as a terminal with bidirectional text shows it (UAX #9): it looks at the first character of each cell.
fn shown(buffer: &Buffer, y: u16, base: Option<Level>) -> Vec<char> {
    let width = buffer.area.width;
    let row: String = (0..width).filter_map(|x| buffer[(x, y)].symbol().chars().next()).collect();
    let letters: Vec<char> = row.chars().collect();
    let info = BidiInfo::new(&row, base);
    let levels = info.reordered_levels_per_char(&info.paragraphs[0], info.paragraphs[0].range.clone());
    BidiInfo::reorder_visual(&levels).into_iter().map(|at| letters[at]).collect()
}

/// Whether everything but names and descriptions is shown where it was put, in rows of names in several scripts.
fn in_place(buffer: &Buffer, first: u16, last: u16) -> bool {
    let head: String = lines(buffer)[usize::from(first) - 1].clone();
    let column = |title: &str| head.find(title).expect("a column");
    let (name, age, study) = (column("patient"), column("age"), column("study"));
    let date = head.find("date").map_or(column("slices"), |date| date + 4 - 16);
    (first..last).all(|y| {
        let row: Vec<char> =
            (0..buffer.area.width).map(|x| buffer[(x, y)].symbol().chars().next().unwrap_or(' ')).collect();
        assert!(row[age..age + 3].iter().any(char::is_ascii_digit), "an age in {row:?}");
        [Some(Level::ltr()), None].into_iter().all(|base| {
            let seen = shown(buffer, y, base);
            [0..name, age..study, date..row.len()].into_iter().all(|columns| seen[columns.clone()] == row[columns])
        })
    })
}

#[test]
fn names_from_right_to_left_leave_every_column_in_its_place() {
    let names = [
        "שרון^דבורה",
        "محمد^علي",
        "Cohen^שרון",
        "山田^太郎",
        "e\u{301}toile^Zoë",
        "בן־גוריון^דוד יוסף הארוך מאוד מאוד",
    ];
    for (width, height) in [(120, 30), (80, 24)] {
        let mut session = Session::with_network((width, height));
        for (n, name) in names.iter().enumerate() {
            let description = if n % 2 == 0 { "CT C-spine" } else { "עמוד שדרה 3 CT" };
            session.found(study(n + 1, name, 61, Sex::Female, description, 300));
        }
        session.analysed(1, 300, BROKEN).scanned(1800);
        let (mut buffer, _) = drawn(&session.model, &Theme::default());
        let (first, last) = (3, 3 + names.len() as u16);
        assert!(!in_place(&buffer, first, last), "without a break the age moves into the name");
        let before = buffer.clone();
        keep_columns(&mut buffer);
        assert!(in_place(&buffer, first, last), "{width}x{height}:\n{}", lines(&buffer).join("\n"));
        // Only blanks were replaced, and only in rows that need it.
        for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            let (before, after) = (before[(x, y)].symbol(), buffer[(x, y)].symbol());
            assert!(before == after || (before, after) == (" ", "\u{2800}"), "{before:?} became {after:?}");
        }
    }
}
