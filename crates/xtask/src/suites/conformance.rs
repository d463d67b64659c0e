//! The conformance cases in the repository, on every engine.

use super::counts;
use super::report::Report;
use crate::conformance::Engine;
use crate::paths;
use anyhow::{Result, ensure};
use std::fs;
use std::path::PathBuf;

pub fn run(report: &mut Report) -> Result<()> {
    let folder = paths::root().join("tests/conformance");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    ensure!(!files.is_empty(), "no cases in {}", folder.display());
    for engine in Engine::ALL {
        report.runner(&format!("conformance on {}", engine.name()), engine.job(&files, None), counts::plain);
    }
    Ok(())
}
