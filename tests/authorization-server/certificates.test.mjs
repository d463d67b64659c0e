// Tokens that are bound to a client certificate (RFC 8705), over real TLS, and used at a resource server that asks for it too.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { decodeJwt } from "jose";
import * as oauth from "oauth4webapi";
import { startApi } from "./api.mjs";
import { fetchWithCertificate, makeCertificate } from "./certificates.mjs";
import { drivers } from "./drivers.mjs";
import { startAuthorizationServer } from "./server.mjs";

let server;
let api;
let own;
let other;
before(async () => {
  [own, other] = [await makeCertificate("own"), await makeCertificate("other")];
  server = await startAuthorizationServer();
  api = await startApi({ issuer: server.issuer, tls: true });
});
after(() => Promise.all([server?.close(), api?.close()]));

/** To either server, with a certificate or (null) without. */
const over = (identity) => fetchWithCertificate(identity, [server.authority, api.authority]);

for (const { name, connect } of drivers) {
  describe(name, () => {
    const start = (clientId, identity, options) => connect(server, clientId, { fetch: over(identity), ...options });

    test("a token is bound to the certificate of its connection, and opens the API on such a connection only", async () => {
      const app = await start("program-with-certificate", own);
      const { access_token, token_type } = await app.redeem(await app.plain());
      assert.deepEqual([token_type, decodeJwt(access_token).cnf], ["bearer", { "x5t#S256": own.x5t }]);
      const call = async (identity) => over(identity)(`${api.origin}/orders`, { headers: { authorization: `Bearer ${access_token}` } });
      const answer = await call(own);
      assert.deepEqual([answer.status, (await answer.json()).mechanisms], [200, ["mtls"]]);
      for (const identity of [other, null]) assert.equal((await call(identity)).status, 401);
    });

    test("without a certificate there is no token, and the code is still there", async () => {
      const [without, app] = [await start("program-with-certificate", null), await start("program-with-certificate", own)];
      const signedIn = await app.plain();
      await assert.rejects(without.redeem(signedIn), { error: "invalid_request" });
      assert.equal((await app.redeem(signedIn)).token_type, "bearer");
    });

    test("a public client's refresh token stays bound to the certificate", async () => {
      const [app, thief] = [await start("program-with-certificate", own), await start("program-with-certificate", other)];
      const first = await app.redeem(await app.plain());
      await assert.rejects(thief.refresh(first.refresh_token), { error: "invalid_grant" });
      const second = await app.refresh(first.refresh_token);
      assert.deepEqual(decodeJwt(second.access_token).cnf, { "x5t#S256": own.x5t });
      await assert.rejects(thief.refresh(second.refresh_token), { error: "invalid_grant" });
    });

    test("a confidential client's refresh token is not bound: the certificate may be renewed", async () => {
      const [app, renewed] = [await start("website-with-certificate", own), await start("website-with-certificate", other)];
      const first = await app.redeem(await app.plain());
      const second = await renewed.refresh(first.refresh_token);
      assert.deepEqual([first, second].map(({ access_token }) => decodeJwt(access_token).cnf), [{ "x5t#S256": own.x5t }, { "x5t#S256": other.x5t }]);
    });

    test("with a proof as well the token is bound to both, and both are asked for", async () => {
      const key = await oauth.generateKeyPair("ES256");
      const app = await start("website-with-certificate", own);
      // The proof is for the second door's address (RFC 8705 §5).
      const { access_token, token_type } = await app.redeem(await app.push({}, { key }), { key });
      assert.equal(token_type, "dpop");
      assert.deepEqual(Object.keys(decodeJwt(access_token).cnf).sort(), ["jkt", "x5t#S256"]);
      const answer = await app.callApi(access_token, `${api.origin}/orders`, { key });
      assert.deepEqual([...(await answer.json()).mechanisms].sort(), ["dpop", "mtls"]);
      const elsewhere = await start("website-with-certificate", other);
      const refused = await elsewhere.callApi(access_token, `${api.origin}/orders`, { key }).catch((error) => error);
      assert.equal(refused.status, 401);
    });

    test("a client that did not ask for it is not bound to a certificate that it happens to have", async () => {
      const app = await start("mailer", own);
      const { access_token } = await app.credentials();
      assert.equal(decodeJwt(access_token).cnf, undefined);
    });
  });
}
