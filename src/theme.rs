//! Role-named colours from TOML. Whoever draws names a [`Role`]; which colour that is, a theme says.

mod colour;
mod file;
mod role;

pub use role::Role;

use crate::config::{TomlError, nearest};
use ratatui::style::Style;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The embedded themes with their files; the first is the default.
const EMBEDDED: [(&str, &str); 5] = [
    ("reading-room", include_str!("../themes/reading-room.toml")),
    ("daylight", include_str!("../themes/daylight.toml")),
    ("high-contrast", include_str!("../themes/high-contrast.toml")),
    ("color-safe", include_str!("../themes/color-safe.toml")),
    ("sixteen", include_str!("../themes/sixteen.toml")),
];

/// How long a line of `inherits` may be.
const MAX_ANCESTORS: usize = 8;

/// A look for each role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    name: String,
    light: bool,
    styles: [Style; Role::ALL.len()],
}

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No theme has this name.
    #[error("there is no theme {name:?}{hint}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// What there is.
        hint: String,
    },
    /// The file is there, but cannot be read.
    #[error("the theme in {} cannot be read; make the file readable or choose another theme", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error(transparent)]
    Mistake(#[from] TomlError),
}

impl Theme {
    /// A theme by name: the user's file `<name>.toml`, or the embedded one. A user's theme may inherit the embedded one of
    /// the same name.
    ///
    /// # Errors
    /// There is no such theme, its file cannot be read, or the file has a mistake.
    pub fn load(name: &str, user_dir: Option<&Path>) -> Result<Self, ThemeError> {
        Self::resolve(name, user_dir, &mut Vec::new())
    }

    /// Reads a theme and what it inherits. `open` holds the names of the user's files that are being read.
    fn resolve(name: &str, user_dir: Option<&Path>, open: &mut Vec<String>) -> Result<Self, ThemeError> {
        // A name is not a path: it does not lead out of the folder.
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        if let Some(folder) = user_dir.filter(|_| is_name && !open.iter().any(|reading| reading == name)) {
            let path = folder.join(format!("{name}.toml"));
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    open.push(name.to_owned());
                    return Self::read(name, &path.to_string_lossy(), &text, user_dir, open);
                }
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(source) => return Err(ThemeError::Unreadable { path, source }),
            }
        }
        // Settings of earlier versions have the British spelling.
        let name = if name == "colour-safe" { "color-safe" } else { name };
        match EMBEDDED.iter().find(|(embedded, _)| *embedded == name) {
            Some((_, text)) => Self::read(name, &format!("themes/{name}.toml"), text, None, open),
            None => Err(unknown(name, user_dir)),
        }
    }

    fn read(
        name: &str,
        file: &str,
        text: &str,
        user_dir: Option<&Path>,
        open: &mut Vec<String>,
    ) -> Result<Self, ThemeError> {
        file::read(name, file, text, |parent| {
            if open.len() > MAX_ANCESTORS {
                return Err(parent.error(format!("more than {MAX_ANCESTORS} themes inherit one another")).into());
            }
            Self::resolve(&parent.value, user_dir, open).map_err(|error| match error {
                ThemeError::Unknown { name, .. } if open.contains(&name) => {
                    parent.error(format!("the theme {name:?} inherits itself by way of others; cut the circle")).into()
                }
                ThemeError::Unknown { name, hint } => parent.error(format!("there is no theme {name:?}{hint}")).into(),
                other => other,
            })
        })
    }

    /// The embedded themes, the default first.
    #[must_use]
    pub fn builtin() -> Vec<Self> {
        EMBEDDED.iter().filter_map(|(name, _)| Self::load(name, None).ok()).collect()
    }

    /// Every theme: the embedded ones, each as the user changed it, then the user's own by name; and what is wrong with
    /// those that cannot be used.
    #[must_use]
    pub fn all(user_dir: Option<&Path>) -> (Vec<Self>, Vec<ThemeError>) {
        let mut themes = Vec::new();
        let mut errors = Vec::new();
        for name in names(user_dir) {
            match Self::load(&name, user_dir) {
                Ok(theme) => themes.push(theme),
                Err(error) => errors.push(error),
            }
        }
        (themes, errors)
    }

    /// Name, as the settings name it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether text is dark on a light ground.
    #[must_use]
    pub fn is_light(&self) -> bool {
        self.light
    }

    /// The look of a role. Only [`Role::Text`] and roles whose background is their own set one; the others take that of
    /// what they are drawn on.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles[role.index()]
    }

    /// The same theme for `NO_COLOR`: bold, dim, underlined and reversed, and no colour at all.
    #[must_use]
    pub fn without_colour(&self) -> Self {
        let mut plain = Self { name: self.name.clone(), light: self.light, styles: [Style::new(); Role::ALL.len()] };
        for &role in Role::ALL {
            plain.styles[role.index()] = Style::new().add_modifier(role.without_colour());
        }
        plain
    }

    /// The same theme for a terminal that knows 256 colours only.
    #[must_use]
    pub fn in_256_colours(&self) -> Self {
        let mut reduced = self.clone();
        for style in &mut reduced.styles {
            style.fg = style.fg.map(colour::among_256);
            style.bg = style.bg.map(colour::among_256);
        }
        reduced
    }
}

impl Default for Theme {
    /// The reading room.
    fn default() -> Self {
        let plain = || {
            let styles = [Style::new(); Role::ALL.len()];
            Self { name: "plain".to_owned(), light: false, styles }.without_colour()
        };
        Self::builtin().into_iter().next().unwrap_or_else(plain)
    }
}

/// Names of all themes, the embedded ones first.
fn names(user_dir: Option<&Path>) -> Vec<String> {
    let mut own: Vec<String> = user_dir
        .and_then(|folder| std::fs::read_dir(folder).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_stem()?.to_str()?;
            (path.extension()? == "toml" && EMBEDDED.iter().all(|(embedded, _)| *embedded != name))
                .then(|| name.to_owned())
        })
        .collect();
    own.sort_unstable();
    EMBEDDED.iter().map(|(name, _)| (*name).to_owned()).chain(own).collect()
}

fn unknown(name: &str, user_dir: Option<&Path>) -> ThemeError {
    let names = names(user_dir);
    let hint = match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("; did you mean {near:?}?"),
        None => format!("; there are {}", names.join(", ")),
    };
    ThemeError::Unknown { name: name.to_owned(), hint }
}
