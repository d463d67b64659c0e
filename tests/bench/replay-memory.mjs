// What a million replay marks cost in the module's memory: octets, a claim's time, and that of the claim that forgets a span of
// them; beside a Map that does the same.
import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { quantile, summary } from "./figures.mjs";

// The module keeps its memory to itself, so whoever wants to know its size has to be there when it starts.
const memories = [];
const seen = (instance) => {
  for (const value of Object.values(instance.exports)) if (value instanceof WebAssembly.Memory) memories.push(value);
};
const { instantiate, Instance } = WebAssembly;
WebAssembly.instantiate = async (...given) => {
  const made = await instantiate(...given);
  seen(made.instance ?? made);
  return made;
};
WebAssembly.Instance = class extends Instance {
  constructor(...given) {
    super(...given);
    seen(this);
  }
};
const { edge } = await import("../edge/support.mjs");

const CLIENTS = 10_000;
/** The seconds that a mark lives. */
const LIFE = 360;
/** An octet limit for each mark. */
const BOUND = 32;
const TITLE = { octets: "octets of memory a mark", claim: "a claim in memory", forgetting: "the claim that forgets a span of marks" };

const base64url = (value) => createHash("sha256").update(value).digest("base64url");
const clients = Array.from({ length: CLIENTS }, (_, index) => base64url(`client ${index}`));
const mark = (index, now, expiresAt) => ({ key: base64url(`mark ${index}`), jkt: clients[index % CLIENTS], expiresAt, now });

setFlagsFromString("--expose-gc");
const collectOnce = runInNewContext("gc");
/** Twice: what the first collection finalises, the second one frees. */
const collect = () => [collectOnce(), collectOnce()];

/** What one would write: keys by their end, forgotten a span at a time. */
function mapReplay() {
  const ends = new Map();
  let swept = 0;
  return {
    claim({ key, expiresAt, now }) {
      if (now >= swept + LIFE / 60) {
        for (const [other, end] of ends) if (end < now) ends.delete(other);
        swept = now;
      }
      if (ends.has(key)) return false;
      ends.set(key, expiresAt);
      return true;
    },
  };
}

/** Microseconds of one claim. */
function timed(store, claim) {
  const started = performance.now();
  if (!store.claim(claim)) throw new Error("a fresh mark was refused");
  return (performance.now() - started) * 1000;
}

function measure(store, octets, marks) {
  store.claim(mark(2 * marks, 0, LIFE));
  collect();
  const before = octets();
  // Six minutes of traffic: a mark made at a second expires 360 seconds later. The clock stands, so that all of them live.
  const times = [];
  for (let index = 0; index < marks; index += 1) {
    const time = timed(store, mark(index, 0, LIFE + Math.floor((index * LIFE) / marks)));
    if (index >= marks / 2) times.push(time);
  }
  collect();
  const each = (octets() - before) / marks;
  const forgetting = [];
  for (let now = LIFE + 40, index = marks; now < 2 * LIFE + 80; now += 4, index += 1) forgetting.push(timed(store, mark(index, now, now + LIFE)));
  return { each, times, forgetting };
}

/** The rows of the store in memory. */
export function inMemory({ marks, version }) {
  const moduleOctets = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  const heapOctets = () => process.memoryUsage().heapUsed;
  const kinds = {
    "memoryReplay()": { version, ...measure(edge.memoryReplay({ maxEntries: 2 * marks }), moduleOctets, marks) },
    "a Map of the same marks": { version: process.version, ...measure(mapReplay(), heapOctets, marks) },
  };
  const count = `${marks.toLocaleString("en")} live marks of ${CLIENTS.toLocaleString("en")} clients`;
  const rows = [];
  for (const [name, { each, version }] of Object.entries(kinds)) {
    const own = name === "memoryReplay()";
    const bound = own && { bound: `at most ${BOUND}`, met: each <= BOUND };
    rows.push({ table: `${TITLE.octets}, ${count}`, name, version, unit: "octets", median: each, ...bound });
  }
  for (const kind of ["claim", "forgetting"]) {
    for (const [name, { times, forgetting, version }] of Object.entries(kinds)) {
      const figures = kind === "claim" ? times : forgetting;
      const row = { table: `${TITLE[kind]}, ${count}`, version, unit: "microseconds" };
      rows.push({ ...row, name, ...summary(figures) });
      const slow = kind === "claim" ? ["slowest of a thousand", quantile(figures, 0.999)] : ["slowest", Math.max(...figures)];
      rows.push({ ...row, name: `${name}, ${slow[0]}`, median: slow[1] });
    }
  }
  return rows;
}
