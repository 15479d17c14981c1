//! Reading ahead: on a network mount several files are waited for at once, not one after the other.

use crate::support::made;
use cspine::dicom::{KnownFiles, Scanner, load_volume_through, scan_all};
use cspine::domain::FileStamp;
use cspine::task::Cancel;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Files that are in flight at once, at the least.
const AT_ONCE: usize = 8;
/// Long enough for a slow machine under load; a passing test waits for its crowd only.
const PATIENCE: Duration = Duration::from_secs(120);

/// A mount that answers nobody until so many wait for it; from then on it answers at once.
#[derive(Default)]
struct Mount {
    waiting: Mutex<usize>,
    another: Condvar,
}

impl Mount {
    fn answer(&self) {
        let mut waiting = self.waiting.lock().expect("the count");
        *waiting += 1;
        self.another.notify_all();
        let few = |waiting: &mut usize| *waiting < AT_ONCE;
        let (waiting, late) = self.another.wait_timeout_while(waiting, PATIENCE, few).expect("the count");
        assert!(!late.timed_out(), "only {waiting} files were asked for at once");
    }
}

impl KnownFiles for &'static Mount {
    fn header(&self, _: &Path, _: FileStamp) -> Option<Vec<u8>> {
        self.answer();
        None
    }
}

#[test]
fn the_files_of_a_series_are_read_several_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    made::good_slices(folder.path(), 1..=40);
    let (studies, ..) = scan_all(&[folder.path().to_owned()], &Cancel::new());
    let mount = Arc::new(Mount::default());
    let volume = load_volume_through(&studies[0].series[0], &Cancel::new(), &|_, _| {}, &|_| mount.answer());
    assert_eq!(volume.expect("a volume").shape.slices, 40);
}

#[test]
fn headers_are_read_several_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    made::good_slices(folder.path(), 1..=40);
    let mount: &'static Mount = Box::leak(Box::default());
    let summary = Scanner::new(Box::new(mount)).scan(&[folder.path().to_owned()], &Cancel::new(), &mut |_| {});
    assert_eq!(summary.dicom, 40);
}
