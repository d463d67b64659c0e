//! Examples in Rust: compiled to wasm32, with the bindings that wasm-bindgen makes for them.

use crate::setup::{self, Part};
use crate::toolchain::{WASM32, WasmToolchain};
use crate::{lock, paths, process::Job};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

pub struct Example {
    pub krate: &'static str,
    /// What cargo calls the module: a program keeps its hyphens, a library does not.
    pub compiled: &'static str,
    pub profile: &'static str,
    /// Below target-wasm/.
    pub folder: &'static str,
    /// What its bindings are called.
    pub name: &'static str,
    /// wasm-bindgen's own further options.
    pub bindings: &'static [&'static str],
    /// Files beside its Cargo.toml that go along, from the top of the tree.
    pub files: &'static [&'static str],
}

impl Example {
    /// The folder with the built example, up to date.
    pub fn ensure(&self) -> Result<PathBuf> {
        setup::ensure(&[Part::WasmTarget, Part::WasmBindgen])?;
        let _lock = lock::take(&paths::wasm_target().join("xtask-build.lock"), "build")?;
        let toolchain = WasmToolchain::find().context("the wasm32 target is missing")?;
        toolchain
            .cargo(format!("{} for wasm32", self.krate))
            .args(["build", "--package", self.krate, "--profile", self.profile, "--target", WASM32])
            .minutes(30)
            .run_quietly_if_fast()?;
        let folder = paths::wasm_target().join(self.folder);
        // An error means that there was nothing of an earlier build.
        let _ = fs::remove_dir_all(&folder);
        Job::new(format!("wasm-bindgen {}", self.folder), paths::tools_bin()?.join("wasm-bindgen"))
            .args(["--target", "web", "--no-typescript", "--out-name", self.name])
            .args(self.bindings)
            .args(["--out-dir"])
            .args([&folder, &paths::wasm_target().join(WASM32).join(self.profile).join(self.compiled)])
            .minutes(5)
            .run_quietly_if_fast()?;
        for file in self.files.iter().map(|file| paths::root().join(file)) {
            let name = file.file_name().context("a file has a name")?;
            fs::copy(&file, folder.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
        }
        Ok(folder)
    }

    /// As a verb: builds it and says where it is.
    pub fn run(&self) -> Result<std::process::ExitCode> {
        let folder = self.ensure()?;
        println!("{}", folder.strip_prefix(paths::root()).unwrap_or(&folder).display());
        Ok(std::process::ExitCode::SUCCESS)
    }
}
