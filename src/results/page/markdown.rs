//! The page as Markdown.

use super::{Block, Page};
use crate::results::{StudyResult, Written};
use std::fmt::Write as _;

/// The report on a study as Markdown. Text from files stays text: what Markdown or HTML would take for a sign is escaped.
#[must_use]
pub fn markdown(result: &StudyResult, written: Written) -> String {
    let page = Page::new(result, written);
    let mut out = format!("# {}\n\n**{}**\n", escaped(page.title), escaped(page.notice));
    for section in &page.sections {
        let _ = write!(out, "\n## {}\n\n", section.title);
        match &section.block {
            Block::Rows(rows) => {
                for (name, value) in rows {
                    let _ = writeln!(out, "- {name}: {}", escaped(value));
                }
            }
            Block::Table { header, rows, below } => {
                let _ = writeln!(out, "| {} |", header.join(" | "));
                out.push_str("|---|--:|--:|---|\n");
                for row in rows {
                    let cells = row.each_ref().map(|cell| escaped(cell.trim()));
                    let _ = writeln!(out, "| {} |", cells.join(" | "));
                }
                if let Some(below) = below {
                    let _ = write!(out, "\n{}\n", escaped(below));
                }
            }
            Block::Lines(lines) => {
                for line in lines {
                    let _ = writeln!(out, "- {}", escaped(line));
                }
            }
        }
    }
    let _ = write!(out, "\n{}\n", escaped(&page.footer));
    out
}

/// Text in which nothing is a sign to Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' => out.push_str("<br>"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}
