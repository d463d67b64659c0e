//! Native unit, vector and documentation tests.

use super::counts;
use super::report::Report;
use crate::process::Job;
use anyhow::Result;

/// Crates whose tests run natively. The other two run in browsers.
const CRATES: [&str; 7] = [
    "keybound-core",
    "keybound-rustcrypto",
    "keybound-aws-lc",
    "keybound-edge",
    "keybound-provider-tests",
    "keybound-conformance",
    "xtask",
];

pub fn run(report: &mut Report) -> Result<()> {
    let packages = CRATES.iter().flat_map(|krate| ["--package", krate]);
    report.runner(
        "native tests",
        Job::new("cargo test", "cargo").args(["test", "--no-fail-fast", "--all-features"]).args(packages).minutes(30),
        counts::cargo_test,
    );
    Ok(())
}
