//! One at a time: two commands that would write the same files wait for each other.

use crate::ui::Step;
use anyhow::{Context, Result};
use std::fs::{self, File, TryLockError};
use std::path::Path;

/// Held until dropped; the operating system lets go of it if we die.
pub struct Lock {
    _file: File,
}

pub fn take(path: &Path, what: &str) -> Result<Lock> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let file = File::create(path).with_context(|| format!("cannot open the lock {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let step = Step::start(format!("waiting for another {what}"));
            file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
            step.done("");
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    Ok(Lock { _file: file })
}
