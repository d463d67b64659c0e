//! `cargo xtask setup`: brings what building and testing need, and nothing twice.

mod debian;
mod node;
mod rust_target;
mod tools;

pub use rust_target::add_by_rustup;
pub use tools::locked_version;

use crate::{lock, paths, toolchain::WasmToolchain, ui};
use anyhow::{Result, bail};
use clap::ValueEnum;
use std::process::ExitCode;
use std::time::Instant;

/// Install what building and testing need; does nothing when all is there
///
/// Brings the wasm32 target (through rustup, or through Debian's packages where rustup can fetch nothing),
/// wasm-bindgen, wasm-pack, geckodriver, cargo-deny and cargo-fuzz (built once into the cache), browsers, their
/// drivers, Redis, nginx, HAProxy and a C++ compiler (Debian packages), and the npm packages. The other verbs
/// call it for the parts that they need.
#[derive(clap::Args)]
pub struct Args {
    /// Only these parts (default: all but wrk)
    #[arg(value_enum)]
    parts: Vec<Part>,
}

/// Something that can be missing.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The wasm32-unknown-unknown target
    WasmTarget,
    /// The wasm-bindgen tool, at the version in Cargo.lock
    WasmBindgen,
    /// wasm-pack, which runs wasm tests in browsers
    WasmPack,
    /// cargo-deny, which checks licences, bans and sources
    CargoDeny,
    /// cargo-fuzz, which builds and runs the fuzz targets
    CargoFuzz,
    /// A C++ compiler, for the fuzzer
    Cxx,
    /// The packages of package-lock.json
    Npm,
    /// Chromium
    Chromium,
    /// Chromium's WebDriver
    Chromedriver,
    /// Firefox
    Firefox,
    /// Firefox's WebDriver
    Geckodriver,
    /// WebKitGTK's WebDriver and browser, and a virtual display
    Webkit,
    /// Redis
    Redis,
    /// nginx
    Nginx,
    /// HAProxy
    Haproxy,
    /// wrk, which makes load for `bench`
    Wrk,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let started = Instant::now();
    // Only `bench served` makes load, and brings its tool itself.
    let all = Part::value_variants().iter().copied().filter(|part| *part != Part::Wrk);
    let parts: Vec<Part> = if args.parts.is_empty() { all.collect() } else { args.parts.clone() };
    ensure(&parts)?;
    if let Some(toolchain) = WasmToolchain::find() {
        eprintln!("wasm32 is compiled by {}", toolchain.describe());
    }
    eprintln!("everything is in place ({})", ui::seconds(started.elapsed()));
    Ok(ExitCode::SUCCESS)
}

/// Makes sure that `parts` are there. Says nothing if they are.
pub fn ensure(parts: &[Part]) -> Result<()> {
    let debian = debian::missing(parts);
    let tools = tools::missing(parts)?;
    let target = parts.contains(&Part::WasmTarget) && rust_target::missing()?;
    let npm = parts.contains(&Part::Npm) && node::missing()?;
    if debian.is_empty() && tools.is_empty() && !target && !npm {
        return Ok(());
    }

    let _lock = lock::take(&paths::cache()?.join("setup.lock"), "set-up")?;
    // Each is looked at again: whoever held the lock may have brought it. One that cannot be had does not keep the others away.
    let outcomes = [
        debian::install(&debian::missing(parts)),
        bring(parts, Part::WasmTarget, rust_target::missing, rust_target::install),
        tools::missing(parts).and_then(|tools| tools::install(&tools)),
        bring(parts, Part::Npm, node::missing, node::install),
    ];
    let problems: Vec<String> =
        outcomes.into_iter().filter_map(Result::err).map(|problem| format!("{problem:#}")).collect();
    if !problems.is_empty() {
        bail!("{}", problems.join("\n\n"));
    }
    Ok(())
}

fn bring(parts: &[Part], part: Part, missing: fn() -> Result<bool>, install: fn() -> Result<()>) -> Result<()> {
    if parts.contains(&part) && missing()? { install() } else { Ok(()) }
}
