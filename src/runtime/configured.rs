//! Settings, keys and themes in force, and how they are read again while the program runs.

use super::Options;
use crate::app::{Message, Preferences};
use crate::config::{Bandwidth, ConfigError, Folders, Keymap, Profile, Settings};
use crate::domain::SensitiveText;
use crate::theme::{Theme, ThemeError};
use std::path::Path;

/// What the user's files and the command line ask for.
pub(super) struct Configured {
    pub(super) settings: Settings,
    pub(super) keymap: Keymap,
    pub(super) folders: Folders,
    /// What the command line asks for goes before the settings.
    keys: Option<Profile>,
    theme: Option<String>,
    bandwidth: Option<Bandwidth>,
    /// Errors that were told, so that each is told once.
    told: Vec<String>,
}

impl Configured {
    /// Reads the settings.
    pub(super) fn read(folders: Folders, options: &Options) -> Result<Self, ConfigError> {
        let settings = match folders.settings_file() {
            Some(file) => Settings::load(&file)?,
            None => Settings::default(),
        };
        let keymap = Keymap::for_settings(&settings, options.keys);
        let (keys, theme, bandwidth) = (options.keys, options.theme.clone(), options.bandwidth);
        Ok(Self { settings, keymap, folders, keys, theme, bandwidth, told: Vec::new() })
    }

    /// The theme to begin with.
    pub(super) fn theme(&self) -> Result<Theme, ThemeError> {
        let wanted = self.theme.as_deref().unwrap_or(&self.settings.theme);
        Theme::load(wanted, self.folders.themes().as_deref())
    }

    /// The most bytes a second that go to the terminal.
    pub(super) fn bandwidth(&self) -> Option<u64> {
        self.bandwidth.or(self.settings.picture.bandwidth).map(Bandwidth::bytes_per_second)
    }

    /// How a study is first shown.
    pub(super) fn preferences(&self) -> Preferences {
        let reading = &self.settings.reading;
        Preferences {
            window: reading.window.clone(),
            plane: reading.plane,
            framing: reading.framing,
            marks: reading.marks,
        }
    }

    /// What is to be told about the keys; `None` where they get on with one another.
    pub(super) fn conflicts(&self) -> Option<Message> {
        let profile = self.keys.unwrap_or(self.settings.keys.profile());
        let conflicts = Keymap::of(profile).conflicts(&self.settings);
        let first = conflicts.first()?;
        Some(Message::Trouble(SensitiveText::plain(match conflicts.len() {
            1 => first.to_string(),
            all => format!("{first} (and {} more: cspine keys --check)", all - 1),
        })))
    }

    /// Reads the files anew. What has a mistake stays as it was, and is told.
    pub(super) fn reload(&mut self, themes: &mut Themes) -> Vec<Message> {
        let mut messages = Vec::new();
        let read = self.folders.settings_file().map_or(Ok(Settings::default()), |file| Settings::load(&file));
        let mut errors: Vec<String> = Vec::new();
        let mut changed = Vec::new();
        match read {
            Ok(settings) if settings != self.settings => {
                if settings.keys != self.settings.keys {
                    self.keymap = Keymap::for_settings(&settings, self.keys);
                    changed.push("keys");
                }
                if settings.picture != self.settings.picture {
                    changed.push("pictures");
                }
                if settings.reading != self.settings.reading {
                    changed.push("how a study is first shown");
                }
                let later = (&settings.graphics, &settings.model, settings.mouse, &settings.log)
                    != (&self.settings.graphics, &self.settings.model, self.settings.mouse, &self.settings.log);
                if later {
                    changed.push("from the next start: graphics, model, mouse, log");
                }
                let theme =
                    (settings.theme != self.settings.theme && self.theme.is_none()).then(|| settings.theme.clone());
                self.settings = settings;
                messages.extend(self.conflicts());
                if let Some(name) = theme {
                    match themes.choose(&name, self.folders.themes().as_deref()) {
                        Ok(()) => changed.push("theme"),
                        Err(error) => errors.push(error.to_string()),
                    }
                }
            }
            Ok(_) => {}
            Err(error) => errors.push(error.to_string()),
        }
        let (own, mistakes) = themes.read(self.folders.themes().as_deref());
        if own {
            changed.push("theme");
        }
        errors.extend(mistakes);
        for error in errors.iter().filter(|error| !self.told.contains(error)) {
            messages.push(Message::Trouble(SensitiveText::foreign(error).words("; the old one stays in force")));
        }
        self.told = errors;
        changed.dedup();
        if messages.is_empty() && !changed.is_empty() {
            messages
                .push(Message::Notice(SensitiveText::plain(format!("settings read again: {}", changed.join(", ")))));
        }
        messages
    }
}

/// The themes that a key goes through.
pub(super) struct Themes {
    all: Vec<Theme>,
    at: usize,
    shown: Theme,
    colourless: bool,
    truecolor: bool,
}

impl Themes {
    pub(super) fn new(first: Theme, user_dir: Option<&Path>, truecolor: bool) -> Self {
        let (all, errors) = Theme::all(user_dir);
        for error in errors {
            tracing::warn!("{error}");
        }
        // https://no-color.org: set and not empty.
        let colourless = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let mut themes = Self { all, at: 0, shown: Theme::default(), colourless, truecolor };
        themes.show(first);
        themes
    }

    /// The theme in force.
    pub(super) fn shown(&self) -> &Theme {
        &self.shown
    }

    /// Whether colours are not wanted.
    pub(super) fn colourless(&self) -> bool {
        self.colourless
    }

    fn show(&mut self, theme: Theme) {
        self.at = self.all.iter().position(|known| known.name() == theme.name()).unwrap_or(self.all.len());
        match self.all.get_mut(self.at) {
            Some(known) => *known = theme,
            None => self.all.push(theme),
        }
        self.apply();
    }

    /// Whether the terminal has 24-bit colours.
    pub(super) fn set_truecolor(&mut self, truecolor: bool) {
        self.truecolor = truecolor;
        self.apply();
    }

    fn apply(&mut self) {
        let Some(theme) = self.all.get(self.at) else { return };
        self.shown = if self.colourless {
            theme.without_colour()
        } else if self.truecolor {
            theme.clone()
        } else {
            theme.in_256_colours()
        };
    }

    pub(super) fn next(&mut self) -> String {
        self.at = (self.at + 1) % self.all.len().max(1);
        self.apply();
        self.shown.name().to_owned()
    }

    /// Shows the theme of a name.
    fn choose(&mut self, name: &str, user_dir: Option<&Path>) -> Result<(), ThemeError> {
        let theme = Theme::load(name, user_dir)?;
        self.show(theme);
        Ok(())
    }

    /// Reads all themes anew: whether the one shown looks different now, and what is wrong with those that cannot be read, which
    /// stay as they were.
    fn read(&mut self, user_dir: Option<&Path>) -> (bool, Vec<String>) {
        let (fresh, errors) = Theme::all(user_dir);
        let name = self.shown.name().to_owned();
        let before = self.shown.clone();
        let kept: Vec<Theme> = self
            .all
            .drain(..)
            .filter(|old| {
                fresh.iter().all(|new| new.name() != old.name()) && (old.name() == name || !errors.is_empty())
            })
            .collect();
        self.all = fresh;
        self.all.extend(kept);
        self.at = self.all.iter().position(|theme| theme.name() == name).unwrap_or(0);
        self.apply();
        (self.shown != before, errors.iter().map(ToString::to_string).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Command, Screen};
    use crate::theme::Role;
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    fn options() -> Options {
        Options {
            source: super::super::Source::Demo,
            model: None,
            graphics: None,
            bandwidth: None,
            theme: None,
            keys: None,
            data: None,
            reader: None,
            blinded: false,
            anonymous: false,
            engine: None,
            threads: None,
        }
    }

    fn texts(messages: &[Message]) -> String {
        messages.iter().map(|message| format!("{message:?}\n")).collect()
    }

    #[test]
    fn changed_files_are_taken_and_mistakes_leave_the_old_ones_in_force() {
        let home = tempfile::tempdir().expect("a folder");
        let folders = Folders::under(home.path());
        let file = folders.settings_file().expect("a path");
        let own = folders.themes().expect("a path");
        std::fs::create_dir_all(&own).expect("folders");
        let mut configured = Configured::read(folders, &options()).expect("defaults");
        let theme = configured.theme().expect("a theme");
        let mut themes = Themes::new(theme, Some(&own), true);
        assert!(configured.reload(&mut themes).is_empty(), "nothing changed");

        std::fs::write(&file, "theme = \"daylight\"\n[keys.reading]\n\"&\" = \"invert\"\n").expect("written");
        let told = texts(&configured.reload(&mut themes));
        assert!(told.contains("keys, theme"), "{told}");
        let x = KeyEvent::new(KeyCode::Char('&'), KeyModifiers::NONE);
        assert_eq!(configured.keymap.command(Screen::Reading, &x), Some(Command::Invert));
        assert_eq!(themes.shown().name(), "daylight");

        std::fs::write(&file, "theme = \"daylight\"\n[keys.reading]\n\"&\" = \"invrt\"\n").expect("written");
        let told = texts(&configured.reload(&mut themes));
        assert!(told.contains("settings.toml:3:7") && told.contains("did you mean \\\"invert\\\"?"), "{told}");
        assert!(told.contains("the old one stays in force"), "{told}");
        assert_eq!(configured.keymap.command(Screen::Reading, &x), Some(Command::Invert));
        assert!(configured.reload(&mut themes).is_empty(), "a mistake is told once");

        std::fs::write(&file, "theme = \"daylight\"\n[keys.reading]\n\"&\" = \"invert\"\n").expect("written");
        std::fs::write(own.join("daylight.toml"), "inherits = \"daylight\"\n[roles]\naccent = \"#123456\"\n")
            .expect("written");
        let before = themes.shown().style(Role::Accent);
        let told = texts(&configured.reload(&mut themes));
        assert_ne!(themes.shown().style(Role::Accent), before, "{told}");
        std::fs::write(own.join("daylight.toml"), "[roles]\naccnt = \"#123456\"\n").expect("written");
        let after = themes.shown().style(Role::Accent);
        let told = texts(&configured.reload(&mut themes));
        assert!(told.contains("daylight.toml:"), "{told}");
        assert_eq!(themes.shown().style(Role::Accent), after);
    }
}
