// Nothing grows with the number of requests: keys and tokens that had to go leave nothing behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { makeClient, makeRequest, makeWorld } from "./support.mjs";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

/** What the heap holds after everything that can go is gone, in octets. */
async function heapUsed() {
  for (let time = 0; time < 3; time++) {
    collect();
    await new Promise(setImmediate);
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

const BATCH = 50;

/** Many tokens, all of one client, each with 2 kB of claims. */
async function send(world, requests) {
  const padding = "x".repeat(2000);
  for (let done = 0; done < requests; done += BATCH) {
    await Promise.all(
      Array.from({ length: BATCH }, async () => {
        const token = await world.issuer.token({ cnf: world.client.cnf, padding });
        const decision = await world.server.authenticate(makeRequest({ token, proof: await world.client.proof({ token }) }));
        assert.equal(decision.ok, true, decision.reason);
      }),
    );
  }
}

test("thousands of tokens through a small cache leave no more behind than the cache holds", async () => {
  // A store that answers later lets the module forget tokens while their requests wait.
  const replay = { claim: async () => (await new Promise(setImmediate), true) };
  const world = await makeWorld({ cache: { tokens: 10, keys: 10 }, replay });
  await send(world, 500);
  const before = await heapUsed();
  await send(world, 2000);
  const grown = (await heapUsed()) - before;
  assert.ok(grown < 2_000_000, `${grown} octets more after 2000 tokens`);
});

test("refused requests leave nothing behind", async () => {
  const world = await makeWorld({ cache: { tokens: 10, keys: 10 } });
  const thief = await makeClient();
  const refuse = async (requests) => {
    for (let done = 0; done < requests; done++) {
      const token = await world.issuer.token({ cnf: world.client.cnf, padding: "x".repeat(2000) });
      const decision = await world.server.authenticate(makeRequest({ token, proof: await thief.proof({ token }) }));
      assert.equal(decision.reason, "jkt_mismatch");
    }
  };
  await refuse(200);
  const before = await heapUsed();
  await refuse(1000);
  const grown = (await heapUsed()) - before;
  assert.ok(grown < 1_000_000, `${grown} octets more after 1000 requests`);
});
