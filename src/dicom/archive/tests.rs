use super::*;
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).expect("written");
    gzip.finish().expect("compressed")
}

/// A tar of one file.
fn tar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    tar.append_data(&mut header, name, bytes).expect("a member");
    tar.into_inner().expect("an archive")
}

/// A tar in a gzip file in a tar, on disk.
fn nested() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("outer.tar");
    std::fs::write(&path, tar("inner.tgz", &gzip(&tar("IM1", b"content")))).expect("written");
    (folder, path)
}

#[test]
fn an_inner_archive_is_unpacked_once_and_freed_on_request() {
    let (_folder, path) = nested();
    let archives = Archives::default();
    let member = path.join("inner.tgz/IM1");
    let first = archives.begin(&member).expect("bytes");
    assert_eq!(first, b"content");
    let bytes = |archives: &Archives| match archives.locate(&member) {
        Ok(Located::Member(archive, _)) => archive,
        _ => panic!("a member"),
    };
    assert!(Arc::ptr_eq(&bytes(&archives), &bytes(&archives)), "the same bytes every time");
    let before = bytes(&archives);
    archives.close();
    assert!(!Arc::ptr_eq(&before, &bytes(&archives)));
}

#[test]
fn an_archive_that_changed_is_opened_again() {
    let (folder, path) = nested();
    let archives = Archives::default();
    let member = path.join("inner.tgz/IM1");
    assert!(archives.has(&member));
    let other = folder.path().join("other");
    std::fs::write(&other, tar("inner.tgz", &gzip(&tar("IM2", b"content")))).expect("written");
    std::fs::rename(&other, &path).expect("replaced");
    assert!(!archives.has(&member) && archives.has(&path.join("inner.tgz/IM2")));
}

#[test]
fn those_who_load_at_the_same_time_share_archives_and_the_last_frees_them() {
    let one = Archives::shared();
    assert!(Arc::ptr_eq(&one.0, &Archives::shared().0));
    let weak = Arc::downgrade(&one.0);
    drop(one);
    // Other tests of this process may load at this moment.
    assert!(weak.upgrade().is_none_or(|cache| Arc::ptr_eq(&cache, &Archives::shared().0)));
}
