//! Themes: legible by measure, told apart without some or all colours, and strict about mistakes in files.

use cspine::theme::{Role, Theme, ThemeError};
use ratatui::style::{Color, Modifier};
use std::path::Path;

const NAMES: [&str; 5] = ["reading-room", "daylight", "high-contrast", "color-safe", "sixteen"];

/// Roles that are read as words or numbers.
const WORDS: &[Role] = &[
    Role::Text,
    Role::Muted,
    Role::Accent,
    Role::Alarm,
    Role::Warning,
    Role::Good,
    Role::Selection,
    Role::Title,
    Role::Threshold,
    Role::Cursor,
    Role::Key,
    Role::Overlay,
    Role::Mark,
    Role::Error,
];

/// Roles that stand in the rows of a list, on the selected one's background too.
const IN_ROWS: &[Role] =
    &[Role::Text, Role::Muted, Role::Accent, Role::Alarm, Role::Warning, Role::Good, Role::Key, Role::Error];

fn theme(name: &str) -> Theme {
    Theme::load(name, None).expect("an embedded theme")
}

/// Red, green and blue from 0 to 255. A terminal defines its sixteen colours itself; here they are xterm's (its
/// XTerm-col.ad).
fn rgb(colour: Color) -> [u8; 3] {
    match colour {
        Color::Rgb(red, green, blue) => [red, green, blue],
        Color::Black => [0, 0, 0],
        Color::Red => [205, 0, 0],
        Color::Green => [0, 205, 0],
        Color::Yellow => [205, 205, 0],
        Color::Blue => [0, 0, 238],
        Color::Magenta => [205, 0, 205],
        Color::Cyan => [0, 205, 205],
        Color::Gray => [229, 229, 229],
        Color::DarkGray => [127, 127, 127],
        Color::LightRed => [255, 0, 0],
        Color::LightGreen => [0, 255, 0],
        Color::LightYellow => [255, 255, 0],
        Color::LightBlue => [92, 92, 255],
        Color::LightMagenta => [255, 0, 255],
        Color::LightCyan => [0, 255, 255],
        Color::White => [255, 255, 255],
        other => panic!("{other:?} is no colour of a theme"),
    }
}

/// Linear light of an sRGB colour (IEC 61966-2-1).
fn linear(colour: Color) -> [f64; 3] {
    rgb(colour).map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

/// Contrast from 1 to 21 (WCAG 2.2, "contrast ratio" and "relative luminance").
fn contrast(one: Color, other: Color) -> f64 {
    let luminance = |colour| {
        let [red, green, blue] = linear(colour);
        0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
    };
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

fn foreground(theme: &Theme, role: Role) -> Color {
    theme.style(role).fg.expect("every role has a colour")
}

fn background(theme: &Theme, role: Role) -> Color {
    theme.style(role).bg.or(theme.style(Role::Text).bg).expect("text has a background")
}

#[test]
fn the_five_are_there_and_the_reading_room_is_first() {
    let themes = Theme::builtin();
    assert_eq!(themes.iter().map(Theme::name).collect::<Vec<_>>(), NAMES);
    assert_eq!(Theme::default(), themes[0]);
    assert_eq!(themes.iter().filter(|theme| theme.is_light()).map(Theme::name).collect::<Vec<_>>(), ["daylight"]);
}

#[test]
fn words_are_legible() {
    for theme in Theme::builtin() {
        let (words, faint) = if theme.name() == "high-contrast" { (7.0, 7.0) } else { (4.5, 3.0) };
        for &role in WORDS {
            let ratio = contrast(foreground(&theme, role), background(&theme, role));
            assert!(ratio >= words, "{} of {}: {ratio:.2}", role.name(), theme.name());
        }
        let selected = background(&theme, Role::Selection);
        for &role in IN_ROWS {
            let ratio = contrast(foreground(&theme, role), selected);
            assert!(ratio >= words, "{} on a selected row of {}: {ratio:.2}", role.name(), theme.name());
        }
        for ground in [background(&theme, Role::Text), selected] {
            let ratio = contrast(foreground(&theme, Role::Faint), ground);
            assert!(ratio >= faint, "faint of {}: {ratio:.2}", theme.name());
        }
    }
}

#[test]
fn bars_stand_out() {
    for theme in Theme::builtin() {
        let empty = foreground(&theme, Role::BarEmpty);
        for role in [Role::BarFill, Role::BarAlert, Role::BarPreliminary] {
            let fill = foreground(&theme, role);
            let ground = contrast(fill, background(&theme, Role::Text));
            assert!(ground >= 3.0, "{} on the ground of {}: {ground:.2}", role.name(), theme.name());
            // The sixteen have only one grey, which is the terminal's own; there the ground has to do.
            if theme.name() != "sixteen" {
                let ratio = contrast(fill, empty);
                assert!(ratio >= 3.0, "{} on an empty bar of {}: {ratio:.2}", role.name(), theme.name());
            }
        }
        let border = contrast(foreground(&theme, Role::Border), background(&theme, Role::Text));
        assert!(border >= 1.5, "borders of {} can be seen: {border:.2}", theme.name());
    }
}

#[test]
fn what_surrounds_a_picture_is_black() {
    for theme in Theme::builtin() {
        assert_eq!(rgb(background(&theme, Role::Overlay)), [0, 0, 0], "{}", theme.name());
    }
}

/// Linear RGB as it is seen without red cones and without green ones: Machado GM, Oliveira MM, Fernandes LAF, "A
/// Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009, severity 1.0.
const PROTANOPIA: [[f64; 3]; 3] =
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]];
const DEUTERANOPIA: [[f64; 3]; 3] =
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]];

/// CIE L*a*b* (D65) of a colour as it is seen.
fn lab(colour: Color, seen: &[[f64; 3]; 3]) -> [f64; 3] {
    let times = |matrix: &[[f64; 3]; 3], vector: [f64; 3]| {
        matrix.map(|row| row.iter().zip(vector).map(|(factor, value)| factor * value).sum::<f64>())
    };
    const XYZ: [[f64; 3]; 3] = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]];
    let light = times(seen, linear(colour)).map(|value| value.clamp(0.0, 1.0));
    let [x, y, z] = times(&XYZ, light);
    let curve = |value: f64| {
        if value > 216.0 / 24389.0 { value.cbrt() } else { (24389.0 / 27.0 * value + 16.0) / 116.0 }
    };
    let (x, y, z) = (curve(x / 0.9505), curve(y), curve(z / 1.089));
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

#[test]
fn the_colour_safe_theme_is_told_apart_without_red_or_green_cones() {
    let theme = theme("color-safe");
    let groups: [&[Role]; 2] = [
        &[Role::Text, Role::Accent, Role::Alarm, Role::Warning, Role::Good],
        &[Role::BarFill, Role::BarAlert, Role::BarPreliminary, Role::BarEmpty],
    ];
    for (name, seen) in [("protanopia", &PROTANOPIA), ("deuteranopia", &DEUTERANOPIA)] {
        for group in groups {
            for (index, &one) in group.iter().enumerate() {
                for &other in &group[index + 1..] {
                    let [a, b] = [one, other].map(|role| lab(foreground(&theme, role), seen));
                    let difference = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                    // A difference of 2.3 is just noticed side by side; ten times that is told apart at a distance.
                    assert!(difference >= 23.0, "{} and {} by {name}: {difference:.1}", one.name(), other.name());
                }
            }
        }
    }
}

#[test]
fn the_simulation_itself_confuses_red_and_green() {
    let [red, green] = [Color::Rgb(200, 80, 60), Color::Rgb(112, 112, 55)].map(|colour| lab(colour, &DEUTERANOPIA));
    let difference = red.iter().zip(green).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    assert!(difference < 23.0, "{difference:.1}");
}

#[test]
fn sixteen_uses_the_sixteen_only() {
    let theme = theme("sixteen");
    for &role in Role::ALL {
        let style = theme.style(role);
        for colour in [style.fg, style.bg].into_iter().flatten() {
            assert!(!matches!(colour, Color::Rgb(..) | Color::Indexed(_)), "{}: {colour:?}", role.name());
        }
        let unsafe_as_text = matches!(style.fg, Some(Color::DarkGray | Color::Blue | Color::LightBlue | Color::Black));
        assert!(!unsafe_as_text || role == Role::BarEmpty, "{}: {:?}", role.name(), style.fg);
    }
}

#[test]
fn without_colour_there_is_none_and_what_matters_still_stands_out() {
    for theme in Theme::builtin().iter().map(Theme::without_colour) {
        let modifiers = |role| theme.style(role).add_modifier;
        for &role in Role::ALL {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{}", role.name());
            assert!(!style.add_modifier.intersects(Modifier::SLOW_BLINK | Modifier::RAPID_BLINK | Modifier::HIDDEN));
        }
        for (role, other) in [
            (Role::Alarm, Role::Text),
            (Role::Alarm, Role::Warning),
            (Role::Alarm, Role::Accent),
            (Role::Selection, Role::Text),
            (Role::Error, Role::Alarm),
            (Role::Cursor, Role::Text),
            (Role::BarFill, Role::BarEmpty),
            (Role::BarFill, Role::BarAlert),
            (Role::BarFill, Role::BarPreliminary),
            (Role::Key, Role::Text),
        ] {
            assert_ne!(modifiers(role), modifiers(other), "{} and {}", role.name(), other.name());
        }
    }
}

#[test]
fn a_terminal_of_256_colours_gets_only_those_and_stays_legible() {
    for theme in Theme::builtin() {
        let reduced = theme.in_256_colours();
        for &role in Role::ALL {
            let style = reduced.style(role);
            assert!(!matches!(style.fg, Some(Color::Rgb(..))) && !matches!(style.bg, Some(Color::Rgb(..))));
            assert_eq!(style.add_modifier, theme.style(role).add_modifier);
        }
        assert_ne!(reduced.style(Role::Text).fg, reduced.style(Role::Text).bg);
    }
}

fn user(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

#[test]
fn a_users_theme_inherits_and_changes() {
    let folder = user(&[
        ("mine.toml", "inherits = \"daylight\"\n[colours]\nleaf = \"#106010\"\n[roles]\naccent = \"leaf\"\n"),
        ("daylight.toml", "inherits = \"daylight\"\n[roles]\nkey = { fg = \"#000000\", with = [\"bold\"] }\n"),
        ("notes.txt", "no theme"),
    ]);
    let mine = Theme::load("mine", Some(folder.path())).expect("a theme");
    assert_eq!(mine.name(), "mine");
    assert!(mine.is_light());
    assert_eq!(mine.style(Role::Accent).fg, Some(Color::Rgb(0x10, 0x60, 0x10)));
    assert_eq!(mine.style(Role::Text), theme("daylight").style(Role::Text));
    assert_eq!(mine.style(Role::Key).fg, Some(Color::Rgb(0, 0, 0)), "the user's daylight is what is inherited");
    let (themes, errors) = Theme::all(Some(folder.path()));
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(themes.iter().map(Theme::name).collect::<Vec<_>>(), [&NAMES[..], &["mine"]].concat());
}

#[test]
fn the_spelling_of_earlier_versions_is_read() {
    let file =
        |table: &str| format!("inherits = \"daylight\"\n[{table}]\nleaf = \"#106010\"\n[roles]\naccent = \"leaf\"\n");
    let folder = user(&[("old.toml", &file("colours")), ("new.toml", &file("colors"))]);
    for name in ["old", "new"] {
        let theme = Theme::load(name, Some(folder.path())).expect("a theme");
        assert_eq!(theme.style(Role::Accent).fg, Some(Color::Rgb(0x10, 0x60, 0x10)), "{name}");
    }
    assert_eq!(Theme::load("colour-safe", None).expect("a theme").name(), "color-safe");
}

#[test]
fn a_broken_theme_does_not_hide_the_others() {
    let folder = user(&[("broken.toml", "appearance = 3"), ("mine.toml", "inherits = \"sixteen\"")]);
    let (themes, errors) = Theme::all(Some(folder.path()));
    assert_eq!(themes.len(), NAMES.len() + 1);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("broken.toml:1:14"), "{}", errors[0]);
    let (themes, errors) = Theme::all(Some(Path::new("/nowhere/at/all")));
    assert_eq!((themes.len(), errors.len()), (NAMES.len(), 0));
}

#[test]
fn mistakes_name_the_place_the_key_and_what_was_meant() {
    let base = "inherits = \"sixteen\"\n";
    for (text, expected) in [
        ("[roles]\nacent = \"red\"", "3:1: the key \"roles.acent\" is not known; did you mean \"accent\"?"),
        (
            "[roles]\nkey = { fg = \"red\", bgg = \"red\" }",
            "3:21: the key \"roles.key.bgg\" is not known; did you mean \"bg\"?",
        ),
        ("[roles]\nkey = { bg = \"red\" }", "3:7: a role needs a color"),
        ("[roles]\nkey = \"bright-rde\"", "3:7: \"bright-rde\" is not a color; did you mean \"bright-red\"?"),
        ("[roles]\nkey = \"#12345\"", "3:7: \"#12345\" is not a color"),
        ("[roles]\nkey = 3", "3:7: \"roles.key\" must be a color in quotes or a table"),
        (
            "[roles]\nkey = { fg = \"red\", with = [\"blod\"] }",
            "3:29: roles.key.with = \"blod\" is not possible; did you mean \"bold\"?",
        ),
        ("[roles]\ntext = \"white\"", "2:1: the role \"text\" sets no background"),
        ("[colours]\nleaf = \"green\"\nink = \"#1\"", "4:7: \"ink\" = \"#1\" is not a color; write it as \"#rrggbb\""),
        ("[color]\nleaf = \"#000000\"", "2:2: the key \"color\" is not known; did you mean \"colors\"?"),
        ("appearance = \"grey\"", "2:14: appearance = \"grey\" is not possible; it can be dark, light"),
    ] {
        let folder = user(&[("mine.toml", &format!("{base}{text}"))]);
        let error = Theme::load("mine", Some(folder.path())).expect_err("a mistake").to_string();
        let (_, found) = error.split_once("mine.toml:").expect("the file is named");
        assert!(found.starts_with(expected), "{text:?}\n found {found}\nwanted {expected}");
    }
}

#[test]
fn a_theme_that_inherits_nothing_sets_every_role() {
    let folder = user(&[("mine.toml", "appearance = \"dark\"\n[roles]\ntext = { fg = \"white\", bg = \"black\" }")]);
    let error = Theme::load("mine", Some(folder.path())).expect_err("a role is missing").to_string();
    assert!(error.contains("the role \"muted\" is missing"), "{error}");
}

#[test]
fn unknown_names_paths_and_circles_are_refused() {
    let folder =
        user(&[("a.toml", "inherits = \"b\""), ("b.toml", "inherits = \"a\""), ("c.toml", "inherits = \"daylihgt\"")]);
    let load = |name: &str| Theme::load(name, Some(folder.path())).expect_err("no theme");
    let error = load("reading-rom");
    assert!(matches!(&error, ThemeError::Unknown { .. }));
    assert!(error.to_string().ends_with("did you mean \"reading-room\"?"), "{error}");
    assert!(load("zzzz").to_string().contains("there are reading-room, daylight"), "all are named");
    assert!(load("a").to_string().contains("inherits itself"), "{}", load("a"));
    assert!(load("c").to_string().contains("c.toml:1:12: there is no theme \"daylihgt\"; did you mean \"daylight\"?"));
    let inside = format!("../{}/a", folder.path().file_name().expect("a name").to_string_lossy());
    assert!(matches!(load(&inside), ThemeError::Unknown { .. }), "a name is not a path");
}
