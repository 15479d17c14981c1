//! Connections between the program and its terminal: a TCP link that can be slow and can be cut, and a pseudo-terminal that can
//! damage images.

use crate::kitty::Kitty;
use crate::shell::in_home;
use crate::wait::until;
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use rustix::termios::{LocalModes, tcgetattr, tcgetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Passes on what comes to its port.
pub(crate) struct Link {
    port: u16,
    ends: Arc<Mutex<Vec<TcpStream>>>,
    /// Bytes that came back so far.
    carried: Arc<AtomicUsize>,
}

impl Link {
    /// A line to `port` that carries at most so many bytes a second towards the one who called.
    pub(crate) fn to(port: u16, bytes_per_second: Option<u32>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let own = listener.local_addr().expect("its port").port();
        let link = Self { port: own, ends: Arc::default(), carried: Arc::default() };
        let (ends, carried) = (Arc::clone(&link.ends), Arc::clone(&link.carried));
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let (Ok(near), Ok(far)) = (near, TcpStream::connect(("127.0.0.1", port))) else { return };
                let both = [near.try_clone().expect("a socket"), far.try_clone().expect("a socket")];
                ends.lock().unwrap_or_else(PoisonError::into_inner).extend(both);
                let (here, there) = (near.try_clone().expect("a socket"), far.try_clone().expect("a socket"));
                std::thread::spawn(move || carry(here, there, None, &AtomicUsize::new(0)));
                let carried = Arc::clone(&carried);
                std::thread::spawn(move || carry(far, near, bytes_per_second, &carried));
            }
        });
        link
    }

    /// Where it begins.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Bytes that came back so far.
    pub(crate) fn carried(&self) -> usize {
        self.carried.load(Ordering::Relaxed)
    }

    /// Ends every connection at once.
    pub(crate) fn cut(&self) {
        for end in self.ends.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, bytes_per_second: Option<u32>, carried: &AtomicUsize) {
    let begun = Instant::now();
    // What was not used in quiet times is not saved up.
    let mut free_at = begun;
    let mut bytes = [0; 1024];
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        if let Some(rate) = bytes_per_second {
            free_at = free_at.max(Instant::now()) + Duration::from_secs_f64(n as f64 / f64::from(rate));
            std::thread::sleep(free_at.saturating_duration_since(Instant::now()));
        }
        if to.write_all(&bytes[..n]).is_err() {
            break;
        }
        carried.fetch_add(n, Ordering::Relaxed);
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// How a PNG begins, in base64.
const PNG: &[u8] = b"iVBORw0KGgo";

/// The program in a pseudo-terminal of this test, whose bytes go to and come from kitty.
pub(crate) struct Damaging {
    program: Box<dyn Child + Send + Sync>,
    damages: Arc<AtomicBool>,
}

impl Damaging {
    /// Starts the program with `studies` in a kitty whose shell is idle.
    pub(crate) fn start(kitty: &Kitty, home: &Path) -> Self {
        // Nobody but this test reads what kitty sends.
        kitty.press("stty raw -echo; exec sleep 3600\r");
        let tty = kitty.tty();
        let is_raw =
            || !tcgetattr(&tty).expect("its modes").local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO);
        until("a raw terminal", || is_raw().then_some(()), || kitty.text());
        let size = tcgetwinsize(&tty).expect("its size");
        let size =
            PtySize { rows: size.ws_row, cols: size.ws_col, pixel_width: size.ws_xpixel, pixel_height: size.ws_ypixel };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut environment = Command::new("true");
        in_home(&mut environment, home);
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_cspine"));
        command.arg("studies");
        command.cwd(home);
        command.env_clear();
        command.env("TERM", "xterm-kitty");
        for (name, value) in environment.get_envs() {
            command.env(name, value.expect("a value"));
        }
        let program = pair.slave.spawn_command(command).expect("the program starts");
        let damages = Arc::new(AtomicBool::new(false));
        let (output, input) = (pair.master.try_clone_reader(), pair.master.take_writer());
        let (keys, screen) = (kitty.tty(), tty);
        let (output, mut input) = (output.expect("a reader"), input.expect("a writer"));
        std::thread::spawn(move || {
            let mut keys = keys;
            std::io::copy(&mut keys, &mut input)
        });
        let own = Arc::clone(&damages);
        // The pseudo-terminal lives as long as its program writes.
        std::thread::spawn(move || {
            let _master = pair.master;
            damage(output, screen, &own);
        });
        Self { program, damages }
    }

    /// Whether every PNG that begins from now on is damaged.
    pub(crate) fn set_damages(&self, damages: bool) {
        self.damages.store(damages, Ordering::Relaxed);
    }
}

impl Drop for Damaging {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Passes bytes on. While `damages`, the signature of each PNG is replaced, wherever a read ends.
fn damage(mut from: Box<dyn Read + Send>, mut to: File, damages: &AtomicBool) {
    let (mut held, mut bytes) = (Vec::new(), [0; 4096]);
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        held.extend_from_slice(&bytes[..n]);
        if damages.load(Ordering::Relaxed) {
            while let Some(at) = held.windows(PNG.len()).position(|window| window == PNG) {
                held[at..at + PNG.len()].fill(b'A');
            }
        }
        // What may be the beginning of a signature waits for the rest.
        let begun = (1..PNG.len()).rev().find(|n| held.ends_with(&PNG[..*n])).unwrap_or(0);
        let rest = held.split_off(held.len() - begun);
        if to.write_all(&held).is_err() {
            return;
        }
        held = rest;
    }
}
