//! Suites that are written for Node's test runner, and the demo's story.

use super::counts;
use super::report::Report;
use crate::{demo, paths, process::Job, rust_spa, rust_worker};
use anyhow::{Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

pub fn packages(report: &mut Report) -> Result<()> {
    test_files(report, &["packages", "bench"], 20)
}

pub fn edge(report: &mut Report) -> Result<()> {
    rust_worker::ensure()?;
    test_files(report, &["edge", "workerd"], 15)
}

pub fn interop(report: &mut Report) -> Result<()> {
    test_files(report, &["interop", "authorization-server"], 5)
}

pub fn differential(report: &mut Report) -> Result<()> {
    test_files(report, &["differential"], 15)
}

pub fn adapters(report: &mut Report) -> Result<()> {
    test_files(report, &["adapters"], 15)
}

pub fn mtls(report: &mut Report) -> Result<()> {
    test_files(report, &["mtls"], 10)
}

pub fn browsers(report: &mut Report) -> Result<()> {
    rust_spa::ensure()?;
    test_files(report, &["browsers"], 20)
}

pub fn demo(report: &mut Report) -> Result<()> {
    report.runner("the demo's story", demo::story().minutes(10), counts::plain);
    Ok(())
}

/// A process for each file: what one leaves behind does not disturb the next, and its name is the label.
fn test_files(report: &mut Report, folders: &[&str], minutes: u64) -> Result<()> {
    let tests = paths::root().join("tests");
    let files: Vec<PathBuf> = folders.iter().flat_map(|folder| files_in(&tests.join(folder))).collect();
    ensure!(!files.is_empty(), "no *.test.mjs in tests/{}", folders.join(" or tests/"));
    for file in files {
        let inside = file.strip_prefix(&tests)?.to_string_lossy().into_owned();
        let label = inside.trim_end_matches(".test.mjs");
        let job = Job::new(label, "node").args(["--test", "--test-reporter=spec"]).args([&file]).minutes(minutes);
        report.runner(label, job, counts::node_test);
    }
    Ok(())
}

/// None where the folder is not there.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(".test.mjs")).collect();
    files.sort();
    files
}
