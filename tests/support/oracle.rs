//! pydicom with its decoders, asked about one file after another.

use serde::Deserialize;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What pydicom says of a file that it decodes.
#[derive(Debug, Deserialize)]
pub(crate) struct Facts {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) frames: usize,
    pub(crate) samples: usize,
    pub(crate) photometric: String,
    pub(crate) bits: u16,
    pub(crate) integers: bool,
    pub(crate) syntax: String,
    /// Slope and intercept of every frame.
    pub(crate) luts: Vec<[f64; 2]>,
    /// Lowest and highest stored value that stands for padding.
    pub(crate) padding: Option<[i32; 2]>,
    pub(crate) bytes: usize,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Decoded(Facts),
    Refused { error: String },
}

pub(crate) struct Oracle {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Oracle {
    /// The Python that `CSPINE_ORACLE_PYTHON` names has pydicom. `None`, with a word on the terminal, where it names none; a
    /// failure instead where `CSPINE_REQUIRE_PYDICOM=1` asks for it.
    pub(crate) fn start() -> Option<Self> {
        let Some(python) = std::env::var_os("CSPINE_ORACLE_PYTHON") else {
            let required = std::env::var_os("CSPINE_REQUIRE_PYDICOM").is_some_and(|value| value == "1");
            assert!(!required, "CSPINE_REQUIRE_PYDICOM=1, but CSPINE_ORACLE_PYTHON is not set");
            println!("pydicom is not asked: CSPINE_ORACLE_PYTHON is not set");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/oracle.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python starts");
        let (to, from) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Some(Self { child, to, from: BufReader::new(from) })
    }

    /// What pydicom makes of a file: facts with the stored values of all frames, or why it does not decode it.
    pub(crate) fn ask(&mut self, path: &Path) -> Result<(Facts, Vec<i32>), String> {
        writeln!(self.to, "{}", path.display()).and_then(|()| self.to.flush()).expect("pydicom listens");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("pydicom answers");
        assert!(!line.is_empty(), "pydicom ended at {}", path.display());
        match serde_json::from_str(&line).expect("an answer") {
            Answer::Refused { error } => Err(error),
            Answer::Decoded(facts) => {
                let mut bytes = vec![0; facts.bytes];
                self.from.read_exact(&mut bytes).expect("pydicom's pixels");
                let values = bytes.as_chunks().0.iter().map(|four| i32::from_le_bytes(*four)).collect();
                Ok((facts, values))
            }
        }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
