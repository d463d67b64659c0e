// What crates.io gets: each crate packed as `cargo publish` would, and compiled from that.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { join } from "node:path";
import { root } from "../support/paths.mjs";
import { run } from "../support/run.mjs";

const CRATES = ["keybound-core", "keybound-rustcrypto", "keybound-webcrypto", "keybound-browser", "keybound-edge"];

test("every crate packs and compiles from its package", async () => {
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
