//! Files read before their turn, several at once: on a network mount each file costs some round trips, and most of them are
//! then waited for together.

use crossbeam_channel::bounded;
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Files that are read at once. They wait more than they compute, so their number has nothing to do with that of the cores.
pub(super) const READERS: usize = 8;
/// Bytes that are being read, and as many that wait to be decoded: large files are read by fewer threads.
const IN_FLIGHT: usize = 32 << 20;

/// Reads items in their order by threads of their own, and works on each with the threads of the pool that this is called in. At most
/// [`READERS`] items are being read and as many wait, fewer where one has many bytes. The results are in no certain order.
pub(super) fn read_ahead<I: Send, B: Send, T: Send>(
    items: Vec<I>,
    bytes_of_one: usize,
    read: impl Fn(&I) -> B + Sync,
    work: impl Fn(I, B) -> Vec<T> + Sync,
) -> Vec<T> {
    let count = items.len();
    let readers = (IN_FLIGHT / bytes_of_one.max(1)).clamp(1, READERS);
    let items = Mutex::new(items.into_iter());
    let next = || {
        let item = items.lock().unwrap_or_else(PoisonError::into_inner).next()?;
        let bytes = read(&item);
        Some((item, bytes))
    };
    std::thread::scope(|scope| {
        let (sender, receiver) = bounded(readers);
        for _ in 0..if count > 1 { readers.min(count) } else { 0 } {
            let (sender, next) = (sender.clone(), &next);
            let thread = std::thread::Builder::new().name("read".into()).spawn_scoped(scope, move || {
                while let Some(read) = next() {
                    // Nobody takes any more where the work has panicked.
                    if sender.send(read).is_err() {
                        return;
                    }
                }
            });
            if let Err(error) = thread {
                tracing::warn!("no thread to read ahead: {error}");
            }
        }
        drop(sender);
        // Each piece of work takes what has been read next; where no thread reads, it reads for itself.
        let taken = (0..count).into_par_iter().with_max_len(1).flat_map_iter(|_| {
            let read = receiver.recv().ok().or_else(next);
            read.map_or_else(Vec::new, |(item, bytes)| work(item, bytes))
        });
        taken.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn everything_is_worked_on_once_and_nothing_is_read_far_ahead() {
        for (count, bytes_of_one, most) in [(0, 1, READERS), (1, 1, READERS), (500, 1, READERS), (50, usize::MAX, 1)] {
            let (begun, done, farthest) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
            let read = |item: &usize| {
                let ahead = begun.fetch_add(1, Ordering::SeqCst) + 1 - done.load(Ordering::SeqCst);
                farthest.fetch_max(ahead, Ordering::SeqCst);
                item * 2
            };
            let work = |item: usize, read: usize| {
                done.fetch_add(1, Ordering::SeqCst);
                vec![(item, read)]
            };
            let mut results = read_ahead((0..count).collect(), bytes_of_one, read, work);
            results.sort_unstable();
            assert_eq!(results, (0..count).map(|item| (item, item * 2)).collect::<Vec<_>>());
            // Being read, waiting, and in the hands of each thread that works.
            let bound = 2 * most + rayon::current_num_threads();
            assert!(farthest.into_inner() <= bound, "{count} items of {bytes_of_one} bytes");
        }
    }
}
