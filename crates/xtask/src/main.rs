//! `cargo xtask`: every command of the project. This file is the table of verbs; each verb has a file of its own.

mod bench;
mod build;
mod conformance;
mod demo;
mod fuzz;
mod hash;
mod lint;
mod lock;
mod paths;
mod process;
mod rust_example;
mod rust_spa;
mod rust_worker;
mod setup;
mod size;
mod suites;
mod toolchain;
mod ui;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Every command of the project.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true,
    after_help = "Each verb first sets up what it needs (`cargo xtask setup` does it all at once).\n\
                  Downloaded and built tools live in $KEYBOUND_CACHE, by default ~/.cache/keybound."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Setup(setup::Args),
    Build(build::Args),
    Test(suites::Args),
    Demo(demo::Args),
    Conformance(conformance::Args),
    Fuzz(fuzz::Args),
    RustSpa(rust_spa::Args),
    RustWorker(rust_worker::Args),
    Size(size::Args),
    Lint(lint::Args),
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = process::stop_children_on_interrupt().and_then(|()| match cli.verb {
        Verb::Setup(args) => setup::run(&args),
        Verb::Build(args) => build::run(&args),
        Verb::Test(args) => suites::run(&args),
        Verb::Demo(args) => demo::run(&args),
        Verb::Conformance(args) => conformance::run(&args),
        Verb::Fuzz(args) => fuzz::run(&args),
        Verb::RustSpa(args) => rust_spa::run(&args),
        Verb::RustWorker(args) => rust_worker::run(&args),
        Verb::Size(args) => size::run(&args),
        Verb::Lint(args) => lint::run(&args),
        Verb::Bench(args) => bench::run(&args),
    });
    outcome.unwrap_or_else(|error| {
        ui::error(&error);
        ExitCode::FAILURE
    })
}
