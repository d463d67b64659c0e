// Proofs of other libraries at a token endpoint of @keybound/edge, that of the authorization server in ../authorization-server,
// which asks everybody for nonces.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { decodeJwt } from "jose";
import { REDIRECT_URI } from "../authorization-server/clients.mjs";
import { startAuthorizationServer } from "../authorization-server/server.mjs";
import { clientLibraries } from "./client-libraries.mjs";

let server;
before(async () => (server = await startAuthorizationServer()));
after(() => server?.close());

/** A code of a public client, and the form that redeems it. */
async function makeForm({ dpopJkt } = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    client_id: "program", response_type: "code", redirect_uri: REDIRECT_URI,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
    ...(dpopJkt && { dpop_jkt: dpopJkt }),
  });
  const response = await fetch(`${server.metadata.authorization_endpoint}?${query}`, { redirect: "manual" });
  const code = new URL(response.headers.get("location")).searchParams.get("code");
  return new URLSearchParams({ grant_type: "authorization_code", client_id: "program", code, code_verifier: verifier, redirect_uri: REDIRECT_URI });
}

for (const { name, algorithms, start } of clientLibraries) {
  describe(name, () => {
    const redeem = ({ call }, form) => call(server.metadata.token_endpoint, { method: "POST", body: form });

    for (const alg of algorithms) {
      test(`a token is bound to its ${alg} key, after one challenge`, async () => {
        const client = await start(alg, { fetch });
        const form = await makeForm({ dpopJkt: client.jkt });
        server.log.length = 0;
        const answer = await redeem(client, form);
        assert.deepEqual(server.log.map(({ error }) => error), ["use_dpop_nonce", undefined]);
        const { access_token, token_type } = await answer.json();
        assert.equal(token_type.toLowerCase(), "dpop");
        assert.deepEqual(decodeJwt(access_token).cnf, { jkt: client.jkt });
      });
    }

    test("a proof for another place, or of another key than the code's, is refused", async () => {
      const lastError = () => server.log.at(-1).error;
      const elsewhere = (url, init) => {
        const { method, headers, body } = new Request(url, init);
        return fetch(server.metadata.token_endpoint, { method, headers, body, duplex: "half" });
      };
      const misled = await start("ES256", { fetch: elsewhere });
      await misled.call(`${server.issuer}/tokens`, { method: "POST", body: await makeForm() }).catch(() => undefined);
      assert.equal(lastError(), "invalid_dpop_proof");
      const [own, other] = [await start("ES256", { fetch }), await start("ES256", { fetch })];
      const form = await makeForm({ dpopJkt: own.jkt });
      await redeem(other, form).catch(() => undefined);
      assert.equal(lastError(), "invalid_grant");
      assert.equal((await redeem(own, form)).status, 200);
    });
  });
}
