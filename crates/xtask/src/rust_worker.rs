//! `cargo xtask rust-worker`: the example worker in Rust, as workerd takes it.

use crate::rust_example::Example;
use anyhow::Result;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLE: Example = Example {
    krate: "keybound-example-worker",
    compiled: "keybound_example_worker.wasm",
    profile: "wasm-edge",
    folder: "rust-worker",
    name: "worker",
    bindings: &["--omit-default-module-path"],
    files: &[],
};

/// Build the example worker in Rust (crates/keybound-edge/examples/worker)
///
/// Compiles it to wasm32 and makes its JavaScript bindings in target-wasm/rust-worker, which is what
/// `worker-build` does before it bundles. The tests run it in workerd.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> Result<ExitCode> {
    EXAMPLE.run()
}

/// The folder with the built worker, up to date.
pub fn ensure() -> Result<PathBuf> {
    EXAMPLE.ensure()
}
