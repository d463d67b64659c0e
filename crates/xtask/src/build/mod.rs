//! `cargo xtask build`: leaves in `dist/` what npm gets.

mod assemble;
mod wasm;

use crate::setup::{self, Part};
use crate::{lock, paths, ui};
use anyhow::Result;
use clap::ValueEnum;
use std::process::ExitCode;
use std::time::Instant;

/// Build dist/browser and dist/edge: exactly what `npm publish` would upload
///
/// Compiles the crate to wasm32, makes its JavaScript bindings (wasm-bindgen), optimises it (wasm-opt), compiles
/// the TypeScript of pkg-templates/ and puts all of it together. Skips what is up to date.
#[derive(clap::Args)]
pub struct Args {
    /// Only this package (default: both)
    #[arg(value_enum)]
    packages: Vec<Package>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Package {
    /// @keybound/browser
    Browser,
    /// @keybound/edge
    Edge,
}

impl Package {
    /// Folder in pkg-templates/ and dist/.
    pub fn folder(self) -> &'static str {
        match self {
            Package::Browser => "browser",
            Package::Edge => "edge",
        }
    }

    fn krate(self) -> &'static str {
        match self {
            Package::Browser => "keybound-browser",
            Package::Edge => "keybound-edge",
        }
    }

    /// Name of the module that wasm-bindgen writes.
    fn module(self) -> &'static str {
        match self {
            Package::Browser => "keybound_browser",
            Package::Edge => "keybound_edge",
        }
    }

    fn profile(self) -> &'static str {
        match self {
            Package::Browser => "wasm-browser",
            Package::Edge => "wasm-edge",
        }
    }

    /// A page hashes little and waits for every byte: the rolled loop of SHA-256 saves it six kilobytes.
    fn rust_flags(self) -> &'static [&'static str] {
        &["--cfg", "sha2_backend_soft=\"compact\""]
    }

    /// Small first: what the speed of the rest costs is a fraction of one signature.
    fn wasm_opt_level(self) -> &'static str {
        "-Oz"
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let started = Instant::now();
    let packages = if args.packages.is_empty() { Package::value_variants() } else { &args.packages };
    ensure(packages)?;
    for package in packages {
        let folder = paths::dist().join(package.folder());
        println!("{}", folder.strip_prefix(paths::root()).unwrap_or(&folder).display());
    }
    eprintln!("built ({})", ui::seconds(started.elapsed()));
    Ok(ExitCode::SUCCESS)
}

/// Both packages, up to date.
pub fn all() -> Result<()> {
    ensure(Package::value_variants())
}

fn ensure(packages: &[Package]) -> Result<()> {
    setup::ensure(&[Part::WasmTarget, Part::WasmBindgen, Part::Npm])?;
    let _lock = lock::take(&paths::wasm_target().join("xtask-build.lock"), "build")?;
    for package in packages {
        let module = wasm::build(*package)?;
        assemble::assemble(*package, &module)?;
    }
    Ok(())
}
