//! The page as plain text of at most 80 columns, unless a word is longer.

use super::{Block, Page};
use crate::results::{StudyResult, Written};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

const WIDTH: usize = 80;
/// Columns of the names before values.
const NAMES: usize = 13;

/// The report on a study as plain text.
#[must_use]
pub fn text(result: &StudyResult, written: Written) -> String {
    let page = Page::new(result, written);
    let mut out = format!("{}\n{}\n", page.title.to_uppercase(), page.notice);
    for section in &page.sections {
        let _ = write!(out, "\n{}\n", section.title.to_uppercase());
        match &section.block {
            Block::Rows(rows) => {
                for (name, value) in rows {
                    wrapped(&mut out, name, value);
                }
            }
            Block::Table { header, rows, below } => {
                let table: Vec<[&str; 4]> =
                    std::iter::once(*header).chain(rows.iter().map(|row| row.each_ref().map(String::as_str))).collect();
                let width = |column: usize| table.iter().map(|row| row[column].width()).max().unwrap_or(0);
                let widths = [0, 1, 2].map(width);
                for [level, network, slice, reader] in table {
                    let line = format!(
                        "{}  {}  {}  {reader}",
                        padded(level, widths[0]),
                        pushed(network, widths[1]),
                        pushed(slice, widths[2])
                    );
                    let _ = writeln!(out, "{}", line.trim_end());
                }
                if let Some(below) = below {
                    let _ = writeln!(out, "{below}");
                }
            }
            Block::Lines(lines) => {
                for line in lines {
                    let _ = writeln!(out, "{line}");
                }
            }
        }
    }
    let _ = write!(out, "\n{}\n", page.footer);
    out
}

/// Filled up to a width on the right.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Filled up to a width on the left.
fn pushed(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}

/// A name and its value, whose further lines begin below its first.
fn wrapped(out: &mut String, name: &str, value: &str) {
    let mut lines = value.split('\n');
    one_line(out, name, lines.next().unwrap_or_default());
    lines.for_each(|line| one_line(out, "", line));
}

fn one_line(out: &mut String, name: &str, value: &str) {
    let mut line = padded(name, NAMES);
    let mut is_empty = true;
    for word in value.split(' ') {
        if !is_empty && line.width() + 1 + word.width() > WIDTH {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(NAMES);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    let _ = writeln!(out, "{}", line.trim_end());
}
