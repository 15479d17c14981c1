//! What a colour is for.

use ratatui::style::Modifier;

macro_rules! roles {
    ($($variant:ident, $name:literal, $plain:expr, $help:literal;)*) => {
        /// What a piece of the screen is, from which its look follows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Role {
            $(#[doc = $help] $variant,)*
        }

        impl Role {
            /// Every role.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in theme files.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What tells it from ordinary text where there is no colour.
            #[must_use]
            pub fn without_colour(self) -> Modifier {
                match self { $(Self::$variant => $plain,)* }
            }
        }
    };
}

const NONE: Modifier = Modifier::empty();
const BOLD: Modifier = Modifier::BOLD;
const DIM: Modifier = Modifier::DIM;
const UNDERLINED: Modifier = Modifier::UNDERLINED;
const REVERSED: Modifier = Modifier::REVERSED;

roles! {
    Text, "text", NONE, "Ordinary text; its background is the screen's.";
    Muted, "muted", NONE, "Text that matters less: units, dates, names of fields.";
    Faint, "faint", DIM, "What is there to be found, not read: rules, absent values.";
    Accent, "accent", BOLD, "The one color that leads the eye.";
    Alarm, "alarm", BOLD.union(UNDERLINED), "A probability past its threshold.";
    Warning, "warning", BOLD, "What the reader should know before trusting: gaps, incomplete coverage.";
    Good, "good", NONE, "Done, saved, complete.";
    Selection, "selection", REVERSED, "The selected row; other roles keep their color on its background.";
    Title, "title", BOLD, "Names of screens, panels and patients.";
    Border, "border", DIM, "Frames and rules.";
    BarFill, "bar-fill", NONE, "The filled part of a probability bar.";
    BarAlert, "bar-alert", BOLD, "The filled part of a bar past its threshold.";
    BarPreliminary, "bar-preliminary", DIM, "The filled part of a bar that is not final.";
    BarEmpty, "bar-empty", DIM, "The empty part of a bar.";
    Threshold, "threshold", BOLD, "The mark of a threshold on a bar.";
    Cursor, "cursor", REVERSED, "The slice shown, on strip and panel; the caret of an input.";
    Key, "key", BOLD, "A key in help and hints.";
    Overlay, "overlay", NONE, "Text on the image; its background is what surrounds the image.";
    Mark, "mark", BOLD, "The activation peak, where it is drawn as text.";
    Error, "error", BOLD.union(REVERSED), "What failed.";
}

impl Role {
    /// The role of this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}
