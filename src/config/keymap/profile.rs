//! The keys of programs that the reader may know.

use super::tables::Tables;

const CSPINE: &str = include_str!("../default.toml");
const WEASIS: &str = include_str!("../profiles/weasis.toml");
const OHIF: &str = include_str!("../profiles/ohif.toml");
const HOROS: &str = include_str!("../profiles/horos.toml");

/// A set of keys to start from; the settings' own keys lie on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// This program's own, in the manner of vim.
    #[default]
    Cspine,
    /// Those of Weasis.
    Weasis,
    /// Those of the OHIF Viewer.
    Ohif,
    /// Those of Horos and OsiriX.
    Horos,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 4] = [Self::Cspine, Self::Weasis, Self::Ohif, Self::Horos];

    /// As settings and the command line name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cspine => "cspine",
            Self::Weasis => "weasis",
            Self::Ohif => "ohif",
            Self::Horos => "horos",
        }
    }

    /// The profile of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Whether digits typed before a command repeat it. The other programs have no such thing, and their digits are windows.
    #[must_use]
    pub fn counts(self) -> bool {
        self == Self::Cspine
    }

    /// Its file below `src/config`, and the text of it.
    #[must_use]
    pub(super) fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Cspine => ("default.toml", CSPINE),
            Self::Weasis => ("profiles/weasis.toml", WEASIS),
            Self::Ohif => ("profiles/ohif.toml", OHIF),
            Self::Horos => ("profiles/horos.toml", HOROS),
        }
    }

    /// Its keys: the other program's over this one's. A command whose keys all went to the other program's is reached by Alt and its
    /// old key.
    pub(super) fn tables(self) -> Tables {
        let read = |profile: Self| {
            let (file, text) = profile.file();
            // The embedded files are tested to be whole.
            Tables::parse(file, text).unwrap_or_default()
        };
        let base = read(Self::Cspine);
        match self {
            Self::Cspine => base,
            other => base.clone().changed_by(&read(other)).rescued(&base),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_keys_are_whole() {
        for profile in Profile::ALL {
            let (file, text) = profile.file();
            Tables::parse(file, text).expect("the embedded keys");
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
        }
    }
}
