//! What several tests share: inputs that they make, models, and programs in pseudo-terminals.

#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod again;
pub(crate) mod corpus;
pub(crate) mod json_schema;
pub(crate) mod made;
pub(crate) mod model;
pub(crate) mod necks;
pub(crate) mod network;
pub(crate) mod onnx;
pub(crate) mod oracle;
pub(crate) mod part10;
pub(crate) mod pty;
pub(crate) mod result;
pub(crate) mod shared;
