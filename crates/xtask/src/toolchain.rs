//! Which Rust compiles what: native code with the `cargo` on PATH, wasm32 with whatever has that target.

use crate::{paths, process, process::Job};
use std::path::{Path, PathBuf};
use std::{env, fs};

pub const WASM32: &str = "wasm32-unknown-unknown";
pub const DEBIAN_CARGO: &str = "/usr/bin/cargo";
pub const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
pub const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-22";
pub const DEBIAN_WASM32_LIB: &str = "/usr/lib/rustlib/wasm32-unknown-unknown/lib";

/// A compiler that can build for wasm32.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum WasmToolchain {
    /// The `cargo` on PATH, to which rustup added the target.
    Default,
    /// Debian's packages, with a standard library built from their source.
    Debian,
}

impl WasmToolchain {
    /// Looks, and changes nothing.
    pub fn find() -> Option<Self> {
        if default_has(WASM32) {
            return Some(WasmToolchain::Default);
        }
        debian_has_std().then_some(WasmToolchain::Debian)
    }

    pub fn describe(self) -> &'static str {
        match self {
            WasmToolchain::Default => "the default toolchain",
            WasmToolchain::Debian => "Debian's rustc-web",
        }
    }

    /// `cargo` of this toolchain.
    pub fn cargo(self, name: impl Into<String>) -> Job {
        match self {
            WasmToolchain::Default => self.equip(Job::new(name, "cargo")),
            WasmToolchain::Debian => self.equip(Job::new(name, DEBIAN_CARGO)),
        }
    }

    /// Makes every `cargo` and `rustc` that the job starts this toolchain's.
    pub fn equip(self, job: Job) -> Job {
        let job = job.env("CARGO_TARGET_DIR", paths::wasm_target());
        match self {
            WasmToolchain::Default => job.env("PATH", path_with_tools(&[])),
            WasmToolchain::Debian => job
                .env("PATH", path_with_tools(&["/usr/bin"]))
                .env("CARGO", DEBIAN_CARGO)
                .env("RUSTC", DEBIAN_RUSTC)
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER)
                .env_remove("RUSTUP_TOOLCHAIN"),
        }
    }
}

/// Whether the default `rustc` has the standard library of `target`.
pub fn default_has(target: &str) -> bool {
    process::ask("rustc", &["--print", "sysroot"])
        // Where the default is Debian's own, it needs everything that `Debian` says.
        .filter(|sysroot| sysroot != "/usr")
        .is_some_and(|sysroot| has_std(&Path::new(&sysroot).join("lib/rustlib").join(target).join("lib"), "libcore-"))
}

/// `libtest` too: without it wasm-pack's tests do not link.
fn debian_has_std() -> bool {
    let lib = Path::new(DEBIAN_WASM32_LIB);
    [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LINKER].iter().all(|file| Path::new(file).is_file())
        && has_std(lib, "libcore-")
        && has_std(lib, "libtest-")
}

fn has_std(lib: &Path, prefix: &str) -> bool {
    fs::read_dir(lib)
        .is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(prefix)))
}

/// `first`, then our tools, then everything else. wasm-pack finds wasm-bindgen only on PATH.
fn path_with_tools(first: &[&str]) -> std::ffi::OsString {
    let dirs = first.iter().map(PathBuf::from).chain(paths::tools_bin().ok());
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths(dirs.chain(env::split_paths(&rest))).unwrap_or(rest)
}
