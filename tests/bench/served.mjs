// Requests a second through workerd's socket, with wrk as the load: without verification, with keybound, with oauth4webapi; and what
// the process takes in memory after many requests of many clients.
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { startWorkerd } from "../support/workerd.mjs";
import { bundle } from "./bundle.mjs";
import { interleave, medianRatio, summary } from "./figures.mjs";
import { options, table, write } from "./report.mjs";
import { HOST, HTTPS, makePopulation, writeRequests } from "./served-requests.mjs";

const { quick, json, tiny } = options();
const KINDS = ["none", "keybound", "oauth4webapi"];
const NAMES = { none: "no verification", keybound: "keybound", oauth4webapi: "oauth4webapi" };
const LOAD = tiny ? { rounds: 1, seconds: 1 } : quick ? { rounds: 4, seconds: 2 } : { rounds: 11, seconds: 4 };
const CONNECTIONS = 16;
const CLIENTS = 1000;
/** More than are answered in a second here; a round that needs more fails. */
const MOST_A_SECOND = 14_000;
/** Of waves, since a proof is good for minutes only. */
const MEMORY = tiny ? { clients: 100, requests: 2000, wave: 1000 } : quick ? { clients: 2000, requests: 20_000, wave: 20_000 } : { clients: 100_000, requests: 1_000_000, wave: 100_000 };
/** What is not remembered does not add up, so a peer that keeps nothing is asked less often. */
const SHARE_OF_PEER = quick ? 1 : 10;

/** Runs wrk for so long, or until all prepared requests went out (`once`). */
async function load(origin, file, { seconds, once = false }) {
  const script = fileURLToPath(new URL("served.lua", import.meta.url));
  const args = ["--threads", "1", "--connections", String(CONNECTIONS), "--duration", `${seconds}s`, "--timeout", "30s", "--script", script, `${origin}/orders`];
  const child = spawn("wrk", [...args, "--", file, HOST, once ? "once" : "again"], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  let told = false;
  child.stdout.on("data", (chunk) => {
    said += chunk;
    if (told || !said.includes("exhausted\n")) return;
    told = true;
    // It ends at once, and still says its figures.
    child.kill("SIGINT");
  });
  await new Promise((resolve, reject) => {
    child.once("error", (error) => reject(error.code === "ENOENT" ? new Error("wrk is not there: `cargo xtask bench served` brings it, or run `cargo xtask setup wrk`") : error));
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`wrk ended with ${code}\n${said}`))));
  });
  const figures = said.split("\n").find((line) => line.startsWith("{"));
  if (figures === undefined) throw new Error(`wrk told no figures\n${said}`);
  return JSON.parse(figures);
}

async function startWorkers(folder, { bindings }, kinds) {
  const workers = {};
  try {
    for (const kind of kinds) workers[kind] = await startWorkerd({ modules: await bundle(`served-${kind}.js`, folder), bindings, socketOptions: HTTPS.socketOptions });
    return workers;
  } catch (error) {
    await stopAll(workers);
    throw error;
  }
}

const stopAll = (workers) => Promise.all(Object.values(workers).map((worker) => worker.stop()));

/** Requests a second and latencies; each round has proofs of its own, made just before, and each worker gets all of them. */
async function throughput(folder) {
  const population = await makePopulation(CLIENTS);
  const workers = await startWorkers(folder, population, KINDS);
  const file = join(folder, "requests");
  let prepared = -1;
  try {
    const figures = await interleave(KINDS, { ...LOAD, warmUp: 1 }, async (kind, round) => {
      if (prepared !== round) await writeRequests(file, population, LOAD.seconds * MOST_A_SECOND);
      prepared = round;
      const told = await load(workers[kind].origin, file, LOAD);
      if (told.refused > 0 || told.broken > 0) throw new Error(`${kind}: ${told.refused} of ${told.requests} were refused, ${told.broken} got no answer ${workers[kind].log().slice(-1000)}`);
      process.stderr.write(".");
      return told;
    });
    return figures;
  } finally {
    process.stderr.write("\n");
    await stopAll(workers);
  }
}

function throughputRows(figures) {
  const of = (kind, pick) => figures[kind].map(pick);
  const rows = (heading, unit, pick) =>
    KINDS.map((kind) => {
      const compared = kind === "oauth4webapi" ? { ratio: medianRatio(of(kind, pick), of("keybound", pick)), against: "keybound" } : kind === "keybound" ? { ratio: medianRatio(of(kind, pick), of("none", pick)), against: NAMES.none } : {};
      return { table: heading, name: NAMES[kind], ...(kind === "oauth4webapi" && { peer: kind }), unit, ...summary(of(kind, pick)), ...compared };
    });
  return [
    ...rows("Answers a second", "requests a second", ({ requests, microseconds }) => (requests * 1e6) / microseconds),
    ...rows(`Latency with ${CONNECTIONS} connections, median`, "milliseconds", ({ median }) => median / 1000),
    ...rows(`Latency with ${CONNECTIONS} connections, 99th percentile`, "milliseconds", ({ p99 }) => p99 / 1000),
  ];
}

/** MiB that the process has in memory. */
const resident = ({ pid }) => Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1024;

async function memory(folder) {
  const population = await makePopulation(MEMORY.clients);
  const rows = [];
  const file = join(folder, "requests");
  const workers = await startWorkers(folder, population, KINDS);
  try {
    const answered = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
    const wave = async (count) => {
      await writeRequests(file, population, count);
      for (const kind of KINDS) {
        if (kind === "oauth4webapi" && answered[kind] * SHARE_OF_PEER >= MEMORY.requests) continue;
        const told = await load(workers[kind].origin, file, { seconds: 600, once: true });
        // Until wrk ends it starts over, with proofs that were used.
        const accepted = told.requests - told.refused;
        if (accepted < count - CONNECTIONS || told.broken > 0) throw new Error(`${kind}: of ${count} requests ${accepted} were accepted, ${told.broken} got no answer`);
        answered[kind] += count;
      }
      process.stderr.write(".");
    };
    await wave(1000);
    const first = Object.fromEntries(KINDS.map((kind) => [kind, resident(workers[kind])]));
    for (let sent = 1000; sent < MEMORY.requests; sent += MEMORY.wave) await wave(Math.min(MEMORY.wave, MEMORY.requests - sent));
    process.stderr.write("\n");
    await sleep(2000);
    for (const kind of KINDS) {
      const peer = kind === "oauth4webapi" && { peer: kind };
      const heading = `Memory of the process: ${MEMORY.clients.toLocaleString("en")} clients`;
      rows.push({ table: heading, name: `${NAMES[kind]}, after 1,000 requests`, ...peer, unit: "MiB resident", median: first[kind] });
      const count = answered[kind].toLocaleString("en");
      rows.push({ table: heading, name: `${NAMES[kind]}, after ${count} requests`, ...peer, unit: "MiB resident", median: resident(workers[kind]) });
    }
    return rows;
  } finally {
    await stopAll(workers);
  }
}

const folder = await mkdtemp(join(tmpdir(), "keybound-bench-"));
try {
  process.stderr.write("load ");
  const rows = throughputRows(await throughput(folder));
  process.stderr.write("memory ");
  rows.push(...(await memory(folder)));
  console.log(table(rows));
  const notes = [
    `workerd runs the worker in one thread; wrk, in another process on the same machine, keeps ${CONNECTIONS} connections busy. Each request has its own proof; ${CLIENTS.toLocaleString("en")} clients, tokens of 0.6 kB.`,
    "HTTP without TLS, as behind a front that ends it. The worker answers a short JSON text. keybound has all options at their defaults (memory replay, 5,000 tokens and 10,000 keys cached); oauth4webapi has no replay store and caches no tokens or keys of clients.",
    "Memory is what the operating system counts as resident: with the JavaScript heap's garbage, which the runtime collects when it likes.",
    "wrk asks as fast as it gets answers, so latencies are those of a process that is kept fully busy, with the pauses of its garbage collector in the 99th percentile.",
    "What it does not show: TLS, a network, more than one thread, and clients that wait between requests.",
  ];
  if (SHARE_OF_PEER > 1) notes.push(`oauth4webapi keeps nothing from one request to the next, and got a tenth of the requests of the memory run.`);
  await write(json, { group: "served", title: "Served: a worker under load", rows, notes });
} finally {
  await rm(folder, { recursive: true, force: true });
}
