//! `cargo xtask rust-worker`: the example worker in Rust, as workerd takes it.

use crate::setup::{self, Part};
use crate::toolchain::{WASM32, WasmToolchain};
use crate::{lock, paths, process::Job};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

const KRATE: &str = "keybound-example-worker";
const COMPILED: &str = "keybound_example_worker.wasm";
const PROFILE: &str = "wasm-edge";

/// Build the example worker in Rust (crates/keybound-edge/examples/worker)
///
/// Compiles it to wasm32 and makes its JavaScript bindings in target-wasm/rust-worker, which is what
/// `worker-build` does before it bundles. The tests run it in workerd.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> Result<ExitCode> {
    let folder = ensure()?;
    println!("{}", folder.strip_prefix(paths::root()).unwrap_or(&folder).display());
    Ok(ExitCode::SUCCESS)
}

/// The folder with the built worker, up to date.
pub fn ensure() -> Result<PathBuf> {
    setup::ensure(&[Part::WasmTarget, Part::WasmBindgen])?;
    let _lock = lock::take(&paths::wasm_target().join("xtask-build.lock"), "build")?;
    let toolchain = WasmToolchain::find().context("the wasm32 target is missing")?;
    toolchain
        .cargo(format!("{KRATE} for wasm32"))
        .args(["build", "--package", KRATE, "--profile", PROFILE, "--target", WASM32])
        .minutes(30)
        .run_quietly_if_fast()?;
    let folder = paths::wasm_target().join("rust-worker");
    // An error means that there was nothing of an earlier build.
    let _ = fs::remove_dir_all(&folder);
    Job::new("wasm-bindgen rust-worker", paths::tools_bin()?.join("wasm-bindgen"))
        .args(["--target", "web", "--omit-default-module-path", "--no-typescript", "--out-name", "worker", "--out-dir"])
        .args([&folder, &paths::wasm_target().join(WASM32).join(PROFILE).join(COMPILED)])
        .minutes(5)
        .run_quietly_if_fast()?;
    Ok(folder)
}
