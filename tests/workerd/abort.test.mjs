// Clients that go away at any moment leave a worker as it was for all others.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeClient, makeIssuer } from "../edge/support.mjs";
import { credentials, startWorker } from "./support.mjs";

const issuer = await makeIssuer();
const client = await makeClient();
let worker;
before(async () => {
  worker = await startWorker("api", { bindings: { ISSUER: issuer.issuer, JWKS: issuer.jwks, OPTIONS: {} } });
});
after(() => worker?.stop());

test("hundreds that are cut off, from the very first on, keep nobody else waiting", async () => {
  for (let round = 0; round < 20; round++) {
    const calls = await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        const headers = await credentials(issuer, client);
        const gone = new AbortController();
        const call = fetch(`${worker.origin}/orders`, { headers, signal: gone.signal }).then(
          (answer) => answer.status,
          (error) => error.name,
        );
        // Half of them go, at moments that differ.
        return { call, gone, goes: number % 2 === 0, after: number };
      }),
    );
    for (const { gone, goes, after } of calls) {
      if (!goes) continue;
      for (let turn = 0; turn < after; turn++) await new Promise(setImmediate);
      gone.abort();
    }
    for (const { call, goes } of calls) {
      const outcome = await call;
      if (goes) assert.ok([200, "AbortError"].includes(outcome), String(outcome));
      else assert.equal(outcome, 200);
    }
  }
});
