//! What the checks of a run came to.

use super::counts::{Counter, Tally};
use crate::process::{Finished, Job};
use crate::ui::{self, Step};
use anyhow::{Error, Result};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// One suite's results.
struct Row {
    suite: String,
    tally: Tally,
    time: Duration,
}

/// Collects results while suites run.
#[derive(Default)]
pub struct Report {
    suite: String,
    results: Vec<Tally>,
    failures: Vec<String>,
    rows: Vec<Row>,
}

impl Report {
    /// Runs a suite. One that ran no test has failed: it may never have started.
    pub fn suite(&mut self, name: &str, run: impl FnOnce(&mut Report) -> Result<()>) {
        ui::heading(name);
        name.clone_into(&mut self.suite);
        self.results.clear();
        let started = Instant::now();
        if let Err(error) = run(self) {
            self.fail(name, &format!("{error:#}"));
        }
        let mut tally: Tally = self.results.drain(..).sum();
        if tally.ran() == 0 && tally.skipped == 0 {
            self.fail(name, "this suite ran no test");
            tally.failed += 1;
            self.results.clear();
        }
        self.rows.push(Row { suite: name.to_owned(), tally, time: started.elapsed() });
    }

    /// One check: either it holds or it does not.
    pub fn check(&mut self, label: &str, check: impl FnOnce(&mut Step) -> Result<()>) {
        self.tallied(label, |step| check(step).map(|()| Tally::ONE_PASSED));
    }

    /// A program whose success is the check.
    pub fn succeeds(&mut self, label: &str, job: Job) {
        self.check(label, |step| failure_of(job.run_in(step)?));
    }

    /// A test runner: what it counted counts, and its exit status must agree.
    pub fn runner(&mut self, label: &str, job: Job, counter: Counter) {
        self.tallied(label, |step| {
            let finished = job.run_in(step)?;
            let Some(mut tally) = counter(&finished.output) else {
                anyhow::bail!("its output has no closing counts\n{}", finished.report());
            };
            if tally.ran() == 0 && tally.skipped == 0 {
                anyhow::bail!("it ran no test\n{}", finished.report());
            }
            if !finished.success() || tally.failed > 0 {
                // A runner that failed without a failed test: a doc test that did not compile, a crash, a time limit.
                tally.failed = tally.failed.max(1);
                eprintln!("{}", finished.report());
            }
            Ok(tally)
        });
    }

    /// Cannot be done on this machine, and need not be.
    pub fn skip(&mut self, label: &str, why: &str) {
        Step::quiet(label).skipped(why);
        self.results.push(Tally::ONE_SKIPPED);
    }

    fn tallied(&mut self, label: &str, run: impl FnOnce(&mut Step) -> Result<Tally>) {
        let mut step = Step::start(label);
        match run(&mut step) {
            Ok(tally) if tally.failed == 0 => {
                step.done(&tally.to_string());
                self.results.push(tally);
            }
            Ok(tally) => {
                step.failed(&tally.to_string());
                self.failures.push(format!("{}: {label}", self.suite));
                self.results.push(tally);
            }
            Err(error) => {
                step.failed("");
                self.fail(label, &format!("{error:#}"));
            }
        }
    }

    fn fail(&mut self, label: &str, why: &str) {
        eprintln!("{why}");
        let prefix = if label == self.suite { String::new() } else { format!("{}: ", self.suite) };
        // Of a compiler's output the first error says more than the first line.
        let telling = why.lines().find(|line| line.starts_with("error")).or(why.lines().next()).unwrap_or_default();
        self.failures.push(format!("{prefix}{label}: {telling}"));
        self.results.push(Tally::ONE_FAILED);
    }

    /// The table, what failed, and the closing line that others read.
    pub fn close(self) -> ExitCode {
        ui::heading("summary");
        for row in &self.rows {
            println!("  {:<12} {:<34} {:>12}", row.suite, row.tally.to_string(), ui::seconds(row.time));
        }
        for failure in &self.failures {
            println!("  failed: {failure}");
        }
        let total: Tally = self.rows.iter().map(|row| row.tally).sum();
        println!("\n{total}");
        if total.failed == 0 && self.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn failure_of(finished: Finished) -> Result<()> {
    if finished.success() { Ok(()) } else { Err(Error::msg(finished.report())) }
}
