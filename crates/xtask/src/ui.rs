//! What a person sees while work goes on: a spinner on a terminal, plain lines elsewhere.

use console::style;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Without a terminal, a sign of life this often.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// Work that ends sooner was no work.
const QUIET: Duration = Duration::from_secs(2);

/// One piece of work that takes long enough to show.
pub struct Step {
    label: String,
    started: Instant,
    last_sign: Instant,
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl Step {
    pub fn start(label: impl Into<String>) -> Self {
        let step = Self::begin(label.into(), false);
        if step.bar.is_none() {
            eprintln!("{} ...", step.label);
        }
        step
    }

    /// Says nothing at all if it is done well within `QUIET`.
    pub fn quiet(label: impl Into<String>) -> Self {
        Self::begin(label.into(), true)
    }

    fn begin(label: String, quiet: bool) -> Self {
        let now = Instant::now();
        let bar = std::io::stderr().is_terminal().then(|| spinner(&label));
        Step { label, started: now, last_sign: now, bar, quiet }
    }

    /// Shows `line` as what is going on right now.
    pub fn say(&mut self, line: &str) {
        let line = console::strip_ansi_codes(line);
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        match &self.bar {
            Some(bar) => bar.set_message(console::truncate_str(line, 100, "…").into_owned()),
            None if self.last_sign.elapsed() > HEARTBEAT => {
                self.last_sign = Instant::now();
                eprintln!("{}: {} s, at: {line}", self.label, self.started.elapsed().as_secs());
            }
            None => {}
        }
    }

    pub fn label(&self) -> &str {
        &self.label
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub fn done(self, note: &str) {
        if self.quiet && self.elapsed() < QUIET {
            return;
        }
        self.finish(&style("✓").green().for_stderr().to_string(), note);
    }

    pub fn failed(self, note: &str) {
        self.finish(&style("✗").red().for_stderr().to_string(), note);
    }

    pub fn skipped(self, note: &str) {
        self.finish(&style("-").yellow().for_stderr().to_string(), note);
    }

    fn finish(&self, sign: &str, note: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let note = if note.is_empty() { String::new() } else { format!(": {note}") };
        eprintln!("{sign} {}{note} ({})", self.label, seconds(self.elapsed()));
    }
}

/// A step that is dropped unfinished (an error on its way up) leaves no spinner behind.
impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn spinner(label: &str) -> ProgressBar {
    let look = ProgressStyle::with_template("{spinner:.cyan} {prefix} {elapsed:.dim} {wide_msg:.dim}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(look).with_prefix(label.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

pub fn seconds(time: Duration) -> String {
    match time.as_secs() {
        whole @ 120.. => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

pub fn heading(text: &str) {
    println!("\n{}", style(text).bold());
}

pub fn error(error: &anyhow::Error) {
    eprintln!("{} {error}", style("error:").red().bold().for_stderr());
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
}
