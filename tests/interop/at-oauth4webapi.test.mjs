// The client of @keybound/browser at a resource server that is written with oauth4webapi.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { openDoor } from "../authorization-server/door.mjs";
import { AUDIENCE } from "../edge/support.mjs";
import { startIssuer } from "./issuer.mjs";
import { ALGORITHMS, kb, makeKey, sendProof } from "./keybound-client.mjs";
import { REQUESTS } from "./requests.mjs";

let issuer;
let api;
const refusals = [];
before(async () => {
  issuer = await startIssuer();
  api = await openDoor();
  const as = { issuer: issuer.issuer, jwks_uri: issuer.jwksUri };
  const options = { requireDPoP: true, signingAlgorithms: ALGORITHMS, [oauth.allowInsecureRequests]: true };
  api.serve(async (request) => {
    try {
      const { cnf } = await oauth.validateJwtAccessToken(as, request, AUDIENCE, options);
      return Response.json({ cnf });
    } catch (error) {
      refusals.push(error.message);
      return new Response(null, { status: 401, headers: { "www-authenticate": "DPoP" } });
    }
  });
});
after(() => Promise.all([issuer?.close(), api?.close()]));

for (const algorithm of ALGORITHMS) {
  test(`a proof with ${algorithm} is accepted, whatever the target looks like`, async () => {
    const key = await makeKey(algorithm);
    const call = kb.createFetch({ key, token: await issuer.token(key.thumbprint), origins: [api.origin] });
    for (const [target, init] of REQUESTS) {
      const answer = await call(api.origin + target, init);
      assert.equal(answer.status, 200, `${target}: ${refusals.at(-1)}`);
      assert.deepEqual(await answer.json(), { cnf: { jkt: key.thumbprint } });
    }
  });
}

test("a proof for another target, method or token, of another key, or none is refused", async () => {
  const [key, other] = [await makeKey(), await makeKey()];
  const token = await issuer.token(key.thumbprint);
  const url = `${api.origin}/orders`;
  const refusal = async (by, signed) => {
    assert.equal((await sendProof(by, url, { token, ...signed })).status, 401);
    return refusals.at(-1);
  };
  assert.match(await refusal(key, { url: `${api.origin}/keys` }), /htu mismatch/);
  assert.match(await refusal(key, { accessToken: "another" }), /ath mismatch/);
  assert.match(await refusal(other, {}), /confirmation mismatch/);
  const proof = await key.proof({ method: "POST", url, accessToken: token });
  for (const headers of [{ dpop: proof }, {}]) assert.equal((await fetch(url, { headers: { ...headers, authorization: `DPoP ${token}` } })).status, 401);
  assert.equal((await sendProof(key, url, { token })).status, 200);
});
