// Opaque tokens: the authorization server's answer carries what they are bound to, and the resource server enforces it (RFC 9449 §6.2, RFC 8705 §3.2).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { calculateJwkThumbprint, exportJWK } from "jose";
import * as oauth from "oauth4webapi";
import { edge } from "../edge/support.mjs";
import { AUDIENCE, startApi } from "./api.mjs";
import { fetchWithCertificate, makeCertificate } from "./certificates.mjs";
import { SECRET } from "./clients.mjs";
import { drivers } from "./drivers.mjs";
import { startAuthorizationServer } from "./server.mjs";

let server;
let api;
let certificate;
before(async () => {
  certificate = await makeCertificate("client");
  server = await startAuthorizationServer({ format: "opaque" });
  const tokens = edge.introspection({
    endpoint: new URL(server.metadata.introspection_endpoint),
    authenticate(request) {
      request.headers.set("authorization", `Basic ${Buffer.from(`api:${encodeURIComponent(SECRET)}`).toString("base64")}`);
      return request;
    },
  });
  api = await startApi({ issuer: server.issuer, tokens, nonces: true, tls: true });
});
after(() => Promise.all([server?.close(), api?.close()]));

const over = (identity) => fetchWithCertificate(identity, [server.authority, api.authority]);

for (const { name, connect } of drivers) {
  describe(name, () => {
    test("a token bound to a key: told by the issuer, enforced by the API, gone once revoked", async () => {
      const [key, otherKey] = [await oauth.generateKeyPair("ES256"), await oauth.generateKeyPair("ES256")];
      const app = await connect(server, "website", { fetch: over(null) });
      const signedIn = await app.push({}, { key });
      const { access_token } = await app.redeem(signedIn, { key });

      const about = await (await connect(server, "api")).introspect(access_token);
      const jkt = await calculateJwkThumbprint(await exportJWK(key.publicKey));
      const { active, token_type, cnf, sub, client_id, aud } = about;
      assert.deepEqual([active, token_type, cnf, sub, client_id, aud], [true, "DPoP", { jkt }, "ada", "website", AUDIENCE]);

      const call = async (by) => {
        const answer = await app.callApi(access_token, `${api.origin}/orders`, { key: by }).catch((error) => error);
        return [answer.status, api.reasons.at(-1)];
      };
      assert.deepEqual(await call(key), [200, null]);
      assert.deepEqual(await call(otherKey), [401, "jkt_mismatch"]);
      const asBearer = await over(null)(`${api.origin}/orders`, { headers: { authorization: `Bearer ${access_token}` } });
      assert.equal(asBearer.status, 401);
      // The code a second time: everything that came of it is revoked.
      await assert.rejects(app.redeem(signedIn, { key }), { error: "invalid_grant" });
      assert.deepEqual(await call(key), [401, "token_inactive"]);
    });

    test("a token bound to a certificate", async () => {
      const app = await connect(server, "program-with-certificate", { fetch: over(certificate) });
      const { access_token } = await app.redeem(await app.plain());
      const { token_type, cnf } = await (await connect(server, "api")).introspect(access_token);
      assert.deepEqual({ token_type, cnf }, { token_type: "Bearer", cnf: { "x5t#S256": certificate.x5t } });
      const call = async (identity) => (await over(identity)(`${api.origin}/orders`, { headers: { authorization: `Bearer ${access_token}` } })).status;
      assert.equal(await call(certificate), 200);
      assert.deepEqual([await call(null), await call(await makeCertificate("client"))], [401, 401]);
    });

    test("only the API may ask", async () => {
      const app = await connect(server, "mailer");
      const { access_token } = await app.credentials();
      await assert.rejects(app.introspect(access_token), { error: "unauthorized_client" });
      assert.deepEqual(await (await connect(server, "api")).introspect("unknown"), { active: false });
    });
  });
}
