//! Every command of the program, by name: the one table that keymap, help, hints and palette are made from.

use super::Group;
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
    ($($variant:ident, $name:literal, $context:expr, $group:ident, $help:literal;)*) => {
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

            /// The group that help lists it in.
            #[must_use]
            pub fn group(self) -> Group {
                match self {
                    $(Self::$variant => Group::$group,)*
                    Self::Level(_) => Group::Navigate,
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
    Quit, "quit", BOTH, Session, "quit";
    Help, "help", BOTH, Session, "help";
    Cancel, "cancel", BOTH, Session, "one step back";
    Palette, "palette", BOTH, Session, "type a command by name";
    Suspend, "suspend", BOTH, Session, "put cspine in the background";
    Redraw, "redraw", BOTH, Session, "redraw the screen";
    NextTheme, "next-theme", BOTH, Session, "next theme";
    Line, "line", BOTH, Session, "show or hide link statistics";
    PictureQuality, "quality", BOTH, Session, "exact, preview or auto";
    Down, "down", WORKLIST, List, "next study";
    Up, "up", WORKLIST, List, "previous study";
    PageDown, "page-down", WORKLIST, List, "page down";
    PageUp, "page-up", WORKLIST, List, "page up";
    Top, "top", WORKLIST, List, "first study";
    Bottom, "bottom", WORKLIST, List, "last study";
    Open, "open", WORKLIST, List, "open the selected study";
    OpenMostUrgent, "open-most-urgent", WORKLIST, List, "open the most urgent study";
    Filter, "filter", WORKLIST, List, "filter the list";
    Order, "order", WORKLIST, List, "change the order";
    Retry, "retry", WORKLIST, List, "analyze a failed study again";
    TogglePreview, "toggle-preview", WORKLIST, List, "show or hide the preview";
    Close, "close", READING, Navigate, "back to the list";
    NextStudy, "next-study", READING, Navigate, "open the announced study";
    PreviousStudy, "previous-study", READING, Navigate, "open the study above";
    SliceDown, "slice-down", READING, Navigate, "next slice (caudal)";
    SliceUp, "slice-up", READING, Navigate, "previous slice (cranial)";
    SlicesDown, "slices-down", READING, Navigate, "10 slices on";
    SlicesUp, "slices-up", READING, Navigate, "10 slices back";
    FirstSlice, "first-slice", READING, Navigate, "first slice";
    LastSlice, "last-slice", READING, Navigate, "last slice";
    NextSuspicion, "next-suspicion", READING, Network, "next flagged slice";
    PreviousSuspicion, "previous-suspicion", READING, Network, "previous flagged slice";
    SlicesDownHalf, "slices-down-half", READING, Navigate, "5 slices on";
    SlicesUpHalf, "slices-up-half", READING, Navigate, "5 slices back";
    SlicesDownFast, "slices-down-fast", READING, Navigate, "25 slices on";
    SlicesUpFast, "slices-up-fast", READING, Navigate, "25 slices back";
    GoTo, "goto", READING, Navigate, "go to a slice or position";
    NextLevel, "next-level", READING, Navigate, "key slice of the level below";
    PreviousLevel, "previous-level", READING, Navigate, "key slice of the level above";
    Back, "back", READING, Navigate, "back to the last position";
    Forward, "forward", READING, Navigate, "forward again";
    Window, "window", READING, Window, "type a window (width, level)";
    Cine, "cine", READING, Navigate, "start or stop cine";
    CineFaster, "cine-faster", READING, Navigate, "faster cine";
    CineSlower, "cine-slower", READING, Navigate, "slower cine";
    Repeat, "repeat", READING, Navigate, "repeat the last adjustment";
    MeasureDistance, "measure-distance", READING, Measure, "measure a distance";
    MeasureAngle, "measure-angle", READING, Measure, "measure an angle";
    MeasureRectangle, "measure-rectangle", READING, Measure, "rectangle: mean HU, SD, area";
    MeasureEllipse, "measure-ellipse", READING, Measure, "ellipse: mean HU, SD, area";
    Probe, "probe", READING, Measure, "keep the HU at the cursor";
    PlacePoint, "place-point", READING, Measure, "place a point";
    Measurements, "measurements", READING, Measure, "list measurements";
    DeleteMeasurement, "delete-measurement", READING, Measure, "delete the nearest one";
    KeyImage, "key-image", READING, KeyImages, "mark or unmark a key image";
    Comment, "comment", READING, KeyImages, "comment on the key image";
    KeyImages, "key-images", READING, KeyImages, "list key images";
    NextKeyImage, "next-key-image", READING, KeyImages, "next key image";
    Export, "export", READING, KeyImages, "save the image as PNG";
    ExportPlain, "export-plain", READING, KeyImages, "save without the overlay";
    ExportKeyImages, "export-all", READING, KeyImages, "save all key images as PNG";
    NextPlane, "next-plane", READING, View, "axial, sagittal, coronal";
    NextSeries, "next-series", READING, Navigate, "next series";
    PreviousSeries, "previous-series", READING, Navigate, "previous series";
    AnalyseSeries, "analyse-series", READING, Network, "analyze this series";
    WindowBone, "window-bone", READING, Window, "bone window";
    WindowBoneDetail, "window-bone-detail", READING, Window, "bone detail window";
    WindowSoft, "window-soft", READING, Window, "soft-tissue window";
    WindowLung, "window-lung", READING, Window, "lung window";
    WindowBrain, "window-brain", READING, Window, "brain window";
    WindowFile, "window-file", READING, Window, "the file's own windows";
    LevelUp, "level-up", READING, Window, "level up (darker)";
    LevelDown, "level-down", READING, Window, "level down (brighter)";
    WidthUp, "width-up", READING, Window, "wider (less contrast)";
    WidthDown, "width-down", READING, Window, "narrower (more contrast)";
    Invert, "invert", READING, Window, "invert";
    ZoomIn, "zoom-in", READING, View, "zoom in";
    ZoomOut, "zoom-out", READING, View, "zoom out";
    PanLeft, "pan-left", READING, View, "pan left";
    PanRight, "pan-right", READING, View, "pan right";
    PanUp, "pan-up", READING, View, "pan up";
    PanDown, "pan-down", READING, View, "pan down";
    Fit, "fit", READING, View, "fit the whole image";
    ToggleMarks, "toggle-marks", READING, Network, "outline the activation";
    TogglePanel, "toggle-panel", READING, Network, "show or hide the full panel";
    ToggleTexts, "toggle-texts", READING, View, "show or hide the overlay";
    ToggleIdentity, "toggle-identity", READING, View, "show or hide the patient";
    Beside, "beside", READING, View, "compare with another series";
    BesideWindow, "beside-window", READING, Window, "next window of the other one";
    TogglePlanes, "toggle-planes", READING, View, "one plane or all";
    FollowSpine, "follow-spine", READING, View, "flat, or along the spine";
    ToggleLines, "toggle-lines", READING, View, "show or hide the crosshair";
    HotSpot, "hot-spot", READING, Network, "go to the activation peak";
    CursorLeft, "cursor-left", READING, Navigate, "cursor left";
    CursorRight, "cursor-right", READING, Navigate, "cursor right";
    CursorUp, "cursor-up", READING, Navigate, "cursor up";
    CursorDown, "cursor-down", READING, Navigate, "cursor down";
    SlabThicker, "slab-thicker", READING, View, "thicker slab";
    SlabThinner, "slab-thinner", READING, View, "thinner slab";
    SlabKind, "slab-kind", READING, View, "slab: mean, MIP, MinIP";
    NextFraming, "framing", READING, View, "spine, whole field or 1:1";
    OneToOne, "one-to-one", READING, View, "one pixel per voxel";
    ToggleSampling, "toggle-sampling", READING, View, "interpolate, or show voxels";
    WindowEverywhere, "window-everywhere", READING, Window, "this window in all planes";
    Fractured, "fractured", READING, Assess, "level fractured";
    NotFractured, "not-fractured", READING, Assess, "level not fractured";
    Uncertain, "uncertain", READING, Assess, "level uncertain";
    NotAssessable, "not-assessable", READING, Assess, "level not assessable";
    Agree, "agree", READING, Assess, "agree with the AI at a level";
    Disagree, "disagree", READING, Assess, "disagree at a level";
    Negative, "negative", READING, Assess, "study negative, open next";
    Positive, "positive", READING, Assess, "study positive, open next";
    StudyUnreadable, "unreadable", READING, Assess, "study unreadable, open next";
    Defer, "defer", BOTH, Assess, "defer the study";
    Note, "note", BOTH, Assess, "write a note";
    Undo, "undo", BOTH, Assess, "undo the last decision";
    Pin, "pin", BOTH, Assess, "pin to the top, or unpin";
    Stat, "stat", BOTH, Assess, "mark STAT, or not";
    SaveAgain, "save-again", BOTH, Session, "try again to save";
    Acknowledge, "acknowledge", BOTH, Session, "discard unsaved changes";
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
            Self::Comment => "the comment; empty removes it",
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
