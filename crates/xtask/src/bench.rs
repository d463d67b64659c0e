//! `cargo xtask bench`: what things cost, beside a limit or a peer in the same run. Never part of the tests.

use crate::setup::{self, Part};
use crate::{build, paths};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use std::process::{Command, ExitCode};

/// Measure what things cost, beside a limit or a peer in the same run
///
/// Figures are medians of interleaved batches; on a busy machine look at the ratios.
#[derive(clap::Args)]
pub struct Args {
    /// What to measure (default: everything)
    #[arg(value_enum)]
    benchmarks: Vec<Benchmark>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// A warm decision in workerd and in Node, against one raw subtle.verify and oauth4webapi
    Decision,
    /// One proof in each browser engine, against one raw subtle.sign and other libraries; a cold page's first proof
    Sign,
    /// A million replay marks in memory: octets a mark, time of a claim, cost of forgetting
    Replay,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(&[Part::Npm])?;
    build::all()?;
    let benchmarks = if args.benchmarks.is_empty() { Benchmark::value_variants() } else { &args.benchmarks };
    for benchmark in benchmarks {
        let name = benchmark.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let script = paths::root().join("tests/bench").join(format!("{name}.mjs"));
        let status = Command::new("node").arg(&script).status().context("cannot run node")?;
        if !status.success() {
            bail!("the benchmark {name} failed");
        }
    }
    Ok(ExitCode::SUCCESS)
}
