// What replay marks cost: a million in memory, and round trips to the stores that a fleet shares.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dist } from "../support/paths.mjs";
// First, since it has to be there when the module starts.
import { inMemory } from "./replay-memory.mjs";
import { inDurableObjects, inRedis } from "./replay-stores.mjs";
import { table, write } from "./report.mjs";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, json: { type: "string" }, marks: { type: "string" }, rounds: { type: "string" }, batch: { type: "string" } },
});
const rounds = Number(values.rounds ?? (values.quick ? 10 : 60));

const NOTES = [
  "Memory: a million marks that all live at once, then the clock moves on four seconds a claim, so that each claim forgets what has expired meanwhile. For the store in the module, octets are what the module's memory grew by (it never shrinks, and grows ahead of need); for the Map, what the heap grew by after a collection, the keys' texts included.",
  "The Map is what one would write for one process. It has no limits in total nor for one client, and walks over all of its marks when it forgets.",
  "Durable Objects are the real ReplayShard in workerd on this machine's disk, timed from outside over requests of a hundred claims; an object that only answers, and one that only writes a row, are called in the same run from the same worker. Redis is a server of its own on a Unix socket, with an append-only file synchronised for each answer, and without any file.",
  "What it does not show: networks. In production a Durable Object or a Redis server is on another machine, and the way there adds the same to every row; the ratios then come closer to 1. Nor does it show Cloudflare's replicated storage, whose writes wait for other machines, clusters of Redis, or stores under other load.",
];

const { version } = JSON.parse(await readFile(join(dist.edge, "package.json"), "utf8"));
const size = { rounds, batch: Number(values.batch ?? 100), together: 50, version };
console.error("replay: marks in memory");
const rows = inMemory({ marks: Number(values.marks ?? 1_000_000), version });
console.error("replay: Durable Objects");
rows.push(...(await inDurableObjects(size)));
console.error("replay: Redis");
rows.push(...(await inRedis(size)));
console.log(table(rows));
await write(values.json, { group: "replay", title: "Replay marks", rows, notes: NOTES });
