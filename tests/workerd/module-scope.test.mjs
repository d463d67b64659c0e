// A server built at module scope, where clocks stand still and random numbers, timers and fetches throw, decides as anywhere else.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { challengesByScheme, listOf, makeClient, makeIssuer } from "../edge/support.mjs";
import { CERTIFICATE, OTHER, cloudflare } from "../edge/certificate-support.mjs";
import { credentials, startWorker } from "./support.mjs";

const issuer = await makeIssuer();
const client = await makeClient();
let worker;
before(async () => {
  worker = await startWorker("api", {
    bindings: { ISSUER: issuer.issuer, JWKS: issuer.jwks, OPTIONS: { nonce: { secrets: ["s".repeat(32)], required: false } } },
    socketOptions: 'cfBlobHeader = "cf-blob"',
  });
});
after(() => worker?.stop());

const call = (headers, options) => fetch(`${worker.origin}/orders?page=2`, { headers, ...options });
const reason = (answer) => answer.headers.get("x-reason");

test("the holder of the key is let in, once for each proof", async () => {
  const headers = await credentials(issuer, client);
  const answer = await call(headers);
  assert.equal(answer.status, 200, `${reason(answer)} ${worker.log()}`);
  assert.deepEqual(await answer.json(), { sub: "alice", binding: { jkt: client.jkt } });
  const again = await call(headers);
  assert.deepEqual([again.status, reason(again)], [401, "proof_replayed"]);
});

test("a thief is not", async () => {
  const { authorization } = await credentials(issuer, client);
  const token = authorization.slice(5);
  const other = await makeClient();
  assert.equal(reason(await call(await credentials(issuer, other, { token }))), "jkt_mismatch");
  const bearer = await call({ authorization: `Bearer ${token}` });
  assert.equal(reason(bearer), "dpop_token_as_bearer");
  assert.equal(challengesByScheme(bearer).Bearer.error, "invalid_token");
});

test("a nonce goes round", async () => {
  const challenge = await call(await credentials(issuer, client, { nonce: "old" }));
  assert.deepEqual([challenge.status, reason(challenge)], [401, "nonce_unknown"]);
  const nonce = challenge.headers.get("dpop-nonce");
  assert.equal((await call(await credentials(issuer, client, { nonce }))).status, 200);
});

test("a page of an allowed origin can ask first, and read the challenge", async () => {
  const preflight = await call({ origin: "https://app.example", "access-control-request-method": "GET" }, { method: "OPTIONS" });
  assert.deepEqual([preflight.status, preflight.headers.get("access-control-allow-origin")], [204, "https://app.example"]);
  const answer = await call({ origin: "https://app.example" });
  assert.ok(listOf(answer.headers, "access-control-expose-headers").includes("www-authenticate"));
});

test("a certificate is taken from where the platform reports it", async () => {
  const now = Math.floor(Date.now() / 1000);
  const token = await issuer.token({ now, cnf: { "x5t#S256": CERTIFICATE.x5t } });
  const present = (cf) => call({ authorization: `Bearer ${token}`, "cf-blob": JSON.stringify(cf) });
  const answer = await present(cloudflare());
  assert.deepEqual([answer.status, (await answer.json()).binding], [200, { "x5t#S256": CERTIFICATE.x5t }]);
  assert.equal(reason(await present(cloudflare({ certRFC9440: OTHER.field }))), "certificate_mismatch");
  assert.equal(reason(await present(cloudflare({ certRevoked: "1" }))), "certificate_revoked");
  assert.equal(reason(await present({})), "certificate_missing");
});
