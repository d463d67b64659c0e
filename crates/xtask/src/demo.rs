//! `cargo xtask demo`: the whole story on real parts.

use crate::process::Job;
use crate::setup::{self, Part};
use crate::{build, paths};
use anyhow::Result;
use std::process::ExitCode;

/// Run the demo: authorization server, API in workerd, page, certificate front
///
/// Prints the page's address and stays until Ctrl-C.
#[derive(clap::Args)]
pub struct Args {
    /// Run the story in headless Chromium, print what each step observed, and exit
    #[arg(long)]
    check: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(if args.check { &[Part::Npm, Part::Chromium] } else { &[Part::Npm] })?;
    build::all()?;
    let job = if args.check { story() } else { servers() };
    // We become the demo: Ctrl-C and every other signal reach it and nobody in between.
    Err(job.exec())
}

pub fn story() -> Job {
    servers().args(["--check"])
}

fn servers() -> Job {
    Job::new("demo", "node").args([paths::root().join("www/servers/demo.mjs")])
}
