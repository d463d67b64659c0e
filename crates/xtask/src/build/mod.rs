//! `cargo xtask build`: leaves in `dist/` what npm gets.

mod assemble;
mod wasm;

use crate::setup::{self, Part};
use crate::{lock, paths, ui};
use anyhow::Result;
use clap::ValueEnum;
use std::process::ExitCode;
use std::time::Instant;

/// Build dist/browser, dist/edge and dist/mtls-front: exactly what `npm publish` would upload
///
/// Compiles the crate to wasm32, makes its JavaScript bindings (wasm-bindgen), optimises it (wasm-opt), compiles
/// the TypeScript of pkg-templates/ and puts all of it together. Skips what is up to date.
#[derive(clap::Args)]
pub struct Args {
    /// Only this package (default: all)
    #[arg(value_enum)]
    packages: Vec<Package>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Package {
    /// @keybound/browser
    Browser,
    /// @keybound/edge
    Edge,
    /// @keybound/mtls-front, which has no module
    MtlsFront,
}

impl Package {
    /// Folder in pkg-templates/ and dist/.
    pub fn folder(self) -> &'static str {
        match self {
            Package::Browser => "browser",
            Package::Edge => "edge",
            Package::MtlsFront => "mtls-front",
        }
    }

    fn modules(self) -> &'static [Source] {
        match self {
            Package::Browser => &[Source {
                krate: "keybound-browser",
                name: "keybound_browser",
                profile: "wasm-browser",
                rust_flags: COMPACT_HASH,
                wasm_opt: SMALLEST,
                // Its TypeScript calls the module itself.
                bindings: false,
            }],
            Package::Edge => &[
                // Small first: what the speed of the rest costs is a fraction of one signature.
                Source {
                    krate: "keybound-edge",
                    name: "keybound_edge",
                    profile: "wasm-edge",
                    rust_flags: COMPACT_HASH,
                    wasm_opt: SMALLEST,
                    // As above.
                    bindings: false,
                },
                Source {
                    krate: "keybound-rustcrypto",
                    name: "keybound_rustcrypto",
                    profile: "wasm-signatures",
                    rust_flags: COMPACT_HASH,
                    // Large enough for the product of two 64-bit numbers, of which P-256 is made: a fifth faster
                    // (measured: 0.44 ms a signature instead of 0.56), for one kilobyte and a half.
                    wasm_opt: &["-O3", "--always-inline-max-function-size=80"],
                    bindings: true,
                },
            ],
            Package::MtlsFront => &[],
        }
    }
}

/// The rolled loop of SHA-256 saves a page six kilobytes, and hashes as fast in WebAssembly as the unrolled one.
const COMPACT_HASH: &[&str] = &["--cfg", "sha2_backend_soft=\"compact\""];

/// `-Oz` misses what it finds in a module whose blocks were taken apart and put together anew. By name, functions
/// stand beside their like, and compress better. Nothing of ours lies below address 1024: the stack ends there.
const SMALLEST: &[&str] =
    &["-Oz", "--flatten", "--rereloop", "-Oz", "--low-memory-unused", "--reorder-functions-by-name"];

/// A crate that becomes a module of a package.
struct Source {
    krate: &'static str,
    /// What cargo and wasm-bindgen call it.
    name: &'static str,
    profile: &'static str,
    rust_flags: &'static [&'static str],
    wasm_opt: &'static [&'static str],
    /// Whether wasm-bindgen writes its JavaScript.
    bindings: bool,
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

/// All packages, up to date.
pub fn all() -> Result<()> {
    ensure(Package::value_variants())
}

fn ensure(packages: &[Package]) -> Result<()> {
    setup::ensure(&[Part::WasmTarget, Part::WasmBindgen, Part::Npm])?;
    let _lock = lock::take(&paths::wasm_target().join("xtask-build.lock"), "build")?;
    for package in packages {
        let modules = package.modules().iter().map(wasm::build).collect::<Result<Vec<_>>>()?;
        assemble::assemble(*package, &modules)?;
    }
    Ok(())
}
