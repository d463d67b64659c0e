// The wasm module alone, in Node: how often a decision crosses from JavaScript into it, and how long it is in there.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { dist } from "../support/paths.mjs";
import { instantSignatures } from "./instant.js";
import { interleave, summary } from "./figures.mjs";
import { options } from "./report.mjs";
import { makeMaterial } from "./verify-material.mjs";
import { makeWork } from "./verify-work.js";

// The module keeps to itself, so whoever wants to count has to be there when it starts.
let [crossings, inside, counting] = [0, 0, false];
const { Instance } = WebAssembly;
WebAssembly.Instance = function (...given) {
  const { exports } = new Instance(...given);
  return { exports: Object.fromEntries(Object.entries(exports).map(([name, value]) => [name, typeof value === "function" ? counted(value) : value])) };
};

function counted(call) {
  return (...given) => {
    if (!counting) return call(...given);
    crossings += 1;
    const started = performance.now();
    try {
      return call(...given);
    } finally {
      inside += performance.now() - started;
    }
  };
}

const { edge } = await import("../edge/support.mjs");
const signatures = await import(pathToFileURL(join(dist.edge, "signatures.js")).href);
const { quick, tiny } = options();
const [rounds, warmUp, batch] = [tiny ? 1 : quick ? 15 : 50, 3, tiny ? 2 : 100];
const KINDS = { module: "all known", key: "token new", cold: "cold" };

const work = await makeWork(edge, instantSignatures(signatures), await makeMaterial({ count: (rounds + warmUp) * batch }));
const counts = {};
const figures = await interleave(Object.keys(KINDS), { rounds, warmUp }, async (kind, round) => {
  [crossings, inside, counting] = [0, 0, true];
  await work[kind](round * batch, (round + 1) * batch);
  counting = false;
  if (crossings === 0) throw new Error("the module was started in a way that is not counted here");
  counts[kind] = crossings / batch;
  return (inside / batch) * 1000;
});
const name = (kind) => `keybound, ${KINDS[kind]}`;
const kinds = Object.keys(KINDS);
const rows = [
  ...kinds.map((kind) => ({ table: "Node: within the module, clocks at its border included", name: name(kind), unit: "microseconds", ...summary(figures[kind]) })),
  ...kinds.map((kind) => ({ table: "Node: calls from JavaScript into the module", name: name(kind), unit: "calls a decision", median: counts[kind] })),
];
console.log(JSON.stringify(rows));
