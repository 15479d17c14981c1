//! The code's shape: which module may know which, who may use which crate, and how long a file gets.
//!
//! Test code inside `src` is left out: a test may reach for a phantom wherever it likes.

use std::fs;
use std::path::{Path, PathBuf};

/// A module and the modules it may know besides itself: `domain ← {results, dicom, nifti, raster, inference, phantom, evaluation, agreement, store,
/// task} ← app ←
/// {config, theme, ui} ← {terminal, runtime} ← cli ← main`, and within that order no more than is needed.
const MAY_KNOW: &[(&str, &[&str])] = &[
    // A crate of its own, which knows nothing of cspine.
    ("resample", &[]),
    ("domain", &[]),
    ("task", &["domain"]),
    ("results", &["domain"]),
    ("dicom", &["domain", "task", "results"]),
    ("raster", &["domain", "task"]),
    ("inference", &["domain", "task", "dicom"]),
    ("nifti", &["domain"]),
    ("phantom", &["domain", "task", "dicom", "nifti"]),
    ("evaluation", &["domain", "nifti"]),
    ("agreement", &["domain", "evaluation"]),
    ("store", &["domain", "task"]),
    // What the scan and the worker tell are messages of the app; it calls neither.
    ("app", &["domain", "task", "raster", "dicom", "inference"]),
    // Of inference, the names of engines.
    ("config", &["domain", "raster", "inference", "app"]),
    // The strict reader of TOML is shared.
    ("theme", &["config"]),
    ("ui", &["domain", "task", "raster", "app", "config", "theme"]),
    ("terminal", &["domain", "task", "raster"]),
    (
        "runtime",
        &[
            "domain",
            "task",
            "dicom",
            "raster",
            "inference",
            "phantom",
            "store",
            "app",
            "config",
            "theme",
            "ui",
            "terminal",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "task",
            "results",
            "dicom",
            "raster",
            "inference",
            "phantom",
            "nifti",
            "evaluation",
            "agreement",
            "store",
            "app",
            "config",
            "theme",
            "ui",
            "terminal",
            "runtime",
        ],
    ),
    ("main", &["cli"]),
];

/// A crate, by the beginning of its name, and the paths under which it may be named.
const MAY_USE: &[(&str, &[&str])] = &[
    ("dicom_", &["dicom.rs", "dicom/"]),
    ("ort", &["inference/session.rs", "inference/library.rs"]),
    ("crossterm", &["config/", "terminal.rs", "terminal/", "runtime.rs", "runtime/"]),
    ("ratatui", &["ui.rs", "ui/", "theme.rs", "theme/", "terminal.rs", "terminal/", "runtime.rs", "runtime/"]),
    ("embedded_graphics", &["raster.rs", "raster/"]),
    ("fast_image_resize", &["resample/"]),
    ("cspine_resample", &["terminal/encode.rs"]),
    ("notify", &["runtime/watch.rs"]),
    ("rusqlite", &["store.rs", "store/"]),
    ("jiff", &["domain/stamp.rs", "runtime/clock.rs"]),
    ("indicatif", &["cli.rs", "cli/"]),
    ("nucleo_matcher", &["app/palette.rs"]),
    ("clap_", &["cli/completions.rs", "cli/man.rs"]),
    ("schemars", &["results/document.rs", "results/document/"]),
];

struct File {
    /// Path below `src`, with `/`.
    path: String,
    text: String,
}

impl File {
    /// The top-level module: `dicom` for `dicom/scan.rs`.
    fn module(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap_or_default()
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs") || self.path.contains("/tests/")
    }

    /// The text without comments and without an inner test module; texts in quotes are emptied unless they are wanted.
    fn code(&self, with_texts: bool) -> String {
        let code = without_comments(&self.text, with_texts);
        let tests =
            code.find("#[cfg(test)]\nmod ").filter(|&at| !code[at..].lines().nth(1).unwrap_or("").ends_with(';'));
        code[..tests.unwrap_or(code.len())].to_owned()
    }
}

fn sources() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the sources") {
            let path: PathBuf = entry.expect("the sources").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
                files.push(File { path: below, text: fs::read_to_string(&path).expect("the sources") });
            }
        }
    }
    assert!(files.len() > 20, "the sources are where this test looks");
    files
}

/// Rust's text with comments blanked and, unless they are wanted, the insides of texts and characters too.
fn without_comments(text: &str, with_texts: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    let starts = |at: usize, what: &str| what.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    while at < chars.len() {
        let rest = &chars[at..];
        let begin = at;
        if starts(at, "//") {
            at += rest.iter().position(|&c| c == '\n').unwrap_or(rest.len());
            continue;
        }
        if starts(at, "/*") {
            let mut depth = 0;
            loop {
                if starts(at, "/*") {
                    depth += 1;
                    at += 2;
                } else if starts(at, "*/") {
                    depth -= 1;
                    at += 2;
                } else {
                    at += 1;
                }
                if depth == 0 || at >= chars.len() {
                    break;
                }
            }
            continue;
        }
        let hashes = if rest[0] == 'r' { rest[1..].iter().take_while(|&&c| c == '#').count() } else { 0 };
        let raw =
            rest[0] == 'r' && rest.get(1 + hashes) == Some(&'"') && !code.ends_with(|c: char| c.is_alphanumeric());
        if raw {
            let close: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            at += hashes + 2;
            while at < chars.len() && !starts(at, &close) {
                at += 1;
            }
            at = (at + close.len()).min(chars.len());
        } else if rest[0] == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at = (at + 1).min(chars.len());
        } else if rest[0] == '\'' && (rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'')) {
            at += if rest.get(1) == Some(&'\\') { 3 } else { 2 };
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at = (at + 1).min(chars.len());
        } else {
            code.push(rest[0]);
            at += 1;
            continue;
        }
        if with_texts {
            code.extend(&chars[begin..at]);
        } else {
            code.push_str("\"\"");
        }
    }
    code
}

/// The top-level modules that code names by `crate::`, `cspine::` or enough `super::`.
fn modules_named(code: &str, path: &str) -> Vec<String> {
    let depth = if path.contains('/') { path.matches('/').count() + 1 } else { 1 };
    let root_by_super = "super::".repeat(depth);
    let mut named = Vec::new();
    for prefix in ["crate::", "cspine::", root_by_super.as_str()] {
        for (at, _) in code.match_indices(prefix) {
            let whole_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '$'));
            if whole_word {
                named.extend(first_names(&code[at + prefix.len()..]));
            }
        }
    }
    named
}

/// The first names after a path's prefix: one, or those of a group in braces.
fn first_names(rest: &str) -> Vec<String> {
    let word =
        |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let mut names = vec![word(group)];
    let mut depth = 1;
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(word(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn may_know(module: &str) -> Option<&'static [&'static str]> {
    MAY_KNOW.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed)
}

/// What a file knows and should not.
fn wrong_arrows(file: &File) -> Vec<String> {
    let module = file.module();
    let Some(allowed) = may_know(module) else {
        return vec![format!("{}: {module} has no place in the order", file.path)];
    };
    modules_named(&file.code(false), &file.path)
        .into_iter()
        .filter(|named| named != module && may_know(named).is_some() && !allowed.contains(&named.as_str()))
        .map(|named| format!("{}: {module} must not know {named}", file.path))
        .collect()
}

/// The crates that a file names and should not.
fn wrong_crates(file: &File) -> Vec<String> {
    let code = file.code(false);
    let uses = |name: &str| {
        code.match_indices(name).any(|(at, _)| {
            let before = code[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':'));
            let after = &code[at + name.len()..];
            let rest = after.trim_start_matches(|c: char| name != "ort" && (c.is_alphanumeric() || c == '_'));
            !before && rest.starts_with("::")
        })
    };
    MAY_USE
        .iter()
        .filter(|(name, places)| !places.iter().any(|place| file.path.starts_with(place)) && uses(name))
        .map(|(name, _)| format!("{}: only {:?} may use {name}", file.path, places(name)))
        .collect()
}

fn places(name: &str) -> &'static [&'static str] {
    MAY_USE.iter().find(|(known, _)| *known == name).map_or(&[], |(_, places)| places)
}

#[test]
fn dependencies_point_one_way() {
    let wrong: Vec<_> =
        sources().iter().filter(|file| file.path != "lib.rs" && !file.is_test()).flat_map(wrong_arrows).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_module_has_its_place() {
    let lib = sources().into_iter().find(|file| file.path == "lib.rs").expect("lib.rs");
    for line in lib.text.lines() {
        if let Some(module) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) {
            assert!(may_know(module).is_some(), "{module} has no place in the order of dependencies");
        }
    }
    // The order has no circle: a module knows only modules that stand above it in the table.
    for (index, (module, allowed)) in MAY_KNOW.iter().enumerate() {
        for known in *allowed {
            assert!(
                MAY_KNOW[..index].iter().any(|(above, _)| above == known),
                "{module} knows {known}, which is not above it"
            );
        }
    }
}

#[test]
fn crates_stay_where_they_belong() {
    let wrong: Vec<_> = sources().iter().filter(|file| !file.is_test()).flat_map(wrong_crates).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_terminal_writes_escape_sequences() {
    let wrong: Vec<_> = sources()
        .into_iter()
        .filter(|file| file.module() != "terminal" && !file.is_test())
        .filter(|file| {
            let code = file.code(true).to_lowercase();
            ["\\x1b", "\\u{1b}", "\\u{001b}", "\u{1b}"].iter().any(|escape| code.contains(escape))
        })
        .map(|file| file.path)
        .collect();
    assert!(wrong.is_empty(), "escape sequences in {wrong:?}");
}

#[test]
fn files_stay_short_and_are_named_after_their_module() {
    let files = sources();
    let mod_rs: Vec<_> = files.iter().filter(|file| file.path.ends_with("mod.rs")).map(|file| &file.path).collect();
    assert!(mod_rs.is_empty(), "use foo.rs beside foo/: {mod_rs:?}");
    let mut lengths: Vec<_> = files.iter().map(|file| (file.text.lines().count(), &file.path)).collect();
    lengths.sort();
    let (longest, path) = lengths[lengths.len() - 1];
    assert!(longest <= 600, "{path} has {longest} lines; divide it");
    let (median, _) = lengths[lengths.len() / 2];
    assert!(median < 200, "the median of file lengths is {median} lines");
}

/// The tests above can fail: planted mistakes are found, and look-alikes are not.
#[test]
fn planted_mistakes_are_found() {
    let arrows = |path: &str, text: &str| wrong_arrows(&File { path: path.to_owned(), text: text.to_owned() }).len();
    assert_eq!(arrows("dicom/scan.rs", "use crate::ui::Frame;"), 1);
    assert_eq!(arrows("domain.rs", "fn f() { crate::dicom::scan() }"), 1);
    assert_eq!(arrows("raster/view.rs", "use crate::{domain::{Volume, Uid}, app::Model, ui};"), 2);
    assert_eq!(arrows("raster/view.rs", "use super::super::runtime::run;"), 1);
    assert_eq!(arrows("terminal.rs", "use super::app::Model;"), 1);
    assert_eq!(arrows("main.rs", "use cspine::domain::Uid;"), 1);
    assert_eq!(arrows("elsewhere.rs", ""), 1);
    assert_eq!(
        arrows("app/model.rs", "use crate::domain::Uid; // crate::ui\n/* crate::ui */ const A: &str = \"crate::ui\";"),
        0
    );
    assert_eq!(arrows("dicom.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n use crate::phantom::Neck;\n}"), 0);
    assert_eq!(arrows("app/model.rs", "const A: char = '\"'; use crate::ui::B; const C: char = '\"';"), 1);
    assert_eq!(
        arrows("app/model.rs", "const A: &str = r#\"crate::ui\"#; fn f<'a>(b: &'a str) { crate::cli::run(b) }"),
        1
    );

    let crates = |path: &str, text: &str| wrong_crates(&File { path: path.to_owned(), text: text.to_owned() }).len();
    assert_eq!(crates("app.rs", "use ratatui::style::Style; use crossterm::event::KeyEvent;"), 2);
    assert_eq!(crates("inference/worker.rs", "let s = ort::session::Session::builder();"), 1);
    assert_eq!(crates("inference/session.rs", "use ort::session::Session;"), 0);
    assert_eq!(crates("cli/inspect.rs", "use dicom_core::Tag;"), 1);
    assert_eq!(crates("cli/inspect.rs", "use crate::dicom::scan; fn f() { sort::<u8>(); support::x() }"), 0);
}
