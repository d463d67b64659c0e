//! Puts a package together: the template, its compiled TypeScript, the modules, the licences.

use super::{Package, wasm::Module};
use crate::hash::{Inputs, Stamp, files_below};
use crate::{paths, process::Job, ui::Step};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

pub fn assemble(package: Package, modules: &[Module]) -> Result<()> {
    let template = paths::root().join("pkg-templates").join(package.folder());
    let target = paths::dist().join(package.folder());
    let licences = [paths::root().join("LICENSE-MIT"), paths::root().join("LICENSE-APACHE")];
    let compiled: Vec<&PathBuf> =
        modules.iter().flat_map(|module| module.javascript.iter().chain([&module.wasm])).collect();
    let inputs = licences
        .iter()
        .chain(compiled.iter().copied())
        .try_fold(Inputs::default().folder(&template)?, |inputs, file| inputs.file(file))?
        .file(&paths::root().join("node_modules/typescript/package.json"))?
        // A change of this file changes what it makes.
        .text(include_str!("assemble.rs"))
        .finish();
    let stamp = Stamp::at(paths::dist().join(format!(".stamp-{}", package.folder())));
    if stamp.says(&inputs) && target.join("package.json").is_file() {
        return Ok(());
    }
    stamp.remove();

    let mut step = Step::start(format!("dist/{}", package.folder()));
    let version = check_version(&template)?;
    // Beside its final place, so that nobody ever reads half a package.
    let staging = paths::dist().join(format!(".new-{}", package.folder()));
    let _ = fs::remove_dir_all(&staging);
    fs::create_dir_all(&staging)?;
    copy_template(&template, &staging)?;
    let places = [(licences.iter().collect(), staging.clone()), (compiled, staging.join("wasm"))];
    for (files, folder) in places {
        for file in files {
            copy(file, &folder.join(file.file_name().unwrap_or_default()))?;
        }
    }
    compile_typescript(package, &template, &staging, &mut step)?;
    if let (Package::Browser, [module]) = (package, modules) {
        write_inline_bytes(&module.wasm, &staging.join("inline-bytes.js"))?;
    }
    let _ = fs::remove_dir_all(&target);
    fs::rename(&staging, &target).with_context(|| format!("cannot put {} in place", target.display()))?;
    step.done(&version);
    stamp.write(&inputs)
}

/// npm and crates.io get one version.
fn check_version(template: &Path) -> Result<String> {
    let file = template.join("package.json");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let package: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
    let version = package.get("version").and_then(serde_json::Value::as_str).unwrap_or_default();
    let ours = crate::setup::locked_version("keybound-core")?;
    if version != ours {
        bail!("{} says version {version}, Cargo.toml says {ours}", file.display());
    }
    Ok(version.to_owned())
}

/// Everything but the sources of the TypeScript and what only its compiler reads. Hand-written JavaScript and declarations in `src/` go along.
fn copy_template(template: &Path, staging: &Path) -> Result<()> {
    for file in files_below(template)? {
        let inside = file.strip_prefix(template)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let (place, from_sources) = match inside.strip_prefix("src") {
            Ok(below) => (below, true),
            Err(_) => (inside, false),
        };
        let compiled = from_sources
            && (name.ends_with(".ts") || name.ends_with(".mts"))
            && !name.ends_with(".d.ts")
            && !name.ends_with(".d.mts");
        let only_for_work = name.starts_with("tsconfig") || place.starts_with("test") || place.starts_with("tests");
        if !compiled && !only_for_work {
            copy(&file, &staging.join(place))?;
        }
    }
    Ok(())
}

fn compile_typescript(package: Package, template: &Path, staging: &Path, step: &mut Step) -> Result<()> {
    let project = template.join("tsconfig.json");
    Job::new(format!("tsc {}", package.folder()), paths::npm_bin("tsc"))
        .args(["--project"])
        .args([&project])
        .args(["--outDir"])
        .args([staging])
        .args(["--noEmit", "false", "--declaration", "--incremental", "false"])
        .minutes(5)
        .succeed_in(step)?;
    Ok(())
}

/// The module inside JavaScript, for tool chains that lose assets.
fn write_inline_bytes(wasm: &Path, target: &PathBuf) -> Result<()> {
    let bytes = fs::read(wasm)?;
    let text = format!("// The WebAssembly module as base64. Generated.\nexport default \"{}\";\n", base64(&bytes));
    fs::write(target, text).with_context(|| format!("cannot write {}", target.display()))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_u32, |group, index| group << 8 | u32::from(chunk.get(index).copied().unwrap_or(0)));
        for place in 0..4_usize {
            let digit = (group >> (18 - 6 * place)) & 63;
            text.push(if place <= chunk.len() { char::from(ALPHABET[digit as usize]) } else { '=' });
        }
    }
    text
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_agrees_with_the_vectors_of_rfc_4648() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in vectors {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
