//! Programs that come from the operating system: browsers, their drivers, a virtual display, servers, a compiler.

use super::Part;
use crate::{paths, process::Job, ui::Step};
use anyhow::{Result, bail};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A program, the names that it may have, and the Debian package that brings it.
pub struct Program {
    part: Part,
    names: &'static [&'static str],
    package: &'static str,
}

const PROGRAMS: &[Program] = &[
    Program {
        part: Part::Chromium,
        names: &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
        package: "chromium",
    },
    Program { part: Part::Chromedriver, names: &["chromedriver"], package: "chromium-driver" },
    Program { part: Part::Firefox, names: &["firefox-esr", "firefox"], package: "firefox-esr" },
    Program { part: Part::Webkit, names: &["WebKitWebDriver"], package: "webkit2gtk-driver" },
    Program { part: Part::Webkit, names: &["Xvfb"], package: "xvfb" },
    // xvfb-run calls it, and xvfb only recommends it.
    Program { part: Part::Webkit, names: &["xauth"], package: "xauth" },
    Program { part: Part::Redis, names: &["redis-server"], package: "redis-server" },
    Program { part: Part::Nginx, names: &["nginx"], package: "nginx" },
    Program { part: Part::Haproxy, names: &["haproxy"], package: "haproxy" },
    Program { part: Part::Cxx, names: &["c++"], package: "g++" },
    Program { part: Part::Wrk, names: &["wrk"], package: "wrk" },
];

/// Package lists older than this are fetched again.
const LISTS_KEEP: Duration = Duration::from_secs(24 * 3600);

pub fn missing(parts: &[Part]) -> Vec<&'static Program> {
    PROGRAMS
        .iter()
        .filter(|program| parts.contains(&program.part))
        .filter(|program| {
            !chosen_by_hand(program.part) && program.names.iter().all(|name| paths::which(name).is_none())
        })
        .collect()
}

/// Tests take the Chromium that this variable names.
fn chosen_by_hand(part: Part) -> bool {
    part == Part::Chromium && std::env::var_os("KEYBOUND_CHROMIUM").is_some_and(|path| Path::new(&path).is_file())
}

pub fn install(programs: &[&Program]) -> Result<()> {
    if programs.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = programs.iter().map(|program| program.package).collect();
    if paths::which("apt-get").is_none() {
        let names: Vec<&str> = programs.iter().filter_map(|program| program.names.first().copied()).collect();
        bail!(
            "not found on PATH: {}. Install them with your system's package manager (on Debian the packages are {})",
            names.join(", "),
            packages.join(", ")
        );
    }
    apt_install(&packages)
}

/// Installs packages as root, through sudo, or says what to run.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    let command = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    let Some(root) = as_root() else {
        bail!(
            "these Debian packages are missing, and installing them needs root: run\n  sudo apt-get update && sudo {command}"
        );
    };
    let mut step = Step::start(format!("Debian packages {}", packages.join(", ")));
    let fresh = lists_are_fresh();
    if !fresh {
        apt_get(root, "apt-get update", &["update"]).minutes(10).succeed_in(&mut step)?;
    }
    let arguments: Vec<&str> =
        ["install", "-y", "--no-install-recommends"].into_iter().chain(packages.iter().copied()).collect();
    let mut finished = apt_get(root, "apt-get install", &arguments).minutes(30).run_in(&mut step)?;
    if !finished.success() && fresh {
        // A list may name a version that its server no longer has.
        apt_get(root, "apt-get update", &["update"]).minutes(10).succeed_in(&mut step)?;
        finished = apt_get(root, "apt-get install", &arguments).minutes(30).run_in(&mut step)?;
    }
    if !finished.success() {
        step.failed("");
        bail!("`{command}` failed\n{}", finished.report());
    }
    step.done("");
    Ok(())
}

/// How to run something as root without asking a person for a password.
#[derive(Clone, Copy)]
pub enum Root {
    Already,
    Sudo,
}

pub fn as_root() -> Option<Root> {
    if nix::unistd::geteuid().is_root() {
        return Some(Root::Already);
    }
    crate::process::ask("sudo", &["-n", "true"]).map(|_| Root::Sudo)
}

impl Root {
    pub fn job(self, name: &str, program: &str) -> Job {
        match self {
            Root::Already => Job::new(name, program),
            Root::Sudo => Job::new(name, "sudo").args(["-n", "--preserve-env=DEBIAN_FRONTEND", program]),
        }
    }
}

fn apt_get(root: Root, name: &str, arguments: &[&str]) -> Job {
    // Another apt may be at work on a machine that has just started.
    root.job(name, "apt-get")
        .args(["-o", "DPkg::Lock::Timeout=300"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
}

fn lists_are_fresh() -> bool {
    let lists = Path::new("/var/lib/apt/lists");
    fs::read_dir(lists).is_ok_and(|entries| {
        entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
            .filter_map(|entry| entry.metadata().ok()?.modified().ok()?.elapsed().ok())
            .any(|age| age < LISTS_KEEP)
    })
}
