// A token endpoint's answers: what a token is bound to, and how a refusal is told there (RFC 9449 §5 and §8, RFC 6749 §5.2).
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { edge, listOf, makeClient, makeClock, makeRequest } from "./support.mjs";
import { CERTIFICATE, OTHER } from "./certificate-support.mjs";

const TOKEN_URL = "https://as.example/token";
const client = await makeClient();

/** An endpoint with a clock; `bind()` asks with a new proof, unless `proof` is null. */
function makeEndpoint(options = {}) {
  const clock = makeClock();
  const endpoint = edge.createTokenEndpoint({ now: clock.now, ...options });
  const request = async ({ proof = {}, headers } = {}) =>
    makeRequest({
      url: TOKEN_URL, method: "POST", headers,
      ...(proof && { proof: await client.proof({ url: TOKEN_URL, method: "POST", now: clock.at, ...proof }) }),
    });
  const bind = async (context, about) => endpoint.bind(await request(about), context);
  return { endpoint, clock, request, bind };
}
const isRefused = (decision, error, reason) =>
  assert.deepEqual([decision.ok, decision.status, decision.error, decision.reason], [false, 400, error, reason]);

test("with a proof the token is bound to its key", async () => {
  const { bind } = makeEndpoint();
  const binding = await bind();
  assert.deepEqual([binding.ok, binding.tokenType, binding.cnf], [true, "DPoP", { jkt: client.jkt }], binding.reason);
});

test("without one it is a bearer token, unless the client must use DPoP", async () => {
  const { bind } = makeEndpoint();
  const binding = await bind({}, { proof: null });
  assert.deepEqual([binding.ok, binding.tokenType, binding.cnf], [true, "Bearer", null]);
  isRefused(await bind({ requireDpop: true }, { proof: null }), "invalid_request", "dpop_required");
  assert.equal((await bind({ requireDpop: true, endpoint: "par" }, { proof: null })).ok, true);
});

test("a faulty proof is told as 400 in JSON, never cacheable, and without a challenge", async () => {
  const { bind } = makeEndpoint({ cors: { origins: ["https://app.example"] } });
  const decision = await bind({}, { proof: { htm: "GET" }, headers: { origin: "https://app.example" } });
  isRefused(decision, "invalid_dpop_proof", "htm_mismatch");
  const response = decision.response();
  assert.equal(response.status, 400);
  assert.deepEqual(await response.json(), { error: "invalid_dpop_proof", error_description: decision.detail });
  assert.equal(response.headers.get("www-authenticate"), null);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("access-control-allow-origin"), "https://app.example");
});

test("a nonce is asked for with 400, and is none of a resource server's", async () => {
  const nonce = { secrets: ["s".repeat(32)] };
  const { bind } = makeEndpoint({ nonce, cors: { origins: ["https://app.example"] } });
  const challenge = await bind({}, { headers: { origin: "https://app.example" } });
  isRefused(challenge, "use_dpop_nonce", "nonce_missing");
  const { headers } = challenge.response();
  assert.ok(listOf(headers, "access-control-expose-headers").includes("dpop-nonce"));
  const own = headers.get("dpop-nonce");
  assert.equal((await bind({}, { proof: { nonce: own } })).ok, true);
  const api = edge.createResourceServer({ issuer: "https://as.example", audience: "https://api.example", nonce, now: makeClock().now });
  const foreign = await api.authenticate(makeRequest({ token: "t", proof: await client.proof({ token: "t", nonce: own }) }));
  assert.equal(foreign.reason, "nonce_unknown");
  isRefused(await bind({}, { proof: { nonce: foreign.response().headers.get("dpop-nonce") } }), "use_dpop_nonce", "nonce_unknown");
});

test("a nonce of the window before is renewed by finish()", async () => {
  const { bind, clock } = makeEndpoint({ nonce: { secrets: ["s".repeat(32)], window: 60 } });
  const nonce = (await bind()).response().headers.get("dpop-nonce");
  clock.forward(60);
  const response = (await bind({}, { proof: { nonce } })).finish(Response.json({ access_token: "x" }));
  assert.ok(response.headers.get("dpop-nonce"));
  assert.notEqual(response.headers.get("dpop-nonce"), nonce);
  assert.deepEqual(listOf(response.headers, "cache-control"), ["no-store"]);
});

test("a proof is good once, and a store that fails means 503", async () => {
  const { endpoint, request } = makeEndpoint();
  const again = await request();
  assert.equal((await endpoint.bind(again)).ok, true);
  isRefused(await endpoint.bind(again), "invalid_dpop_proof", "proof_replayed");
  const failing = makeEndpoint({ replay: { claim: () => Promise.reject(new Error("down")) } });
  const decision = await failing.bind();
  assert.deepEqual([decision.status, decision.error, decision.reason], [503, null, "replay_store_unavailable"]);
  assert.match(decision.response().headers.get("retry-after"), /^\d+$/);
  const external = await makeEndpoint({ replay: "external" }).bind();
  assert.equal(external.replay.jkt, client.jkt);
});

describe("what the grant is bound to", () => {
  const other = "A".repeat(43);

  test("a code's dpop_jkt must be the proof's key", async () => {
    const { bind } = makeEndpoint();
    assert.equal((await bind({ dpopJkt: client.jkt })).ok, true);
    isRefused(await bind({ dpopJkt: other }), "invalid_grant", "grant_key_mismatch");
    isRefused(await bind({ dpopJkt: client.jkt }, { proof: null }), "invalid_grant", "grant_proof_missing");
  });

  test("a pushed request's dpop_jkt and proof must agree", async () => {
    const { bind } = makeEndpoint();
    assert.deepEqual((await bind({ endpoint: "par", dpopJkt: client.jkt })).cnf, { jkt: client.jkt });
    assert.equal((await bind({ endpoint: "par", dpopJkt: other })).reason, "pushed_key_mismatch");
  });

  test("a public client's refresh token keeps its key, a confidential client's does not", async () => {
    const { bind } = makeEndpoint();
    assert.equal((await bind({ refreshToken: { jkt: client.jkt } })).ok, true);
    assert.equal((await bind({ refreshToken: { jkt: other }, clientType: "public" })).ok, false);
    assert.equal((await bind({ refreshToken: { jkt: other } })).ok, false);
    assert.equal((await bind({ refreshToken: { jkt: other }, clientType: "confidential" })).ok, true);
  });

  test("a certificate is bound where the client's metadata says so", async () => {
    const { bind } = makeEndpoint();
    const bound = await bind({ bindCertificate: true, certificate: CERTIFICATE.der }, { proof: null });
    assert.deepEqual([bound.tokenType, bound.cnf], ["Bearer", { "x5t#S256": CERTIFICATE.x5t }]);
    assert.equal((await bind({ bindCertificate: true, certificate: null }, { proof: null })).ok, false);
    assert.equal((await bind({ certificate: CERTIFICATE.der }, { proof: null })).cnf, null);
    const both = await bind({ bindCertificate: true, certificate: CERTIFICATE.der });
    assert.deepEqual([both.tokenType, both.cnf], ["DPoP", { jkt: client.jkt, "x5t#S256": CERTIFICATE.x5t }]);
    const refresh = { refreshToken: { "x5t#S256": CERTIFICATE.x5t }, bindCertificate: true };
    assert.equal((await bind({ ...refresh, certificate: CERTIFICATE.der }, { proof: null })).ok, true);
    assert.equal((await bind({ ...refresh, certificate: OTHER.der }, { proof: null })).ok, false);
  });
});

describe("what is said of the grant", () => {
  test("a dpop_jkt that is no thumbprint is refused, whatever it is, and never left out", async () => {
    const { bind } = makeEndpoint();
    for (const odd of ["", "short", `${client.jkt} `, `${client.jkt}=`, 5, true, {}, [client.jkt], [client.jkt, client.jkt], "\ud800", "é"]) {
      for (const proof of [{}, null]) {
        isRefused(await bind({ dpopJkt: odd }, { proof }), "invalid_grant", "grant_key_mismatch");
        isRefused(await bind({ dpopJkt: odd, endpoint: "par" }, { proof }), "invalid_dpop_proof", "pushed_key_mismatch");
      }
    }
    for (const none of [undefined, null]) assert.equal((await bind({ dpopJkt: none }, { proof: null })).ok, true);
  });

  test("what a refresh token is bound to may be what bind() gave, and nothing that would be overlooked", async () => {
    const { bind } = makeEndpoint();
    const { cnf } = await bind();
    assert.equal((await bind({ refreshToken: cnf })).ok, true);
    assert.equal((await bind({ refreshToken: null }, { proof: null })).ok, true);
    isRefused(await bind({ refreshToken: cnf }, { proof: null }), "invalid_grant", "grant_proof_missing");
    isRefused(await bind({ refreshToken: { jkt: 5 } }), "invalid_grant", "grant_key_mismatch");
    for (const odd of [client.jkt, 5, true, { JKT: client.jkt }, { jkt: client.jkt, x5t: "x" }, [client.jkt]]) {
      await assert.rejects(bind({ refreshToken: odd }), /^TypeError: refreshToken: give/);
    }
  });

  test("words and switches that are none are mistakes of the caller's, and told as such", async () => {
    const { bind } = makeEndpoint();
    for (const [context, message] of [
      [{ endpoint: "PAR" }, /^TypeError: endpoint: give "token" or "par"/],
      [{ clientType: "private" }, /^TypeError: clientType: give "public" or "confidential"/],
      [{ requireDpop: "true" }, /^TypeError: requireDpop: give true or false/],
      [{ requireDpop: 1 }, /^TypeError: requireDpop/],
      [{ bindCertificate: null }, /^TypeError: bindCertificate/],
    ]) {
      await assert.rejects(bind(context), message);
    }
  });
});

test("an ath is ignored, also a wrong one", async () => {
  const { bind } = makeEndpoint();
  for (const ath of ["x", 5, null]) assert.equal((await bind({}, { proof: { ath } })).ok, true);
});

test("at a pushed request the proof is checked in full, and the endpoint is its own", async () => {
  const { bind } = makeEndpoint();
  isRefused(await bind({ endpoint: "par" }, { proof: { htu: "https://as.example/par" } }), "invalid_dpop_proof", "htu_path_mismatch");
  isRefused(await bind({ endpoint: "par" }, { proof: { htm: "GET" } }), "invalid_dpop_proof", "htm_mismatch");
  const pushed = await bind({ endpoint: "par", dpopJkt: client.jkt }, { proof: null });
  assert.deepEqual([pushed.cnf, pushed.tokenType], [{ jkt: client.jkt }, "Bearer"]);
  const { bind: withNonce } = makeEndpoint({ nonce: { secrets: ["s".repeat(32)] } });
  isRefused(await withNonce({ endpoint: "par" }), "use_dpop_nonce", "nonce_missing");
});

test("a nonce challenge leaves the proof's mark alone, and comes before the grant's faults do", async () => {
  const marks = [];
  const { bind } = makeEndpoint({ nonce: { secrets: ["s".repeat(32)] }, replay: { claim: (mark) => (marks.push(mark), true) } });
  isRefused(await bind({ dpopJkt: "A".repeat(43) }), "use_dpop_nonce", "nonce_missing");
  assert.deepEqual(marks, []);
  const nonce = (await bind()).response().headers.get("dpop-nonce");
  isRefused(await bind({ dpopJkt: "A".repeat(43) }, { proof: { nonce } }), "invalid_grant", "grant_key_mismatch");
  assert.deepEqual(marks, []);
  assert.equal((await bind({ dpopJkt: client.jkt }, { proof: { nonce } })).ok, true);
  assert.equal(marks.length, 1);
});

test("a mark that is left to the caller is the one that a store would be asked for", async () => {
  const marks = [];
  const { request, endpoint } = makeEndpoint({ replay: { claim: (mark) => (marks.push(mark), true) } });
  const again = await request();
  await endpoint.bind(again);
  const { replay } = await makeEndpoint({ replay: "external" }).endpoint.bind(again);
  assert.deepEqual(replay, marks[0]);
});

test("a public client's refresh token keeps its certificate, also without the metadata; a confidential client's does not", async () => {
  const { bind } = makeEndpoint();
  const refreshToken = { "x5t#S256": CERTIFICATE.x5t };
  const bound = await bind({ refreshToken, certificate: CERTIFICATE.der }, { proof: null });
  assert.deepEqual(bound.cnf, { "x5t#S256": CERTIFICATE.x5t });
  isRefused(await bind({ refreshToken, certificate: OTHER.der }, { proof: null }), "invalid_grant", "grant_certificate_mismatch");
  isRefused(await bind({ refreshToken, certificate: null }, { proof: null }), "invalid_request", "certificate_required");
  assert.equal((await bind({ refreshToken, certificate: OTHER.der, clientType: "confidential" }, { proof: null })).ok, true);
});

test("mistakes in its configuration are refused as a resource server's are", () => {
  const make = (options) => () => edge.createTokenEndpoint(options);
  assert.throws(make({ nonce: { secrets: ["short"] } }), /^TypeError: nonce\.secrets/);
  assert.throws(make({ replay: {} }), /^TypeError: replay/);
  assert.throws(make({ cors: { origins: "https://app.example" } }), /^TypeError: cors\.origins/);
  assert.throws(make({ proof: { algorithms: ["HS256"] } }), /^TypeError: proof\.algorithms/);
  assert.throws(make({ publicUrl: "as.example" }), /^TypeError: publicUrl/);
  assert.throws(make({ certificates: [edge.certificates.cloudflare] }), /^TypeError: certificates/);
});
