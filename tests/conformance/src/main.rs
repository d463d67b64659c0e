//! Conformance cases through the native Rust API: `keybound-conformance FILE... [--json OUT]`.
//!
//! Prints a line for each case that fails and ends with `N passed, N failed, N skipped`.

mod case;
mod common;
mod edge;
mod resource_server;
mod token_endpoint;

use std::{env, fs, process::ExitCode, time::Instant};

use anyhow::{Context, Result, bail};
use case::{Case, File, Observed, Step};
use serde_json::{Value, json};

fn main() -> ExitCode {
    match run(env::args().skip(1)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<bool> {
    let (mut files, mut out) = (Vec::new(), None);
    while let Some(argument) = arguments.next() {
        if argument == "--json" {
            out = Some(arguments.next().context("--json needs a path")?);
        } else {
            files.push(argument);
        }
    }
    if files.is_empty() {
        bail!("give at least one file of cases");
    }
    let mut tally = Tally::default();
    for path in files {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let file: File = serde_json::from_str(&text).with_context(|| format!("{path} is no file of cases"))?;
        for case in &file.cases {
            let steps = case.steps();
            let mut server = Server::new(&file.meta, case);
            for (index, step) in steps.iter().enumerate() {
                let started_at = Instant::now();
                let observed = server.run(step);
                tally.count(case.id(), index, step, observed, started_at.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    if let Some(path) = out {
        fs::write(&path, serde_json::to_string_pretty(&tally.rows)?)?;
    }
    println!("{} passed, {} failed, 0 skipped", tally.passed, tally.failed);
    Ok(tally.failed == 0)
}

/// The role that a case is for.
enum Server {
    Resource(resource_server::Runner),
    Token(token_endpoint::Runner),
}

impl Server {
    fn new(meta: &Value, case: &Case) -> Self {
        match case.role() {
            "as" => Self::Token(token_endpoint::Runner::new(meta)),
            _ => Self::Resource(resource_server::Runner::new(meta)),
        }
    }

    fn run(&mut self, step: &Step) -> Observed {
        match self {
            Self::Resource(runner) => runner.run(step),
            Self::Token(runner) => runner.run(step),
        }
    }
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    rows: Vec<Value>,
}

impl Tally {
    fn count(&mut self, id: &str, index: usize, step: &Step, observed: Observed, ms: f64) {
        let expected = step.expected();
        let pass = expected.contains(&observed.outcome) && step.binding_fits(&observed);
        if pass {
            self.passed += 1;
        } else {
            self.failed += 1;
            let (expected, outcome) = (expected.join(" or "), &observed.outcome);
            println!(
                "FAIL {id} step {index}: expected {expected}, got {outcome} ({:?}) {}",
                observed.reason, observed.binding
            );
        }
        self.rows.push(json!({
            "id": id, "step": index, "expected": expected, "outcome": observed.outcome,
            "reason": observed.reason, "binding": observed.binding, "ms": ms, "pass": pass,
        }));
    }
}
