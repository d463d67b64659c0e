//! `cargo xtask fuzz`: every parser and the whole decision, fed with what nobody would send.

mod seeds;

use crate::paths;
use crate::process::{Finished, Job};
use crate::setup::{self, Part};
use crate::ui::{self, Step};
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::process::ExitCode;
use std::time::Instant;

/// Fuzz the parsers and the whole decision
///
/// Each target starts from the conformance cases, from tests/fuzz/seeds and from what earlier runs found worth
/// keeping in tests/fuzz/corpus. What makes one fail is written to tests/fuzz/artifacts, with how to reproduce it.
#[derive(clap::Args)]
pub struct Args {
    /// Targets to run, in the order given (default: all; files in tests/fuzz/targets)
    targets: Vec<String>,
    /// How long each of them runs
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Run the one target named on this input only, and show what it says
    #[arg(long, value_name = "FILE", requires = "targets")]
    input: Option<PathBuf>,
}

/// What the targets are built and run with.
pub const PARTS: &[Part] = &[Part::CargoFuzz, Part::Cxx];

/// An input that takes longer than this is a finding: 64 KiB of anything are decided about in milliseconds.
const SLOW_SECONDS: u64 = 5;
const MOST_MEMORY_MB: u64 = 512;
const LONGEST_INPUT: u64 = 64 * 1024;

pub fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(PARTS)?;
    let known = targets()?;
    if let Some(unknown) = args.targets.iter().find(|target| !known.contains(target)) {
        bail!("there is no fuzz target {unknown}; there are {}", known.join(", "));
    }
    build()?;
    if let (Some(input), [target]) = (&args.input, args.targets.as_slice()) {
        return reproduce(target, &absolute(input)?);
    }
    ensure!(args.input.is_none(), "an input is for one target: name just that");
    let started = Instant::now();
    let (mut inputs, mut findings) = (0, Vec::new());
    let chosen = if args.targets.is_empty() { &known } else { &args.targets };
    for target in chosen {
        let mut step = Step::start(target);
        match fuzz(target, args.seconds, &mut step) {
            Ok(run) => {
                step.done(&run.describe());
                inputs += run.inputs;
            }
            Err(error) => {
                step.failed("");
                eprintln!("{error:#}");
                findings.push(target.as_str());
            }
        }
    }
    let time = ui::seconds(started.elapsed());
    println!("{inputs} inputs in {time}, {} of {} targets failed", findings.len(), chosen.len());
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What became of a target that nothing was found in.
pub struct Run {
    inputs: u64,
    edges: u64,
}

impl Run {
    pub fn describe(&self) -> String {
        format!("{} inputs, {} edges", self.inputs, self.edges)
    }
}

/// The files in tests/fuzz/targets.
pub fn targets() -> Result<Vec<String>> {
    let folder = folder().join("targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".rs")?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// Compiles all targets, and writes their seeds.
pub fn build() -> Result<()> {
    seeds::write(&written_seeds())?;
    cargo_fuzz("fuzz targets", "build")?.minutes(30).run_quietly_if_fast()?;
    Ok(())
}

/// Runs one target that was built.
pub fn fuzz(target: &str, seconds: u64, step: &mut Step) -> Result<Run> {
    let corpus = folder().join("corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let seeds = [written_seeds().join(target), folder().join("seeds").join(target)];
    let dictionary = folder().join("dictionaries").join(dictionary_of(target)).with_extension("dict");
    let dictionary = dictionary.is_file().then(|| {
        let mut flag = OsString::from("-dict=");
        flag.push(dictionary);
        flag
    });
    let finished = cargo_fuzz(&format!("fuzz {target}"), "run")?
        .args([target])
        .args([corpus])
        .args(seeds.into_iter().filter(|folder| folder.is_dir()))
        .args(["--"])
        .args([
            format!("-max_total_time={seconds}"),
            format!("-timeout={SLOW_SECONDS}"),
            format!("-rss_limit_mb={MOST_MEMORY_MB}"),
            format!("-max_len={LONGEST_INPUT}"),
        ])
        .args(dictionary)
        .seconds(seconds.saturating_add(300))
        .run_in(step)?;
    outcome(target, &finished)
}

fn outcome(target: &str, finished: &Finished) -> Result<Run> {
    ensure!(finished.success(), "{}", finding(target, finished).unwrap_or_else(|| finished.report()));
    // "Done 73405 runs in 6 second(s)", and before it "#73405 DONE cov: 1181 ft: 3206 corp: 416/8197b ...".
    let number = |before: &str| {
        let (_, after) = finished.output.rsplit_once(before)?;
        after.split_whitespace().next()?.parse().ok()
    };
    let (inputs, edges) = (number("\nDone "), number("DONE   cov: "));
    let inputs =
        inputs.filter(|inputs| *inputs > 0).with_context(|| format!("it ran nothing\n{}", finished.report()))?;
    Ok(Run { inputs, edges: edges.unwrap_or(0) })
}

/// What failed, with which input, and how to see it again.
fn finding(target: &str, finished: &Finished) -> Option<String> {
    let (_, rest) = finished.output.split_once("Test unit written to ")?;
    let input = rest.lines().next()?;
    let input = Path::new(input).strip_prefix(paths::root()).unwrap_or(Path::new(input)).display();
    let lines = finished.output.lines().skip_while(|line| !line.contains("panicked at"));
    let panic: Vec<&str> = lines.take_while(|line| !line.starts_with("stack backtrace")).take(12).collect();
    let summary = finished.output.lines().find(|line| line.starts_with("SUMMARY: ")).unwrap_or_default();
    let said = if panic.is_empty() { summary.to_owned() } else { panic.join("\n") };
    let log = finished.log.display();
    Some(format!(
        "{said}\nan input makes {target} fail: {input}\n\
         to see it again: cargo xtask fuzz {target} --input {input}\n\
         once it is mended, keep it in tests/fuzz/seeds/{target} (full log: {log})"
    ))
}

fn reproduce(target: &str, input: &Path) -> Result<ExitCode> {
    let mut step = Step::start(format!("{target} on {}", input.display()));
    let finished =
        cargo_fuzz(&format!("fuzz {target} again"), "run")?.args([target]).args([input]).run_in(&mut step)?;
    if finished.success() {
        step.done("nothing failed");
        return Ok(ExitCode::SUCCESS);
    }
    step.failed("");
    println!("{}", finished.output);
    Ok(ExitCode::FAILURE)
}

/// Without a sanitizer: the crates forbid unsafe code, and so a stable compiler does.
fn cargo_fuzz(name: &str, verb: &str) -> Result<Job> {
    let target_dir = paths::root().join("target/fuzz");
    let job = Job::new(name, paths::tools_bin()?.join("cargo-fuzz")).args([verb, "--sanitizer", "none", "--fuzz-dir"]);
    Ok(job.args([folder()]).args(["--target-dir"]).args([target_dir]))
}

fn folder() -> PathBuf {
    paths::root().join("tests/fuzz")
}

fn written_seeds() -> PathBuf {
    paths::root().join("target/fuzz-seeds")
}

/// The words that a target's input is made of.
fn dictionary_of(target: &str) -> &'static str {
    match target {
        "decision" | "proof" => "decision",
        "json" | "jwk" | "jwks" | "token" | "confirmation" => "json",
        "target_uri" | "public_url" | "challenge" | "authorization" | "certificate" | "platforms" | "freshness" => {
            "text"
        }
        _ => "none",
    }
}
