//! `cargo xtask size`: what ships, compressed, against its limits.

use crate::process::Job;
use crate::setup::{self, Part};
use crate::suites::report::Report;
use crate::ui::Step;
use crate::{build, paths};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::process::ExitCode;

/// Print the size of what ships (bundled JavaScript and wasm, compressed) and its limits
///
/// Measures what a user's bundler would ship for the usual imports, minified, plus the wasm modules.
/// Fails above a limit.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> Result<ExitCode> {
    setup::ensure(&[Part::Npm])?;
    build::all()?;
    let mut step = Step::quiet("measuring");
    let measured = measure(&mut step)?;
    step.done("");
    println!("{:<40} {:<6} {:>10} {:>10} {:>10}   limit", "", "", "bytes", "gzip 9", "brotli 11");
    for row in &measured {
        row.print();
    }
    let over: Vec<&Measured> = measured.iter().filter(|row| row.is_over()).collect();
    for row in &over {
        eprintln!("{} is {} bytes over its limit", row.package, row.brotli_total().saturating_sub(row.limit));
    }
    Ok(if over.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One check a row.
pub fn suite(report: &mut Report) -> Result<()> {
    let mut step = Step::quiet("measuring");
    let measured = measure(&mut step)?;
    drop(step);
    for row in measured {
        let label = format!("{}: {} of {} bytes (brotli)", row.package, row.brotli_total(), row.limit);
        report.check(&label, |_| if row.is_over() { bail!("over the limit") } else { Ok(()) });
    }
    Ok(())
}

struct Measured {
    package: String,
    limit: u64,
    javascript: Sizes,
    wasm: Sizes,
}

struct Sizes {
    bytes: u64,
    gzip: u64,
    brotli: u64,
}

impl Measured {
    fn brotli_total(&self) -> u64 {
        self.javascript.brotli.saturating_add(self.wasm.brotli)
    }

    fn is_over(&self) -> bool {
        self.brotli_total() > self.limit
    }

    fn print(&self) {
        let line = |name: &str, kind: &str, bytes: u64, gzip: u64, brotli: u64, limit: &str| {
            println!("{name:<40} {kind:<6} {bytes:>10} {gzip:>10} {brotli:>10}   {limit}");
        };
        for (kind, sizes) in [("js", &self.javascript), ("wasm", &self.wasm)] {
            line(&self.package, kind, sizes.bytes, sizes.gzip, sizes.brotli, "");
        }
        let sum = |pick: fn(&Sizes) -> u64| pick(&self.javascript).saturating_add(pick(&self.wasm));
        let verdict = if self.is_over() { "EXCEEDED" } else { "ok" };
        line(
            &self.package,
            "total",
            sum(|s| s.bytes),
            sum(|s| s.gzip),
            self.brotli_total(),
            &format!("{} {verdict}", self.limit),
        );
    }
}

fn measure(step: &mut Step) -> Result<Vec<Measured>> {
    let script = paths::root().join("crates/xtask/scripts/size.mjs");
    let finished = Job::new("size", "node").args([script]).minutes(5).succeed_in(step)?;
    let json = finished.output.lines().last().unwrap_or_default();
    let rows: Vec<Value> =
        serde_json::from_str(json).with_context(|| format!("size.mjs printed no JSON\n{}", finished.report()))?;
    rows.iter().map(|row| read_row(row).with_context(|| format!("size.mjs printed {row}"))).collect()
}

fn read_row(row: &Value) -> Option<Measured> {
    let sizes = |kind: &str| {
        let number = |name: &str| row.get(kind)?.get(name)?.as_u64();
        Some(Sizes { bytes: number("bytes")?, gzip: number("gzip")?, brotli: number("brotli")? })
    };
    Some(Measured {
        package: row.get("package")?.as_str()?.to_owned(),
        limit: row.get("limit")?.as_u64()?,
        javascript: sizes("javascript")?,
        wasm: sizes("wasm")?,
    })
}
