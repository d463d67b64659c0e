// What crates.io gets: each crate packed as `cargo publish` would, and compiled from that.
import assert from "node:assert/strict";
import { readFile, readdir, rm, rmdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../support/paths.mjs";
import { run } from "../support/run.mjs";

const CRATES = ["keybound-core", "keybound-rustcrypto", "keybound-webcrypto", "keybound-browser", "keybound-edge"];

/**
 * Cargo unpacks crates that depend on each other into its cache, under a name without a host, and takes what is there
 * already as long as the version is the same: yesterday's sources would be compiled instead of today's.
 */
async function forgetUnpackedCrates() {
  const sources = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
  const folders = (await readdir(sources).catch(() => [])).filter((name) => name.startsWith("-"));
  for (const folder of folders) {
    const unpacked = await readdir(join(sources, folder));
    for (const name of unpacked.filter((name) => CRATES.some((crate) => name.startsWith(`${crate}-`)))) {
      await rm(join(sources, folder, name), { recursive: true, force: true });
    }
    // Fails where something else is in it, which then stays.
    await rmdir(join(sources, folder)).catch(() => {});
  }
}

before(forgetUnpackedCrates);
after(forgetUnpackedCrates);

/** Cargo unpacks each package once for each version, and would compile yesterday's unpacked sources of today's. */
async function forgetUnpacked() {
  const sources = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
  for (const registry of await readdir(sources).catch(() => [])) {
    // Packages that are not published yet come from a registry without a host.
    if (!registry.startsWith("-")) continue;
    for (const crate of CRATES) await rm(join(sources, registry, `${crate}-0.1.0`), { recursive: true, force: true });
  }
}

test("every crate packs and compiles from its package", async () => {
  await forgetUnpacked();
  const packages = CRATES.flatMap((crate) => ["--package", crate]);
  // `--allow-dirty`: tests run before a commit, too.
  await run("cargo", ["package", "--allow-dirty", ...packages], { cwd: root, timeout: 15 * 60_000 });
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
