//! Content hashes that decide whether a step can be skipped. Not for security.

use anyhow::{Context, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// Collects everything that an output is made from.
#[derive(Default)]
pub struct Inputs(DefaultHasher);

impl Inputs {
    pub fn text(mut self, text: &str) -> Self {
        text.hash(&mut self.0);
        self
    }

    pub fn file(mut self, path: &Path) -> Result<Self> {
        path.hash(&mut self.0);
        fs::read(path).with_context(|| format!("cannot read {}", path.display()))?.hash(&mut self.0);
        Ok(self)
    }

    pub fn folder(mut self, path: &Path) -> Result<Self> {
        for file in files_below(path)? {
            self = self.file(&file)?;
        }
        Ok(self)
    }

    pub fn finish(self) -> String {
        format!("{:016x}", self.0.finish())
    }
}

/// All files below `folder`, sorted, so that the order of a directory listing never matters.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(&dir).with_context(|| format!("cannot list {}", dir.display()))? {
            let path = entry?.path();
            if path.is_dir() { pending.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// A file that says from which inputs something was made.
pub struct Stamp(PathBuf);

impl Stamp {
    pub fn at(path: PathBuf) -> Self {
        Stamp(path)
    }

    pub fn says(&self, text: &str) -> bool {
        fs::read_to_string(&self.0).is_ok_and(|found| found == text)
    }

    pub fn write(&self, text: &str) -> Result<()> {
        if let Some(dir) = self.0.parent() {
            fs::create_dir_all(dir)?;
        }
        fs::write(&self.0, text).with_context(|| format!("cannot write {}", self.0.display()))
    }

    pub fn remove(&self) {
        // Absent is as good as removed.
        let _ = fs::remove_file(&self.0);
    }
}
