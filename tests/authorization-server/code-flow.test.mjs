// Signing in, as a whole: a pushed request, PKCE, a code, tokens bound to a key, refreshed and used. By both libraries.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { calculateJwkThumbprint, decodeJwt, exportJWK } from "jose";
import * as oauth from "oauth4webapi";
import { AUDIENCE, startApi } from "./api.mjs";
import { drivers } from "./drivers.mjs";
import { startAuthorizationServer } from "./server.mjs";

let server;
let api;
before(async () => {
  server = await startAuthorizationServer();
  // Found by discovery, as the product does by itself.
  api = await startApi({ issuer: server.issuer, nonces: true });
});
after(() => Promise.all([server?.close(), api?.close()]));

const makeKey = (alg = "ES256") => oauth.generateKeyPair(alg);
const thumbprintOf = async ({ publicKey }) => calculateJwkThumbprint(await exportJWK(publicKey));

for (const { name, connect } of drivers) {
  describe(name, () => {
    for (const clientId of ["page", "website", "bank"]) {
      test(`${clientId} signs in with PAR, PKCE, DPoP and nonces, and its token opens the API`, async () => {
        const app = await connect(server, clientId);
        const key = await makeKey();
        server.log.length = 0;
        const tokens = await app.redeem(await app.push({}, { key }), { key });
        assert.deepEqual(server.log.map(({ path, status, error }) => [path, status, error]), [
          // One nonce serves both endpoints: it is asked for once.
          ["/par", 400, "use_dpop_nonce"], ["/par", 201, undefined], ["/authorize", 303, undefined], ["/token", 200, undefined],
        ]);
        assert.equal(tokens.token_type, "dpop");
        assert.deepEqual(decodeJwt(tokens.access_token).cnf, { jkt: await thumbprintOf(key) });
        const answer = await app.callApi(tokens.access_token, `${api.origin}/orders`, { key });
        assert.deepEqual((await answer.json()).mechanisms, ["dpop"]);
        const renewed = await app.refresh(tokens.refresh_token, { key });
        assert.equal((await app.callApi(renewed.access_token, `${api.origin}/orders?page=2`, { key })).status, 200);
        assert.deepEqual(decodeJwt(renewed.access_token).aud, AUDIENCE);
      });
    }

    test("a nonce is asked for with 400 and JSON before code or refresh token is used: they work after that", async () => {
      const atToken = () => server.log.filter(({ path }) => path === "/token").map(({ status, error }) => [status, error]);
      const key = await makeKey();
      const signedIn = await (await connect(server, "program")).plain();
      server.log.length = 0;
      // An app that was just started knows no nonce.
      const { refresh_token } = await (await connect(server, "program")).redeem(signedIn, { key });
      assert.deepEqual(atToken(), [[400, "use_dpop_nonce"], [200, undefined]]);
      server.log.length = 0;
      await (await connect(server, "program")).refresh(refresh_token, { key });
      assert.deepEqual(atToken(), [[400, "use_dpop_nonce"], [200, undefined]]);
    });

    test("a code is good once, and used again it takes its tokens with it", async () => {
      const app = await connect(server, "program");
      const key = await makeKey();
      const signedIn = await app.plain();
      const { refresh_token } = await app.redeem(signedIn, { key });
      await assert.rejects(app.redeem(signedIn, { key }), { error: "invalid_grant" });
      await assert.rejects(app.refresh(refresh_token, { key }), { error: "invalid_grant" });
    });

    test("of several that redeem one code at the same time, one gets tokens", async () => {
      const app = await connect(server, "program");
      const key = await makeKey();
      await app.redeem(await app.plain(), { key });
      const signedIn = await app.plain();
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => app.redeem(signedIn, { key })));
      assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    });

    test("a refresh token is replaced, and the old one takes the new one with it", async () => {
      const app = await connect(server, "page");
      const key = await makeKey();
      const first = await app.redeem(await app.push({}, { key }), { key });
      const second = await app.refresh(first.refresh_token, { key });
      await assert.rejects(app.refresh(first.refresh_token, { key }), { error: "invalid_grant" });
      await assert.rejects(app.refresh(second.refresh_token, { key }), { error: "invalid_grant" });
    });

    for (const alg of ["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519"]) {
      test(`tokens are bound to ${alg} keys`, async () => {
        const app = await connect(server, "backup");
        const key = await makeKey(alg);
        const { access_token } = await app.credentials({ key });
        assert.deepEqual(decodeJwt(access_token).cnf, { jkt: await thumbprintOf(key) });
        assert.equal((await app.callApi(access_token, `${api.origin}/`, { key })).status, 200);
      });
    }

    test("proofs with an algorithm that is not listed are refused", async () => {
      const app = await connect(server, "backup");
      assert.equal(app.as.dpop_signing_alg_values_supported.includes("RS384"), false);
      await assert.rejects(app.credentials({ key: await makeKey("RS384") }), { error: "invalid_dpop_proof" });
    });
  });
}
