// Puts the groups' results together: target/bench/results.json, the picture beside it, and the tables of docs/benchmarks.md.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../support/paths.mjs";
import { writeDocument } from "./report-document.mjs";
import { page } from "./report-page.mjs";
import { lockedVersions } from "./report.mjs";

const GROUPS = ["verify", "served", "replay", "native", "sign", "size", "cold-start"];
const { values } = parseArgs({ options: { folder: { type: "string", default: join(root, "target/bench") }, "write-docs": { type: "boolean", default: false } } });

/** The version in the first line that a program prints about itself, or undefined. */
function versionOf(programs, args = ["--version"]) {
  for (const program of programs) {
    try {
      const said = execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 10_000 });
      return /\d[\w.]*/.exec(said.split("\n")[0])?.[0];
    } catch {
      // The next one, or none.
    }
  }
  return undefined;
}

function system() {
  if (!existsSync("/etc/os-release")) return `${platform()} ${release()}`;
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? platform();
}

/** The machine in words. */
async function machine() {
  const versions = await lockedVersions();
  const cores = cpus();
  const known = {
    Node: process.version.slice(1),
    workerd: versions("workerd"),
    Rust: versionOf(["rustc"]),
    Chromium: versionOf([process.env.KEYBOUND_CHROMIUM ?? "chromium", "chromium-browser", "google-chrome"]),
    Firefox: versionOf(["firefox-esr", "firefox"]),
    WebKitGTK: versionOf(["dpkg-query"], ["-W", "-f=${Version}", "webkit2gtk-driver"]),
  };
  return {
    words: `${cores.length} cores (${cores[0]?.model.trim()}, ${arch()}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory, ${system()}`,
    versions: Object.fromEntries(Object.entries(known).filter(([, version]) => version !== undefined)),
  };
}

const groups = [];
const versions = await lockedVersions();
for (const name of GROUPS) {
  const file = join(values.folder, `${name}.json`);
  if (!existsSync(file)) continue;
  const group = JSON.parse(await readFile(file, "utf8"));
  for (const row of group.rows) if (row.peer !== undefined) row.version ??= versions(row.peer);
  groups.push({ ...group, group: name });
}
const results = { date: new Date().toISOString(), machine: await machine(), groups };
await writeFile(join(values.folder, "results.json"), `${JSON.stringify(results, null, 1)}\n`);
await writeFile(join(values.folder, "report.html"), page(results));
if (values["write-docs"]) await writeDocument(join(root, "docs/benchmarks.md"), results);
