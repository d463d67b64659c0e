//! `cargo xtask lint`: format, clippy, documentation, licences and sources, TypeScript, and what no file may name.

use crate::process::{self, Job};
use crate::setup::{self, Part};
use crate::suites::report::Report;
use crate::{hash, paths};
use anyhow::{Result, bail};
use std::fs;
use std::process::ExitCode;

/// Check format, clippy, documentation, licences and sources, TypeScript
#[derive(clap::Args)]
pub struct Args {
    /// Format the Rust sources first
    #[arg(long)]
    fix: bool,
}

/// What crates.io gets. All of them compile natively, also those that only do something in a browser, so no wasm32
/// toolchain needs a clippy of its own.
const PUBLISHED: [&str; 6] = [
    "keybound-core",
    "keybound-rustcrypto",
    "keybound-aws-lc",
    "keybound-webcrypto",
    "keybound-browser",
    "keybound-edge",
];
const WORKSHOP: [&str; 5] =
    ["keybound-conformance", "keybound-example-spa", "keybound-example-worker", "keybound-provider-tests", "xtask"];

/// A file that names one works only where that host can be reached; names of packages work everywhere.
/// Written in two halves, so that this file passes.
const REGISTRY_HOSTS: [(&str, &str); 6] = [
    ("registry.npm", "js.org"),
    ("registry.yarn", "pkg.com"),
    ("static.crates", ".io"),
    ("index.crates", ".io"),
    ("files.python", "hosted.org"),
    ("deb.debian", ".org"),
];

/// All workspaces.
const FORMAT: [&[&str]; 3] = [
    &["fmt", "--all"],
    &["fmt", "--manifest-path", "tests/fuzz/Cargo.toml"],
    &["fmt", "--manifest-path", "tests/bench/native/Cargo.toml"],
];

pub fn run(args: &Args) -> Result<ExitCode> {
    if args.fix {
        for arguments in FORMAT {
            Job::new("cargo fmt", "cargo").args(arguments).run()?;
        }
    }
    let mut report = Report::default();
    report.suite("lint", |report| {
        setup::ensure(&[Part::CargoDeny, Part::Npm])?;
        checks(report)
    });
    Ok(report.close())
}

pub fn checks(report: &mut Report) -> Result<()> {
    for arguments in FORMAT {
        let check = Job::new("cargo fmt", "cargo").args(arguments).args(["--", "--check", "--color", "never"]);
        report.succeeds(&format!("cargo {}", arguments.join(" ")), check);
    }
    for krate in PUBLISHED.iter().chain(&WORKSHOP) {
        let label = format!("clippy {krate}");
        let clippy = Job::new(label.clone(), "cargo").args([
            "clippy",
            "--all-targets",
            "--package",
            krate,
            "--",
            "-D",
            "warnings",
        ]);
        report.succeeds(&label, clippy.minutes(15));
    }
    let published = PUBLISHED.iter().flat_map(|krate| ["--package", krate]);
    let doc = Job::new("cargo doc", "cargo").args(["doc", "--no-deps", "--all-features"]).args(published);
    report.succeeds("documentation", doc.env("RUSTDOCFLAGS", "-D warnings").minutes(15));
    let deny = Job::new("cargo-deny", paths::tools_bin()?.join("cargo-deny"));
    report.succeeds("cargo-deny", deny.args(["check", "bans", "licenses", "sources"]).minutes(5));
    for template in ["browser", "edge", "mtls-front"] {
        let label = format!("tsc {template}");
        let project = paths::root().join("pkg-templates").join(template).join("tsconfig.json");
        let tsc =
            Job::new(format!("{label} check"), paths::npm_bin("tsc")).args(["--noEmit", "--project"]).args([project]);
        report.succeeds(&label, tsc.minutes(5));
    }
    report.check("no file names a registry's host", |_| no_registry_hosts());
    Ok(())
}

fn no_registry_hosts() -> Result<()> {
    let mut found = Vec::new();
    for file in tracked_files()? {
        // Binary files have no lines to complain about.
        let Ok(text) = fs::read_to_string(paths::root().join(&file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if REGISTRY_HOSTS.iter().any(|(first, second)| line.contains(&format!("{first}{second}"))) {
                found.push(format!("{file}:{}: {}", number.saturating_add(1), line.trim()));
            }
        }
    }
    if !found.is_empty() {
        bail!(
            "these lines name a package registry's host; leave hosts to the package managers' configuration\n{}",
            found.join("\n")
        );
    }
    Ok(())
}

/// What git has or would add: `.gitignore` keeps outputs away.
fn tracked_files() -> Result<Vec<String>> {
    let listed = process::ask_all("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    match listed {
        Some(files) => Ok(files.lines().map(str::to_owned).collect()),
        // A source archive without git: the folders that are ours.
        None => Ok(["crates", "pkg-templates", "tests", "www"]
            .iter()
            .map(|folder| hash::files_below(&paths::root().join(folder)))
            .collect::<Result<Vec<_>>>()?
            .concat()
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect()),
    }
}
