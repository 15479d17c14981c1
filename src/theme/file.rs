//! A theme's file: `appearance`, `inherits`, `[colors]` with names for colors, and `[roles]`.

use super::colour::{SIXTEEN, parse};
use super::{Role, Theme, ThemeError};
use crate::config::{Located, Table, TableOrText, TomlError, suggestion};
use ratatui::style::{Color, Modifier, Style};
use std::collections::BTreeMap;

/// What a role may add to its colours. Nothing blinks.
const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

type Palette = BTreeMap<String, Color>;

/// Reads a theme; `parent` gives the theme that a name means.
///
/// A role is written as a colour (`faint = "gray"`) or as a table (`title = { fg = "white", bg = "ink", with = ["bold"] }`).
///
/// # Errors
/// What is wrong where: no TOML, an unknown role, field, colour or modifier, or a role that is missing and not inherited.
pub(super) fn read(
    name: &str,
    file: &str,
    text: &str,
    parent: impl FnOnce(&Located<'_, String>) -> Result<Theme, ThemeError>,
) -> Result<Theme, ThemeError> {
    let mut root = Table::parse(file, text)?;
    let inherited = root.text("inherits")?.map(|name| parent(&name)).transpose()?;
    let appearance = root.text("appearance")?.map(|name| name.one_of(&["dark", "light"])).transpose()?;
    // Themes for earlier versions have the British spelling.
    let mut palette = colors(root.table("colours")?)?;
    palette.extend(colors(root.table("colors")?)?);
    let mut roles = root.table("roles")?;
    root.finish()?;

    let light = match (appearance, &inherited) {
        (Some(appearance), _) => appearance == "light",
        (None, Some(theme)) => theme.light,
        (None, None) => {
            let problem = "\"appearance\" is missing; set it to \"dark\" or \"light\", or inherit another theme";
            return Err(roles.error(problem).into());
        }
    };
    let mut styles = inherited.as_ref().map_or([Style::new(); Role::ALL.len()], |theme| theme.styles);
    for &role in Role::ALL {
        match roles.table_or_text(role.name())? {
            Some(TableOrText::Text(colour)) => styles[role.index()] = Style::new().fg(lookup(&colour, &palette)?),
            Some(TableOrText::Table(table)) => styles[role.index()] = style(table, &palette)?,
            None if inherited.is_some() => {}
            None => {
                let problem = format!("the role {:?} is missing; set it, or inherit another theme", role.name());
                return Err(roles.error(problem).into());
            }
        }
    }
    if styles[Role::Text.index()].bg.is_none() {
        return Err(roles.error("the role \"text\" sets no background; give it bg = \"..\"").into());
    }
    roles.finish()?;
    Ok(Theme { name: name.to_owned(), light, styles })
}

fn colors(table: Table<'_>) -> Result<Palette, TomlError> {
    let mut palette = Palette::new();
    for (name, value) in table.remaining_texts()? {
        let colour = parse(&value.value).ok_or_else(|| {
            value.error(format!("{:?} = {:?} is not a color; write it as \"#rrggbb\"", name.value, value.value))
        })?;
        palette.insert(name.value, colour);
    }
    Ok(palette)
}

fn lookup(name: &Located<'_, String>, palette: &Palette) -> Result<Color, TomlError> {
    palette.get(&name.value).copied().or_else(|| parse(&name.value)).ok_or_else(|| {
        let known: Vec<_> = palette.keys().map(String::as_str).chain(SIXTEEN.map(|(name, _)| name)).collect();
        name.error(format!("{:?} is not a color{}", name.value, suggestion(&name.value, &known)))
    })
}

fn style(mut table: Table<'_>, palette: &Palette) -> Result<Style, TomlError> {
    let fg = table.text("fg")?.map(|name| lookup(&name, palette)).transpose()?;
    let bg = table.text("bg")?.map(|name| lookup(&name, palette)).transpose()?;
    let mut modifiers = Modifier::empty();
    for word in table.texts("with")? {
        let name = word.one_of(&MODIFIERS.map(|(name, _)| name))?;
        modifiers |= MODIFIERS.iter().filter(|(known, _)| *known == name).map(|(_, modifier)| *modifier).collect();
    }
    let Some(fg) = fg else { return Err(table.error("a role needs a color; give it fg = \"..\"")) };
    table.finish()?;
    let style = Style::new().fg(fg).add_modifier(modifiers);
    Ok(bg.map_or(style, |bg| style.bg(bg)))
}
