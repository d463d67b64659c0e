//! Process groups: a program and everything that it starts, ended together.

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a group may take to end by itself after it was asked to.
const GRACE: Duration = Duration::from_secs(5);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Children have groups of their own, so Ctrl-C in a terminal does not reach them: pass it on.
pub fn stop_children_on_interrupt() -> Result<()> {
    ctrlc::set_handler(|| {
        INTERRUPTED.store(true, Ordering::SeqCst);
        let groups: Vec<i32> = RUNNING.lock().map(|running| running.iter().copied().collect()).unwrap_or_default();
        for group in &groups {
            signal(*group, Signal::SIGTERM);
        }
        let patience = Instant::now();
        while groups.iter().any(|group| killpg(Pid::from_raw(*group), None).is_ok()) && patience.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(50));
        }
        for group in &groups {
            signal(*group, Signal::SIGKILL);
        }
        eprintln!("\ninterrupted");
        std::process::exit(130);
    })
    .context("cannot handle Ctrl-C")
}

/// Once interrupted nothing new begins, and nobody reports a child that was stopped as a failure: only the end is left.
pub fn wait_if_interrupted() {
    while INTERRUPTED.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

/// A child and everything that it starts, ended together.
pub struct Group {
    pub child: Child,
    id: i32,
}

impl Group {
    pub fn of(child: Child) -> Result<Self> {
        let id = i32::try_from(child.id())?;
        if let Ok(mut running) = RUNNING.lock() {
            running.insert(id);
        }
        Ok(Group { child, id })
    }

    pub fn stop(&mut self) {
        signal(self.id, Signal::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        signal(self.id, Signal::SIGKILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Also after a normal end: servers that a test left running go with it.
        signal(self.id, Signal::SIGKILL);
        let _ = self.child.wait();
        if let Ok(mut running) = RUNNING.lock() {
            running.remove(&self.id);
        }
    }
}

fn signal(group: i32, signal: Signal) {
    // An error means that nobody is left to be told.
    let _ = killpg(Pid::from_raw(group), signal);
}
