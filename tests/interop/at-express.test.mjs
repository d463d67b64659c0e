// The client of @keybound/browser at an Express app with express-oauth2-jwt-bearer, which asks for DPoP.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import express from "express";
import { auth } from "express-oauth2-jwt-bearer";
import { AUDIENCE } from "../edge/support.mjs";
import { listen } from "../support/loopback.mjs";
import { startIssuer } from "./issuer.mjs";
import { ALGORITHMS, kb, makeKey, sendProof } from "./keybound-client.mjs";
import { REQUESTS } from "./requests.mjs";

let issuer;
let api;
const refusals = [];
before(async () => {
  issuer = await startIssuer();
  const app = express();
  app.use(
    auth({
      issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: AUDIENCE, tokenSigningAlg: "ES256",
      dpop: { enabled: true, required: true },
    }),
  );
  app.use((request, response) => response.json({ cnf: request.auth.payload.cnf }));
  app.use((error, _request, response, _next) => {
    refusals.push(error.message);
    response.status(error.status ?? 500).set(error.headers).end();
  });
  api = await listen(createServer(app));
});
after(() => Promise.all([issuer?.close(), api?.close()]));

const clientOf = async (key) => kb.createFetch({ key, token: await issuer.token(key.thumbprint), origins: [api.origin] });

// Its copy of jose is older than the name Ed25519.
for (const algorithm of ALGORITHMS.filter((name) => name !== "Ed25519")) {
  test(`a proof with ${algorithm} is accepted, whatever the target looks like`, async () => {
    const key = await makeKey(algorithm);
    const call = await clientOf(key);
    for (const [target, init] of REQUESTS) {
      const answer = await call(api.origin + target, init);
      assert.equal(answer.status, 200, `${target}: ${refusals.at(-1)}`);
      assert.deepEqual(await answer.json(), { cnf: { jkt: key.thumbprint } });
    }
  });
}

test("an Ed25519 key is taken under its older name only", async () => {
  assert.equal((await (await clientOf(await makeKey("EdDSA")))(api.origin)).status, 200);
  const answer = await (await clientOf(await makeKey("Ed25519")))(api.origin);
  assert.deepEqual([answer.status, /algs="([^"]*)"/.exec(answer.headers.get("www-authenticate"))[1].split(" ").includes("Ed25519")], [400, false]);
});

test("a proof for another target, method or token, of another key, or none is refused", async () => {
  const [key, other] = [await makeKey(), await makeKey()];
  const token = await issuer.token(key.thumbprint);
  const url = `${api.origin}/orders`;
  const refusal = async (by, signed) => {
    const { status, headers } = await sendProof(by, url, { token, ...signed });
    return [status, /error="(\w+)"/.exec(headers.get("www-authenticate"))?.[1], refusals.at(-1)];
  };
  assert.deepEqual(await refusal(key, { url: `${api.origin}/keys` }), [400, "invalid_dpop_proof", "DPoP Proof htu mismatch"]);
  assert.deepEqual(await refusal(key, { accessToken: "another" }), [400, "invalid_dpop_proof", 'DPoP Proof "ath" mismatch']);
  assert.deepEqual(await refusal(other, {}), [401, "invalid_token", "JWT Access Token confirmation mismatch"]);
  const proof = await key.proof({ method: "POST", url, accessToken: token });
  for (const headers of [{ dpop: proof }, {}]) {
    assert.equal((await fetch(url, { headers: { ...headers, authorization: `DPoP ${token}` } })).status, 400);
  }
  assert.equal((await sendProof(key, url, { token })).status, 200);
});
