//! Suites that are written for Node's test runner, and the demo's story.

use super::counts;
use super::report::Report;
use crate::{demo, paths, process::Job};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::PathBuf;

pub fn packages(report: &mut Report) -> Result<()> {
    test_files(report, "packages", 20)
}

pub fn edge(report: &mut Report) -> Result<()> {
    for folder in ["edge", "workerd"] {
        test_files(report, folder, 15)?;
    }
    Ok(())
}

pub fn browsers(report: &mut Report) -> Result<()> {
    test_files(report, "browsers", 20)
}

pub fn demo(report: &mut Report) -> Result<()> {
    report.runner("the demo's story", demo::story().minutes(10), counts::plain);
    Ok(())
}

/// A process for each file: what one leaves behind does not disturb the next, and its name is the label.
fn test_files(report: &mut Report, folder: &str, minutes: u64) -> Result<()> {
    let dir = paths::root().join("tests").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&dir)
        .with_context(|| format!("cannot list {}", dir.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    ensure!(!files.is_empty(), "no *.test.mjs in {}", dir.display());
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().trim_end_matches(".test.mjs").to_owned();
        let job = Job::new(format!("{folder}/{name}"), "node")
            .args(["--test", "--test-reporter=spec"])
            .args([&file])
            .minutes(minutes);
        report.runner(&format!("{folder}/{name}"), job, counts::node_test);
    }
    Ok(())
}
