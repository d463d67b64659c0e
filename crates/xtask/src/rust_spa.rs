//! `cargo xtask rust-spa`: the example page in Rust, as any server of files serves it.

use crate::rust_example::Example;
use anyhow::Result;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLE: Example = Example {
    krate: "keybound-example-spa",
    compiled: "keybound-example-spa.wasm",
    profile: "wasm-browser",
    folder: "rust-spa",
    name: "spa",
    bindings: &["--omit-default-module-path"],
    files: &["crates/keybound-browser/examples/spa/index.html", "crates/keybound-browser/examples/spa/start.js"],
};

/// Build the example page in Rust (crates/keybound-browser/examples/spa)
///
/// Compiles it to wasm32, makes its JavaScript bindings and puts its page beside them, in target-wasm/rust-spa. The
/// tests open it in every engine.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> Result<ExitCode> {
    EXAMPLE.run()
}

/// The folder with the built page, up to date.
pub fn ensure() -> Result<PathBuf> {
    EXAMPLE.ensure()
}
