//! The only writer of escape sequences and the only reader of standard input.
//!
//! [`Terminal::open`] takes the terminal over and asks it what it can do; [`restore_now`] gives it back, also after a panic.
//! Text and pictures go through one writer thread, the newest first: text before pictures, and never more than one
//! picture (or one screen of half-blocks) on its way before the terminal has answered. Keys, the mouse and signals come out
//! of one channel of [`Event`]s.
//!
//! What is absent: nothing here knows what the program shows, and nothing waits for a terminal that is gone.

mod alert;
mod answers;
mod burst;
mod capabilities;
mod delivery;
mod direction;
mod drivers;
mod encode;
mod engine;
mod environment;
mod errors;
mod event;
#[doc(hidden)]
pub mod fuzz;
mod gaps;
mod guard;
mod halfblocks;
mod inquiry;
mod keys;
mod keystroke;
mod kitty;
mod line;
mod output;
mod parser;
mod picture;
mod plain;
mod probe;
mod reader;
mod replies;
mod screen;
mod signals;
#[doc(hidden)]
pub mod simulated;
mod sixel;
mod surface;
mod surroundings;
mod tmux;
mod waits;
mod writer;

pub use alert::{AlertManner, Notification};
pub use capabilities::{
    Capabilities, CellSize, GraphicsChoice, Letters, Multiplexer, Protocol, UnknownGraphics, Voice,
};
#[doc(hidden)]
pub use direction::keep_columns;
pub use errors::keep_errors_in;
pub use event::{Event, Refusal};
pub use guard::restore_now;
pub use halfblocks::{Glyphs, halfblock_cells};
pub use keystroke::Keystroke;
pub use picture::{PictureKey, Placed};
#[doc(hidden)]
pub use plain::to_ascii;

use crate::raster::Quality;
use crate::task::limits;
use crossbeam_channel::{Receiver, Sender, unbounded};
use delivery::Manner;
use environment::Environment;
use event::Reply;
use inquiry::{Inquiry, Known};
use kitty::first_image;
use output::Output;
use probe::Window;
use reader::Reader;
use signals::{Listener, Stopper};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use surface::Surface;
use surroundings::{Scope, Surroundings};
use writer::{Inbox, Writer};

/// Why the terminal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Standard input or output goes elsewhere.
    #[error(
        "{0} is not a terminal: run cspine in a terminal (over ssh: ssh -t), or use a command that needs none, as cspine predict"
    )]
    NotATerminal(&'static str),
    /// `TERM` names a terminal without a screen, or none.
    #[error("{}: use a real terminal (xterm, kitty, tmux), or cspine predict, which needs none", no_screen(.0))]
    NoScreen(String),
    /// The terminal could not be taken over, or taken again.
    #[error("the terminal cannot be set up: {}; open another one and try again", limits::words(.0))]
    Take(io::Error),
    /// The system refused a thread, a signal handler or a descriptor.
    #[error("the terminal cannot be set up: {}", limits::words(.0))]
    Serve(io::Error),
    /// The screen could not be drawn.
    #[error("the screen cannot be drawn: {0}")]
    Draw(#[source] io::Error),
    /// There is no shell to go back to.
    #[error("cspine cannot be stopped here, as no shell could continue it: quit instead")]
    NoShell,
}

/// The first half of [`TerminalError::NoScreen`].
fn no_screen(term: &str) -> String {
    match term {
        "" => "TERM is not set, so cspine does not know how to draw its screen".to_owned(),
        term => format!("TERM={term} cannot show cspine's screen: it has no cursor control"),
    }
}

/// The terminal, taken over. Dropping it gives it back.
#[derive(Debug)]
pub struct Terminal {
    choice: GraphicsChoice,
    inquiry: Inquiry,
    /// The screen is drawn again once the terminal has answered.
    redraws_when_settled: bool,
    capabilities: Capabilities,
    registers: u16,
    window: Window,
    surface: Surface,
    inbox: Arc<Inbox>,
    stopper: Arc<Stopper>,
    /// Written to the end, then the reader and the listener end: answers to the last bytes are still read.
    writer: Option<Writer>,
    reader: Option<Reader>,
    listener: Option<Listener>,
    /// Inside tmux: what becomes of the pane.
    tmux: Option<tmux::Watch>,
    /// Whether the title was changed.
    titled: bool,
    /// Whether the keyboard protocol was turned on.
    keyboard: bool,
}

/// A terminal that was taken over and asked.
struct Asked {
    surroundings: Surroundings,
    window: Window,
    inquiry: Inquiry,
    reader: Reader,
}

/// Takes the terminal over, starts the reader and asks; waits for nothing.
///
/// `again` writes a question once more.
fn ask(
    mouse: bool,
    inbox: &Arc<Inbox>,
    events: Sender<Event>,
    again: impl Fn(Vec<u8>) + Send + 'static,
) -> Result<Asked, TerminalError> {
    if !rustix::termios::isatty(rustix::stdio::stdin()) {
        return Err(TerminalError::NotATerminal("standard input"));
    }
    if !rustix::termios::isatty(rustix::stdio::stdout()) {
        return Err(TerminalError::NotATerminal("standard output"));
    }
    let environment = Environment::read();
    if let Some(term) = environment.without_screen() {
        return Err(TerminalError::NoScreen(term.to_owned()));
    }
    let window = Window::read().unwrap_or(Window { columns: 80, rows: 24, width: 0, height: 0 });
    guard::enter(mouse).map_err(TerminalError::Take)?;
    let (answer, answered) = unbounded();
    let in_tmux = environment.multiplexer == Some(Multiplexer::Tmux);
    let surroundings = Surroundings { environment, ..Surroundings::default() };
    let look = {
        let environment = surroundings.environment.clone();
        move || Surroundings::look(environment.clone())
    };
    let inquiry = Inquiry::start(answered, look, events.clone(), again).map_err(TerminalError::Serve)?;
    let replies = {
        let inbox = Arc::clone(inbox);
        move |reply| {
            // Everyone answers this last; the terminal beyond tmux takes longer than tmux itself.
            if matches!(reply, Reply::PrimaryAttributes(_)) && !in_tmux {
                inbox.waits.answered();
            }
            // Without a thread that collects them, answers are the writer's alone.
            let _ = answer.send(reply.clone());
            if !surroundings::is_about_width(&reply) {
                inbox.reply(reply);
            }
        }
    };
    let reader = Reader::start(rustix::stdio::stdin(), events, replies, Arc::clone(&inbox.waits));
    let reader = reader.map_err(TerminalError::Serve)?;
    let output = Output::of_stdout().map_err(TerminalError::Serve)?;
    inbox.waits.ask(Instant::now() + inquiry::LIMIT);
    output.write_within(&surroundings.first_questions(), inquiry::LIMIT).map_err(TerminalError::Take)?;
    Ok(Asked { surroundings, window, inquiry, reader })
}

/// What the terminal can do, as lines of a label and a value, for `cspine doctor`. The terminal is taken over until it has
/// answered, for 0.8 s at most, and given back.
///
/// # Errors
/// Where standard input or output is no terminal, or it cannot be set up.
pub fn probe_report(choice: GraphicsChoice) -> Result<Vec<(&'static str, String)>, TerminalError> {
    let inbox = Arc::new(Inbox::default());
    // Keys typed meanwhile are nobody's.
    let (events, _keys) = unbounded();
    let again = |question: Vec<u8>| {
        // A terminal that takes nothing answers nothing either.
        if let Ok(output) = Output::of_stdout() {
            let _ = output.write_within(&question, inquiry::LIMIT);
        }
    };
    let asked = ask(false, &inbox, events, again);
    let known = asked.as_ref().ok().map(|asked| asked.inquiry.settle(inquiry::LIMIT * 2));
    restore_now();
    let Asked { window, .. } = asked?;
    let Known { answers, surroundings, .. } = known.unwrap_or_default();
    let (found, registers) = (probe::decide(choice, &answers, &surroundings, window), answers.registers());
    let cell = found.cell;
    let guessed = if cell.guessed { " (guessed)" } else { "" };
    let mut lines = vec![
        ("terminal", found.name.clone().unwrap_or_else(|| "unknown".into())),
        ("known as", found.driver.clone().unwrap_or_else(|| "no terminal that is known".into())),
        ("pictures", found.protocol.to_string()),
        (
            "size",
            format!("{}×{} characters of {}×{} pixels{guessed}", window.columns, window.rows, cell.width, cell.height),
        ),
        ("colours", if found.truecolor { "24 bits".into() } else { "256".to_owned() }),
        ("characters", found.letters.to_string()),
        ("multiplexer", found.multiplexer.map_or("none", Multiplexer::name).to_owned()),
    ];
    if found.protocol == Protocol::Sixel {
        lines.push(("sixel registers", registers.to_string()));
    }
    lines.extend(found.notes.into_iter().map(|note| ("note", note)));
    Ok(lines)
}

impl Terminal {
    /// Takes the terminal over: raw mode, alternate screen, bracketed paste, hidden cursor, and
    /// the mouse if wanted. Asks it what it can do;
    /// [`Event::Probed`] tells when that is known, until then there are no pictures but by a protocol that was named. A panic on this thread restores the terminal
    /// before it is reported; one on another thread goes to the log.
    ///
    /// # Errors
    /// Where standard input or output is no terminal, or the system refuses threads or handlers.
    pub fn open(choice: GraphicsChoice, mouse: bool) -> Result<(Self, Receiver<Event>), TerminalError> {
        let inbox = Arc::new(Inbox::default());
        let (events, receiver) = unbounded();
        let opened = Self::start(choice, mouse, inbox, &events);
        if opened.is_err() {
            restore_now();
        }
        Ok((opened?, receiver))
    }

    fn start(
        choice: GraphicsChoice,
        mouse: bool,
        inbox: Arc<Inbox>,
        events: &Sender<Event>,
    ) -> Result<Self, TerminalError> {
        let Asked { surroundings, window, inquiry, reader } = ask(mouse, &inbox, events.clone(), {
            let inbox = Arc::clone(&inbox);
            // Between pictures, as whatever else is no part of the screen.
            move |question| {
                inbox.waits.ask(Instant::now() + inquiry::LIMIT);
                inbox.alert(question);
            }
        })?;
        let capabilities = probe::presume(choice, &surroundings, window);
        let registers = inquiry.known().answers.registers();
        // Half-blocks need colours even where NO_COLOR asks for none; the caller leaves them out of its own styles.
        crossterm::style::force_color_output(true);
        let in_tmux = std::env::var("TMUX").is_ok_and(|tmux| tmux::socket(&tmux).is_some());
        let manner = manner(&capabilities, registers, in_tmux);
        let output = Output::of_stdout().map_err(TerminalError::Serve)?;
        let writer = Writer::start(Arc::clone(&inbox), output, manner, events.clone()).map_err(TerminalError::Serve)?;
        let stopper = Arc::new(Stopper::new(Arc::clone(&inbox), events.clone()));
        let listener = Listener::start(Arc::clone(&stopper), events.clone()).map_err(TerminalError::Serve)?;
        let tmux = in_tmux.then(|| tmux::Watch::start(Arc::clone(&inbox), events.clone()));
        let tmux = tmux.transpose().map_err(TerminalError::Serve)?;
        let mut surface = Surface::new(window, capabilities.truecolor)?;
        surface.set_letters(capabilities.letters);
        Ok(Self {
            choice,
            inquiry,
            redraws_when_settled: false,
            capabilities,
            registers,
            window,
            surface,
            inbox,
            stopper,
            writer: Some(writer),
            reader: Some(reader),
            listener: Some(listener),
            tmux,
            titled: false,
            keyboard: false,
        })
    }

    /// Takes in what the terminal has answered.
    pub fn settle(&mut self) {
        let Known { answers, surroundings, is_settled } = self.inquiry.known();
        let window = Window::read().unwrap_or(self.window);
        let before = self.capabilities.protocol;
        self.capabilities = probe::decide(self.choice, &answers, &surroundings, window);
        self.registers = answers.registers();
        self.surface.set_truecolor(self.capabilities.truecolor);
        self.surface.set_letters(self.capabilities.letters);
        self.set_manner();
        if answers.keyboard && !self.keyboard {
            self.keyboard = true;
            guard::with_keyboard();
            self.inbox.alert(guard::KEYBOARD.to_vec());
            self.inbox.waits.set_keyboard();
        }
        if before != self.capabilities.protocol && before.delivers_pixels() {
            // Nothing that was sent by the earlier protocol is there, or stays when the screen is cleared.
            self.inbox.start_over();
        } else if self.redraws_when_settled && is_settled {
            self.redraws_when_settled = false;
            self.inbox.redraw();
        }
    }

    /// Has the writer know what the terminal can do.
    fn set_manner(&self) {
        self.inbox.set_manner(manner(&self.capabilities, self.registers, self.tmux.is_some()));
        if let Some(tmux) = &self.tmux {
            tmux.set_images(self.capabilities.protocol == Protocol::Kitty);
        }
    }

    /// Asks the terminal again what it can do: another one may be there. [`Event::Probed`] follows when it has answered; until then,
    /// and if it does not answer at all, the earlier answers count. The terminal outside tmux is asked only while its answers come
    /// to this program.
    pub fn ask_again(&self) {
        self.inquiry.ask_again(Scope { beyond: true, width: false });
    }

    /// As [`Terminal::ask_again`], after a change of the window's size, if another terminal may be behind it: in a multiplexer, or
    /// if the size of a character changed, too.
    pub fn ask_after_resize(&self) {
        let cell = Window::read().unwrap_or(self.window).cell();
        if self.capabilities.multiplexer.is_some() || cell != self.window.cell() {
            self.ask_again();
        }
    }

    /// Asks the terminal again, whether it uses UTF-8, too, then clears the screen and writes it, and the images on it, again.
    pub fn ask_and_redraw(&mut self) {
        if self.capabilities.voice == Voice::Heard {
            self.redraws_when_settled = true;
            self.inquiry.ask_again(Scope::ALL);
        } else {
            self.inbox.redraw();
            self.ask_again();
        }
    }

    /// What the terminal can do, as far as it has answered; the cell's size follows the window's.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Columns and rows of the window, now.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        let window = Window::read().unwrap_or(self.window);
        (window.columns, window.rows)
    }

    /// Draws the text of the screen. It never waits for the terminal: a frame that is not yet written when the next one
    /// comes is left out.
    ///
    /// # Errors
    /// None in practice: drawing happens in memory.
    pub fn draw(&mut self, render: impl FnOnce(&mut ratatui::Frame<'_>)) -> Result<(), TerminalError> {
        self.follow_window();
        let frame = self.surface.draw(self.window, render)?;
        self.inbox.draw(frame);
        Ok(())
    }

    /// Takes over another size of the window, of its cells, and of tmux's panes.
    fn follow_window(&mut self) {
        let window = Window::read().unwrap_or(self.window);
        if window == self.window {
            return;
        }
        self.window = window;
        if let Some(cell) = window.cell() {
            self.capabilities.cell = cell;
        }
        self.set_manner();
    }

    /// The pictures that are to be on screen from now on, in place of all earlier ones; the latest call wins. Each is answered
    /// by [`Event::PictureShown`], unless a newer call overtakes it. Nothing is shown before the first [`Terminal::draw`].
    pub fn show(&self, pictures: Vec<Placed>) {
        self.inbox.show(pictures);
    }

    /// A picture that will probably be wanted next: stored by the terminal in idle time, where its protocol can, and
    /// forgotten when another picture is shown.
    pub fn prefetch(&self, picture: Placed) {
        self.inbox.prefetch(picture);
    }

    /// How exact pictures are to be from now on, and the most bytes a second that may be written for them.
    pub fn tune(&self, quality: Quality, bytes_per_second: Option<u64>) {
        self.inbox.tune(quality, bytes_per_second);
    }

    /// Takes all pictures away and writes the whole screen again.
    pub fn clear_all(&mut self) {
        self.inbox.show(Vec::new());
        self.inbox.redraw();
    }

    /// Tells a reader who looks elsewhere, in the manner given.
    pub fn alert(&mut self, manner: AlertManner, text: &str) {
        let plain = if self.capabilities.letters == Letters::Ascii { plain::text(text) } else { text.to_owned() };
        let bytes = manner.bytes(&plain, !self.titled);
        self.titled |= manner.title;
        if !bytes.is_empty() {
            self.inbox.alert(bytes);
        }
    }

    /// Clears the screen and writes it, and the pictures on it, again.
    pub fn redraw(&mut self) {
        self.inbox.redraw();
    }

    /// Gives the terminal back and stops the program (Ctrl-Z); returns when it is continued. [`Event::Resumed`] follows, and
    /// the pictures are sent again.
    ///
    /// # Errors
    /// [`TerminalError::NoShell`] where nothing could continue the program; or the terminal is gone.
    pub fn suspend(&mut self) -> Result<(), TerminalError> {
        self.stopper.stop()
    }

    /// Gives the terminal back: within a second, even where the terminal no longer answers.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.close();
        }
        self.inquiry.settle(inquiry::LIMIT);
        restore_now();
        if self.titled
            && let Ok(output) = Output::of_stdout()
        {
            // A terminal that is gone has no title.
            let _ = output.write_within(alert::GIVE_TITLE_BACK, Duration::from_millis(100));
        }
        drop(self.reader.take());
        drop(self.listener.take());
    }
}

fn manner(capabilities: &Capabilities, registers: u16, through_tmux: bool) -> Manner {
    let (protocol, cell) = (capabilities.protocol, capabilities.cell);
    Manner { protocol, cell, registers, through_tmux, first_image: first_image(), voice: capabilities.voice }
}
