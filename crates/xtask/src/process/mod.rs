//! Runs programs: no standard input, a process group and a time limit each, output to a log file.

mod group;

use crate::{paths, ui::Step};
use anyhow::{Context, Result, bail};
use group::Group;
pub use group::stop_children_on_interrupt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How much of a failed program's output is shown.
const TAIL_LINES: usize = 60;

/// What became of a program.
pub struct Finished {
    pub status: ExitStatus,
    pub output: String,
    pub log: PathBuf,
    pub timed_out: Option<Duration>,
}

impl Finished {
    pub fn success(&self) -> bool {
        self.status.success() && self.timed_out.is_none()
    }

    /// The end of the output, with what failed further up, and where the rest is.
    pub fn report(&self) -> String {
        let lines: Vec<&str> = self.output.lines().collect();
        let (earlier, tail) = lines.split_at(lines.len().saturating_sub(TAIL_LINES));
        let failures = earlier.iter().filter(|line| names_a_failed_test(line)).take(TAIL_LINES);
        let shown: Vec<&str> = failures.chain(tail).copied().collect();
        let why = match self.timed_out {
            Some(limit) => format!("stopped after its time limit of {} s", limit.as_secs()),
            None => self.status.to_string(),
        };
        format!("{}\n({why}; full log: {})", shown.join("\n"), self.log.display())
    }
}

/// As cargo's and Node's test runners print it.
fn names_a_failed_test(line: &str) -> bool {
    line.ends_with(" ... FAILED") || line.trim_start().starts_with("✖ ") || line.contains("panicked at")
}

/// A program on its way to be run.
pub struct Job {
    name: String,
    command: Command,
    limit: Duration,
}

impl Job {
    /// `name` also names the log file.
    pub fn new(name: impl Into<String>, program: impl AsRef<Path>) -> Self {
        let mut command = Command::new(program.as_ref());
        command.current_dir(paths::root());
        for variable in cargo_run_variables() {
            command.env_remove(variable);
        }
        Job { name: name.into(), command, limit: Duration::from_secs(600) }
    }

    pub fn args<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(mut self, args: I) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, key: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    pub fn env_remove(mut self, key: &str) -> Self {
        self.command.env_remove(key);
        self
    }

    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub fn minutes(mut self, minutes: u64) -> Self {
        self.limit = Duration::from_secs(minutes.saturating_mul(60));
        self
    }

    pub fn seconds(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Runs it inside a step of somebody else.
    pub fn run_in(mut self, step: &mut Step) -> Result<Finished> {
        fs::create_dir_all(paths::logs())?;
        let log_path = paths::logs().join(format!("{}.log", file_name(&self.name)));
        let mut log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
        let (reader, writer) = std::io::pipe()?;
        self.command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
        group::wait_if_interrupted();
        let child = self.command.spawn().with_context(|| format!("cannot start {:?}", self.command.get_program()))?;
        // The command holds our copies of the pipe's write ends: without dropping it the reader would never end.
        drop(self.command);
        let mut group = Group::of(child)?;

        let (lines, incoming) = mpsc::channel::<String>();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
                line.clear();
            }
        });

        let started = Instant::now();
        let mut output = String::new();
        let mut ended: Option<(ExitStatus, Instant)> = None;
        let mut timed_out = None;
        loop {
            match incoming.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => {
                    log.write_all(line.as_bytes())?;
                    step.say(&line);
                    output.push_str(&line);
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if ended.is_none() {
                ended = group.child.try_wait()?.map(|status| (status, Instant::now()));
            }
            // A grandchild that was left behind keeps the pipe open; what it says no longer matters.
            if ended.is_some_and(|(_, when)| when.elapsed() > Duration::from_secs(2)) {
                break;
            }
            if ended.is_none() && timed_out.is_none() && started.elapsed() > self.limit {
                timed_out = Some(self.limit);
                group.stop();
            }
        }
        let status = match ended {
            Some((status, _)) => status,
            None => group.child.wait()?,
        };
        group::wait_if_interrupted();
        Ok(Finished { status, output, log: log_path, timed_out })
    }

    /// Runs it as a step of its own and fails with the end of its log.
    pub fn run(self) -> Result<Finished> {
        let step = Step::start(self.name.clone());
        self.run_as(step)
    }

    /// As `run`, but a step that was up to date (done at once) is not worth a line.
    pub fn run_quietly_if_fast(self) -> Result<Finished> {
        let step = Step::quiet(self.name.clone());
        self.run_as(step)
    }

    fn run_as(self, mut step: Step) -> Result<Finished> {
        let finished = self.run_in(&mut step)?;
        if finished.success() {
            step.done("");
            return Ok(finished);
        }
        let name = step.label().to_owned();
        step.failed("");
        bail!("{name} failed\n{}", finished.report())
    }

    /// As `run_in`, but anything else than success is an error.
    pub fn succeed_in(self, step: &mut Step) -> Result<Finished> {
        let name = self.name.clone();
        let finished = self.run_in(step)?;
        if !finished.success() {
            bail!("{name} failed\n{}", finished.report());
        }
        Ok(finished)
    }

    /// Becomes the program: it keeps our process id, terminal and signals, so it ends when we would have.
    pub fn exec(mut self) -> anyhow::Error {
        let error = self.command.exec();
        anyhow::Error::new(error).context(format!("cannot start {:?}", self.command.get_program()))
    }
}

/// First line that a quick query prints, or nothing if it cannot be asked.
pub fn ask(program: impl AsRef<Path>, args: &[&str]) -> Option<String> {
    ask_all(program, args).map(|answer| answer.lines().next().unwrap_or_default().trim().to_owned())
}

/// All that a quick query prints.
pub fn ask_all(program: impl AsRef<Path>, args: &[&str]) -> Option<String> {
    let mut command = Command::new(program.as_ref());
    for variable in cargo_run_variables() {
        command.env_remove(variable);
    }
    let output =
        command.current_dir(paths::root()).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn file_name(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    name.trim_matches('-').to_owned()
}

/// What `cargo run` sets for us and for nobody else. Another compiler's libraries on LD_LIBRARY_PATH are the worst of it.
fn cargo_run_variables() -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(key, _)| key.into_string().ok())
        .filter(|key| {
            key.starts_with("CARGO_PKG_")
                || key.starts_with("CARGO_BIN_")
                || matches!(
                    key.as_str(),
                    "CARGO"
                        | "CARGO_MANIFEST_DIR"
                        | "CARGO_MANIFEST_PATH"
                        | "CARGO_CRATE_NAME"
                        | "CARGO_PRIMARY_PACKAGE"
                        | "LD_LIBRARY_PATH"
                        | "DYLD_FALLBACK_LIBRARY_PATH"
                )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Job, Step};
    use std::time::{Duration, Instant};

    fn shell(name: &str, script: &str) -> Job {
        Job::new(format!("test {name}"), "sh").args(["-c", script])
    }

    #[test]
    fn output_of_both_streams_is_kept_in_order() -> anyhow::Result<()> {
        let script = "echo one; echo two >&2; echo three";
        let finished = shell("streams", script).run_in(&mut Step::quiet("test"))?;
        assert_eq!(finished.output, "one\ntwo\nthree\n");
        assert!(finished.success());
        Ok(())
    }

    #[test]
    fn a_program_over_its_time_limit_is_stopped_with_its_children() -> anyhow::Result<()> {
        let started = Instant::now();
        let finished = shell("limit", "sleep 61 & sleep 62").seconds(1).run_in(&mut Step::quiet("test"))?;
        assert!(finished.timed_out.is_some() && !finished.success());
        assert!(started.elapsed() < Duration::from_secs(10));
        Ok(())
    }

    #[test]
    fn a_server_left_behind_holds_nobody_up_and_is_ended() -> anyhow::Result<()> {
        let started = Instant::now();
        let finished = shell("left behind", "sleep 63 & echo $!").run_in(&mut Step::quiet("test"))?;
        assert!(finished.success() && started.elapsed() < Duration::from_secs(10));
        // The kernel ends it in its own time: on a busy machine a moment after the signal.
        let gone = format!(
            "for _ in $(seq 100); do test ! -e /proc/{0}/stat && exit; grep -q ' Z ' /proc/{0}/stat && exit; \
             sleep 0.1; done; exit 1",
            finished.output.trim()
        );
        assert!(shell("gone", &gone).run_in(&mut Step::quiet("test"))?.success());
        Ok(())
    }
}
