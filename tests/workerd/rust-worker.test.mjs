// The example worker in Rust (crates/keybound-edge/examples/worker), compiled to wasm, in the Workers runtime.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SignJWT, generateKeyPair } from "jose";
import { challengesByScheme, listOf, makeClient, makeIssuer } from "../edge/support.mjs";
import { root } from "../support/paths.mjs";
import { startWorkerd } from "../support/workerd.mjs";
import { serveHttp } from "./support.mjs";

const API = "https://api.example";
const ORDERS = `${API}/orders`;
const PAGE = "https://app.example";
const CERTIFICATE = "0f".repeat(32);
const client = await makeClient();
let authority;
let issuer;
let worker;
let storage;

/** An authorization server's metadata and keys, and what was asked for. */
async function serveAuthority({ hangs = () => false } = {}) {
  const documents = {};
  const server = await serveHttp((request, response) => {
    if (hangs(request.url)) return;
    const document = documents[request.url];
    response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(document));
  });
  const keys = await makeIssuer({ issuer: server.origin });
  documents["/.well-known/openid-configuration"] = { issuer: server.origin, jwks_uri: `${server.origin}/keys` };
  documents["/keys"] = keys.jwks;
  return { server, keys };
}

async function modules() {
  const built = join(root, "target-wasm/rust-worker");
  const files = await readdir(built, { recursive: true }).catch((cause) => {
    throw new Error("the example worker is not built: run `cargo xtask rust-worker` first", { cause });
  });
  const entry = { name: "worker.js", esModule: fileURLToPath(new URL("./workers/rust.js", import.meta.url)) };
  const parts = files.flatMap((file) => {
    const place = { name: `rust/${file}` };
    if (file.endsWith(".js")) return [{ ...place, esModule: join(built, file) }];
    return file.endsWith(".wasm") ? [{ ...place, wasm: join(built, file) }] : [];
  });
  return [entry, ...parts];
}

const start = async (bindings = {}) =>
  startWorkerd({
    modules: await modules(),
    socketOptions: 'cfBlobHeader = "cf-blob"',
    durableObjects: { REPLAY: "ReplayShard" },
    storage,
    bindings: { ISSUER: issuer.issuer, AUDIENCE: API, PUBLIC_URL: API, NONCE_SECRET: "n".repeat(32), ...bindings },
  });

before(async () => {
  storage = await mkdtemp(join(tmpdir(), "keybound-rust-marks-"));
  const made = await serveAuthority();
  [authority, issuer] = [made.server, made.keys];
  worker = await start();
});
after(async () => {
  await worker?.stop();
  await authority?.close();
  await rm(storage, { recursive: true, force: true });
});

const now = () => Math.floor(Date.now() / 1000);
const call = (headers = {}, { path = "/orders", ...init } = {}) => fetch(worker.origin + path, { headers, ...init });

async function newNonce(path = "/orders", method = "GET") {
  const headers = { authorization: `DPoP ${await issuer.token({ now: now(), cnf: client.cnf })}` };
  headers.dpop = await client.proof({ token: headers.authorization.slice(5), url: API + path, method, now: now() });
  const answer = await call(headers, { path, method });
  await answer.text();
  return answer.headers.get("dpop-nonce");
}

/** Headers of a good request. `token` changes the token's claims, the rest the proof. */
async function good({ token: claims = {}, signer = client, ...proof } = {}) {
  const token = await issuer.token({ now: now(), cnf: client.cnf, ...claims });
  const nonce = "nonce" in proof ? proof.nonce : await newNonce();
  return { authorization: `DPoP ${token}`, dpop: await signer.proof({ token, now: now(), url: ORDERS, ...proof, nonce }) };
}

async function refusal(answer) {
  const challenges = challengesByScheme(answer);
  return { status: answer.status, challenges, body: await answer.text() };
}

async function assertRefused(headers, status, error, description) {
  const { challenges, body, ...answer } = await refusal(await call(headers));
  assert.equal(answer.status, status, worker.log());
  assert.equal((challenges.DPoP?.error ?? challenges.Bearer?.error), error, body);
  if (description !== undefined) assert.match(body, description);
}

test("many first requests fetch the issuer's keys once", async () => {
  const fresh = await start();
  try {
    const before = authority.requests.filter((path) => path === "/keys").length;
    const requests = await Promise.all(Array.from({ length: 20 }, () => good({ nonce: undefined })));
    const answers = await Promise.all(requests.map((headers) => fetch(`${fresh.origin}/orders`, { headers })));
    // All get a nonce challenge: with it they come again.
    const nonce = answers[0].headers.get("dpop-nonce");
    assert.equal(nonce?.length, 28, worker.log());
    const again = await Promise.all(Array.from({ length: 20 }, () => good({ nonce })));
    const accepted = await Promise.all(again.map((headers) => fetch(`${fresh.origin}/orders`, { headers })));
    assert.deepEqual(accepted.map(({ status }) => status), Array(20).fill(200), fresh.log());
    assert.equal(authority.requests.filter((path) => path === "/keys").length - before, 1);
  } finally {
    await fresh.stop();
  }
});

test("a proof goes round once for a nonce, and then the token may be used", async () => {
  const headers = await good({ nonce: undefined });
  const first = await call(headers);
  assert.equal(first.status, 401, worker.log());
  assert.equal(challengesByScheme(first).DPoP.error, "use_dpop_nonce");
  assert.equal(first.headers.get("cache-control"), "no-store");
  const nonce = first.headers.get("dpop-nonce");
  const answer = await call(await good({ nonce }));
  assert.equal(answer.status, 200, worker.log());
  const claims = await answer.json();
  assert.deepEqual([claims.iss, claims.cnf.jkt], [issuer.issuer, client.jkt]);
});

test("a warm key and token are checked all the same", async () => {
  const token = await issuer.token({ now: now(), cnf: client.cnf });
  const nonce = await newNonce();
  const headers = async () => ({ authorization: `DPoP ${token}`, dpop: await client.proof({ token, now: now(), url: ORDERS, nonce }) });
  for (let round = 0; round < 5; round += 1) assert.equal((await call(await headers())).status, 200, worker.log());
  const { authorization, dpop } = await headers();
  const [head, payload, signature] = dpop.split(".");
  const other = (signature[0] === "A" ? "B" : "A") + signature.slice(1);
  await assertRefused({ authorization, dpop: [head, payload, other].join(".") }, 401, "invalid_dpop_proof", /signature/);
});

test("of many copies of one proof exactly one is let in, and none after a restart", async () => {
  const headers = await good();
  const copies = await Promise.all(Array.from({ length: 50 }, () => call(headers)));
  assert.equal(copies.filter(({ status }) => status === 200).length, 1, worker.log());
  const refused = copies.find(({ status }) => status !== 200);
  assert.match(await refused.text(), /used before/);
  const second = await start();
  try {
    const answer = await fetch(`${second.origin}/orders`, { headers });
    assert.deepEqual([answer.status, challengesByScheme(answer).DPoP.error], [401, "invalid_dpop_proof"], second.log());
  } finally {
    await second.stop();
  }
});

test("a DPoP-bound token is no bearer token, with or without a proof beside it", async () => {
  const { authorization, dpop } = await good();
  const bearer = authorization.replace("DPoP", "Bearer");
  await assertRefused({ authorization: bearer }, 401, "invalid_token", /Bearer/);
  await assertRefused({ authorization: bearer, dpop }, 401, "invalid_token", /Bearer/);
});

test("proofs for something else are refused", async () => {
  const nonce = await newNonce();
  const thief = await makeClient();
  await assertRefused(await good({ nonce, signer: thief }), 401, "invalid_token", /another key/);
  await assertRefused(await good({ nonce, method: "POST" }), 401, "invalid_dpop_proof", /method/);
  await assertRefused(await good({ nonce, url: `${API}/invoices` }), 401, "invalid_dpop_proof", /path/);
  await assertRefused(await good({ nonce, ath: "x" }), 401, "invalid_dpop_proof", /access token/);
  await assertRefused(await good({ nonce, iat: now() - 3600 }), 401, "invalid_dpop_proof", /too long ago/);
  await assertRefused(await good({ nonce: `${nonce.slice(0, -1)}${nonce.endsWith("A") ? "B" : "A"}` }), 401, "use_dpop_nonce");
});

test("a method that the worker crate has no name for is not taken for GET", async () => {
  const answer = await call(await good({ method: "GET" }), { method: "PURGE" });
  assert.equal(answer.status, 401, worker.log());
  assert.match(await answer.text(), /method/);
  const right = await call(await good({ method: "PURGE" }), { method: "PURGE" });
  assert.equal(right.status, 200, worker.log());
});

test("tokens that the issuer did not sign, or signed for others, are refused", async () => {
  const nonce = await newNonce();
  const { privateKey } = await generateKeyPair("ES256");
  const forged = await new SignJWT({
    iss: issuer.issuer, aud: API, sub: "mallory", client_id: "app", jti: randomUUID(), iat: now(), exp: now() + 60, cnf: client.cnf,
  }).setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: "k1" }).sign(privateKey);
  const dpop = await client.proof({ token: forged, now: now(), url: ORDERS, nonce });
  await assertRefused({ authorization: `DPoP ${forged}`, dpop }, 401, "invalid_token", /signature/);
  await assertRefused(await good({ nonce, token: { aud: "https://other.example" } }), 401, "invalid_token", /audience/);
  await assertRefused(await good({ nonce, token: { now: now() - 7200 } }), 401, "invalid_token", /expired/);
  await assertRefused(await good({ nonce, token: { cnf: undefined } }), 401, "invalid_token", /bound to no key/);
});

test("an unknown kid does not make the issuer's server busy", async () => {
  const nonce = await newNonce();
  assert.equal((await call(await good({ nonce }))).status, 200);
  const before = authority.requests.length;
  for (let round = 0; round < 10; round += 1) {
    await assertRefused(await good({ nonce, token: { header: { kid: `unknown-${round}` } } }), 401, "invalid_token", /publish/);
  }
  assert.ok(authority.requests.length - before <= 3, `${authority.requests.length - before} requests`);
});

test("a request that is cancelled while it fetches keys holds nobody up for long", async () => {
  let hanging = true;
  const slow = await serveAuthority({ hangs: (path) => path === "/keys" && hanging });
  const other = await start({ ISSUER: slow.server.origin });
  try {
    const nonce = await newNonce();
    const token = await slow.keys.token({ now: now(), cnf: client.cnf });
    const headers = async () => ({ authorization: `DPoP ${token}`, dpop: await client.proof({ token, now: now(), url: ORDERS, nonce }) });
    const cancelled = fetch(`${other.origin}/orders`, { headers: await headers(), signal: AbortSignal.timeout(500) });
    await assert.rejects(cancelled);
    assert.ok(slow.server.requests.includes("/keys"), other.log());
    hanging = false;
    const startedAt = Date.now();
    const answers = await Promise.all([headers(), headers()].map(async (made) => fetch(`${other.origin}/orders`, { headers: await made })));
    assert.deepEqual(answers.map(({ status }) => status), [200, 200], other.log());
    assert.ok(Date.now() - startedAt < 8_000);
  } finally {
    await other.stop();
    await slow.server.close();
  }
});

test("an issuer that cannot be reached means 503, and nobody is blamed", async () => {
  const lost = await start({ ISSUER: "http://127.0.0.1:9" });
  try {
    const elsewhere = await makeIssuer({ issuer: "http://127.0.0.1:9" });
    const token = await elsewhere.token({ now: now(), cnf: client.cnf });
    const nonce = await newNonce();
    const dpop = await client.proof({ token, now: now(), url: ORDERS, nonce });
    const answer = await fetch(`${lost.origin}/orders`, { headers: { authorization: `DPoP ${token}`, dpop } });
    assert.deepEqual([answer.status, answer.headers.get("retry-after"), answer.headers.get("www-authenticate")], [503, "1", null], lost.log());
  } finally {
    await lost.stop();
  }
});

test("a certificate-bound token needs the connection's certificate", async () => {
  const x5t = Buffer.from(CERTIFICATE, "hex").toString("base64url");
  const authorization = `Bearer ${await issuer.token({ now: now(), cnf: { "x5t#S256": x5t } })}`;
  const report = (fields = {}) =>
    JSON.stringify({
      tlsClientAuth: { certPresented: "1", certVerified: "SUCCESS", certRevoked: "0", certFingerprintSHA256: CERTIFICATE, certRFC9440: "", ...fields },
    });
  const answer = await call({ authorization, "cf-blob": report() });
  assert.equal(answer.status, 200, worker.log());
  await assertRefused({ authorization }, 401, "invalid_token", /presented none/);
  await assertRefused({ authorization, "cf-blob": JSON.stringify({}) }, 401, "invalid_token", /presented none/);
  await assertRefused({ authorization, "cf-blob": report({ certPresented: "0" }) }, 401, "invalid_token", /presented none/);
  await assertRefused({ authorization, "cf-blob": report({ certFingerprintSHA256: "1f".repeat(32) }) }, 401, "invalid_token", /another certificate/);
  await assertRefused({ authorization, "cf-blob": report({ certRevoked: "1" }) }, 401, "invalid_token", /revoked/);
  await assertRefused({ authorization, "cf-blob": report({ certVerified: "FAILED:certificate has expired" }) }, 401, "invalid_token", /did not verify/);
  assert.equal((await call({ authorization, "cf-blob": report({ certVerified: "FAILED:self signed certificate" }) })).status, 200);
});

test("pages of the named origin may ask, read challenges and no others", async () => {
  const asked = { "access-control-request-method": "GET", "access-control-request-headers": "authorization,dpop" };
  const preflight = await call({ ...asked, origin: PAGE }, { method: "OPTIONS" });
  assert.deepEqual([preflight.status, preflight.headers.get("access-control-allow-origin")], [204, PAGE], worker.log());
  assert.deepEqual(listOf(preflight.headers, "access-control-allow-headers"), ["authorization", "dpop", "content-type"]);
  const foreign = await call({ ...asked, origin: "https://evil.example" }, { method: "OPTIONS" });
  assert.equal(foreign.headers.get("access-control-allow-origin"), null);
  const challenge = await call({ ...(await good({ nonce: undefined })), origin: PAGE });
  assert.equal(challenge.headers.get("access-control-allow-origin"), PAGE);
  assert.ok(listOf(challenge.headers, "access-control-expose-headers").includes("dpop-nonce"));
  const answer = await call({ ...(await good()), origin: PAGE });
  assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [200, PAGE]);
});

test("nothing presented gets bare challenges", async () => {
  const { status, challenges, body } = await refusal(await call());
  assert.deepEqual([status, body, challenges.DPoP.error, challenges.Bearer], [401, "", undefined, {}]);
});

test("the token endpoint asks for a nonce of its own, and binds the token to the proof's key", async () => {
  const ask = async (nonce) =>
    call({ dpop: await client.proof({ url: `${API}/token`, method: "POST", now: now(), nonce }) }, { path: "/token", method: "POST" });
  const first = await ask(await newNonce());
  assert.deepEqual([first.status, (await first.json()).error], [400, "use_dpop_nonce"], worker.log());
  const nonce = first.headers.get("dpop-nonce");
  const bound = await ask(nonce);
  assert.deepEqual([bound.status, await bound.json()], [200, { token_type: "DPoP", cnf: { jkt: client.jkt } }], worker.log());
  const none = await call({}, { path: "/token", method: "POST" });
  assert.deepEqual([none.status, (await none.json()).error], [400, "invalid_request"]);
});
