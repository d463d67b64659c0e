// The groups of benchmarks that start workers run, with the smallest sizes, and their results can be drawn and written down.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../support/run.mjs";
import { writeDocument } from "./report-document.mjs";

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybound-bench-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const script = (name) => fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
const read = async (name) => JSON.parse(await readFile(join(folder, `${name}.json`), "utf8"));

test("decisions are timed in both runtimes with every peer, and judged", async () => {
  await run("node", [script("verify"), "--tiny", "--json", join(folder, "verify.json")]);
  const { rows } = await read("verify");
  for (const runtime of ["workerd", "Node"]) {
    const names = rows.filter(({ table }) => table.startsWith(`${runtime}: ES256`)).map(({ name }) => name);
    for (const name of ["one subtle.verify", "keybound, all known", "keybound, cold", "oauth4webapi", "jose, a recipe"]) assert.ok(names.includes(name), `${runtime}: ${name}`);
    assert.equal(rows.filter(({ table, bound }) => table.startsWith(`${runtime}: ES256`) && bound !== undefined).length, 4);
  }
  for (const row of rows) {
    assert.ok(Number.isFinite(row.median), row.name);
    assert.ok(row.against === undefined || rows.some(({ table, name }) => table === row.table && name === row.against), `${row.table}: ${row.name}`);
  }
});

test("the time from the start of a worker to its first answer", async () => {
  await run("node", [script("cold-start"), "--tiny", "--json", join(folder, "cold-start.json")]);
  const { rows } = await read("cold-start");
  assert.equal(rows.filter(({ bound, met }) => bound !== undefined && typeof met === "boolean").length, 1);
});

test("results become a page and the tables of a document, whose other text stays", async () => {
  const row = { table: "a <table>", name: "keybound | x", unit: "ms", median: 2, low: 1, high: 3, ratio: 2, against: "one", bound: "at most 1", met: false };
  const group = { group: "size", title: "t", date: "2026-01-02T03:04:05Z", quick: true, rows: [row], notes: ["a note"] };
  await writeFile(join(folder, "size.json"), JSON.stringify(group));
  await run("node", [script("report-merge"), "--folder", folder]);
  const results = await read("results");
  const page = await readFile(join(folder, "report.html"), "utf8");
  assert.ok(page.includes("a &lt;table&gt;") && !page.includes("a <table>"));
  assert.doesNotMatch(page, /(src|href)=|url\(/);

  const file = join(folder, "page.md");
  const marked = (name) => `<!-- bench:${name} -->\nold\n<!-- /bench:${name} -->\n`;
  await writeFile(file, `kept\n${marked("machine")}${marked("bounds")}${marked("size")}also kept\n`);
  await writeDocument(file, { ...results, groups: [group] });
  const text = await readFile(file, "utf8");
  assert.ok(text.startsWith("kept\n") && text.endsWith("also kept\n") && !text.includes("old"));
  assert.ok(text.includes("| keybound \\| x | 2 | 1 to 3 | 2.00 x one | at most 1: NOT MET |"));
  await assert.rejects(writeDocument(file, { ...results, groups: [{ ...group, group: "sign" }] }), /bench:sign/);
});
