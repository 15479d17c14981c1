//! What the palette finds: commands and studies, by letters in their order (fuzzy search).

use super::{Command, Model};
use crate::domain::Uid;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Finds that are offered at most.
const MOST: usize = 60;
/// A search this short finds commands only: every study has those letters.
const STUDIES_FROM: usize = 2;

/// What a line can lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A command.
    Command(Command),
    /// A study to open.
    Study(Uid),
    /// A measurement to go to.
    Measurement(u64),
    /// A key image to go to.
    KeyImage(u64),
    /// Only the words.
    Words,
}

/// A line that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its name: what Tab completes to.
    pub name: String,
    /// What it is, in a few words.
    pub words: String,
    /// What it leads to.
    pub choice: Choice,
}

struct Search {
    matcher: Matcher,
    pattern: Pattern,
    wanted: String,
    buffer: Vec<char>,
}

impl Search {
    fn new(text: &str) -> Self {
        let wanted = text.trim().to_lowercase();
        let pattern = Pattern::parse(&wanted, CaseMatching::Ignore, Normalization::Smart);
        Self { matcher: Matcher::new(Config::DEFAULT), pattern, wanted, buffer: Vec::new() }
    }

    /// How well a text fits; `None` where it does not.
    fn score(&mut self, text: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(text, &mut self.buffer), &mut self.matcher)
    }

    /// By rank, then by score: a name as typed, one that begins so, one that holds it, one that fits, and words that do.
    /// Letters that lie far apart find a command's short name only; in longer texts they would find everything.
    fn rank(&mut self, name: &str, words: &str, short: bool) -> Option<(u8, u32)> {
        let lower = name.to_lowercase();
        if lower == self.wanted {
            return Some((0, 0));
        }
        if lower.starts_with(&self.wanted) {
            return Some((1, 0));
        }
        if lower.contains(&self.wanted) {
            return Some((2, 0));
        }
        // What the matcher gives for a letter is 16, and more where words begin: letters of the text's words, not of its whole length.
        let near = 22 * self.wanted.chars().count() as u32;
        if let Some(score) = self.score(name).filter(|score| short || *score >= near) {
            return Some((3, u32::MAX - score));
        }
        let whole = !self.wanted.is_empty() && words.to_lowercase().contains(&self.wanted);
        self.score(words).filter(|score| whole || *score >= near).map(|score| (4, u32::MAX - score))
    }
}

/// Commands that can be used here, and studies, that fit a text; best first.
pub(super) fn search(model: &Model, text: &str) -> Vec<Offer> {
    if let Some((name, _)) = text.trim_start().split_once(' ')
        && let Some(command) = Command::from_name(name)
        && let Some(usage) = command.usage()
    {
        let (name, words) = (command.name().to_owned(), usage.to_owned());
        return vec![Offer { name, words, choice: Choice::Command(command) }];
    }
    let mut search = Search::new(text);
    let mut found: Vec<((u8, u32), Offer)> = Vec::new();
    for &command in Command::ALL.iter().filter(|command| command.context().includes(model.screen())) {
        let alias = command.alias().filter(|alias| !search.wanted.is_empty() && alias.starts_with(&search.wanted));
        let by_alias = alias.map(|alias| (u8::from(alias != search.wanted), 0));
        let by_name = search.rank(command.name(), command.help(), true);
        if let Some(rank) = by_name.into_iter().chain(by_alias).min() {
            let words = command.help().to_owned();
            found.push((rank, Offer { name: command.name().to_owned(), words, choice: Choice::Command(command) }));
        }
    }
    if search.wanted.chars().count() >= STUDIES_FROM {
        for entry in model.worklist.entries() {
            let (study, patient) = (&entry.study, &entry.study.patient);
            let words: Vec<&str> = [patient.id.as_str(), study.accession.as_str(), study.description.as_str()]
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect();
            let words = words.join(" · ");
            if let Some(rank) = search.rank(entry.name(), &words, false) {
                let name = entry.name().to_owned();
                found.push((rank, Offer { name, words, choice: Choice::Study(study.uid.clone()) }));
            }
        }
    }
    if search.wanted.is_empty() {
        // Nothing is typed yet: what was used last comes first.
        found.sort_by_key(|(_, offer)| {
            model.recent.iter().position(|recent| offer.choice == Choice::Command(*recent)).unwrap_or(usize::MAX)
        });
    } else {
        found.sort_by_key(|(rank, _)| *rank);
    }
    found.into_iter().map(|(_, offer)| offer).take(MOST).collect()
}

/// Numbered lines of a list, narrowed by what is typed.
pub(super) fn listed(lines: Vec<(u64, String)>, text: &str, choice: impl Fn(u64) -> Choice) -> Vec<Offer> {
    let mut search = Search::new(text);
    lines
        .into_iter()
        .filter(|(id, words)| search.rank(&id.to_string(), words, false).is_some())
        .map(|(id, words)| Offer { name: id.to_string(), words, choice: choice(id) })
        .collect()
}
