//! Every command of the program, by name: the one table that keymap, help, hints and palette are made from.

use crate::domain::CervicalLevel;

/// The two screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Screen {
    /// The list of studies.
    Worklist,
    /// One study.
    Reading,
}

/// Where a command can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// On both screens.
    Everywhere,
    /// On one.
    Only(Screen),
}

impl Context {
    /// Whether a command of this context can be used on a screen.
    #[must_use]
    pub fn includes(self, screen: Screen) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Only(only) => only == screen,
        }
    }
}

macro_rules! commands {
    ($($variant:ident, $name:literal, $context:expr, $help:literal;)*) => {
        /// Something the reader can ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Command {
            $(#[doc = $help] $variant,)*
            /// Jump to a level's key slice.
            Level(CervicalLevel),
        }

        impl Command {
            /// Every command, in the order in which help lists them.
            pub const ALL: &'static [Self] = &[
                $(Self::$variant,)*
                Self::Level(CervicalLevel::C1), Self::Level(CervicalLevel::C2), Self::Level(CervicalLevel::C3),
                Self::Level(CervicalLevel::C4), Self::Level(CervicalLevel::C5), Self::Level(CervicalLevel::C6),
                Self::Level(CervicalLevel::C7),
            ];

            /// The name used in the keymap and the palette.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Level(level) => {
                        ["level-c1", "level-c2", "level-c3", "level-c4", "level-c5", "level-c6", "level-c7"][level.index()]
                    }
                }
            }

            /// What it does, in a few words.
            #[must_use]
            pub fn help(self) -> &'static str {
                match self {
                    $(Self::$variant => $help,)*
                    Self::Level(level) => [
                        "go to C1's key slice", "go to C2's key slice", "go to C3's key slice", "go to C4's key slice",
                        "go to C5's key slice", "go to C6's key slice", "go to C7's key slice",
                    ][level.index()],
                }
            }

            /// Where it can be used.
            #[must_use]
            pub fn context(self) -> Context {
                match self {
                    $(Self::$variant => $context,)*
                    Self::Level(_) => READING,
                }
            }
        }
    };
}

const BOTH: Context = Context::Everywhere;
const WORKLIST: Context = Context::Only(Screen::Worklist);
const READING: Context = Context::Only(Screen::Reading);

commands! {
    Quit, "quit", BOTH, "leave the program";
    Help, "help", BOTH, "show or hide this help";
    Cancel, "cancel", BOTH, "leave tool, study, filter";
    Palette, "palette", BOTH, "type a command by name";
    Suspend, "suspend", BOTH, "put it in the background";
    Redraw, "redraw", BOTH, "draw the screen anew";
    NextTheme, "next-theme", BOTH, "change to the next theme";
    Line, "line", BOTH, "show or hide the line";
    PictureQuality, "quality", BOTH, "exact, preview or auto";
    Down, "down", WORKLIST, "next study in the list";
    Up, "up", WORKLIST, "previous study in the list";
    PageDown, "page-down", WORKLIST, "one page down the list";
    PageUp, "page-up", WORKLIST, "one page up the list";
    Top, "top", WORKLIST, "first study of the list";
    Bottom, "bottom", WORKLIST, "last study of the list";
    Open, "open", WORKLIST, "read the selected study";
    OpenMostUrgent, "open-most-urgent", WORKLIST, "read the most urgent study";
    Filter, "filter", WORKLIST, "show only matching studies";
    Order, "order", WORKLIST, "change the order of the list";
    Retry, "retry", WORKLIST, "analyse a failed study again";
    Close, "close", READING, "back to the list";
    NextStudy, "next-study", READING, "read the announced study";
    PreviousStudy, "previous-study", READING, "the study above in the list";
    SliceDown, "slice-down", READING, "next slice (footward)";
    SliceUp, "slice-up", READING, "previous slice (headward)";
    SlicesDown, "slices-down", READING, "ten slices on";
    SlicesUp, "slices-up", READING, "ten slices back";
    FirstSlice, "first-slice", READING, "first slice";
    LastSlice, "last-slice", READING, "last slice";
    NextSuspicion, "next-suspicion", READING, "next suspicious slice";
    PreviousSuspicion, "previous-suspicion", READING, "previous suspicious slice";
    SlicesDownHalf, "slices-down-half", READING, "five slices on";
    SlicesUpHalf, "slices-up-half", READING, "five slices back";
    SlicesDownFast, "slices-down-fast", READING, "twenty-five slices on";
    SlicesUpFast, "slices-up-fast", READING, "twenty-five slices back";
    GoTo, "goto", READING, "go to a slice or position";
    NextLevel, "next-level", READING, "key slice of the level below";
    PreviousLevel, "previous-level", READING, "key slice of the level above";
    Back, "back", READING, "back to where you were";
    Forward, "forward", READING, "forward again";
    Window, "window", READING, "a window of width and level";
    Cine, "cine", READING, "start or stop the cine loop";
    CineFaster, "cine-faster", READING, "faster cine";
    CineSlower, "cine-slower", READING, "slower cine";
    Repeat, "repeat", READING, "the last adjustment again";
    MeasureDistance, "measure-distance", READING, "measure a length";
    MeasureAngle, "measure-angle", READING, "measure an angle";
    MeasureRectangle, "measure-rectangle", READING, "values in a rectangle";
    MeasureEllipse, "measure-ellipse", READING, "values in an ellipse";
    Probe, "probe", READING, "keep the cursor's value";
    PlacePoint, "place-point", READING, "set a measurement's place";
    Measurements, "measurements", READING, "list the measurements";
    DeleteMeasurement, "delete-measurement", READING, "delete the nearest one";
    KeyImage, "key-image", READING, "mark or unmark a key image";
    Comment, "comment", READING, "a remark on the key image";
    KeyImages, "key-images", READING, "list the key images";
    NextKeyImage, "next-key-image", READING, "next key image";
    Export, "export", READING, "write the picture as a PNG";
    ExportPlain, "export-plain", READING, "without overlays";
    ExportKeyImages, "export-all", READING, "all key images as PNGs";
    NextPlane, "next-plane", READING, "axial, sagittal, coronal";
    NextSeries, "next-series", READING, "next series of the study";
    PreviousSeries, "previous-series", READING, "previous series of the study";
    AnalyseSeries, "analyse-series", READING, "analyse the series shown";
    WindowBone, "window-bone", READING, "bone window";
    WindowBoneDetail, "window-bone-detail", READING, "bone detail window";
    WindowSoft, "window-soft", READING, "soft-tissue window";
    WindowLung, "window-lung", READING, "lung window";
    WindowBrain, "window-brain", READING, "brain window";
    WindowFile, "window-file", READING, "the file's own windows";
    LevelUp, "level-up", READING, "window level up (darker)";
    LevelDown, "level-down", READING, "window level down (brighter)";
    WidthUp, "width-up", READING, "less contrast (wider)";
    WidthDown, "width-down", READING, "more contrast (narrower)";
    Invert, "invert", READING, "exchange black and white";
    ZoomIn, "zoom-in", READING, "zoom in";
    ZoomOut, "zoom-out", READING, "zoom out";
    PanLeft, "pan-left", READING, "move the view left";
    PanRight, "pan-right", READING, "move the view right";
    PanUp, "pan-up", READING, "move the view up";
    PanDown, "pan-down", READING, "move the view down";
    Fit, "fit", READING, "whole picture, centred";
    ToggleMarks, "toggle-marks", READING, "outline what the network saw";
    TogglePanel, "toggle-panel", READING, "show or hide the full panel";
    ToggleTexts, "toggle-texts", READING, "show or hide the texts";
    ToggleIdentity, "toggle-identity", READING, "show or hide the patient";
    Beside, "beside", READING, "another series beside it";
    BesideWindow, "beside-window", READING, "next window beside";
    TogglePlanes, "toggle-planes", READING, "one plane, or all with room";
    FollowSpine, "follow-spine", READING, "flat, or along the spine";
    ToggleLines, "toggle-lines", READING, "show or hide crossing lines";
    HotSpot, "hot-spot", READING, "go to the hottest place";
    CursorLeft, "cursor-left", READING, "move the cursor left";
    CursorRight, "cursor-right", READING, "move the cursor right";
    CursorUp, "cursor-up", READING, "move the cursor up";
    CursorDown, "cursor-down", READING, "move the cursor down";
    SlabThicker, "slab-thicker", READING, "draw a thicker slab";
    SlabThinner, "slab-thinner", READING, "draw a thinner slab";
    SlabKind, "slab-kind", READING, "mean, MIP, MinIP of a slab";
    OneToOne, "one-to-one", READING, "one pixel for each voxel";
    ToggleSampling, "toggle-sampling", READING, "smooth, or bare voxels";
    WindowEverywhere, "window-everywhere", READING, "this window in all planes";
    Fractured, "fractured", READING, "this level is fractured";
    NotFractured, "not-fractured", READING, "this level is not fractured";
    Uncertain, "uncertain", READING, "this level is uncertain";
    NotAssessable, "not-assessable", READING, "this level cannot be judged";
    Agree, "agree", READING, "agree with the network here";
    Disagree, "disagree", READING, "disagree with the network";
    Negative, "negative", READING, "study negative, then next";
    Positive, "positive", READING, "study positive, then next";
    StudyUnreadable, "unreadable", READING, "study unreadable, then next";
    Defer, "defer", BOTH, "defer the study";
    Note, "note", BOTH, "write a note on the study";
    Undo, "undo", BOTH, "undo your last decision";
    Pin, "pin", BOTH, "pin on top, or unpin";
    Stat, "stat", BOTH, "mark the study STAT, or not";
    SaveAgain, "save-again", BOTH, "try again to save decisions";
    Acknowledge, "acknowledge", BOTH, "drop what is not saved";
}

impl Command {
    /// What it takes after its name in the palette; `None` for most.
    #[must_use]
    pub fn usage(self) -> Option<&'static str> {
        Some(match self {
            Self::GoTo => "a slice, as 153, or a position, as -128mm",
            Self::Window => "width and level, as 400 40",
            Self::Export | Self::ExportPlain => "a file's name, as axial-153.png",
            Self::ExportKeyImages => "a folder, as key-images",
            Self::DeleteMeasurement => "a number from the list of measurements",
            Self::Comment => "the remark; none takes it away",
            Self::Cine => "slices a second, as 12",
            _ => return None,
        })
    }

    /// Another name that the palette takes, for the word that a reader in trouble looks for.
    #[must_use]
    pub fn alias(self) -> Option<&'static str> {
        match self {
            Self::Help => Some("keys"),
            _ => None,
        }
    }

    /// The command of this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|command| command.name() == name || command.alias() == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_leads_to_its_command_and_only_there() {
        let aliases = Command::ALL.iter().filter_map(|command| command.alias());
        let names: Vec<_> = Command::ALL.iter().map(|command| command.name()).chain(aliases).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        for &command in Command::ALL {
            assert!(command.alias().is_none_or(|alias| Command::from_name(alias) == Some(command)));
            assert_eq!(Command::from_name(command.name()), Some(command));
        }
    }
}
