//! Where things are: the repository, its outputs, and the cache that outlives a clone.

use anyhow::{Context, Result};
use std::env;
use std::path::{Path, PathBuf};

/// The top of the working tree.
pub fn root() -> PathBuf {
    // Cargo sets the variable at run time too, so a target directory copied from another clone does no harm.
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest = PathBuf::from(manifest);
    manifest.ancestors().nth(2).map_or_else(|| manifest.clone(), Path::to_path_buf)
}

/// What npm gets, a folder a package.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// Target directory of everything compiled for wasm32: it may be another compiler's than the native one,
/// and two compilers in one directory rebuild everything.
pub fn wasm_target() -> PathBuf {
    root().join("target-wasm")
}

/// Full output of every program that was run.
pub fn logs() -> PathBuf {
    root().join("target/xtask-logs")
}

/// A program that npm installed.
pub fn npm_bin(name: &str) -> PathBuf {
    root().join("node_modules/.bin").join(name)
}

/// Tools and set-up state, shared by all clones of one person.
pub fn cache() -> Result<PathBuf> {
    if let Some(dir) = env::var_os("KEYBOUND_CACHE") {
        return Ok(dir.into());
    }
    if let Some(dir) = env::var_os("XDG_CACHE_HOME").filter(|dir| Path::new(dir).is_absolute()) {
        return Ok(PathBuf::from(dir).join("keybound"));
    }
    let home = env::home_dir().context("no home directory: set KEYBOUND_CACHE to a directory for tools")?;
    Ok(home.join(".cache/keybound"))
}

/// Tools installed by `cargo install`.
pub fn tools_bin() -> Result<PathBuf> {
    Ok(cache()?.join("tools/bin"))
}

/// Small files that remember what was found out.
pub fn state() -> Result<PathBuf> {
    Ok(cache()?.join("state"))
}

/// Finds a program as a shell would; `/usr/sbin` is looked at too, since Debian leaves it off a person's PATH.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
}
