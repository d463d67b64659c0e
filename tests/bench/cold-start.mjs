// How long it takes from the start of workerd to the first verified request, with keybound, with oauth4webapi, and with neither.
import { mkdtemp, rm } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWorkerd } from "../support/workerd.mjs";
import { bundle } from "./bundle.mjs";
import { interleave, summary } from "./figures.mjs";
import { options, table, write } from "./report.mjs";
import { HOST, HTTPS, makePopulation, proofOf } from "./served-requests.mjs";

const { quick, json, tiny } = options();
const KINDS = ["none", "keybound", "oauth4webapi"];
const NAMES = { none: "no verification", keybound: "keybound", oauth4webapi: "oauth4webapi" };
const ROUNDS = tiny ? 1 : quick ? 12 : 40;
/** Milliseconds that keybound may take longer. */
const BOUND = 10;

const folder = await mkdtemp(join(tmpdir(), "keybound-bench-"));

function ask(origin, headers) {
  return new Promise((resolve, reject) => {
    const request = get(`${origin}/orders`, { headers, agent: false }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode));
    });
    request.once("error", reject);
  });
}

/** Milliseconds for which threads of a process ran, or nothing where the system does not tell (proc(5), schedstat). */
function processorTime(pid) {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]), 0) / 1e6;
  } catch {
    return undefined;
  }
}

async function start(modules, { bindings, clients: [client] }) {
  const headers = { host: HOST, ...HTTPS.headers, authorization: `DPoP ${client.token}`, dpop: proofOf(client) };
  const started = performance.now();
  const worker = await startWorkerd({ modules, bindings, socketOptions: HTTPS.socketOptions });
  try {
    const listening = performance.now();
    const status = await ask(worker.origin, headers);
    const answered = performance.now();
    const worked = processorTime(worker.pid);
    if (status !== 200) throw new Error(`the first request got ${status} ${worker.log()}`);
    return { listening: listening - started, first: answered - listening, all: answered - started, worked };
  } finally {
    await worker.stop();
  }
}

try {
  const population = await makePopulation(1);
  const modules = {};
  for (const kind of KINDS) modules[kind] = await bundle(`served-${kind}.js`, folder);
  const figures = await interleave(KINDS, { rounds: ROUNDS, warmUp: 2 }, (kind) => start(modules[kind], population));
  const rows = [];
  const add = (heading, pick) => {
    for (const kind of KINDS) rows.push({ table: heading, name: NAMES[kind], ...(kind === "oauth4webapi" && { peer: kind }), unit: "milliseconds", ...summary(figures[kind].map(pick)) });
  };
  add("From the start of the process to the first answer with 200", ({ all }) => all);
  add("Of that, until it listens", ({ listening }) => listening);
  add("Of that, the first request", ({ first }) => first);
  if (figures.none.every(({ worked }) => worked !== undefined)) add("Processor time until the first answer", ({ worked }) => worked);
  const more = summary(figures.keybound.map(({ all }, round) => all - figures.oauth4webapi[round].all));
  rows.push({ table: "What keybound takes longer than oauth4webapi, round by round", name: "keybound less oauth4webapi", unit: "milliseconds", ...more, bound: `at most ${BOUND}`, met: more.median <= BOUND });
  console.log(table(rows));
  const notes = [
    `${ROUNDS} starts of each, in turn. The same worker three times, bundled and minified; the time includes a configuration file of a few kilobytes that is written first.`,
    "The key set is in the worker's bindings, so that no fetch is among what is timed.",
    "Processor time is that of all threads of the process, as Linux counts it; on a busy machine it says more than the clock.",
    "What it does not show: a service that starts an isolate in a process that already runs, as Cloudflare does, and has compiled the module before.",
  ];
  await write(json, { group: "cold-start", title: "Cold start of a worker", rows, notes });
} finally {
  await rm(folder, { recursive: true, force: true });
}
