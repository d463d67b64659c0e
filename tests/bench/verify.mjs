// How long a decision takes in workerd and in Node, in each state of the caches, beside what the platform and other libraries take.
import { execFile } from "node:child_process";
import { createPublicKey, verify as verifyAtOnce } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { edge } from "../edge/support.mjs";
import { dist } from "../support/paths.mjs";
import { startWorkerd } from "../support/workerd.mjs";
import { bundle } from "./bundle.mjs";
import { interleave, median, medianRatio, summary } from "./figures.mjs";
import { options, table, write } from "./report.mjs";
import { instantSignatures } from "./instant.js";
import { makeExpressWork } from "./verify-express.mjs";
import { makeMaterial } from "./verify-material.mjs";
import { makeWork } from "./verify-work.js";

const { quick, json, tiny } = options();
const BASE = tiny ? { rounds: 1, batch: 2 } : quick ? { rounds: 15, batch: 80 } : { rounds: 50, batch: 100 };
const OTHER = quick ? { rounds: 9, batch: 40 } : { rounds: 25, batch: 80 };
const WARM_UP = 8;

/** The base case, and from it one thing at a time. The numbers of clients and octets are in the names. */
const SCENARIOS = [
  { name: "ES256 token and proof, 0.6 kB", base: true },
  { name: "RS256 token", tokenAlg: "RS256" },
  { name: "EdDSA token", tokenAlg: "EdDSA" },
  { name: "Ed25519 proof", proofAlg: "Ed25519" },
  { name: "EdDSA token, Ed25519 proof", tokenAlg: "EdDSA", proofAlg: "Ed25519" },
  { name: "100 clients", clients: 100 },
  { name: "10,000 clients", clients: 10_000 },
  { name: "token of 2 kB", octets: 2000 },
  { name: "token of 8 kB", octets: 8000 },
];

const LIMITS = ["one", "two", "importAndTwo"];
/** Node's function that checks a signature in the same thread; only for ES256. */
const AT_ONCE = "atOnce";
const OURS = ["warm", "key", "cold", "module"];
const PEERS = ["oauth4webapi", "jose"];
const EXPRESS = "express-oauth2-jwt-bearer";
const NAMES = {
  one: "one subtle.verify",
  [AT_ONCE]: "one verify of node:crypto",
  two: "two subtle.verify",
  importAndTwo: "import, two subtle.verify",
  warm: "keybound, all known",
  key: "keybound, token new",
  cold: "keybound, cold",
  module: "keybound, all but the signature",
  oauth4webapi: "oauth4webapi",
  jose: "jose, a recipe",
  [EXPRESS]: EXPRESS,
};
/** How much faster than oauth4webapi, and what all but the signature may take, in microseconds. */
const [FASTER, OVERHEAD] = [{ workerd: 3, Node: 4 }, 15];

const notes = [
  "One request after another, timed from outside in batches (clocks inside workerd stand still while code runs). The cost of the batch itself, and of making the Request, is measured in the same rounds and taken off.",
  "The limits have keys imported and message and signature as octets; both signatures of a request are asked for at once. Node hands subtle.verify to another thread and back, which keybound avoids where the check is short; what the same check takes in the same thread is the row of node:crypto.",
  "All known: token and client key were seen before; token new: only the key was. Cold: the issuer's key is imported, the client's key and the token were never seen. Decisions include the memory replay store; oauth4webapi, the jose recipe and express-oauth2-jwt-bearer have none.",
  "All but the signature: with signatures that are good at once, handed to the server in place of the platform's. What is left is JavaScript, wasm, hashing, the replay store, and reading the request's fields.",
  "The caches hold 20,000 tokens and keys here (by default 5,000 and 10,000), so that 10,000 clients fit.",
  "What it does not show: requests at the same time (see Served), a token source that asks the authorization server, shared replay stores (see Replay).",
];
const unsupported = new Set();

/** Runs one scenario in one runtime: microseconds for each kind, a figure a round, without what surrounds them. */
async function measure(run, kinds, { rounds, batch }) {
  const figures = await interleave(["nothing", "requests", ...kinds], { rounds, warmUp: WARM_UP }, async (kind, round) => {
    const started = performance.now();
    await run(kind, round * batch, (round + 1) * batch);
    return ((performance.now() - started) / batch) * 1000;
  });
  const net = (kind) => {
    const around = median(LIMITS.includes(kind) || kind === AT_ONCE ? figures.nothing : figures.requests);
    return figures[kind].map((value) => value - around);
  };
  // express-oauth2-jwt-bearer takes no Request.
  return Object.fromEntries(kinds.map((kind) => [kind, kind === EXPRESS ? figures[kind] : net(kind)]));
}

/** Those peers that take such tokens and proofs at all. */
async function able(run, kinds, scenario, runtime) {
  const taken = [];
  for (const kind of kinds) {
    try {
      await run(kind, 0, 1);
      taken.push(kind);
    } catch (error) {
      if (!PEERS.includes(kind) && kind !== EXPRESS) throw error;
      unsupported.add(`${NAMES[kind]} refuses this in ${runtime}: ${scenario.name} (${error.message.slice(0, 120)}).`);
    }
  }
  return taken;
}

async function inWorkerd(material, folder, use) {
  const worker = await startWorkerd({ modules: await bundle("verify-worker.js", folder) });
  const ask = async (path, init) => {
    const answer = await fetch(`${worker.origin}${path}`, init);
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${said} ${worker.log().slice(-2000)}`);
  };
  try {
    await ask("/", { method: "PUT", body: JSON.stringify(material) });
    return await use((kind, from, to) => ask(`/?kind=${kind}&from=${from}&to=${to}`), PEERS);
  } finally {
    await worker.stop();
  }
}

async function inNode(material, folder, use) {
  const express = await makeExpressWork(material);
  try {
    const signatures = await import(pathToFileURL(join(dist.edge, "signatures.js")).href);
    const work = { ...(await makeWork(edge, instantSignatures(signatures), material)), [EXPRESS]: express.work };
    if (material.proofAlg === "ES256") work[AT_ONCE] = makeAtOnce(material);
    return await use((kind, from, to) => work[kind](from, to), [...PEERS, EXPRESS], AT_ONCE in work ? [AT_ONCE] : []);
  } finally {
    await express.close();
  }
}

/** One check of a proof's ES256 signature by node:crypto, in this thread. */
function makeAtOnce({ cold }) {
  const checks = cold.map(([, proof]) => {
    const [header, payload, signature] = proof.split(".");
    const key = createPublicKey({ key: JSON.parse(Buffer.from(header, "base64url")).jwk, format: "jwk" });
    return [Buffer.from(`${header}.${payload}`), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url")];
  });
  return async (from, to) => {
    for (const [message, key, signature] of checks.slice(from, to)) {
      if (!verifyAtOnce("sha256", message, key, signature)) throw new Error("a signature does not verify");
    }
  };
}

function baseRows(runtime, scenario, kinds, figures) {
  const heading = `${runtime}: ${scenario.name}`;
  const against = (kind, other) => ({ ratio: medianRatio(figures[kind], figures[other]), against: NAMES[other] });
  const row = (kind, more = {}) => ({
    table: heading, name: NAMES[kind], ...(PEERS.includes(kind) || kind === EXPRESS ? { peer: kind } : {}), unit: "microseconds", ...summary(figures[kind]), ...more,
  });
  const atMost = (kind, other, bound) => {
    const compared = against(kind, other);
    return row(kind, { ...compared, bound: `at most ${bound} times`, met: compared.ratio <= bound });
  };
  const speed = medianRatio(figures.oauth4webapi, figures.warm);
  return [
    ...kinds.filter((kind) => LIMITS.includes(kind) || kind === AT_ONCE).map((kind) => row(kind, kind === "one" ? {} : against(kind, "one"))),
    atMost("warm", "one", 1.25),
    row("key", against("key", "two")),
    atMost("cold", "importAndTwo", 1.25),
    row("module", { bound: `at most ${OVERHEAD} microseconds`, met: median(figures.module) <= OVERHEAD }),
    ...kinds.filter((kind) => PEERS.includes(kind) || kind === EXPRESS).map((kind) => {
      const compared = { ratio: medianRatio(figures[kind], figures.warm), against: NAMES.warm };
      return kind === "oauth4webapi" ? row(kind, { ...compared, bound: `at least ${FASTER[runtime]} times`, met: speed >= FASTER[runtime] }) : row(kind, compared);
    }),
  ];
}

/** One thing changed: what of the base case is worth knowing again. */
function otherRows(runtime, { name, clients, octets }, kinds, figures) {
  const row = (kind, against, more = {}) => ({
    table: `${runtime}: ${name}`,
    name: NAMES[kind],
    ...(PEERS.includes(kind) || kind === EXPRESS ? { peer: kind } : {}),
    unit: "microseconds",
    ...summary(figures[kind]),
    ...(against && { ratio: medianRatio(figures[kind], figures[against]), against: NAMES[against] }),
    ...more,
  });
  const warm = medianRatio(figures.warm, figures.one);
  return [
    row("one"),
    row("importAndTwo", "one"),
    row("warm", "one", clients === undefined ? {} : { bound: "at most 1.25 times", met: warm <= 1.25 }),
    row("cold", "importAndTwo"),
    ...(octets === undefined ? [] : [row("module")]),
    ...kinds.filter((kind) => PEERS.includes(kind) || kind === EXPRESS).map((kind) => row(kind, "warm")),
  ];
}

/** The module alone, in a process of its own: counting at its border costs time. */
async function moduleRows() {
  const script = fileURLToPath(new URL("verify-module.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...(tiny ? ["--tiny"] : quick ? ["--quick"] : [])], { maxBuffer: 1 << 24 });
  return JSON.parse(stdout);
}

const rows = { workerd: [], Node: [] };
const folder = await mkdtemp(join(tmpdir(), "keybound-bench-"));
try {
  for (const scenario of SCENARIOS.slice(0, tiny ? 1 : undefined)) {
    const size = scenario.base || scenario.clients !== undefined ? BASE : OTHER;
    process.stderr.write(`${scenario.name}: `);
    for (const [runtime, within] of Object.entries({ workerd: inWorkerd, Node: inNode })) {
      const material = await makeMaterial({ ...scenario, count: (size.rounds + WARM_UP) * size.batch });
      const [kinds, figures] = await within(material, folder, async (run, peers, limits = []) => {
        const taken = await able(run, peers, scenario, runtime);
        const kinds = [...LIMITS, ...limits, ...OURS, ...taken];
        return [kinds, await measure(run, kinds, size)];
      });
      rows[runtime].push(...(scenario.base ? baseRows : otherRows)(runtime, scenario, kinds, figures));
      process.stderr.write(`${runtime} `);
    }
    process.stderr.write("\n");
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
const all = [...rows.workerd, ...rows.Node, ...(await moduleRows())];
console.log(table(all));
await write(json, { group: "verify", title: "A decision: in workerd and in Node", rows: all, notes: [...notes, ...unsupported] });
