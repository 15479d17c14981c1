//! A screen without a monitor: Xvfb, whose pixels lie in a file.

use crate::image::Image;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// An X server of its own.
pub(crate) struct Display {
    server: Child,
    folder: TempDir,
    name: String,
}

impl Display {
    /// Starts a server of this size.
    pub(crate) fn start(width: usize, height: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Command::new("Xvfb")
            // Without `-noreset` it begins anew when its last client leaves: one that moves the pointer before the terminal has
            // come would take the terminal's connection with it.
            .arg("-noreset")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", &format!("{width}x{height}x24"), "-fbdir"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        // It tells its number once it listens.
        let mut number = String::new();
        let mut byte = [0];
        let told = server.stdout.as_mut().expect("its output");
        while told.read(&mut byte).expect("a number") == 1 && byte[0] != b'\n' {
            number.push(char::from(byte[0]));
        }
        assert!(!number.is_empty(), "Xvfb listens");
        Self { server, folder, name: format!(":{number}") }
    }

    /// What `DISPLAY` says.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The file of pixels: XWD, as `XWDFile.h` describes it.
    fn file(&self) -> PathBuf {
        self.folder.path().join("Xvfb_screen0")
    }

    /// What is seen now.
    pub(crate) fn pixels(&self) -> Image {
        let bytes = std::fs::read(self.file()).expect("the screen's file");
        let word = |at: usize| {
            let four = bytes[4 * at..4 * at + 4].try_into().expect("four bytes");
            u32::from_be_bytes(four) as usize
        };
        let (header, width, height, bits, line, colours) = (word(0), word(4), word(5), word(11), word(12), word(19));
        assert_eq!((bits, word(7)), (32, 0), "four bytes a pixel, blue first");
        let first = header + 12 * colours;
        let rows = (0..height).map(|y| &bytes[first + y * line..][..4 * width]);
        let pixels = rows.flat_map(|row| row.chunks_exact(4).map(|pixel| [pixel[2], pixel[1], pixel[0]])).collect();
        Image { width, height, pixels }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
