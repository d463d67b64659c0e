// What a grant is bound to, and what it costs to come with something else: nothing. By both libraries.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { calculateJwkThumbprint, decodeJwt, exportJWK } from "jose";
import * as oauth from "oauth4webapi";
import { edge } from "../edge/support.mjs";
import { drivers } from "./drivers.mjs";
import { startAuthorizationServer } from "./server.mjs";

let server;
let key;
let otherKey;
let jkt;
let otherJkt;
before(async () => {
  server = await startAuthorizationServer();
  [key, otherKey] = [await oauth.generateKeyPair("ES256"), await oauth.generateKeyPair("ES256")];
  [jkt, otherJkt] = [await thumbprintOf(key), await thumbprintOf(otherKey)];
});
after(() => server?.close());

const thumbprintOf = async ({ publicKey }) => calculateJwkThumbprint(await exportJWK(publicKey));
const boundTo = ({ access_token }) => decodeJwt(access_token).cnf?.jkt;

for (const { name, connect } of drivers) {
  describe(name, () => {
    for (const [how, signIn] of [
      ["dpop_jkt of the authorization request", (app) => app.plain({ dpop_jkt: jkt })],
      ["dpop_jkt of the pushed request", (app) => app.push({ dpop_jkt: jkt })],
      ["the proof of the pushed request", (app) => app.push({}, { key })],
      ["both of the pushed request", (app) => app.push({ dpop_jkt: jkt }, { key })],
    ]) {
      test(`a code bound by ${how} is refused to another key and to none, and still there for its own`, async () => {
        const app = await connect(server, "program");
        const signedIn = await signIn(app);
        await assert.rejects(app.redeem(signedIn, { key: otherKey }), { error: "invalid_grant" });
        await assert.rejects(app.redeem(signedIn), { error: "invalid_grant" });
        assert.equal(boundTo(await app.redeem(signedIn, { key })), jkt);
      });
    }

    test("a pushed request whose parameter and proof differ is refused", async () => {
      const app = await connect(server, "program");
      await assert.rejects(app.push({ dpop_jkt: otherJkt }, { key }), { error: "invalid_dpop_proof" });
    });

    test("a code that nobody bound takes any key", async () => {
      const app = await connect(server, "program");
      assert.equal(boundTo(await app.redeem(await app.plain(), { key: otherKey })), otherJkt);
    });

    test("a public client's refresh token stays bound to its key, from one to the next", async () => {
      const app = await connect(server, "program");
      const first = await app.redeem(await app.plain(), { key });
      await assert.rejects(app.refresh(first.refresh_token, { key: otherKey }), { error: "invalid_grant" });
      await assert.rejects(app.refresh(first.refresh_token), { error: "invalid_grant" });
      const second = await app.refresh(first.refresh_token, { key });
      await assert.rejects(app.refresh(second.refresh_token, { key: otherKey }), { error: "invalid_grant" });
      assert.equal(boundTo(await app.refresh(second.refresh_token, { key })), jkt);
    });

    test("a confidential client's refresh token is not bound: the key may change", async () => {
      const app = await connect(server, "website");
      const first = await app.redeem(await app.plain(), { key });
      const second = await app.refresh(first.refresh_token, { key: otherKey });
      assert.deepEqual([boundTo(first), boundTo(second)], [jkt, otherJkt]);
      assert.equal((await app.refresh(second.refresh_token)).token_type, "bearer");
    });

    test("a client that must use DPoP gets no token without a proof, and keeps its code; pushing takes none", async () => {
      const app = await connect(server, "page");
      const signedIn = await app.push();
      await assert.rejects(app.redeem(signedIn), { error: "invalid_request" });
      assert.equal(boundTo(await app.redeem(signedIn, { key })), jkt);
      await assert.rejects((await connect(server, "backup")).credentials(), { error: "invalid_request" });
    });

    test("a client that need not use it gets a bearer token without", async () => {
      const { access_token, token_type } = await (await connect(server, "mailer")).credentials();
      assert.deepEqual([token_type, decodeJwt(access_token).cnf], ["bearer", undefined]);
    });

    test("a faulty proof is refused, and the code is still there", async () => {
      const app = await connect(server, "page");
      const signedIn = await app.push({}, { key });
      for (const modify of [
        (_, claims) => (claims.htm = "GET"),
        (_, claims) => (claims.htu = `${server.issuer}/par`),
        (_, claims) => (claims.iat -= 3600),
        (header) => (header.typ = "jwt"),
      ]) {
        const faulty = await connect(server, "page", { modify });
        await assert.rejects(faulty.redeem(signedIn, { key }), { error: "invalid_dpop_proof" }, String(modify));
      }
      assert.equal(boundTo(await app.redeem(signedIn, { key })), jkt);
    });

    test("an ath, which has no place here, is ignored", async () => {
      const app = await connect(server, "backup", { modify: (_, claims) => (claims.ath = "of-no-token") });
      assert.equal(boundTo(await app.credentials({ key })), jkt);
    });

    test("a proof that comes twice is refused the second time", async () => {
      const twice = async (...request) => {
        const first = await fetch(...request);
        return first.ok && String(request[0]).endsWith("/token") ? fetch(...request) : first;
      };
      const app = await connect(server, "backup", { fetch: twice });
      await assert.rejects(app.credentials({ key }), { error: "invalid_dpop_proof" });
    });

    test("under FAPI 2.0 clocks may be ten seconds ahead and not more than a minute, and RS256 is out", async () => {
      const strict = await startAuthorizationServer({ proof: edge.fapi2 });
      try {
        const credentials = async (options, by = key) => (await connect(strict, "backup", options)).credentials({ key: by });
        assert.equal(boundTo(await credentials({ skew: 10 })), jkt);
        await assert.rejects(credentials({ skew: 62 }), { error: "invalid_dpop_proof" });
        assert.deepEqual(strict.metadata.dpop_signing_alg_values_supported, ["ES256", "PS256", "EdDSA", "Ed25519"]);
        for (const alg of ["PS256", "Ed25519"]) assert.ok(boundTo(await credentials({}, await oauth.generateKeyPair(alg))), alg);
        await assert.rejects(credentials({}, await oauth.generateKeyPair("RS256")), { error: "invalid_dpop_proof" });
      } finally {
        await strict.close();
      }
    });
  });
}
