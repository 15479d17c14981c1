//! Asks the terminal what it can do, and decides.

use super::capabilities::{Capabilities, CellSize, GraphicsChoice, Multiplexer, Protocol, Voice};
use super::drivers::{Driver, driver};
use super::event::Reply;
use super::halfblocks::Glyphs;
use super::kitty::Commands;
use super::sixel::USUAL_REGISTERS;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long the first answers are waited for: a loaded machine behind a slow line needs this; only a terminal that answers nothing takes it all.
pub(super) const LIMIT: Duration = Duration::from_millis(800);
/// How long a terminal beyond tmux is waited for, which may have nothing to say.
const BEYOND: Duration = Duration::from_millis(500);
/// The image number of the question.
const QUERY_IMAGE: u32 = 31;
/// Device attribute: sixel graphics.
const SIXEL: u16 = 4;

/// What the surroundings say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Environment {
    term: String,
    color_term: String,
    term_program: String,
    lc_terminal: String,
    multiplexer: Option<Multiplexer>,
}

impl Environment {
    pub(super) fn read() -> Self {
        let value = |name: &str| std::env::var(name).unwrap_or_default();
        let term = value("TERM");
        let multiplexer = if !value("TMUX").is_empty() || term.starts_with("tmux") {
            Some(Multiplexer::Tmux)
        } else if !value("STY").is_empty() || term.starts_with("screen") {
            Some(Multiplexer::Screen)
        } else if under_mosh() {
            Some(Multiplexer::Mosh)
        } else {
            None
        };
        let (color_term, mut term_program) = (value("COLORTERM"), value("TERM_PROGRAM"));
        if term_program.is_empty() && !value("WT_SESSION").is_empty() {
            term_program = "Windows Terminal".into();
        }
        Self { term, color_term, term_program, lc_terminal: value("LC_TERMINAL"), multiplexer }
    }

    /// What is known of the terminal: what it told itself goes before what was passed on to us.
    fn driver(&self, answers: &Answers) -> Option<&'static Driver> {
        let told = answers.version.as_deref().unwrap_or_default();
        driver(self.multiplexer, &[told, &self.lc_terminal, &self.term_program, &self.term])
    }

    /// `TERM`, if it names a terminal that cannot move its cursor, or is empty.
    pub(super) fn without_screen(&self) -> Option<&str> {
        let term = self.term.trim();
        ["", "dumb", "unknown"].contains(&term).then_some(term)
    }

    pub(super) fn multiplexer(&self) -> Option<Multiplexer> {
        self.multiplexer
    }

    /// The questions, the one that every terminal answers last.
    pub(super) fn questions(&self) -> Vec<u8> {
        let mut out = self.graphics_question();
        out.extend_from_slice(b"\x1b[>q\x1b[16t\x1b[14t\x1b[?1;1;0S\x1b[c");
        out
    }

    /// The question about kitty's protocol alone, where it can be asked.
    pub(super) fn graphics_question(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self.multiplexer {
            // screen would take the question for a title.
            Some(Multiplexer::Screen | Multiplexer::Mosh) => {}
            Some(Multiplexer::Tmux) => Commands { pane: Some((0, 0)) }.query(QUERY_IMAGE, &mut out),
            None => Commands { pane: None }.query(QUERY_IMAGE, &mut out),
        }
        out
    }

    /// The surroundings of a program in tmux, and nothing else.
    #[cfg(test)]
    pub(super) fn in_tmux() -> Self {
        Self { multiplexer: Some(Multiplexer::Tmux), ..Self::default() }
    }
}

/// What the terminal answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answers {
    graphics: bool,
    attributes: Option<Vec<u16>>,
    cell: Option<(u16, u16)>,
    area: Option<(u16, u16)>,
    version: Option<String>,
    registers: Option<u16>,
}

impl Answers {
    /// Takes an answer in; whether it was one to these questions.
    pub(super) fn take(&mut self, reply: Reply) -> bool {
        match reply {
            Reply::Graphics { id: QUERY_IMAGE, message, .. } => self.graphics = message == "OK",
            Reply::PrimaryAttributes(attributes) => self.attributes = Some(attributes),
            Reply::CellPixels { width, height } => self.cell = Some((width, height)),
            Reply::TextAreaPixels { width, height } => self.area = Some((width, height)),
            Reply::Version(version) => self.version = Some(version),
            Reply::ColorRegisters(registers) => self.registers = Some(registers),
            Reply::Graphics { .. } | Reply::CursorPosition { .. } => return false,
        }
        true
    }

    /// Whether nothing more is to be expected: tmux answers for itself at once, the terminal beyond it takes longer.
    pub(super) fn complete(&self, environment: &Environment) -> bool {
        let beyond = environment.multiplexer == Some(Multiplexer::Tmux) && !self.graphics;
        self.attributes.is_some() && !beyond
    }

    /// How long after the questions answers are still waited for.
    pub(super) fn limit(&self) -> Duration {
        if self.attributes.is_some() { BEYOND } else { LIMIT }
    }

    /// Colour registers for sixel.
    pub(super) fn registers(&self) -> u16 {
        self.registers.unwrap_or(USUAL_REGISTERS)
    }
}

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
pub(super) fn presume(choice: GraphicsChoice, environment: &Environment, window: Window) -> Capabilities {
    let decided = decide(choice, &Answers::default(), environment, window, None);
    let protocol = if choice == GraphicsChoice::Auto { Protocol::None } else { decided.protocol };
    Capabilities { protocol, voice: Voice::Unknown, notes: Vec::new(), ..decided }
}

/// Decides what to use. `pane` is where tmux's pane lies, if tmux told.
pub(super) fn decide(
    choice: GraphicsChoice,
    answers: &Answers,
    environment: &Environment,
    window: Window,
    pane: Option<(u16, u16)>,
) -> Capabilities {
    let mut notes = Vec::new();
    let cell = cell_size(answers, window);
    let protocol = match choice {
        GraphicsChoice::Auto => best(answers, environment, pane, &mut notes),
        GraphicsChoice::Kitty => Protocol::Kitty,
        GraphicsChoice::Sixel => Protocol::Sixel,
        GraphicsChoice::Iterm2 => Protocol::Iterm2,
        GraphicsChoice::Halfblocks => Protocol::Halfblocks,
        GraphicsChoice::None => Protocol::None,
    };
    if answers.attributes.is_none() {
        let milliseconds = LIMIT.as_millis();
        notes.push(format!(
            "The terminal did not answer within {milliseconds} ms; if it shows pictures, name its protocol with --graphics."
        ));
    }
    if cell.guessed && protocol == Protocol::Sixel {
        notes.push("The terminal does not tell the size of its characters: pictures may not fill their place.".into());
    }
    if protocol == Protocol::Kitty && environment.multiplexer == Some(Multiplexer::Tmux) {
        notes.push("In tmux a picture stays on screen while you look at another tmux window.".into());
    }
    let name = answers.version.clone().or_else(|| {
        [&environment.term_program, &environment.lc_terminal, &environment.term]
            .into_iter()
            .find(|name| !name.is_empty())
            .cloned()
    });
    let truecolor = truecolor(answers, environment);
    let driver = environment.driver(answers).map(|driver| {
        let note = if driver.note.is_empty() { String::new() } else { format!("; {}", driver.note) };
        format!("{}, at best by {}{note}", driver.name, driver.best)
    });
    let multiplexer = environment.multiplexer;
    let voice = if answers.attributes.is_none() { Voice::Mute } else { Voice::Heard };
    Capabilities { protocol, cell, driver, name, multiplexer, truecolor, glyphs: glyphs(environment), voice, notes }
}

fn cell_size(answers: &Answers, window: Window) -> CellSize {
    let told = answers.cell.and_then(|(width, height)| CellSize::told(width, height));
    let by_area =
        || answers.area.and_then(|(width, height)| CellSize::told(width / window.columns, height / window.rows));
    told.or_else(by_area).or_else(|| window.cell()).unwrap_or(CellSize::GUESS)
}

/// The best protocol that the answers allow.
fn best(answers: &Answers, environment: &Environment, pane: Option<(u16, u16)>, notes: &mut Vec<String>) -> Protocol {
    let tmux = environment.multiplexer == Some(Multiplexer::Tmux);
    let mosh = environment.multiplexer == Some(Multiplexer::Mosh);
    if answers.graphics && !mosh && (!tmux || pane.is_some()) {
        return Protocol::Kitty;
    }
    if environment.multiplexer.is_none() && speaks_iterm2(answers, environment) {
        return Protocol::Iterm2;
    }
    if !mosh && answers.attributes.as_ref().is_some_and(|attributes| attributes.contains(&SIXEL)) {
        return Protocol::Sixel;
    }
    match environment.multiplexer {
        Some(Multiplexer::Tmux) => notes.push(
            "tmux lets no pictures through, so half-blocks are shown: tmux set -g allow-passthrough on, in a terminal with \
             the kitty protocol, shows them in full."
                .into(),
        ),
        Some(Multiplexer::Screen) => {
            notes.push("screen lets no pictures through, so half-blocks are shown: start cspine outside screen.".into());
        }
        Some(Multiplexer::Mosh) => {
            notes.push("mosh carries no pictures, so half-blocks are shown: ssh shows them in full.".into());
        }
        None if answers.attributes.is_some() => {
            notes.push("The terminal shows no pictures, so half-blocks are shown: kitty, WezTerm or xterm -ti vt340 do.".into());
        }
        None => {}
    }
    Protocol::Halfblocks
}

fn speaks_iterm2(answers: &Answers, environment: &Environment) -> bool {
    environment.driver(answers).is_some_and(|driver| driver.inline_images)
}

/// 24-bit colours: by `COLORTERM`, or by a name that is known to have them. tmux brings them down by itself.
fn truecolor(answers: &Answers, environment: &Environment) -> bool {
    if environment.multiplexer == Some(Multiplexer::Screen) {
        return false;
    }
    let told =
        matches!(environment.color_term.as_str(), "truecolor" | "24bit") || environment.term.ends_with("-direct");
    told || environment.driver(answers).is_some_and(|driver| driver.truecolor)
}

/// Fonts of 256 characters have no quadrants.
fn glyphs(environment: &Environment) -> Glyphs {
    let few = |name: &str| ["linux", "cons25", "dumb", "vt1", "vt2", "vt3"].iter().any(|few| name.starts_with(few));
    if few(&environment.term) { Glyphs::Halves } else { Glyphs::Quadrants }
}

/// Whether one of the processes that we come from is mosh's server.
fn under_mosh() -> bool {
    let mut process = std::process::id();
    for _ in 0..8 {
        // `pid (name) state parent …`; without /proc nothing is known.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return false };
        let Some((before, after)) = stat.rsplit_once(')') else { return false };
        if before.ends_with("(mosh-server") {
            return true;
        }
        let parent = after.split_whitespace().nth(1).and_then(|parent| parent.parse().ok());
        match parent {
            Some(parent) if parent > 1 => process = parent,
            _ => return false,
        }
    }
    false
}

/// Where tmux's pane begins on the terminal, in cells, by tmux itself.
pub(super) fn tmux_pane() -> Option<(u16, u16)> {
    let pane = std::env::var("TMUX_PANE").ok()?;
    let format = "#{pane_left} #{pane_top} #{status} #{status-position}";
    let told = Command::new("tmux")
        .args(["display-message", "-p", "-t", &pane, format])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    pane_offset(std::str::from_utf8(&told.stdout).ok()?)
}

fn pane_offset(told: &str) -> Option<(u16, u16)> {
    let mut words = told.split_whitespace();
    let (left, top) = (words.next()?.parse::<u16>().ok()?, words.next()?.parse::<u16>().ok()?);
    let status = words.next()?;
    let lines = match status {
        "off" => 0,
        "on" => 1,
        lines => lines.parse::<u16>().ok()?,
    };
    let above = if words.next() == Some("top") { lines } else { 0 };
    Some((left, top.checked_add(above)?))
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
