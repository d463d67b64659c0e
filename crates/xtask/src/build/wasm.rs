//! From a crate to an optimised .wasm with its private JavaScript bindings.

use super::Source;
use crate::hash::{Inputs, Stamp};
use crate::toolchain::{WASM32, WasmToolchain};
use crate::{paths, process::Job, setup, ui::Step};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What rustc may use for wasm32 and wasm-opt therefore has to know.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// A finished module.
pub struct Module {
    /// The bindings, if wasm-bindgen writes them.
    pub javascript: Option<PathBuf>,
    pub wasm: PathBuf,
}

pub fn build(source: &Source) -> Result<Module> {
    let compiled = compile(source)?;
    let out = paths::wasm_target().join("npm").join(source.name);
    let module = Module {
        javascript: source.bindings.then(|| out.join(format!("{}.js", source.name))),
        wasm: out.join(format!("{}_bg.wasm", source.name)),
    };
    let inputs = Inputs::default()
        .file(&compiled)?
        .text(&setup::locked_version("wasm-bindgen")?)
        .file(&paths::root().join("node_modules/binaryen/package.json"))?
        .text(include_str!("wasm.rs"))
        .text(&source.wasm_opt.join(" "))
        .text(&WASM_FEATURES.join(" "))
        .finish();
    let stamp = Stamp::at(out.join(".stamp"));
    if stamp.says(&inputs) && module.wasm.is_file() && module.javascript.as_deref().is_none_or(Path::is_file) {
        return Ok(module);
    }
    stamp.remove();
    let mut step = Step::start(format!("{}: bindings and optimised module", source.krate));
    // An error means that there was nothing of an earlier build.
    let _ = fs::remove_dir_all(&out);
    if source.bindings {
        bind(source, &compiled, &out, &mut step)?;
    } else {
        fs::create_dir_all(&out)?;
        fs::copy(&compiled, &module.wasm)?;
    }
    optimise(source, &module, &mut step)?;
    step.done(&format!("{} bytes", fs::metadata(&module.wasm)?.len()));
    stamp.write(&inputs)?;
    Ok(module)
}

/// Cargo itself knows best what is up to date.
fn compile(source: &Source) -> Result<PathBuf> {
    let toolchain = WasmToolchain::find().context("the wasm32 target is missing")?;
    toolchain
        .cargo(format!("{} for wasm32", source.krate))
        // Asked for here only: a crate that says cdylib of itself has every dependant build it, and is built without
        // link-time optimisation where it is an rlib as well.
        .args(["rustc", "--lib", "--crate-type", "cdylib", "--package", source.krate])
        .args(["--no-default-features", "--features", "npm", "--profile", source.profile, "--target", WASM32])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", rust_flags(source)?)
        .minutes(30)
        .run_quietly_if_fast()?;
    let built = paths::wasm_target().join(WASM32).join(source.profile).join(format!("{}.wasm", source.name));
    ensure!(built.is_file(), "{} did not appear", built.display());
    Ok(built)
}

fn bind(source: &Source, compiled: &PathBuf, out: &PathBuf, step: &mut Step) -> Result<()> {
    Job::new(format!("wasm-bindgen {}", source.name), paths::tools_bin()?.join("wasm-bindgen"))
        .args([
            "--target",
            "web",
            "--omit-default-module-path",
            "--no-typescript",
            "--out-name",
            source.name,
            "--out-dir",
        ])
        .args([out, compiled])
        .minutes(5)
        .succeed_in(step)?;
    let_bundlers_drop_classes(&out.join(format!("{}.js", source.name)))
}

/// To a bundler, a class whose prototype is changed afterwards, and a registry that is constructed, are effects that
/// may be needed: everybody's bundle would have the classes of every export. Nobody calls these classes' disposers.
fn let_bundlers_drop_classes(javascript: &Path) -> Result<()> {
    const REGISTRY: &str = "new FinalizationRegistry(";
    let bindings = fs::read_to_string(javascript)?;
    let kept = bindings.lines().filter(|line| !line.starts_with("if (Symbol.dispose)"));
    let pure = kept.map(|line| line.replace(REGISTRY, &format!("/* @__PURE__ */ {REGISTRY}")) + "\n");
    fs::write(javascript, pure.collect::<String>())?;
    Ok(())
}

fn optimise(source: &Source, module: &Module, step: &mut Step) -> Result<()> {
    let optimised = module.wasm.with_extension("wasm.optimised");
    Job::new(format!("wasm-opt {}", source.name), paths::npm_bin("wasm-opt"))
        .args(source.wasm_opt)
        // Which function is which, beside the module, for whoever asks what it is made of.
        .args([format!("--symbolmap={}", module.wasm.with_extension("symbols").display())])
        .args(["--strip-debug", "--strip-producers", "--strip-target-features", "--converge"])
        .args(WASM_FEATURES)
        .args([&module.wasm])
        .args(["-o"])
        .args([&optimised])
        .minutes(15)
        .succeed_in(step)?;
    fs::rename(&optimised, &module.wasm)?;
    Ok(())
}

/// Panic messages carry source paths: what ships must not name somebody's home directory, nor differ from machine to machine.
fn rust_flags(source: &Source) -> Result<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let sources = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    // `cargo package` makes more folders there, and other flags mean another build: only the one that our crates are in.
    let known = format!("wasm-bindgen-{}", setup::locked_version("wasm-bindgen")?);
    let folders =
        sources.into_iter().flatten().flatten().map(|entry| entry.path()).filter(|folder| folder.join(&known).is_dir());
    let dependencies = folders.map(|folder| format!("--remap-path-prefix={}=/deps", folder.display()));
    let ours = format!("--remap-path-prefix={}=/keybound", paths::root().display());
    let flags = source.rust_flags.iter().map(|flag| (*flag).to_owned()).chain(dependencies).chain([ours]);
    // The variable separates flags by spaces, so a folder with a space in its name goes unmapped.
    Ok(flags.filter(|flag| !flag.contains(' ')).collect::<Vec<_>>().join(" "))
}
