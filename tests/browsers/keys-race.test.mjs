// Real tabs and their workers that open a key at the same moment: always one key, with Web Locks and without.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inEveryEngine } from "./harness.mjs";

const ROUNDS = 25;

/** Opens what a round names, several times at once, as soon as the round is called. Messages come at once, also to hidden tabs. */
const RACER = `
import { DpopKey } from "/index.js";
export function enter({ locks }) {
  if (!locks) Object.defineProperty(navigator, "locks", { value: undefined });
  const channel = new BroadcastChannel("race");
  channel.onmessage = async ({ data: { name } }) => {
    if (!name) return;
    const open = () => DpopKey.open(name).then(({ thumbprint, storage }) => storage + " " + thumbprint, String);
    channel.postMessage({ of: name, found: await Promise.all([open(), open(), open()]) });
  };
}`;
const WORKER = `
import { enter } from "/racer.js";
onmessage = ({ data }) => { enter(data); postMessage("entered"); };`;
const SCRIPT = `
import { enter } from "/racer.js";
globalThis.enterWithWorker = (how) => new Promise((resolve, reject) => {
  enter(how);
  globalThis.worker = new Worker("/race-worker.js", { type: "module" });
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.onmessage = () => resolve();
  worker.postMessage(how);
});
/** Calls the rounds, and gives what each racer found in each of them. */
globalThis.callRounds = async ({ rounds, racers, title }) => {
  const channel = new BroadcastChannel("race");
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const name = title + " " + round;
    results.push(await new Promise((resolve, reject) => {
      const found = [];
      setTimeout(() => reject(new Error(found.length + " racers came in")), 20_000);
      channel.onmessage = ({ data }) => {
        if (data.of === name && found.push(data.found) === racers) resolve(found);
      };
      channel.postMessage({ name });
    }));
  }
  channel.close();
  return results;
};
globalThis.ready = true;`;

inEveryEngine(
  "keys raced for",
  ({ open, site }) => {
    for (const locks of [true, false]) {
      test(`two tabs and a worker in each that open a key at once have one key, ${locks ? "with" : "without"} Web Locks`, async () => {
        const tabs = [];
        for (let tab = 0; tab < 2; tab++) tabs.push(await open(`${site().origin}/race.html`));
        for (const tab of tabs) await tab.run((how) => enterWithWorker(how), { locks });
        const title = `raced ${locks ? "with" : "without"}`;
        const rounds = await tabs[1].run((how) => callRounds(how), { rounds: ROUNDS, racers: 4, title });
        assert.equal(rounds.length, ROUNDS);
        const winners = new Set();
        for (const found of rounds) {
          const keys = new Set(found.flat());
          assert.equal(found.flat().length, 12);
          assert.equal(keys.size, 1, [...keys].join(", "));
          winners.add(...keys);
        }
        assert.equal(winners.size, ROUNDS);
        for (const winner of winners) assert.match(winner, /^persistent [\w-]{43}$/);
        // Not in the next race.
        for (const tab of tabs) await tab.reload();
      });
    }
  },
  () => ({
    pages: {
      "/race.html": `<!doctype html><meta charset="utf-8"><title>race</title><script type="module" src="/race.js"></script>`,
      "/race.js": SCRIPT,
      "/racer.js": RACER,
      "/race-worker.js": WORKER,
    },
  }),
);
