// Each group of benchmarks runs, with the smallest sizes, and leaves results that can be read; what it measures is nobody's gate here.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../support/run.mjs";
import { inside } from "./size-inside.mjs";

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybound-bench-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** What a group wrote. */
async function results(group, args, env) {
  const file = join(folder, `${group}.json`);
  const script = fileURLToPath(new URL(`${group}.mjs`, import.meta.url));
  const printed = await run("node", [script, "--json", file, ...args], { env });
  const written = JSON.parse(await readFile(file, "utf8"));
  assert.equal(written.group, group);
  assert.ok(written.notes.length > 0 && written.notes.some((note) => note.startsWith("What it does not show")));
  for (const row of written.rows) {
    const where = `${row.table}: ${row.name}`;
    assert.ok(printed.includes(row.table), `${where} is not printed`);
    assert.ok(Number.isFinite(row.median) && row.median >= 0, `${where}: ${row.median}`);
    assert.ok(row.peer === undefined || row.version !== undefined, `${where} has no version`);
    assert.equal(typeof row.met, row.bound === undefined ? "undefined" : "boolean", where);
    if (row.against !== undefined) {
      assert.ok(Number.isFinite(row.ratio), `${where}: ${row.ratio}`);
      assert.ok(written.rows.some(({ table, name }) => table === row.table && name === row.against), `${where}: no row ${row.against}`);
    }
  }
  return written.rows;
}

const bounds = (rows) => rows.filter(({ bound }) => bound !== undefined).length;

test("replay marks", async () => {
  const rows = await results("replay", ["--marks", "20000", "--rounds", "1", "--batch", "10"]);
  assert.equal(bounds(rows), 1);
  for (const store of ["memoryReplay()", "durableObjectReplay()", "redisReplay()"]) assert.ok(rows.some(({ name }) => name === store), store);
});

test("proofs in a browser, each of which is verified", async () => {
  const rows = await results("sign", ["--rounds", "1", "--batch", "1", "--pages", "1"], { KEYBOUND_ENGINES: "chromium" });
  assert.equal(bounds(rows), 3);
  assert.equal(new Set(rows.map(({ table }) => table)).size, 5);
});

test("sizes", async () => {
  const rows = await results("size", ["--quick"]);
  assert.equal(bounds(rows), 3);
  assert.ok(rows.every(({ median }) => median > 1000));
});

test("what a module is made of: groups that leave nothing out, ours among them", async () => {
  const rows = await inside({ folder: "browser", name: "keybound_browser" });
  const [all, ...parts] = rows.filter(({ table }) => table.endsWith("by crate and module"));
  assert.ok(parts.some(({ name }) => name.startsWith("keybound_core::")));
  const sum = parts.reduce((total, { median }) => total + median, 0);
  // Imports, and the heads of sections, belong to no group.
  assert.ok(sum <= all.median && sum > 0.98 * all.median, `${sum} of ${all.median}`);
});
