//! `cargo xtask bench`: what things cost, beside a limit and the peers in the same run. Never part of the tests.

use crate::setup::{self, Part};
use crate::{build, paths, ui};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Measure what things cost, beside a limit and the peers in the same run
///
/// Figures are medians of interleaved batches; on a busy machine look at the ratios. Results are in
/// target/bench/results.json, a picture of them in target/bench/report.html; groups that are not measured this time
/// keep their former results there. A bound that is missed is shown, and is no failure.
#[derive(clap::Args)]
pub struct Args {
    /// What to measure (default: everything)
    #[arg(value_enum)]
    groups: Vec<Group>,
    /// Fewer rounds: a first look, in minutes
    #[arg(long)]
    quick: bool,
    /// Rewrite the tables of docs/benchmarks.md
    #[arg(long)]
    write_docs: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    /// Decisions in workerd and in Node, against raw subtle.verify and other libraries
    Verify,
    /// Requests a second and memory of a worker under load
    Served,
    /// Replay marks: octets a mark, time of a claim, round trips of shared stores
    Replay,
    /// Decisions in native code, against the raw verify of the same backend and other crates
    Native,
    /// Proofs in each browser engine, against raw subtle.sign and other libraries
    Sign,
    /// What a bundler ships for the same job
    Size,
    /// From the start of workerd to the first verified request
    ColdStart,
}

impl Group {
    /// The script in tests/bench is `<name>.mjs`.
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn parts(self) -> &'static [Part] {
        match self {
            Group::Served => &[Part::Wrk],
            Group::Replay => &[Part::Redis],
            Group::Sign => &[Part::Chromium, Part::Firefox, Part::Geckodriver, Part::Webkit],
            Group::Verify | Group::Native | Group::Size | Group::ColdStart => &[],
        }
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let groups = if args.groups.is_empty() { Group::value_variants() } else { &args.groups };
    let parts: Vec<Part> =
        [Part::Npm].into_iter().chain(groups.iter().flat_map(|group| group.parts()).copied()).collect();
    setup::ensure(&parts)?;
    build::all()?;
    let folder = paths::root().join("target/bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;

    let mut failed = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        ui::heading(&format!("{} ({} of {})", group.name(), index.saturating_add(1), groups.len()));
        let started = Instant::now();
        // One that cannot be measured does not keep the others away.
        if measure(*group, args.quick, &folder)? {
            eprintln!("{} took {}", group.name(), ui::seconds(started.elapsed()));
        } else {
            failed.push(group.name());
        }
    }
    let merge = ["--folder".as_ref(), folder.as_os_str()];
    let docs = args.write_docs.then_some("--write-docs".as_ref());
    if !node("report-merge", merge.into_iter().chain(docs))? {
        bail!("the results could not be put together");
    }
    println!("\nA picture of all of it: {}", folder.join("report.html").display());
    if !failed.is_empty() {
        bail!("could not be measured: {}", failed.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(group: Group, quick: bool, folder: &Path) -> Result<bool> {
    let name = group.name();
    let file = folder.join(format!("{name}.json"));
    let arguments = ["--json".as_ref(), file.as_os_str()];
    node(&name, arguments.into_iter().chain(quick.then_some("--quick".as_ref())))
}

/// Runs a script of tests/bench in the terminal; false if it failed.
fn node<'a>(script: &str, arguments: impl Iterator<Item = &'a std::ffi::OsStr>) -> Result<bool> {
    let path = paths::root().join("tests/bench").join(format!("{script}.mjs"));
    let status = Command::new("node").arg(path).args(arguments).status().context("cannot run node")?;
    Ok(status.success())
}
