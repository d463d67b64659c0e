// Thousands of requests with tokens and keys that were never seen before leave a worker as large as it was.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeClient, makeIssuer } from "../edge/support.mjs";
import { credentials, residentMemory, startWorker } from "./support.mjs";

const BOUND = 48 * 1024 * 1024;

const issuer = await makeIssuer();
let worker;
before(async () => {
  worker = await startWorker("api", { bindings: { ISSUER: issuer.issuer, JWKS: issuer.jwks, OPTIONS: { cache: { tokens: 100, keys: 100 } } } });
});
after(() => worker?.stop());

/** Requests of so many clients, each with a token of its own. */
async function send(requests) {
  let left = requests;
  const lane = async () => {
    const client = await makeClient();
    while (left-- > 0) {
      const answer = await fetch(`${worker.origin}/orders`, { headers: await credentials(issuer, client) });
      assert.equal(answer.status, 200, answer.headers.get("x-reason"));
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 25 }, lane));
}

test("five thousand requests do not make it grow", async () => {
  await send(1500);
  const before = residentMemory(worker.pid);
  await send(5000);
  const grown = residentMemory(worker.pid) - before;
  assert.ok(grown < BOUND, `${Math.round(grown / 1024)} kB more`);
});
