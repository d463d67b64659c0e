//! `wasm-pack test`: the crates that speak to browsers, in browsers; and the signature providers in workerd.

use super::counts;
use super::report::Report;
use crate::paths;
use crate::process::Job;
use crate::toolchain::{WASM32, WasmToolchain};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// The signature providers (`keybound-webcrypto` among them) share one test body, which has a crate of its own.
const PROVIDERS: &str = "tests/providers";
const CRATES: [&str; 2] = [PROVIDERS, "crates/keybound-browser"];
/// Where the tests run, and the variable by which wasm-bindgen's runner is told.
const PLACES: [(&str, &str); 2] =
    [("window", "WASM_BINDGEN_USE_BROWSER"), ("dedicated worker", "WASM_BINDGEN_USE_DEDICATED_WORKER")];

/// What wasm-pack calls a browser, and its WebDriver.
struct Browser {
    name: &'static str,
    flags: [&'static str; 2],
    driver: PathBuf,
}

fn browsers() -> Result<[Browser; 3]> {
    let found = |program: &str| paths::which(program).with_context(|| format!("{program} is missing"));
    Ok([
        Browser { name: "Chromium", flags: ["--chrome", "--chromedriver"], driver: found("chromedriver")? },
        Browser {
            name: "Firefox",
            flags: ["--firefox", "--geckodriver"],
            driver: paths::tools_bin()?.join("geckodriver"),
        },
        // The runner does not know WebKitGTK, whose driver takes what Safari's takes; `webkit.json` names the browser.
        Browser { name: WEBKIT, flags: ["--safari", "--safaridriver"], driver: found("WebKitWebDriver")? },
    ])
}

const WEBKIT: &str = "WebKit";

pub fn run(report: &mut Report) -> Result<()> {
    let toolchain = WasmToolchain::find().context("the wasm32 target is missing")?;
    for krate in CRATES {
        // Once in a few runs WebKitGTK 2.50 compiles P-384 or P-521 in unoptimised Rust to something else: an overflow
        // where there can be none, or memory that is out of order.
        for browser in browsers()?.into_iter().filter(|browser| krate != PROVIDERS || browser.name != WEBKIT) {
            for (place, variable) in PLACES {
                let label = format!("{krate} in {}, {place}", browser.name);
                let job = toolchain
                    .equip(wasm_pack(&label, browser.name == WEBKIT)?)
                    .args(["test", "--mode", "no-install", "--headless"])
                    .args(browser.flags)
                    .args([browser.driver.clone(), paths::root().join(krate)])
                    .env(variable, "1")
                    .minutes(10);
                report.runner(&label, job, counts::cargo_test);
            }
        }
    }
    providers_in_workerd(report, toolchain)
}

/// WebKitGTK has no headless mode: it gets a screen that nobody sees.
fn wasm_pack(label: &str, needs_screen: bool) -> Result<Job> {
    let program = paths::tools_bin()?.join("wasm-pack");
    if !needs_screen {
        return Ok(Job::new(label, program));
    }
    let capabilities = paths::root().join("tests/providers/webkit.json");
    let job = Job::new(label, "xvfb-run").args(["-a"]).args([program]);
    Ok(job.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities))
}

/// wasm-bindgen's runner does not know workerd: an example of the test crate is built, bound and run by hand.
fn providers_in_workerd(report: &mut Report, toolchain: WasmToolchain) -> Result<()> {
    let folder = paths::root().join("tests/providers");
    let built = paths::wasm_target().join(WASM32).join("debug/examples/workerd.wasm");
    let build = ["build", "--target", WASM32, "--package", "keybound-provider-tests", "--example", "workerd"];
    toolchain.cargo("tests/providers for workerd").args(build).minutes(15).run_quietly_if_fast()?;
    Job::new("bindings of tests/providers for workerd", paths::tools_bin()?.join("wasm-bindgen"))
        .args(["--target", "web", "--no-typescript", "--out-dir"])
        .args([folder.join("out/workerd"), built])
        .run_quietly_if_fast()?;
    let run = Job::new("tests/providers in workerd", paths::npm_bin("workerd")).args(["test"]);
    report.runner("tests/providers in workerd", run.args([folder.join("workerd/config.capnp")]), counts::plain);
    Ok(())
}
