// Thousands of requests with tokens and keys that were never seen before leave a worker as large as it was.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeClient, makeIssuer } from "../edge/support.mjs";
import { credentials, residentMemory, startWorker } from "./support.mjs";

/** What the runtime by itself takes for as many requests that are refused at once, and as much again. */
const BOUND = 32 * 1024 * 1024;

const issuer = await makeIssuer();
let worker;
before(async () => {
  worker = await startWorker("api", { v8Flags: ["--expose-gc"], bindings: { ISSUER: issuer.issuer, JWKS: issuer.jwks, OPTIONS: { cache: { tokens: 100, keys: 100 } } } });
});
after(() => worker?.stop());

/** Its memory after everything that can go is gone. */
async function memoryUsed() {
  assert.equal((await fetch(worker.origin, { method: "PURGE" })).status, 200);
  return residentMemory(worker.pid);
}

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
  const before = await memoryUsed();
  await send(5000);
  const grown = (await memoryUsed()) - before;
  assert.ok(grown < BOUND, `${Math.round(grown / 1024)} kB more`);
});
