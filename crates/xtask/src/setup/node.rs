//! Node's version, and the npm packages of package-lock.json.

use crate::hash::{Inputs, Stamp};
use crate::{paths, process, process::Job, ui::Step};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;

const OLDEST_NODE: u32 = 20;

pub fn missing() -> Result<bool> {
    let lock = Inputs::default().file(&paths::root().join("package-lock.json"))?.finish();
    if stamp().says(&lock) {
        return Ok(false);
    }
    // Somebody may have run npm by hand: what it left is as good as ours if every version agrees.
    if installed_as_locked(&paths::root())? {
        stamp().write(&lock)?;
        return Ok(false);
    }
    Ok(true)
}

pub fn install() -> Result<()> {
    check_node()?;
    let mut step = Step::start("npm ci");
    let job = Job::new("npm ci", "npm").args(["ci", "--no-audit", "--no-fund", "--prefer-offline"]);
    let finished = job.minutes(15).run_in(&mut step)?;
    if !finished.success() {
        step.failed("");
        // What went wrong stands first; a screen of usage follows it.
        let telling: Vec<&str> =
            finished.output.lines().filter(|line| line.starts_with("npm error")).take(12).collect();
        bail!("npm ci failed\n{}\n(full log: {})", telling.join("\n"), finished.log.display());
    }
    step.done("");
    stamp().write(&Inputs::default().file(&paths::root().join("package-lock.json"))?.finish())
}

/// Inside node_modules, so that it goes when they go.
fn stamp() -> Stamp {
    Stamp::at(paths::root().join("node_modules/.keybound-lock"))
}

fn check_node() -> Result<()> {
    let hint = format!("Node {OLDEST_NODE} or newer is needed: https://nodejs.org, or your system's package manager");
    let version = process::ask("node", &["--version"]).with_context(|| format!("node is not on PATH. {hint}"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_NODE) {
        bail!("node is {version}. {hint}");
    }
    Ok(())
}

/// Compares npm's own record of what it installed with the lock file.
fn installed_as_locked(root: &Path) -> Result<bool> {
    let (Some(locked), Some(installed)) =
        (packages(&root.join("package-lock.json")), packages(&root.join("node_modules/.package-lock.json")))
    else {
        return Ok(false);
    };
    Ok(agree(&locked, &installed))
}

fn packages(path: &Path) -> Option<Map<String, Value>> {
    let text = fs::read_to_string(path).ok()?;
    let mut file: Value = serde_json::from_str(&text).ok()?;
    match file.get_mut("packages")?.take() {
        Value::Object(packages) => Some(packages),
        _ => None,
    }
}

/// Packages for other platforms are locked but not installed.
fn agree(locked: &Map<String, Value>, installed: &Map<String, Value>) -> bool {
    let version = |packages: &Map<String, Value>, name: &str| {
        packages.get(name).and_then(|package| package.get("version").cloned())
    };
    let optional = |package: &Value| {
        ["optional", "devOptional", "peer"].iter().any(|kind| package.get(kind) == Some(&Value::Bool(true)))
    };
    installed.keys().all(|name| version(installed, name) == version(locked, name))
        && locked
            .iter()
            .filter(|(name, package)| !name.is_empty() && !optional(package))
            .all(|(name, _)| installed.contains_key(name))
}

#[cfg(test)]
mod tests {
    use super::agree;
    use serde_json::{Map, Value, json};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_package_for_another_platform_may_be_absent() {
        let locked = map(
            json!({"": {}, "node_modules/a": {"version": "1"}, "node_modules/b": {"version": "1", "optional": true}}),
        );
        assert!(agree(&locked, &map(json!({"node_modules/a": {"version": "1"}}))));
    }

    #[test]
    fn another_version_or_a_missing_package_does_not_agree() {
        let locked = map(json!({"": {}, "node_modules/a": {"version": "1"}}));
        assert!(!agree(&locked, &map(json!({"node_modules/a": {"version": "2"}}))));
        assert!(!agree(&locked, &map(json!({}))));
    }
}
