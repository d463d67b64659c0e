//! The core and its native signatures need no std: they compile for a target that has none.

use super::report::Report;
use crate::process::Job;
use crate::toolchain::{self, WasmToolchain};
use crate::{paths, setup};
use anyhow::Result;

const BARE_METAL: &str = "thumbv7em-none-eabi";

/// A crate, and the feature sets in which it must do without std.
const CHECKS: [(&str, &[&str]); 4] = [
    ("keybound-core", &[]),
    ("keybound-core", &["--no-default-features", "--features", "client"]),
    ("keybound-core", &["--no-default-features", "--features", "server"]),
    ("keybound-rustcrypto", &[]),
];

pub fn run(report: &mut Report) -> Result<()> {
    let debian = WasmToolchain::find() == Some(WasmToolchain::Debian);
    let default = toolchain::default_has(BARE_METAL) || (!debian && setup::add_by_rustup(BARE_METAL)?);
    for (krate, features) in CHECKS {
        let label = format!("{krate} {} for {BARE_METAL}", features.last().copied().unwrap_or("(default features)"));
        let check =
            |job: Job| job.args(["check", "--package", krate, "--target", BARE_METAL]).args(features).minutes(10);
        if default {
            let job = Job::new(label.clone(), "cargo").env("CARGO_TARGET_DIR", paths::wasm_target());
            report.succeeds(&label, check(job));
        } else if debian {
            let job = WasmToolchain::Debian.cargo(label.clone()).env("RUSTC_BOOTSTRAP", "1");
            report.succeeds(&label, check(job).args(["-Zbuild-std=core,alloc"]));
        } else {
            report.skip(&label, &format!("`rustup target add {BARE_METAL}` brings what it needs"));
        }
    }
    Ok(())
}
