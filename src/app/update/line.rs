//! Lines of the palette that carry an argument: `goto 153`, `window 400 40`, `cine 12`.

use super::super::{Command, Effect, Model, Screen};
use super::jumps::{self, Goal};
use super::{key_image, keys, measure};
use crate::domain::WindowLevel;

/// A command with its argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// `goto SLICE` or `goto MM`; the number alone does, too.
    GoTo(Goal),
    /// `window WIDTH LEVEL`.
    Window(WindowLevel),
    /// `cine RATE`.
    Cine(u16),
    /// `export FILE`, or `export-plain FILE` without what is drawn over the picture.
    Export {
        /// As typed.
        path: String,
        /// Whether without overlays.
        plain: bool,
    },
    /// `export-all FOLDER`.
    ExportAll(String),
    /// `comment TEXT`.
    Comment(String),
    /// `delete-measurement NUMBER`.
    Delete(u64),
}

impl Line {
    /// Reads a line. `None` where it is no line of this kind: a command's name, or a search.
    ///
    /// # Errors
    /// The command takes an argument, but not this one: what it takes.
    pub(super) fn parse(text: &str) -> Option<Result<Self, String>> {
        let text = text.trim();
        let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = argument.trim();
        if let Some(goal) = Goal::parse(text) {
            return Some(Ok(Self::GoTo(goal)));
        }
        if argument.is_empty() {
            return None;
        }
        Some(match Command::from_name(name) {
            Some(Command::GoTo) => Goal::parse(argument).map(Self::GoTo).ok_or_else(|| {
                format!("{argument:?} is not a slice or position; goto takes a slice such as 153, or a position such as -128mm")
            }),
            Some(Command::Cine) => argument
                .parse()
                .map(Self::Cine)
                .map_err(|_| format!("{argument:?} is not a rate; cine takes slices per second, such as 12")),
            Some(command @ (Command::Export | Command::ExportPlain)) => {
                Ok(Self::Export { path: argument.to_owned(), plain: command == Command::ExportPlain })
            }
            Some(Command::ExportKeyImages) => Ok(Self::ExportAll(argument.to_owned())),
            Some(Command::Comment) => Ok(Self::Comment(argument.to_owned())),
            Some(Command::DeleteMeasurement) => argument
                .parse()
                .map(Self::Delete)
                .map_err(|_| format!("{argument:?} is not a number; see the list of measurements")),
            Some(Command::Window) => window(argument)
                .map(Self::Window)
                .ok_or_else(|| format!("{argument:?} is not a window; window takes width and level, such as 400 40")),
            _ => return None,
        })
    }
}

fn window(argument: &str) -> Option<WindowLevel> {
    let mut numbers = argument.split([' ', '/', ',']).filter(|word| !word.is_empty());
    let (width, level) = (numbers.next()?.parse().ok()?, numbers.next()?.replace('−', "-").parse().ok()?);
    if numbers.next().is_some() { None } else { WindowLevel::new(level, width) }
}

/// Does what a line says.
pub(super) fn run(model: &mut Model, line: Line) -> Vec<Effect> {
    if model.screen() == Screen::Worklist && !matches!(line, Line::GoTo(Goal::Number(_))) {
        model.tell("that works in the reading screen");
        return Vec::new();
    }
    match line {
        Line::GoTo(goal) => jumps::with_trail(model, |model| jumps::to(model, goal)),
        Line::Window(window) => {
            if let Some(reading) = &mut model.reading {
                let plane = reading.plane;
                reading.appearance_mut(plane).set_window(window, String::new());
            }
            model.tell(window.to_string());
            Vec::new()
        }
        Line::Export { path, plain } => key_image::export(model, &path, plain),
        Line::ExportAll(folder) => key_image::export_all(model, folder),
        Line::Comment(text) => key_image::comment(model, &text),
        Line::Delete(id) => measure::delete(model, Some(id)),
        Line::Cine(rate) => {
            model.cine.set_rate(rate);
            model.cine.running = false;
            keys::cine(model, Command::Cine)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_or_told_what_is_wrong_with_them() {
        let ok = |text: &str| Line::parse(text).and_then(Result::ok);
        assert_eq!(ok("153"), Some(Line::GoTo(Goal::Number(153))));
        assert_eq!(ok("goto -128mm"), Some(Line::GoTo(Goal::Position(-128.0))));
        assert_eq!(ok("goto 7"), Some(Line::GoTo(Goal::Number(7))));
        assert_eq!(ok("cine 12"), Some(Line::Cine(12)));
        assert_eq!(ok("window 400 40"), WindowLevel::new(40.0, 400.0).map(Line::Window));
        assert_eq!(ok("window 1500/−600"), WindowLevel::new(-600.0, 1500.0).map(Line::Window));
        for none in ["", "window-bone", "goto", "invert", "phantom one", "cine-faster"] {
            assert_eq!(Line::parse(none), None, "{none:?}");
        }
        for (wrong, what) in [("goto C6", "a position"), ("window 0 40", "width and level"), ("cine x", "per second")] {
            let told = Line::parse(wrong).expect("a line").expect_err("a mistake");
            assert!(told.contains(what), "{told}");
        }
    }
}
