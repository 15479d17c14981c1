//! The real program in a pseudo-terminal. Everything waits for a condition on the screen, never for a time.

#![allow(dead_code, reason = "each test program uses its own part")]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Long enough for a slow machine under load; a passing test waits for its condition only.
const PATIENCE: Duration = Duration::from_secs(300);

/// A character, and the question where it ended.
const WIDTH_QUESTION: &[u8] = b"\xc3\xa4\x1b[6n";

/// Asks whether graphics by kitty's protocol are shown; the number of an image follows.
const GRAPHICS_QUESTION: &[u8] = b"\x1b_Ga=q,i=";

fn cells(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("a screen")
}

/// Whether a line of text is asked for with this sign, and holds this text so far: in a row, or in a box in the column of the panel. An
/// editor of several lines has the text below its sign, which is the box's title there.
pub(crate) fn is_asked(screen: &str, sign: &str, text: &str) -> bool {
    let lines: Vec<&str> = screen.lines().collect();
    let begins = |line: &str, with: &str| line.split('│').any(|part| part.trim_start().starts_with(with));
    let title = format!("╭ {} ", sign.trim_end().trim_end_matches(':'));
    let below = |two: &[&str]| (begins(two[0], sign.trim_end()) || two[0].contains(&title)) && begins(two[1], text);
    lines.iter().any(|line| begins(line, &format!("{sign}{text}"))) || lines.windows(2).any(below)
}

/// The program and what it has drawn.
pub(crate) struct Program {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Arc<Mutex<(vt100::Parser, Vec<u8>)>>,
    answers: bool,
    /// Cells that a character of two bytes takes, for whoever asks how wide it is: more than one without UTF-8.
    pub(crate) width: u16,
    /// Its device attributes.
    pub(crate) attributes: &'static str,
    /// Whether it says that it shows graphics by kitty's protocol; of images it acknowledges none.
    pub(crate) claims_graphics: bool,
}

impl Program {
    /// As [`Program::start`], in a terminal that answers no question.
    pub(crate) fn start_mute(arguments: &[&str], home: &Path, columns: u16, rows: u16) -> Self {
        let mut program = Self::start(arguments, home, columns, rows);
        program.answers = false;
        program
    }

    /// Starts cspine with arguments and a home folder.
    pub(crate) fn start(arguments: &[&str], home: &Path, columns: u16, rows: u16) -> Self {
        Self::start_with(&[], arguments, home, columns, rows)
    }

    /// As [`Program::start`], with more variables in its environment.
    pub(crate) fn start_with(
        variables: &[(&str, &str)],
        arguments: &[&str],
        home: &Path,
        columns: u16,
        rows: u16,
    ) -> Self {
        let command: Vec<&str> =
            std::iter::once(env!("CARGO_BIN_EXE_cspine")).chain(arguments.iter().copied()).collect();
        Self::run(&command, variables, home, columns, rows)
    }

    /// Starts any program.
    pub(crate) fn run(command_line: &[&str], variables: &[(&str, &str)], home: &Path, columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: columns * 8, pixel_height: rows * 16 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(command_line[0]);
        command.args(&command_line[1..]);
        command.env_clear();
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.cwd(home);
        for name in ["PATH", "ORT_DYLIB_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let output = Arc::new(Mutex::new((vt100::Parser::new(cells(rows), cells(columns), 0), Vec::new())));
        std::thread::spawn({
            let output = Arc::clone(&output);
            move || {
                let mut bytes = [0; 65_536];
                while let Ok(n @ 1..) = reader.read(&mut bytes) {
                    let mut output = output.lock().expect("the output");
                    output.0.process(&bytes[..n]);
                    output.1.extend_from_slice(&bytes[..n]);
                }
            }
        });
        Self {
            master: pair.master,
            writer,
            child,
            output,
            answers: true,
            width: 1,
            attributes: "62",
            claims_graphics: false,
        }
    }

    /// From now on it answers no question.
    pub(crate) fn mute(&mut self) {
        self.answers = false;
    }

    /// The screen's text.
    pub(crate) fn screen(&self) -> String {
        self.output.lock().expect("the output").0.screen().contents()
    }

    /// Every byte written so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.output.lock().expect("the output").1.clone()
    }

    /// Types a line of text and takes it: the key that asks for it, the text once the line shows its `sign`, and Enter once the
    /// text is there. All at once would be pasted text.
    pub(crate) fn type_line(&mut self, (key, sign): (&str, &str), text: &str) {
        self.type_text((key, sign), text);
        self.press("\r");
    }

    /// As [`Program::type_line`], without Enter.
    pub(crate) fn type_text(&mut self, (key, sign): (&str, &str), text: &str) {
        self.press(key);
        self.wait_for("the line of text", |screen| is_asked(screen, sign, ""));
        self.press(text);
        self.wait_for("the text", |screen| is_asked(screen, sign, text));
    }

    /// Types.
    pub(crate) fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).expect("the program reads keys");
    }

    /// Answers the question that fences frames (`CSI 6n`), as a terminal does, until the condition holds for the screen.
    pub(crate) fn wait_for(&mut self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        self.wait_for_bytes(what, |_, screen| condition(screen))
    }

    /// As [`Program::wait_for`], for a condition on what was written so far, too.
    pub(crate) fn wait_for_bytes(&mut self, what: &str, condition: impl Fn(&[u8], &str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            self.answer();
            let screen = self.screen();
            if condition(&self.output.lock().expect("the output").1, &screen) {
                return screen;
            }
            assert!(begun.elapsed() < PATIENCE, "waiting in vain for {what}; the screen shows:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Answers cursor position reports and device attributes that were asked for since the last call.
    fn answer(&mut self) {
        if !self.answers {
            return;
        }
        let mut output = self.output.lock().expect("the output");
        let count = |needle: &[u8]| output.1.windows(needle.len()).filter(|window| *window == needle).count();
        let (widths, positions, attributes) = (count(WIDTH_QUESTION), count(b"\x1b[6n"), count(b"\x1b[c"));
        // What was answered is blotted out, so that it is counted once.
        for needle in [&b"\x1b[6n"[..], &b"\x1b[c"[..]] {
            let mut at = 0;
            while let Some(found) = output.1[at..].windows(needle.len()).position(|window| window == needle) {
                output.1[at + found] = b'.';
                at += found + 1;
            }
        }
        let mut graphics = Vec::new();
        while self.claims_graphics
            && let Some(found) =
                output.1.windows(GRAPHICS_QUESTION.len()).position(|window| window == GRAPHICS_QUESTION)
        {
            let at = found + GRAPHICS_QUESTION.len();
            graphics.push(
                output.1[at..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit())
                    .map(|byte| char::from(*byte))
                    .collect::<String>(),
            );
            output.1[found] = b'.';
        }
        drop(output);
        for id in graphics {
            self.press(&format!("\x1b_Gi={id};OK\x1b\\"));
        }
        for _ in 0..widths {
            self.press(&format!("\x1b[4;{}R", self.width + 1));
        }
        for _ in widths..positions {
            self.press("\x1b[1;1R");
        }
        for _ in 0..attributes {
            self.press(&format!("\x1b[?{}c", self.attributes));
        }
    }

    /// Gives the window another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.output.lock().expect("the output").0.screen_mut().set_size(cells(rows), cells(columns));
        let size = PtySize { rows, cols: columns, pixel_width: columns * 8, pixel_height: rows * 16 };
        self.master.resize(size).expect("a resize");
    }

    /// Ends the program without a warning (SIGKILL) and gives the screen as it was left, all that was written before being on it.
    pub(crate) fn killed(mut self) -> String {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("its end");
        let begun = Instant::now();
        // The reader lets go of the output once nothing comes any more.
        while Arc::strong_count(&self.output) > 1 {
            assert!(begun.elapsed() < PATIENCE, "the pseudo-terminal does not end");
            std::thread::sleep(Duration::from_millis(1));
        }
        self.screen()
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().expect("a running program")
    }

    /// Waits for the end and returns the exit code.
    pub(crate) fn wait(&mut self) -> u32 {
        let begun = Instant::now();
        loop {
            self.answer();
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.exit_code();
            }
            assert!(begun.elapsed() < PATIENCE, "the program does not end; the screen shows:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
