//! A line between two ends of the loopback that can be slow, and can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
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
