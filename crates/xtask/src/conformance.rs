//! `cargo xtask conformance`: cases from files, through the public API of the product, on one engine or several.

use crate::process::Job;
use crate::setup::{self, Part};
use crate::suites::counts::{self, Tally};
use crate::ui::{self, Step};
use crate::{build, paths};
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::ffi::OsString;
use std::path::{Path, PathBuf, absolute};
use std::process::ExitCode;

/// Run conformance cases against the product's public API
///
/// Prints a line for each case that fails and ends with `N passed, N failed, N skipped`.
/// Exits with 0 only if nothing failed.
#[derive(clap::Args)]
pub struct Args {
    /// Files of cases: `{"meta": ..., "cases": [...]}`
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What runs them: the Rust API, or @keybound/edge in that runtime
    #[arg(long, value_enum, default_value = "native")]
    engine: EngineChoice,
    /// Write every case's outcome as JSON; with several engines, each into a file with its name before the extension
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineChoice {
    Native,
    Node,
    Workerd,
    Chromium,
    /// Every one of them
    All,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Native,
    Node,
    Workerd,
    Chromium,
}

impl EngineChoice {
    fn engines(self) -> &'static [Engine] {
        match self {
            EngineChoice::Native => &[Engine::Native],
            EngineChoice::Node => &[Engine::Node],
            EngineChoice::Workerd => &[Engine::Workerd],
            EngineChoice::Chromium => &[Engine::Chromium],
            EngineChoice::All => &Engine::ALL,
        }
    }
}

impl Engine {
    pub const ALL: [Self; 4] = [Self::Native, Self::Node, Self::Workerd, Self::Chromium];

    pub fn name(self) -> &'static str {
        match self {
            Engine::Native => "native",
            Engine::Node => "node",
            Engine::Workerd => "workerd",
            Engine::Chromium => "chromium",
        }
    }

    fn runner(self) -> PathBuf {
        let folder = paths::root().join("tests/conformance");
        match self {
            Engine::Native => folder.join("Cargo.toml"),
            _ => folder.join(format!("run-{}.mjs", self.name())),
        }
    }

    fn parts(self) -> &'static [Part] {
        match self {
            Engine::Native => &[],
            Engine::Node | Engine::Workerd => &[Part::Npm],
            Engine::Chromium => &[Part::Npm, Part::Chromium],
        }
    }

    /// The runner on `files`. For the JavaScript engines the packages must have been built.
    pub fn job(self, files: &[PathBuf], json: Option<&Path>) -> Job {
        let name = format!("conformance {}", self.name());
        let job = match self {
            Engine::Native => {
                Job::new(name, "cargo").args(["run", "--quiet", "--release", "--package", "keybound-conformance", "--"])
            }
            _ => Job::new(name, "node").args([self.runner()]),
        };
        let json = json.map(|path| [OsString::from("--json"), path.into()]);
        job.args(files).args(json.into_iter().flatten()).minutes(20)
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let engines = args.engine.engines();
    let absolute_path = |path: &PathBuf| absolute(path).with_context(|| format!("{} is not a path", path.display()));
    let files = args.files.iter().map(absolute_path).collect::<Result<Vec<_>>>()?;
    for file in &files {
        std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    let mut totals = Vec::new();
    let mut all_well = true;
    for engine in engines {
        if engines.len() > 1 {
            ui::heading(engine.name());
        }
        let json = args
            .json
            .as_ref()
            .map(absolute_path)
            .transpose()?
            .map(|path| if engines.len() > 1 { with_engine(&path, *engine) } else { path });
        let (tally, success) = run_one(*engine, &files, json.as_deref(), engines.len() > 1)?;
        totals.push(tally);
        all_well &= success;
    }
    let total: Tally = totals.into_iter().sum();
    if total.ran() > 0 || total.skipped > 0 {
        println!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows what the runner prints; its closing line only where the totals of several follow.
fn run_one(engine: Engine, files: &[PathBuf], json: Option<&Path>, show_counts: bool) -> Result<(Tally, bool)> {
    setup::ensure(engine.parts())?;
    if engine != Engine::Native {
        build::all()?;
    }
    let step = Step::quiet(format!("conformance on {}", engine.name()));
    let mut step = step;
    let finished = engine.job(files, json).run_in(&mut step)?;
    drop(step);
    let tally = counts::plain(&finished.output);
    for line in finished.output.lines() {
        if show_counts || counts::plain(line).is_none() {
            println!("{line}");
        }
    }
    let Some(tally) = tally else {
        anyhow::bail!(
            "the {} runner printed no counts ({}; full log: {})",
            engine.name(),
            finished.status,
            finished.log.display()
        );
    };
    Ok((tally, finished.success() && tally.failed == 0))
}

/// `out.json` becomes `out.node.json`.
fn with_engine(path: &Path, engine: Engine) -> PathBuf {
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}.{}{extension}", engine.name()))
}

#[cfg(test)]
mod tests {
    use super::{Engine, with_engine};
    use std::path::Path;

    #[test]
    fn the_engine_stands_before_the_extension() {
        assert_eq!(with_engine(Path::new("/tmp/out.json"), Engine::Node), Path::new("/tmp/out.node.json"));
        assert_eq!(with_engine(Path::new("/tmp/out"), Engine::Native), Path::new("/tmp/out.native"));
    }
}
