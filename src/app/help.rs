//! Help: the commands of a screen in groups, searched and paged.

use super::{Command, Group, Model, Screen};

/// Cells that a line of help needs: keys, and what they do.
const COLUMN: usize = 39;
/// A screen's worth of columns at most: more are harder to read than a second page.
const MOST_COLUMNS: usize = 4;

/// The open help.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Help {
    /// Page, from 0.
    pub page: usize,
    /// What is searched for; empty for all commands.
    pub search: String,
}

/// What a key does while help is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpKey {
    /// The next page.
    Forward,
    /// The page before.
    Back,
    /// Asks what to search for.
    Search,
    /// One step back: ends the search, then help.
    Escape,
    /// Closes help.
    Close,
}

/// A line of help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpLine {
    /// The heading of a group.
    Title(Group),
    /// A command, with its keys.
    Command(Command),
    /// The seven commands that jump to a level, in one line.
    Levels,
    /// An explanation.
    Text(&'static str),
    /// Nothing, before a heading.
    Blank,
}

/// The lines of one page: columns of at most as many lines as the screen has room for.
pub type HelpPage = Vec<Vec<HelpLine>>;

/// What Esc ends, one thing at a time: `update::cancel` and `update::prompt` keep this order.
const ESCAPE: [&str; 4] = [
    "Esc ends one thing at a time: prompt,",
    "help, a key that waits to be repeated,",
    "number, cine, tool, measurement,",
    "comparison, then study or filter",
];

/// What the marks beside a study's probability mean.
const MARKS: [&str; 2] = ["! alert; ? unlike the model's training", "data: no alert, read it yourself"];

/// What is explained below a command.
fn explanation(command: Command) -> &'static [&'static str] {
    match command {
        Command::Cancel => &ESCAPE,
        Command::Order => &MARKS,
        _ => &[],
    }
}

impl Model {
    /// The pages of help on a screen of this size; at least one, which is empty if nothing matches the search.
    #[must_use]
    pub fn help_pages(&self) -> Vec<HelpPage> {
        let search = self.help.as_ref().map_or("", |help| help.search.as_str());
        let rows = usize::from(self.size.1).saturating_sub(2).max(1);
        let columns = (usize::from(self.size.0).saturating_sub(2) / COLUMN).clamp(1, MOST_COLUMNS);
        let mut columns_of_lines = in_columns(&lines(self.screen(), search), rows).into_iter().peekable();
        let mut pages = Vec::new();
        while columns_of_lines.peek().is_some() {
            pages.push(columns_of_lines.by_ref().take(columns).collect());
        }
        if pages.is_empty() {
            pages.push(Vec::new());
        }
        pages
    }
}

/// The lines of a screen's commands that match a search.
fn lines(screen: Screen, search: &str) -> Vec<HelpLine> {
    let wanted = search.trim().to_lowercase();
    let mut lines = Vec::new();
    for group in Group::ALL {
        let in_group = group.title().to_lowercase().contains(&wanted);
        let matches = |command: &Command| {
            in_group
                || [command.name(), command.help()].iter().any(|text| text.to_lowercase().contains(&wanted))
                || command.alias().is_some_and(|alias| alias.contains(&wanted))
        };
        let here = Command::ALL
            .iter()
            .copied()
            .filter(|command| command.group() == group && command.context().includes(screen) && matches(command));
        let mut of_group: Vec<HelpLine> = Vec::new();
        for command in here {
            let line = match command {
                Command::Level(_) => HelpLine::Levels,
                _ => HelpLine::Command(command),
            };
            if of_group.last() != Some(&line) {
                of_group.push(line);
            }
            of_group.extend(explanation(command).iter().copied().map(HelpLine::Text));
        }
        if !of_group.is_empty() {
            if !lines.is_empty() {
                lines.push(HelpLine::Blank);
            }
            lines.push(HelpLine::Title(group));
            lines.append(&mut of_group);
        }
    }
    lines
}

/// Cuts lines into columns. No column begins with a blank line or ends with a heading.
fn in_columns(lines: &[HelpLine], rows: usize) -> Vec<Vec<HelpLine>> {
    let mut columns: Vec<Vec<HelpLine>> = vec![Vec::new()];
    for (index, line) in lines.iter().enumerate() {
        // A heading needs room for its first command; a text stays whole with what it explains.
        let together = match line {
            HelpLine::Title(_) => 2,
            HelpLine::Command(command) => 1 + explanation(*command).len(),
            HelpLine::Levels | HelpLine::Text(_) | HelpLine::Blank => 1,
        };
        let used = columns.last().map_or(0, Vec::len);
        if used > 0 && used + together > rows {
            columns.push(Vec::new());
        }
        let column = columns.last_mut();
        if let Some(column) = column
            && !(column.is_empty() && *line == HelpLine::Blank && index > 0)
        {
            column.push(*line);
        }
    }
    columns.retain(|column| !column.is_empty());
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_command_of_a_screen_is_listed_once() {
        for screen in [Screen::Worklist, Screen::Reading] {
            let listed: Vec<Command> = lines(screen, "")
                .into_iter()
                .filter_map(|line| match line {
                    HelpLine::Command(command) => Some(command),
                    HelpLine::Title(_) | HelpLine::Levels | HelpLine::Text(_) | HelpLine::Blank => None,
                })
                .collect();
            let usable = Command::ALL
                .iter()
                .copied()
                .filter(|command| command.context().includes(screen) && !matches!(command, Command::Level(_)));
            assert_eq!(listed.iter().copied().collect::<HashSet<_>>(), usable.collect::<HashSet<_>>());
            assert_eq!(listed.len(), listed.iter().collect::<HashSet<_>>().len());
        }
    }

    #[test]
    fn a_column_keeps_headings_with_their_commands_and_loses_no_line() {
        for screen in [Screen::Worklist, Screen::Reading] {
            let all = lines(screen, "");
            for rows in 5..70 {
                let columns = in_columns(&all, rows);
                for column in &columns {
                    assert!(column.len() <= rows, "{rows}: {}", column.len());
                    assert!(!matches!(column.last(), Some(HelpLine::Title(_))), "{rows}: a heading at the end");
                    assert_ne!(column.first(), Some(&HelpLine::Blank), "{rows}: a blank line at the top");
                }
                let kept = |lines: &[HelpLine]| lines.iter().filter(|line| **line != HelpLine::Blank).count();
                assert_eq!(columns.iter().map(|column| kept(column)).sum::<usize>(), kept(&all), "{rows}");
            }
        }
    }

    #[test]
    fn a_search_finds_names_words_and_groups() {
        let found = |search: &str| lines(Screen::Reading, search);
        assert_eq!(found("export-all")[1], HelpLine::Command(Command::ExportKeyImages));
        assert!(found("CAUDAL").contains(&HelpLine::Command(Command::SliceDown)));
        assert!(found("measure").contains(&HelpLine::Command(Command::Probe)), "a group's title finds all of it");
        assert!(found("no such thing").is_empty());
    }
}
