//! The wasm32 target: from rustup in seconds, or where rustup can fetch nothing, from Debian's own Rust and its source.

use super::debian::{self, Root};
use crate::hash::Stamp;
use crate::toolchain::{DEBIAN_CARGO, DEBIAN_LINKER, DEBIAN_RUSTC, DEBIAN_WASM32_LIB, WASM32, WasmToolchain};
use crate::{paths, process, process::Job, toolchain, ui::Step};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Fetching 20 MB takes seconds; a server that does not answer must not hold anybody up for long.
const RUSTUP_SECONDS: u64 = 60;
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];

pub fn missing() -> Result<bool> {
    Ok(match WasmToolchain::find() {
        None => true,
        Some(WasmToolchain::Default) => false,
        Some(WasmToolchain::Debian) => !debian_std_fits()?,
    })
}

pub fn install() -> Result<()> {
    if add_by_rustup(WASM32)? {
        return Ok(());
    }
    if paths::which("apt-get").is_none() {
        bail!("the Rust target {WASM32} is missing: `rustup target add {WASM32}` brings it (https://rustup.rs)");
    }
    let have_packages = [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LINKER].iter().all(|file| Path::new(file).is_file())
        && process::ask("dpkg-query", &["-W", "rustc-web", "cargo-web", "rust-web-src"]).is_some();
    if !have_packages {
        debian::apt_install(&DEBIAN_PACKAGES).with_context(|| {
            format!(
                "the Rust target {WASM32} is missing; `rustup target add {WASM32}` brings it where rustup can download"
            )
        })?;
    }
    build_debian_std()
}

/// Has rustup fetch the standard library of `target`. False if there is no rustup, or if it could not, now or a while ago.
pub fn add_by_rustup(target: &str) -> Result<bool> {
    if paths::which("rustup").is_none() {
        return Ok(false);
    }
    let failed = Stamp::at(paths::state()?.join("rustup-cannot-fetch"));
    let toolchain = process::ask("rustup", &["show", "active-toolchain"]).unwrap_or_default();
    if failed.says(&toolchain) && !is_only_hope(target) {
        return Ok(false);
    }
    let mut step = Step::start(format!("rustup target add {target}"));
    let job = Job::new("rustup target add", "rustup").args(["target", "add", target]);
    let finished = job.seconds(RUSTUP_SECONDS).run_in(&mut step)?;
    if finished.success() && toolchain::default_has(target) {
        step.done("");
        failed.remove();
        return Ok(true);
    }
    // A second try would wait as long again.
    failed.write(&toolchain)?;
    step.skipped("rustup could not fetch it");
    if is_only_hope(target) {
        bail!("`rustup target add {target}` failed\n{}", finished.report());
    }
    Ok(false)
}

/// Nothing but rustup can bring wasm32 where there are no Debian packages: worth another try each time.
fn is_only_hope(target: &str) -> bool {
    target == WASM32 && paths::which("apt-get").is_none()
}

/// Whether the library in place was built for the compiler in place (an upgrade of the packages outdates it), and
/// with the bitcode that link-time optimisation reads.
fn debian_std_fits() -> Result<bool> {
    let version = process::ask(DEBIAN_RUSTC, &["-V"]).unwrap_or_default();
    let stamp = Stamp::at(paths::state()?.join("debian-wasm32-std-with-bitcode"));
    if stamp.says(&version) {
        return Ok(true);
    }
    let probe = paths::state()?.join("probe");
    fs::create_dir_all(&probe)?;
    let source = probe.join("probe.rs");
    fs::write(&source, "#[unsafe(no_mangle)]\npub extern \"C\" fn probe(n: usize) -> usize { vec![0u8; n].len() }\n")?;
    let (source, out) = (source.to_string_lossy().into_owned(), probe.to_string_lossy().into_owned());
    let linker = format!("linker={DEBIAN_LINKER}");
    let arguments =
        ["--target", WASM32, "--edition", "2024", "--crate-type", "cdylib", "-C", "lto=fat", "-C", "panic=abort"];
    let output = ["-C", linker.as_str(), "--out-dir", out.as_str(), source.as_str()];
    let fits = process::ask(DEBIAN_RUSTC, &[&arguments[..], &output[..]].concat()).is_some();
    let _ = fs::remove_dir_all(&probe);
    if fits {
        stamp.write(&version)?;
    }
    Ok(fits)
}

/// Compiles the standard library once from `rust-web-src` and puts it where the compiler looks for it.
fn build_debian_std() -> Result<()> {
    let Some(root) = debian::as_root() else {
        bail!(
            "putting the standard library for {WASM32} into {DEBIAN_WASM32_LIB} needs root: run `sudo -v` first, then again"
        );
    };
    let mut step = Step::start(format!("standard library for {WASM32} (about a minute)"));
    let project = paths::cache()?.join("wasm32-std");
    let _ = fs::remove_dir_all(&project);
    fs::create_dir_all(project.join("src"))?;
    // The release profile stays as it is: with opt-level "z" the compiler's own multiply routines made P-256 twice as slow.
    fs::write(
        project.join("Cargo.toml"),
        "[package]\nname = \"keybound_empty\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n",
    )?;
    fs::write(project.join("src/lib.rs"), "")?;
    WasmToolchain::Debian
        .equip(Job::new("build std", DEBIAN_CARGO))
        // Without `test` in this list wasm-pack's tests do not link.
        .args(["build", "-Zbuild-std=std,panic_abort,test", "--target", WASM32, "--release"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", project.join("target"))
        // Cargo leaves the bitcode out where this profile needs none; ours do.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .dir(&project)
        .minutes(20)
        .succeed_in(&mut step)?;
    put_in_place(root, &project.join("target").join(WASM32).join("release/deps"), &mut step)?;
    fs::remove_dir_all(&project)?;
    if !debian_std_fits()? {
        bail!("the standard library for {WASM32} was built, but {DEBIAN_RUSTC} does not take it");
    }
    step.done("");
    Ok(())
}

fn put_in_place(root: Root, built: &Path, step: &mut Step) -> Result<()> {
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lib") && name.ends_with(".rlib") && !name.contains("keybound_empty")
    };
    let list = |dir: &Path| -> Vec<PathBuf> {
        fs::read_dir(dir)
            .map(|entries| entries.flatten().map(|entry| entry.path()).filter(is_library).collect())
            .unwrap_or_default()
    };
    let new = list(built);
    if new.is_empty() {
        bail!("no libraries in {}", built.display());
    }
    root.job("mkdir", "mkdir").args(["-p", DEBIAN_WASM32_LIB]).succeed_in(step)?;
    // Libraries of an older compiler beside these would be found first, and refused.
    let old = list(Path::new(DEBIAN_WASM32_LIB));
    if !old.is_empty() {
        root.job("rm", "rm").args(["-f"]).args(&old).succeed_in(step)?;
    }
    root.job("cp", "cp").args(&new).args([DEBIAN_WASM32_LIB]).succeed_in(step)?;
    Ok(())
}
