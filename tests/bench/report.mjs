// What the groups of benchmarks share: their options, the file that each leaves behind, and its rows as a table of text.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../support/paths.mjs";

/** What `cargo xtask bench` gives to each group; `tiny` is for tests, which want to see that it runs. */
export function options() {
  const flag = { type: "boolean", default: false };
  const { values } = parseArgs({ options: { quick: flag, tiny: flag, json: { type: "string" } } });
  return { ...values, quick: values.quick || values.tiny };
}

/** Writes a group's results to `file` (nowhere if there is none), with the date and the version of each peer. */
export async function write(file, { group, title, rows, notes = [], quick = process.argv.includes("--quick") }) {
  if (file === undefined) return;
  const versions = await lockedVersions();
  const known = rows.map((row) => (row.peer === undefined || row.version !== undefined ? row : { ...row, version: versions(row.peer) }));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify({ group, title, date: new Date().toISOString(), quick, rows: known, notes }, null, 1)}\n`);
}

/** Finds the version of an npm package or a crate in the lock files. */
export async function lockedVersions() {
  const npm = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")).packages;
  const cargo = await readFile(join(root, "Cargo.lock"), "utf8");
  return (name) => npm[`node_modules/${name}`]?.version ?? cargo.match(new RegExp(`^name = "${name}"\nversion = "([^"]+)"`, "m"))?.[1];
}

/** The machine's software in one line. */
export function software(versions) {
  return Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ");
}

/** Rows by the table that they stand in, in the order in which they came. */
export function tablesOf(rows) {
  const tables = new Map();
  for (const row of rows) {
    const name = row.table ?? "";
    if (!tables.has(name)) tables.set(name, []);
    tables.get(name).push(row);
  }
  return tables;
}

const thousands = (text) => text.replace(/\B(?=(\d{3})+$)/g, ",");

/** A figure with as many digits as it is worth. */
export function figure(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return "";
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 100) return `${value < 0 ? "-" : ""}${thousands(size.toFixed(0))}`;
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** What a row says, cell by cell, as text. */
export function cells(row) {
  const has = (value) => value !== undefined && value !== null;
  const ratio = has(row.ratio) ? `${row.ratio.toFixed(2)} x ${row.against ?? ""}`.trim() : "";
  return {
    name: row.version === undefined ? row.name : `${row.name} ${row.version}`,
    median: figure(row.median),
    spread: has(row.low) && has(row.high) ? `${figure(row.low)} to ${figure(row.high)}` : "",
    ratio,
    /** What a bound is held against: the figure, and beside it the ratio. */
    measured: `${figure(row.median)} ${row.unit}${ratio === "" ? "" : `, ${ratio}`}`,
    bound: has(row.bound) ? `${row.bound}: ${row.met ? "met" : "NOT MET"}` : "",
  };
}

/** The rows as tables for a terminal. */
export function table(rows) {
  const lines = [];
  for (const [heading, members] of tablesOf(rows)) {
    const texts = members.map(cells);
    const width = (name) => Math.max(...texts.map((text) => text[name].length));
    const [name, value, spread, ratio] = ["name", "median", "spread", "ratio"].map(width);
    lines.push("", `${heading}, ${members[0].unit}`);
    for (const text of texts) {
      const line = `  ${text.name.padEnd(name)}  ${text.median.padStart(value)}  ${text.spread.padStart(spread)}  ${text.ratio.padEnd(ratio)}  ${text.bound}`;
      lines.push(line.trimEnd());
    }
  }
  return lines.join("\n");
}
