// Many requests at once in one isolate: each gets its own decision.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeClient, makeIssuer } from "../edge/support.mjs";
import { credentials, startWorker } from "./support.mjs";

const issuer = await makeIssuer();
const clients = await Promise.all(Array.from({ length: 10 }, () => makeClient()));
let worker;
before(async () => {
  worker = await startWorker("api", { bindings: { ISSUER: issuer.issuer, JWKS: issuer.jwks, OPTIONS: { cache: { tokens: 5, keys: 5 } } } });
});
after(() => worker?.stop());

const call = (headers) => fetch(`${worker.origin}/orders`, { headers });

test("two hundred requests at once, the first of all, are told apart", async () => {
  const expected = Array.from({ length: 200 }, (_, number) => clients[number % clients.length]);
  const answers = await Promise.all(expected.map(async (client) => call(await credentials(issuer, client))));
  for (const [number, answer] of answers.entries()) {
    assert.equal(answer.status, 200, answer.headers.get("x-reason"));
    assert.equal((await answer.json()).binding.jkt, expected[number].jkt);
  }
});

test("of a hundred copies of one proof exactly one is let in", async () => {
  for (let round = 0; round < 3; round++) {
    const headers = await credentials(issuer, clients[round]);
    const answers = await Promise.all(Array.from({ length: 100 }, () => call(headers)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const answer of answers) if (answer.status !== 200) assert.equal(answer.headers.get("x-reason"), "proof_replayed");
    await Promise.all(answers.map((answer) => answer.text()));
  }
});
