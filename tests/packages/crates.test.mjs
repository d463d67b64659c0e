// What crates.io gets: each crate packed as `cargo publish` would, and compiled from that.
import assert from "node:assert/strict";
import { readFile, readdir, rm, rmdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../support/paths.mjs";
import { run } from "../support/run.mjs";

const CRATES = ["keybound-core", "keybound-rustcrypto", "keybound-webcrypto", "keybound-browser", "keybound-edge"];

/** Of its own, so that nobody else's build is touched. What the crates depend on stays compiled there. */
const target = join(root, "target/crates-test");

/**
 * Cargo takes a packed crate of the same version for the same crate: it would compile yesterday's sources, as it unpacked
 * them into its cache, or not compile them at all.
 */
async function forgetOurCrates() {
  const sources = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
  // Crates that are nowhere published are unpacked into folders without a host in their name.
  const unpacked = (await list(sources)).filter((name) => name.startsWith("-")).map((name) => join(sources, name));
  for (const folder of [...unpacked, join(target, "debug/.fingerprint")]) {
    const ours = (await list(folder)).filter((name) => CRATES.some((crate) => name.startsWith(`${crate}-`)));
    for (const name of ours) await rm(join(folder, name), { recursive: true, force: true });
  }
  // Fails where something else is in it, which then stays.
  for (const folder of unpacked) await rmdir(folder).catch(() => {});
}

const list = (folder) => readdir(folder).catch(() => []);

before(forgetOurCrates);
after(forgetOurCrates);

test("every crate packs and compiles from its package", async () => {
  const packages = CRATES.flatMap((crate) => ["--package", crate]);
  // `--allow-dirty`: tests run before a commit, too.
  await run("cargo", ["package", "--allow-dirty", "--target-dir", target, ...packages], { cwd: root, timeout: 15 * 60_000 });
});

for (const crate of CRATES) {
  test(`${crate} has what crates.io shows`, async () => {
    const listed = await run("cargo", ["package", "--list", "--allow-dirty", "--package", crate], { cwd: root });
    const files = listed.trim().split("\n");
    assert.ok(files.includes("README.md"), `${crate} has no README.md`);
    const manifest = await readFile(join(root, "crates", crate, "Cargo.toml"), "utf8");
    assert.doesNotMatch(manifest, /description = "TODO/);
  });
}
