//! Strict reading of TOML with places: what settings and themes have in common.

use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A mistake in a TOML file. It displays as one line: `file:line:column: what is wrong; what to do`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {problem}")]
pub struct TomlError {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong with which key, and what was probably meant.
    pub problem: String,
}

/// A file's name and text, from which places are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'t> {
    file: &'t str,
    text: &'t str,
}

impl Source<'_> {
    /// An error at a span of bytes.
    pub(crate) fn error(self, span: &Range<usize>, problem: impl Into<String>) -> TomlError {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        TomlError {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            problem: problem.into(),
        }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Located<'t, T> {
    /// The value.
    pub(crate) value: T,
    source: Source<'t>,
    key: String,
    span: Range<usize>,
}

impl<'t, T> Located<'t, T> {
    /// An error at this value.
    pub(crate) fn error(&self, problem: impl Into<String>) -> TomlError {
        self.source.error(&self.span, problem)
    }

    /// The same place with what a check makes of the value.
    pub(crate) fn with<U>(&self, value: U) -> Located<'t, U> {
        Located { value, source: self.source, key: self.key.clone(), span: self.span.clone() }
    }
}

impl Located<'_, String> {
    /// The entry of `known` that this text names.
    ///
    /// # Errors
    /// The text is none of them: names the nearest.
    pub(crate) fn one_of<'k>(&self, known: &[&'k str]) -> Result<&'k str, TomlError> {
        known.iter().copied().find(|name| *name == self.value).ok_or_else(|| {
            self.error(format!("{} = {:?} is not possible{}", self.key, self.value, suggestion(&self.value, known)))
        })
    }
}

/// A table that is emptied key by key, so that what is left over is unknown.
#[derive(Debug)]
pub(crate) struct Table<'t> {
    source: Source<'t>,
    path: String,
    at: Range<usize>,
    entries: DeTable<'t>,
    known: Vec<&'static str>,
}

impl<'t> Table<'t> {
    /// The root table of a file's text.
    ///
    /// # Errors
    /// The text is not TOML, or names a key twice.
    pub(crate) fn parse(file: &'t str, text: &'t str) -> Result<Self, TomlError> {
        let source = Source { file, text };
        let root = DeTable::parse(text).map_err(|error| {
            let end = text.len();
            let span = error.span().unwrap_or(end..end);
            source.error(&span, format!("this is not TOML: {}", error.message().replace('\n', "; ")))
        })?;
        Ok(Self { source, path: String::new(), at: 0..0, entries: root.into_inner(), known: Vec::new() })
    }

    /// An error at the table itself.
    pub(crate) fn error(&self, problem: impl Into<String>) -> TomlError {
        self.source.error(&self.at, problem)
    }

    fn take(&mut self, key: &'static str) -> Option<Located<'t, DeValue<'t>>> {
        self.known.push(key);
        let value = self.entries.remove(key)?;
        Some(self.locate(key, value))
    }

    fn locate(&self, key: &str, value: Spanned<DeValue<'t>>) -> Located<'t, DeValue<'t>> {
        let span = value.span();
        Located { value: value.into_inner(), source: self.source, key: format!("{}{key}", self.path), span }
    }

    /// Takes a text.
    ///
    /// # Errors
    /// The key is there, but no text.
    pub(crate) fn text(&mut self, key: &'static str) -> Result<Option<Located<'t, String>>, TomlError> {
        self.take(key).map(as_text).transpose()
    }

    /// Takes a list of texts; none where the key is missing.
    ///
    /// # Errors
    /// The key is there, but no list of texts.
    pub(crate) fn texts(&mut self, key: &'static str) -> Result<Vec<Located<'t, String>>, TomlError> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Located { value: DeValue::Array(items), key, source, .. }) => items
                .into_iter()
                .map(|item| {
                    let span = item.span();
                    as_text(Located { value: item.into_inner(), source, key: key.clone(), span })
                })
                .collect(),
            Some(other) => Err(wrong_kind(&other, "a list of texts in [brackets]")),
        }
    }

    /// Takes `true` or `false`.
    ///
    /// # Errors
    /// The key is there, but is something else.
    pub(crate) fn flag(&mut self, key: &'static str) -> Result<Option<bool>, TomlError> {
        match self.take(key) {
            None => Ok(None),
            Some(Located { value: DeValue::Boolean(flag), .. }) => Ok(Some(flag)),
            Some(other) => Err(wrong_kind(&other, "true or false")),
        }
    }

    /// Takes a number within bounds, both included.
    ///
    /// # Errors
    /// The key is there, but no number, or one out of bounds.
    pub(crate) fn number(&mut self, key: &'static str, bounds: RangeInclusive<f32>) -> Result<Option<f32>, TomlError> {
        let Some(found) = self.take(key) else { return Ok(None) };
        let number = match &found.value {
            DeValue::Integer(number) => number.as_str().parse::<f32>().ok(),
            DeValue::Float(number) => number.as_str().parse::<f32>().ok(),
            _ => None,
        };
        match number.filter(|number| bounds.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong_kind(&found, &format!("a number from {} to {}", bounds.start(), bounds.end()))),
        }
    }

    /// Takes a table; an empty one where the key is missing.
    ///
    /// # Errors
    /// The key is there, but no table.
    pub(crate) fn table(&mut self, key: &'static str) -> Result<Table<'t>, TomlError> {
        match self.take(key) {
            None => Ok(Table {
                source: self.source,
                path: format!("{}{key}.", self.path),
                at: self.at.clone(),
                entries: DeTable::new(),
                known: Vec::new(),
            }),
            Some(value) => as_table(value),
        }
    }

    /// Takes a table or, where a text stands instead, that text.
    ///
    /// # Errors
    /// The key is there, but neither.
    pub(crate) fn table_or_text(&mut self, key: &'static str) -> Result<Option<TableOrText<'t>>, TomlError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) if matches!(value.value, DeValue::Table(_)) => {
                as_table(value).map(TableOrText::Table).map(Some)
            }
            Some(value) if matches!(value.value, DeValue::String(_)) => as_text(value).map(TableOrText::Text).map(Some),
            Some(other) => Err(wrong_kind(&other, "a color in quotes or a table { fg = .. }")),
        }
    }

    /// Takes everything that is left, as texts in the file's order: the keys and their values.
    ///
    /// # Errors
    /// A value is no text.
    pub(crate) fn remaining_texts(mut self) -> Result<Vec<TextEntry<'t>>, TomlError> {
        let mut entries: Vec<_> = std::mem::take(&mut self.entries).into_iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
            .into_iter()
            .map(|(key, value)| {
                let value = as_text(self.locate(key.get_ref(), value))?;
                let name = Located {
                    span: key.span(),
                    value: key.into_inner().into_owned(),
                    source: self.source,
                    key: value.key.clone(),
                };
                Ok((name, value))
            })
            .collect()
    }

    /// Ends the reading of this table.
    ///
    /// # Errors
    /// A key is left that nobody asked for: names the nearest that exists.
    pub(crate) fn finish(self) -> Result<(), TomlError> {
        let Some(key) = self.entries.keys().min_by_key(|key| key.span().start) else { return Ok(()) };
        let name = key.get_ref();
        let problem =
            format!("the key {:?} is not known{}", format!("{}{name}", self.path), suggestion(name, &self.known));
        Err(self.source.error(&key.span(), problem))
    }
}

/// A key and its text.
pub(crate) type TextEntry<'t> = (Located<'t, String>, Located<'t, String>);

/// What [`Table::table_or_text`] finds.
pub(crate) enum TableOrText<'t> {
    /// A table.
    Table(Table<'t>),
    /// A text.
    Text(Located<'t, String>),
}

fn as_text<'t>(value: Located<'t, DeValue<'t>>) -> Result<Located<'t, String>, TomlError> {
    match value.value {
        DeValue::String(ref text) => Ok(value.with(text.clone().into_owned())),
        _ => Err(wrong_kind(&value, "a text in quotes")),
    }
}

fn as_table<'t>(value: Located<'t, DeValue<'t>>) -> Result<Table<'t>, TomlError> {
    match value.value {
        DeValue::Table(entries) => Ok(Table {
            source: value.source,
            path: format!("{}.", value.key),
            at: value.span,
            entries,
            known: Vec::new(),
        }),
        _ => Err(wrong_kind(&value, "a table")),
    }
}

fn wrong_kind(found: &Located<'_, DeValue<'_>>, wanted: &str) -> TomlError {
    let kind = match found.value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    found.error(format!("{:?} must be {wanted}, not {kind}", found.key))
}

/// The name that was probably meant: one slip away, and one more for every four letters.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_lowercase();
    let reach = 1 + name.chars().count() / 4;
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= reach && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The end of a sentence about an unknown name: the nearest one, or all of them where they are few.
pub(crate) fn suggestion(name: &str, known: &[&str]) -> String {
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("; did you mean {near:?}?");
    }
    match known {
        [] => "; nothing is expected here".to_owned(),
        few if few.len() <= 24 => format!("; it can be {}", few.join(", ")),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_from_one() {
        let error = Table::parse("a.toml", "# ä\nb = \"ü\" x").expect_err("no TOML");
        assert_eq!((error.line, error.file.as_str()), (2, "a.toml"));
        let mut table = Table::parse("a.toml", "[t]\n  \"ü\" = 1").expect("TOML");
        let error = table.table("t").expect("a table").finish().expect_err("an unknown key");
        assert_eq!((error.line, error.column), (2, 3));
        assert!(error.problem.contains("\"t.ü\""), "{error}");
    }

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["theme", "graphics", "mouse"];
        assert_eq!(nearest("thme", known), Some("theme"));
        assert_eq!(nearest("Graphisc", known), Some("graphics"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("x", ["y"]), None);
    }
}
