// What an application ships for a job with keybound and with other libraries, and (unless --quick) what our modules are made of.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dist } from "../support/paths.mjs";
import { options, table, write } from "./report.mjs";
import { makeProject, sizes } from "./size-bundles.mjs";
import { inside } from "./size-inside.mjs";
import { JOBS } from "./size-jobs.mjs";

const { quick, json } = options();
const MODULES = [
  { folder: "browser", name: "keybound_browser" },
  { folder: "edge", name: "keybound_edge" },
  { folder: "edge", name: "keybound_rustcrypto" },
];
/** The first is what bounds are in. */
const MEASURES = ["brotli 11", "gzip 9", "minified"];

const versions = {};
for (const [name, folder] of Object.entries(dist)) versions[name] = JSON.parse(await readFile(join(folder, "package.json"), "utf8")).version;

/** The rows of one job: a table for each measure. */
async function compare({ title, entries }, project) {
  const measured = [];
  for (const entry of entries) {
    const { atOnce, later } = await project.bundle(entry);
    measured.push({ ...entry, size: sizes(atOnce) });
    if (later.length > 0) measured.push({ ...entry, limit: undefined, name: `${entry.name}: more when it is needed`, size: sizes(later) });
  }
  const [first] = measured;
  return MEASURES.flatMap((measure) =>
    measured.map(({ name, own, peer, limit, size }, index) => ({
      table: `${title}, ${measure}`,
      name,
      ...(own ? { version: versions[own] } : { peer }),
      unit: "octets",
      median: size[measure],
      ...(index > 0 && { ratio: size[measure] / first.size[measure], against: first.name }),
      ...(limit && measure === "brotli 11" && { bound: `at most ${limit.toLocaleString("en")}`, met: size[measure] <= limit }),
    })),
  );
}

const NOTES = [
  "Sizes are of everything that esbuild makes of an application's imports, minified for ES2022, and of the WebAssembly modules that these scripts load; each file is compressed by itself. A chunk that is loaded only when it is needed has a row of its own.",
  ...JOBS.flatMap(({ title, entries }) => {
    const said = entries.filter(({ does }) => does !== undefined).map(({ name, does }) => `${name}: ${does}`);
    return said.length === 0 ? [] : [`${title}. ${said.join(". ")}.`];
  }),
  "What our modules are made of: octets of the functions' code by crate and module, after inlining, so that a small function counts where it was called; then by how much the compressed module is smaller when a group's code is cut out. The latter do not add up to the whole, since groups help compressing each other.",
  "What it does not show: the jobs are not the same, and the lists above say how they differ; other bundlers; what an application shares with a library anyhow; and how long a device takes to compile what it got (the first proof of a cold page is measured with the proofs).",
];

const project = await makeProject();
const rows = [];
try {
  for (const job of JOBS) rows.push(...(await compare(job, project)));
} finally {
  await project.remove();
}
if (!quick) for (const module of MODULES) rows.push(...(await inside({ ...module, version: versions[module.folder] })));
console.log(table(rows));
await write(json, { group: "size", title: "Sizes", rows, notes: NOTES });
