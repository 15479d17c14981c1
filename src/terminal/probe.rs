//! Asks the terminal what it can do, and decides.

use super::answers::Answers;
use super::capabilities::{Capabilities, CellSize, GraphicsChoice, Letters, Multiplexer, Protocol, Voice};
use super::drivers::{Driver, driver};
use super::halfblocks::Glyphs;
use super::inquiry::LIMIT;
use super::surroundings::Surroundings;
use super::tmux::Tmux;

/// Device attribute: sixel graphics.
const SIXEL: u16 = 4;
/// Terminals that are known to leave every character in its cell.
const IN_PLACE: [&str; 3] = ["xterm", "Linux console", "rxvt"];

/// The size of the window: cells, and pixels where the system knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) columns: u16,
    pub(super) rows: u16,
    pub(super) width: u16,
    pub(super) height: u16,
}

impl Window {
    /// The window of standard output, or of standard input.
    pub(super) fn read() -> Option<Self> {
        let read = rustix::termios::tcgetwinsize(rustix::stdio::stdout());
        let size = read.or_else(|_| rustix::termios::tcgetwinsize(rustix::stdio::stdin())).ok()?;
        let (columns, rows) = (size.ws_col, size.ws_row);
        (columns > 0 && rows > 0).then_some(Self { columns, rows, width: size.ws_xpixel, height: size.ws_ypixel })
    }

    /// The cell's size by the window's pixels.
    pub(super) fn cell(self) -> Option<CellSize> {
        CellSize::told(self.width / self.columns, self.height / self.rows)
    }
}

/// What is used until the terminal has answered: text, and pictures only by the protocol that was asked for.
pub(super) fn presume(choice: GraphicsChoice, surroundings: &Surroundings, window: Window) -> Capabilities {
    let decided = decide(choice, &Answers::default(), surroundings, window);
    let protocol = if choice == GraphicsChoice::Auto { Protocol::None } else { decided.protocol };
    Capabilities { protocol, voice: Voice::Unknown, notes: Vec::new(), ..decided }
}

/// Decides what to use.
pub(super) fn decide(
    choice: GraphicsChoice,
    answers: &Answers,
    surroundings: &Surroundings,
    window: Window,
) -> Capabilities {
    let mut notes = Vec::new();
    let environment = &surroundings.environment;
    let multiplexer = surroundings.multiplexer(answers);
    let cell = cell_size(answers, window);
    let row = row(answers, surroundings);
    let (letters, simplified) = letters(answers, surroundings, row);
    notes.extend(simplified);
    let protocol = match choice {
        GraphicsChoice::Auto => {
            let protocol = best(answers, surroundings);
            notes.extend(if protocol == Protocol::Halfblocks { why_no_images(answers, surroundings) } else { None });
            protocol
        }
        GraphicsChoice::Kitty => Protocol::Kitty,
        GraphicsChoice::Sixel => Protocol::Sixel,
        GraphicsChoice::Iterm2 => Protocol::Iterm2,
        GraphicsChoice::Halfblocks => Protocol::Halfblocks,
        GraphicsChoice::None => Protocol::None,
    };
    if answers.attributes.is_none() {
        let milliseconds = LIMIT.as_millis();
        notes.push(format!(
            "The terminal did not answer within {milliseconds} ms; if it shows images, name its protocol with --graphics."
        ));
    }
    if cell.guessed && protocol == Protocol::Sixel {
        notes.push("The terminal does not report the size of its characters: images may not fill their area.".into());
    }
    let inherited = [&environment.term_program, &environment.lc_terminal, &environment.term];
    let name = answers.version.clone().or_else(|| match multiplexer {
        Some(multiplexer) => Some(multiplexer.name().to_owned()),
        None => inherited.into_iter().find(|name| !name.is_empty()).cloned(),
    });
    let driver = row.map(|driver| {
        let note = if driver.note.is_empty() { String::new() } else { format!("; {}", driver.note) };
        format!("{}, at best by {}{note}", driver.name, driver.best)
    });
    let voice = if answers.attributes.is_none() { Voice::Mute } else { Voice::Heard };
    Capabilities {
        protocol,
        cell,
        driver,
        name,
        multiplexer,
        truecolor: truecolor(multiplexer, row, surroundings),
        letters,
        glyphs: glyphs(letters, &environment.term),
        voice,
        notes,
    }
}

/// What is known of the terminal. What it told itself goes before what was passed on to us, and inside a multiplexer nothing that
/// was passed on counts.
fn row(answers: &Answers, surroundings: &Surroundings) -> Option<&'static Driver> {
    let environment = &surroundings.environment;
    let multiplexer = surroundings.multiplexer(answers);
    let told = answers.version.as_deref().unwrap_or_default();
    if multiplexer.is_some() || !told.is_empty() {
        return driver(multiplexer, &[told, &environment.term]);
    }
    driver(None, &[&environment.lc_terminal, &environment.term_program, &environment.term])
}

/// What becomes of letters beyond ASCII, and a note where they are simplified. tmux's word about the terminals attached counts most,
/// for in its own cells every character has its width; then the width that was measured; then the locale.
fn letters(answers: &Answers, surroundings: &Surroundings, row: Option<&Driver>) -> (Letters, Option<String>) {
    let is_tmux = surroundings.is_tmux(answers);
    let measured = if is_tmux { None } else { answers.width.map(|width| width == 1) };
    let (is_utf8, note) = if let Some(is_utf8) = surroundings.tmux.is_utf8.filter(|_| is_tmux) {
        (is_utf8, "This tmux client does not use UTF-8: characters are simplified; detach, then tmux -u attach.")
    } else if let Some(is_utf8) = measured {
        (
            is_utf8,
            "This terminal does not use UTF-8: characters are simplified; switch it to UTF-8 (xterm -u8, screen -U).",
        )
    } else {
        let is_utf8 = surroundings.environment.is_locale_utf8.unwrap_or(true);
        (is_utf8, "This locale does not use UTF-8: characters are simplified; set LC_ALL=C.UTF-8 (in tmux: tmux -u).")
    };
    match is_utf8 {
        false => (Letters::Ascii, Some(note.to_owned())),
        true if row.is_some_and(|row| IN_PLACE.contains(&row.name)) => (Letters::InPlace, None),
        true => (Letters::Reordered, None),
    }
}

fn cell_size(answers: &Answers, window: Window) -> CellSize {
    let told = answers.cell.and_then(|(width, height)| CellSize::told(width, height));
    let by_area =
        || answers.area.and_then(|(width, height)| CellSize::told(width / window.columns, height / window.rows));
    told.or_else(by_area).or_else(|| window.cell()).unwrap_or(CellSize::GUESS)
}

/// The best protocol that the answers allow. Variables of the environment never do: they may be another program's.
fn best(answers: &Answers, surroundings: &Surroundings) -> Protocol {
    let multiplexer = surroundings.multiplexer(answers);
    let shows_graphics = answers.graphics == Some(true);
    let has_sixel = answers.attributes.as_ref().is_some_and(|attributes| attributes.contains(&SIXEL));
    match multiplexer {
        Some(Multiplexer::Screen | Multiplexer::Mosh | Multiplexer::Neovim) => Protocol::Halfblocks,
        Some(Multiplexer::Tmux) if shows_graphics && surroundings.tmux.passes_through() => Protocol::Kitty,
        None if shows_graphics => Protocol::Kitty,
        None if names_inline_images(&[answers.version.as_deref().unwrap_or_default()]) => Protocol::Iterm2,
        Some(Multiplexer::Tmux | Multiplexer::Zellij) | None if has_sixel => Protocol::Sixel,
        Some(Multiplexer::Tmux | Multiplexer::Zellij) | None => Protocol::Halfblocks,
    }
}

/// Whether one of these names is of a terminal that shows iTerm2's inline images.
fn names_inline_images(names: &[&str]) -> bool {
    driver(None, names).is_some_and(|driver| driver.inline_images)
}

/// Why there are only half-blocks, and what to do about it.
fn why_no_images(answers: &Answers, surroundings: &Surroundings) -> Option<String> {
    let environment = &surroundings.environment;
    let text = match surroundings.multiplexer(answers) {
        Some(Multiplexer::Tmux) => return Some(why_not_in_tmux(environment.has_tmux_socket, &surroundings.tmux)),
        Some(Multiplexer::Screen) => {
            "screen lets no images through, so half-blocks are shown: start cspine outside screen."
        }
        Some(Multiplexer::Zellij) => {
            "Zellij shows images only where the terminal around it has sixel, so half-blocks are shown: start cspine outside \
             Zellij."
        }
        Some(Multiplexer::Neovim) => {
            "Neovim's terminal shows no images, so half-blocks are shown: start cspine outside Neovim."
        }
        Some(Multiplexer::Mosh) => "mosh carries no images, so half-blocks are shown: ssh shows them in full.",
        None => {
            let claimed = [&environment.lc_terminal, &environment.term_program];
            let claimed = claimed.into_iter().find(|name| names_inline_images(&[name]));
            if let Some(name) = claimed.filter(|_| answers.version.is_none()) {
                return Some(format!(
                    "The environment names {name}, but the terminal did not confirm it, so half-blocks are shown: if the name is \
                     right, use --graphics iterm2."
                ));
            }
            answers.attributes.as_ref()?;
            "The terminal shows no images, so half-blocks are shown: kitty, WezTerm or xterm -ti vt340 do."
        }
    };
    Some(text.to_owned())
}

fn why_not_in_tmux(has_socket: bool, tmux: &Tmux) -> String {
    let terminal = tmux.terminal.as_deref().unwrap_or("the terminal");
    match tmux {
        _ if !has_socket => "This is tmux on another computer, where images cannot be placed, so half-blocks are shown: start \
                             ssh outside tmux, or tmux on this computer."
            .to_owned(),
        Tmux { within: Some(outer), .. } => format!(
            "tmux runs inside another multiplexer (TERM={outer}), which lets no images through, so half-blocks are shown: start \
             cspine in only one of them."
        ),
        Tmux { allows_passthrough: Some(false), .. } => {
            "tmux lets no images through, so half-blocks are shown: tmux set -g allow-passthrough on, then press Ctrl-L; the \
             terminal needs the kitty protocol."
                .to_owned()
        }
        Tmux { pane: None, .. } => {
            "tmux does not say where its pane is, so half-blocks are shown: check that the command tmux works here.".to_owned()
        }
        Tmux { .. } => format!(
            "{terminal} around tmux shows no images by the kitty protocol, so half-blocks are shown: attach from kitty or Ghostty."
        ),
    }
}

/// 24-bit colours: by a name that is known to have them, or by `COLORTERM` where no multiplexer inherited it. tmux brings them down
/// by itself.
fn truecolor(multiplexer: Option<Multiplexer>, row: Option<&Driver>, surroundings: &Surroundings) -> bool {
    let environment = &surroundings.environment;
    let told =
        matches!(environment.color_term.as_str(), "truecolor" | "24bit") || environment.term.ends_with("-direct");
    match multiplexer {
        Some(Multiplexer::Screen) => false,
        None | Some(Multiplexer::Mosh) => told || row.is_some_and(|row| row.truecolor),
        Some(Multiplexer::Tmux | Multiplexer::Zellij | Multiplexer::Neovim) => row.is_some_and(|row| row.truecolor),
    }
}

/// Without UTF-8 there are blanks only, and fonts of 256 characters have no quadrants.
fn glyphs(letters: Letters, term: &str) -> Glyphs {
    let few = || ["linux", "cons25", "vt1", "vt2", "vt3"].iter().any(|few| term.starts_with(few));
    match letters {
        Letters::Ascii => Glyphs::Blanks,
        Letters::Reordered | Letters::InPlace if few() => Glyphs::Halves,
        Letters::Reordered | Letters::InPlace => Glyphs::Quadrants,
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
