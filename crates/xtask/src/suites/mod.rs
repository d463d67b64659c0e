//! `cargo xtask test`: suites by name. This file is their table.

mod conformance;
pub mod counts;
mod fuzz;
mod no_std;
mod node_tests;
pub mod report;
mod unit;
mod wasm;

use crate::setup::{self, Part};
use crate::{build, lint, size};
use anyhow::Result;
use clap::ValueEnum;
use report::Report;
use std::process::ExitCode;

/// Run test suites; all of them without a name
///
/// Sets up and builds what the chosen suites need. The last line is `N passed, N failed`; full output of
/// every program is in target/xtask-logs/.
#[derive(clap::Args)]
pub struct Args {
    /// Suites to run, in the order given (default: all)
    #[arg(value_enum)]
    suites: Vec<Suite>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Native unit, vector and documentation tests (needs nothing but cargo)
    Unit,
    /// The core and its native signatures compile for a bare-metal target
    NoStd,
    /// Format, clippy, documentation, licences and sources, TypeScript
    Lint,
    /// What ships stays within its size limits
    Size,
    /// The conformance cases, natively, in Node, in workerd and in Chromium
    Conformance,
    /// Crates in headless Chromium, Firefox and WebKit, in a window and in a dedicated worker, and in workerd
    Wasm,
    /// What npm and crates.io get: packed, installed and used in Node, workerd, bundlers and plain pages
    Packages,
    /// @keybound/edge in workerd and Node
    Edge,
    /// Other libraries' proofs at ours, ours at theirs, and an authorization server that binds tokens
    Interop,
    /// 100,000 mutated proofs and tokens at keybound and at oauth4webapi
    Differential,
    /// @keybound/edge in Hono and in Node's servers, and asked by pages of another origin in Chromium, Firefox and WebKit
    Adapters,
    /// Certificate-bound tokens over real handshakes: nginx, HAProxy, Node and the development front
    Mtls,
    /// @keybound/browser in Chromium, Firefox and WebKit
    Browsers,
    /// The fuzz targets, a few seconds each
    Fuzz,
    /// The demo's story
    Demo,
}

/// What a suite needs, and how it runs.
struct Plan {
    parts: &'static [Part],
    build: bool,
    run: fn(&mut Report) -> Result<()>,
}

impl Suite {
    fn plan(self) -> Plan {
        use Part::{
            CargoDeny, Chromedriver, Chromium, Firefox, Geckodriver, Haproxy, Nginx, Npm, Redis, WasmBindgen, WasmPack,
            WasmTarget, Webkit,
        };
        match self {
            Suite::Unit => Plan { parts: &[], build: false, run: unit::run },
            Suite::NoStd => Plan { parts: &[WasmTarget], build: false, run: no_std::run },
            Suite::Lint => Plan { parts: &[CargoDeny, Npm], build: false, run: lint::checks },
            Suite::Size => Plan { parts: &[Npm], build: true, run: size::suite },
            Suite::Conformance => Plan { parts: &[Npm, Chromium], build: true, run: conformance::run },
            Suite::Wasm => Plan {
                parts: &[WasmTarget, WasmBindgen, WasmPack, Npm, Chromium, Chromedriver, Firefox, Geckodriver, Webkit],
                build: false,
                run: wasm::run,
            },
            Suite::Packages => Plan { parts: &[Npm, Chromium, Redis], build: true, run: node_tests::packages },
            Suite::Edge => Plan { parts: &[Npm, Redis], build: true, run: node_tests::edge },
            Suite::Interop => Plan { parts: &[Npm], build: true, run: node_tests::interop },
            Suite::Differential => Plan { parts: &[Npm], build: true, run: node_tests::differential },
            Suite::Adapters => {
                Plan { parts: &[Npm, Chromium, Firefox, Geckodriver, Webkit], build: true, run: node_tests::adapters }
            }
            Suite::Mtls => Plan { parts: &[Npm, Nginx, Haproxy], build: true, run: node_tests::mtls },
            Suite::Browsers => Plan {
                parts: &[Npm, Chromium, Chromedriver, Firefox, Geckodriver, Webkit],
                build: true,
                run: node_tests::browsers,
            },
            Suite::Fuzz => Plan { parts: crate::fuzz::PARTS, build: false, run: fuzz::run },
            Suite::Demo => Plan { parts: &[Npm, Chromium], build: true, run: node_tests::demo },
        }
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let suites = if args.suites.is_empty() { Suite::value_variants() } else { &args.suites };
    let mut report = Report::default();
    for suite in suites {
        let name = suite.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let plan = suite.plan();
        report.suite(&name, |report| {
            setup::ensure(plan.parts)?;
            if plan.build {
                build::all()?;
            }
            (plan.run)(report)
        });
    }
    Ok(report.close())
}
