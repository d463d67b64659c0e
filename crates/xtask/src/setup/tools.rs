//! Tools that `cargo install` builds, each at one exact version, in the cache.

use super::Part;
use crate::{paths, process, process::Job, ui::Step};
use anyhow::{Context, Result, bail};
use std::fs;

/// A tool and the version that it must have.
pub struct Tool {
    krate: &'static str,
    binary: &'static str,
    version: String,
    /// wasm-bindgen-cli 0.2.130 installs without it, not with it.
    locked: bool,
}

fn wanted(part: Part) -> Result<Option<Tool>> {
    let pinned = |krate, binary, version: &str| Some(Tool { krate, binary, version: version.to_owned(), locked: true });
    Ok(match part {
        // Tool and crate must be of one version.
        Part::WasmBindgen => Some(Tool {
            krate: "wasm-bindgen-cli",
            binary: "wasm-bindgen",
            version: locked_version("wasm-bindgen")?,
            locked: false,
        }),
        Part::WasmPack => pinned("wasm-pack", "wasm-pack", "0.15.1"),
        Part::Geckodriver => pinned("geckodriver", "geckodriver", "0.37.1"),
        Part::CargoDeny => pinned("cargo-deny", "cargo-deny", "0.20.2"),
        Part::CargoFuzz => pinned("cargo-fuzz", "cargo-fuzz", "0.13.2"),
        _ => None,
    })
}

pub fn missing(parts: &[Part]) -> Result<Vec<Tool>> {
    let bin = paths::tools_bin()?;
    let mut missing = Vec::new();
    for part in parts {
        if let Some(tool) = wanted(*part)? {
            let found = process::ask(bin.join(tool.binary), &["--version"]).unwrap_or_default();
            // "wasm-bindgen 0.2.130", "geckodriver 0.37.1 (...)"
            if found.split_whitespace().nth(1) != Some(tool.version.as_str()) {
                missing.push(tool);
            }
        }
    }
    Ok(missing)
}

pub fn install(tools: &[Tool]) -> Result<()> {
    if tools.is_empty() {
        return Ok(());
    }
    let cache = paths::cache()?;
    // Shared while installing, since the tools have much in common; of no use afterwards.
    let target = cache.join("tools/target");
    for (index, tool) in tools.iter().enumerate() {
        let mut step = Step::start(format!(
            "{} {} ({} of {}, minutes each)",
            tool.krate,
            tool.version,
            index.saturating_add(1),
            tools.len()
        ));
        let finished = Job::new(format!("install {}", tool.krate), "cargo")
            .args([
                "install",
                tool.krate,
                "--version",
                &format!("={}", tool.version),
                "--force",
                "--no-track",
                "--root",
            ])
            .args([cache.join("tools")])
            .args(tool.locked.then_some("--locked"))
            .env("CARGO_TARGET_DIR", &target)
            .env_remove("CARGO_BUILD_TARGET")
            // Not below a project with settings of its own.
            .dir(&cache)
            .minutes(40)
            .run_in(&mut step)?;
        if !finished.success() {
            step.failed("");
            bail!("`cargo install {} --version {}` failed\n{}", tool.krate, tool.version, finished.report());
        }
        step.done("");
    }
    let _ = fs::remove_dir_all(target);
    Ok(())
}

/// The version of `krate` in Cargo.lock.
pub fn locked_version(krate: &str) -> Result<String> {
    let lock = fs::read_to_string(paths::root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    version_in(&lock, krate).with_context(|| format!("Cargo.lock names no {krate}"))
}

fn version_in(lock: &str, krate: &str) -> Option<String> {
    let mut lines = lock.lines();
    lines.find(|line| *line == format!("name = \"{krate}\""))?;
    Some(lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn the_version_is_that_of_the_crate_with_exactly_this_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-backend\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in(lock, "wasm"), None);
    }
}
