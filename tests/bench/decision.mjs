// How long a decision takes with everything warm, in workerd and in Node, beside one raw check of a signature in the same run.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { makeWork } from "./decision-work.js";
import { edge, makeClient, makeIssuer } from "../edge/support.mjs";
import { dist } from "../support/paths.mjs";
import { startWorkerd } from "../support/workerd.mjs";
import { median, spread } from "./figures.mjs";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "30" }, batch: { type: "string", default: "100" } } });
const [rounds, batch] = [Number(values.rounds), Number(values.batch)];
/** A place that only the first rounds use: they warm everything up. */
const WARM_UP = 3;
const KINDS = ["requests", "raw", "keybound", "oauth4webapi"];

async function bundleWorker(folder) {
  const outfile = join(folder, "worker.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("decision-worker.js", import.meta.url))],
    outfile,
    bundle: true,
    format: "esm",
    minify: true,
    conditions: ["workerd", "worker"],
    alias: { "@keybound/edge": join(dist.edge, "workerd.js") },
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    logLevel: "error",
  });
  return outfile;
}

async function material() {
  const now = Math.floor(Date.now() / 1000);
  const [issuer, client] = [await makeIssuer(), await makeClient()];
  const token = await issuer.token({ now, cnf: client.cnf, scope: "orders:read orders:write profile" });
  const proofs = [];
  for (let index = 0; index < (rounds + WARM_UP) * batch; index += 1) proofs.push(await client.proof({ token, now }));
  return { jwks: issuer.jwks, clientJwk: client.jwk, token, proofs };
}

/** Microseconds for each kind of work, a figure a round; the kinds take turns, so that drift hits all alike. */
async function measure(run) {
  const figures = Object.fromEntries(KINDS.map((kind) => [kind, []]));
  for (let round = 0; round < rounds + WARM_UP; round += 1) {
    const turn = KINDS.map((_, index) => KINDS[(index + round) % KINDS.length]);
    for (const kind of turn) {
      const started = performance.now();
      await run(kind, round * batch, (round + 1) * batch);
      const microseconds = ((performance.now() - started) / batch) * 1000;
      if (round >= WARM_UP) figures[kind].push(microseconds);
    }
  }
  return figures;
}

function report(runtime, figures, tokenLength) {
  const idle = median(figures.requests);
  const net = (kind) => figures[kind].map((value) => value - (kind === "raw" ? 0 : idle));
  const ratio = (kind) => median(figures[kind].map((value, round) => (value - figures.requests[round]) / figures.raw[round]));
  console.log(`${runtime}: a decision with token and key warm, a token of ${tokenLength} octets, microseconds (median, middle half)`);
  for (const kind of ["raw", "keybound", "oauth4webapi"]) {
    const [low, high] = spread(net(kind));
    const times = kind === "raw" ? "1.00" : ratio(kind).toFixed(2);
    console.log(`  ${kind.padEnd(14)} ${median(net(kind)).toFixed(0).padStart(6)}  (${low.toFixed(0)} to ${high.toFixed(0)})  ${times} times one raw subtle.verify`);
  }
}

async function inWorkerd(data, folder) {
  const script = await bundleWorker(folder);
  const wasm = join(folder, "keybound_edge_bg.wasm");
  const worker = await startWorkerd({ modules: [{ name: "worker.mjs", esModule: script }, { name: "keybound_edge_bg.wasm", wasm }] });
  try {
    await fetch(worker.origin, { method: "PUT", body: JSON.stringify(data) });
    const figures = await measure(async (kind, from, to) => {
      const answer = await fetch(`${worker.origin}/?kind=${kind}&from=${from}&to=${to}`);
      if (!answer.ok) throw new Error(`${kind}: ${answer.status} ${worker.log()}`);
      await answer.text();
    });
    report("workerd", figures, data.token.length);
  } finally {
    await worker.stop();
  }
}

async function inNode(data) {
  const work = makeWork(edge, data);
  report("Node", await measure((kind, from, to) => work[kind](from, to)), data.token.length);
}

const folder = await mkdtemp(join(tmpdir(), "keybound-bench-"));
try {
  const data = await material();
  await inWorkerd(data, folder);
  await inNode(data);
} finally {
  await rm(folder, { recursive: true, force: true });
}
