// Many requests at once, and large ones: nothing is mixed up, and too many are turned away.
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeRequest, makeWorld } from "./support.mjs";

test("requests so large that the module's memory grows while others wait are decided rightly", async () => {
  const world = await makeWorld({ cache: { tokens: 50, keys: 50 }, replay: { claim: async () => (await new Promise(setImmediate), true) } });
  const padding = "x".repeat(20_000);
  const requests = await Promise.all(
    Array.from({ length: 300 }, async (_, number) => {
      const token = await world.issuer.token({ cnf: world.client.cnf, sub: `user-${number}`, padding });
      return makeRequest({ token, proof: await world.client.proof({ token, padding: padding.slice(0, 8000) }) });
    }),
  );
  const decisions = await Promise.all(requests.map((request) => world.server.authenticate(request)));
  for (const [number, decision] of decisions.entries()) {
    assert.deepEqual([decision.ok, decision.claims?.sub, decision.claims?.padding.length], [true, `user-${number}`, padding.length], decision.reason);
  }
});

test("requests that wait for an answer are bounded: more get 503, and those that nobody answers are dropped in time", async () => {
  const waiting = [];
  const tokens = { resolve: () => new Promise((resolve) => waiting.push(() => resolve({ active: true, claims: {} }))) };
  const world = await makeWorld({ tokens, proofOfPossession: { required: false } });
  const request = makeRequest({ token: "opaque", scheme: "Bearer" });
  const stuck = Array.from({ length: 20_000 }, () => world.server.authenticate(request));
  while (waiting.length < 20_000) await new Promise(setImmediate);
  const more = await world.server.authenticate(request);
  assert.deepEqual([more.ok, more.status, more.error, more.reason], [false, 503, null, "overloaded"]);
  assert.match(more.response().headers.get("retry-after"), /^\d+$/);

  world.clock.forward(60);
  const late = world.server.authenticate(request);
  while (waiting.length < 20_001) await new Promise(setImmediate);
  waiting.at(-1)();
  assert.equal((await late).ok, true);
  // An answer for one that was dropped helps nobody.
  waiting[0]();
  assert.deepEqual([(await stuck[0]).ok, (await stuck[0]).status], [false, 503]);
});
