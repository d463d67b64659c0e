// The client of @keybound/browser at @atproto/oauth-provider: its OAuthVerifier as a resource server and its proof check as
// a token endpoint, both with its nonces, over HTTP.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { JoseKey } from "@atproto/jwk-jose";
import { OAuthVerifier } from "@atproto/oauth-provider";
import { listen } from "../support/loopback.mjs";
import { ALGORITHMS, kb, makeKey, sendProof } from "./keybound-client.mjs";
import { REQUESTS } from "./requests.mjs";

for (const nonces of [false, true]) {
  describe(nonces ? "with nonces" : "without nonces", () => {
    let peer;
    before(async () => (peer = await startPeer({ nonces })));
    after(() => peer?.close());

    for (const algorithm of ALGORITHMS) {
      test(`a resource server accepts a proof with ${algorithm}, whatever the target looks like`, async () => {
        const key = await makeKey(algorithm);
        const call = kb.createFetch({ key, token: await peer.token(key.thumbprint), origins: [peer.origin] });
        for (const [target, init] of REQUESTS) {
          const answer = await call(peer.origin + target, init);
          assert.deepEqual([answer.status, await answer.json()], [200, { jkt: key.thumbprint }], target);
        }
      });

      test(`a token endpoint accepts a proof with ${algorithm}`, async () => {
        const key = await makeKey(algorithm);
        const send = kb.createTokenFetch({ key, origins: [peer.origin] });
        const answer = await send(`${peer.origin}/oauth/token`, { method: "POST", body: new URLSearchParams({ grant_type: "refresh_token" }) });
        assert.deepEqual([answer.status, (await answer.json()).jkt], [200, key.thumbprint]);
      });
    }

    test("both are told the nonce that they gave", async () => {
      const key = await makeKey();
      peer.errors.length = 0;
      const call = kb.createFetch({ key, token: await peer.token(key.thumbprint), origins: [peer.origin], nonces: freshNonces() });
      assert.deepEqual([(await call(peer.origin)).status, (await call(peer.origin)).status], [200, 200]);
      assert.deepEqual(peer.errors, nonces ? ["use_dpop_nonce"] : []);
    });

    test("a proof for another target or token, of another key, with a made-up nonce or a second time is refused", async () => {
      const [key, other] = [await makeKey(), await makeKey()];
      const token = await peer.token(key.thumbprint);
      const url = `${peer.origin}/orders`;
      const nonce = nonces ? { nonce: (await fetch(url)).headers.get("dpop-nonce") } : {};
      const refusal = async (by, signed) => {
        const answer = await sendProof(by, url, { token, ...nonce, ...signed });
        return [answer.status, (await answer.json()).error_description];
      };
      assert.deepEqual(await refusal(key, { url: `${peer.origin}/keys` }), [401, 'DPoP "htu" mismatch']);
      assert.deepEqual(await refusal(key, { accessToken: "another" }), [401, 'DPoP "ath" mismatch']);
      assert.deepEqual(await refusal(key, { nonce: "made-up" }), [401, 'DPoP "nonce" mismatch']);
      assert.equal((await refusal(other, {}))[0], 401);
      const proof = await key.proof({ method: "GET", url, accessToken: token, ...nonce });
      const headers = { dpop: proof, authorization: `DPoP ${token}` };
      assert.equal((await fetch(url, { headers })).status, 200);
      assert.equal((await (await fetch(url, { headers })).json()).error_description, "DPoP proof replayed");
    });
  });
}

/** Nonces that no test before has filled. */
function freshNonces() {
  const kept = new Map();
  return { get: (role, origin) => kept.get(role + origin), set: (role, origin, nonce) => void kept.set(role + origin, nonce) };
}

async function startPeer({ nonces }) {
  let verifier;
  const errors = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    // As its own middleware does: the next nonce with every answer (RFC 9449 §8.2).
    const nonce = verifier.nextDpopNonce();
    if (nonce) response.setHeader("dpop-nonce", nonce);
    try {
      const body = url.pathname === "/oauth/token" ? await forToken(request, url) : await forApi(request, url);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    } catch (error) {
      errors.push(error.error);
      const challenge = error.wwwAuthenticateHeader && { "www-authenticate": error.wwwAuthenticateHeader };
      response.writeHead(error.statusCode ?? 500, { "content-type": "application/json", ...challenge }).end(JSON.stringify(error));
    }
  });
  async function forApi({ method, headers }, url) {
    const { cnf } = await verifier.authenticateRequest(method, url, headers, { audience: ["https://api.example"] });
    return { jkt: cnf.jkt };
  }
  async function forToken({ method, headers }, url) {
    const { jkt } = await verifier.checkDpopProof(method, url, headers);
    return { access_token: "of-no-use", token_type: "DPoP", jkt };
  }
  const { origin, close } = await listen(server);
  const key = await JoseKey.generate(["ES256"], "tokens");
  verifier = new OAuthVerifier({ issuer: origin, keyset: [key], ...(!nonces && { dpopSecret: false }) });
  const token = (jkt) => {
    const iat = Math.floor(Date.now() / 1000);
    const claims = {
      iss: origin, aud: "https://api.example", sub: "did:web:ada.example", client_id: "app", scope: "atproto",
      iat, exp: iat + 600, jti: `tok-${"0".repeat(32)}`, cnf: { jkt },
    };
    return key.createJwt({ alg: "ES256", typ: "at+jwt", kid: "tokens" }, claims);
  };
  return { origin, close, errors, token };
}
