// Software signatures in workerd, whose own are taken away: the second module is one of the worker's modules.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { flipped } from "../support/altered.mjs";
import { makeClient, makeIssuer } from "../edge/support.mjs";
import { credentials, startWorker } from "./support.mjs";

const issuer = await makeIssuer({ alg: "Ed25519" });
let worker;
before(async () => {
  worker = await startWorker("software", { bindings: { ISSUER: issuer.issuer, JWKS: issuer.jwks } });
});
after(() => worker?.stop());

const call = (headers, method = "GET") => fetch(`${worker.origin}/orders`, { method, headers });
const reason = (answer) => answer.headers.get("x-reason");

test("many first requests at once are all decided", async () => {
  const client = await makeClient();
  const answers = await Promise.all(Array.from({ length: 20 }, async () => call(await credentials(issuer, client))));
  assert.deepEqual(answers.map(({ status }) => status), Array(20).fill(200), `${reason(answers[0])} ${worker.log()}`);
});

for (const alg of ["ES256", "EdDSA", "Ed25519"]) {
  describe(`with ${alg}`, () => {
    test("the holder of the key is let in, once for each proof", async () => {
      const client = await makeClient(alg);
      const headers = await credentials(issuer, client);
      const answer = await call(headers);
      assert.equal(answer.status, 200, `${reason(answer)} ${worker.log()}`);
      assert.deepEqual(await answer.json(), { jkt: client.jkt });
      assert.equal(reason(await call(headers)), "proof_replayed");
    });

    test("an altered proof and an altered token are not", async () => {
      const client = await makeClient(alg);
      const { authorization, dpop } = await credentials(issuer, client);
      assert.equal(reason(await call({ authorization, dpop: flipped(dpop) })), "proof_signature_invalid");
      const token = flipped(authorization.slice(5));
      assert.equal(reason(await call(await credentials(issuer, client, { token }))), "token_signature_invalid");
    });

    test("a token endpoint binds to the key, and refuses an altered proof", async () => {
      const client = await makeClient(alg);
      const { dpop } = await credentials(issuer, client, { method: "POST" });
      assert.equal(reason(await call({ dpop: flipped(dpop) }, "POST")), "proof_signature_invalid");
      assert.deepEqual(await (await call({ dpop }, "POST")).json(), { jkt: client.jkt });
    });
  });
}

test("RS256 is refused for the algorithm", async () => {
  assert.equal(reason(await call(await credentials(issuer, await makeClient("RS256")))), "alg_not_allowed");
});
