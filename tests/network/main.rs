//! The network on volumes: what it computes, where, on which series, and how well.

mod compute;
mod coverage;
mod distribution;
mod evaluation;
mod real_neck;
mod series;
#[path = "../support/mod.rs"]
mod support;
mod training;
mod whole_body;
mod worker;
