// What a million replay marks cost in the module's memory: octets, a claim's time, and that of the claim that forgets a span of them.
import { createHash } from "node:crypto";
import { median, quantile } from "./figures.mjs";

// The module keeps its memory to itself, so whoever wants to know its size has to be there when it starts.
let memory;
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (...given) => {
  const made = await instantiate(...given);
  memory = (made.instance ?? made).exports.memory;
  return made;
};
const { edge } = await import("../edge/support.mjs");

const MARKS = 1_000_000;
const CLIENTS = 10_000;

const base64url = (value) => createHash("sha256").update(value).digest("base64url");
const clients = Array.from({ length: CLIENTS }, (_, index) => base64url(`client ${index}`));
const mark = (index, now, expiresAt) => ({ key: base64url(`mark ${index}`), jkt: clients[index % CLIENTS], expiresAt, now });

const store = edge.memoryReplay({ maxEntries: 2 * MARKS });
store.claim(mark(2 * MARKS, 0, 360));
const octets = () => memory.buffer.byteLength;

/** Milliseconds of one claim. */
function timed(claim) {
  const started = performance.now();
  if (!store.claim(claim)) throw new Error("a fresh mark was refused");
  return performance.now() - started;
}

const before = octets();
// Six minutes of traffic: a mark made at a second expires 360 seconds later.
const times = [];
for (let index = 0; index < MARKS; index += 1) {
  const claim = mark(index, 0, 360 + Math.floor((index * 360) / MARKS));
  const milliseconds = timed(claim);
  if (index >= MARKS / 2) times.push(milliseconds);
}
const grown = octets() - before;
const forgetting = [];
for (let now = 400, index = MARKS; now < 800; now += 4, index += 1) forgetting.push(timed(mark(index, now, now + 360)));

console.log(`replay marks in memory: ${MARKS} of ${CLIENTS} clients`);
console.log(`  ${(grown / MARKS).toFixed(1)} octets a mark (what the module's memory grew by; the limit is 32)`);
console.log(`  a claim: ${(median(times) * 1000).toFixed(1)} microseconds, ${(quantile(times, 0.999) * 1000).toFixed(0)} at 99.9 %, ${(Math.max(...times.slice(-100_000)) * 1000).toFixed(0)} at most in the last 100,000`);
console.log(`  while a span of marks is forgotten: ${(median(forgetting) * 1000).toFixed(1)} microseconds, ${(Math.max(...forgetting) * 1000).toFixed(0)} at most`);
