// verifyProof(): one proof against one request, for tools and tests (RFC 9449 §4.3).
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { generateKeyPair as dpopKeys, generateProof } from "dpop";
import { CompactSign, calculateJwkThumbprint, exportJWK } from "jose";
import { RESOURCE, START, edge, makeClient } from "./support.mjs";

const TOKEN = "header.claims.signature";
const request = { method: "GET", url: RESOURCE, now: START };
const client = await makeClient();

/** What is found in a proof made with these claims and header members. */
const check = async ({ header, ...claims } = {}, expected = {}) => edge.verifyProof(await client.proof({ header, ...claims }), { ...request, ...expected });
const isRefused = (result, reason, check) => {
  assert.deepEqual([result.ok, result.reason], [false, reason]);
  assert.match(result.detail, /^[A-Z][^"\\]+$/);
  const failed = result.trace.filter(({ ok }) => ok === false);
  assert.equal(failed.length, 1);
  assert.equal(failed[0].detail, result.detail);
  if (check !== undefined) assert.equal(failed[0].check, check);
};

test("a good proof gives its key's thumbprint, its claims, and every check passed", async () => {
  const result = await check({ jti: "one", token: TOKEN, nonce: "n" }, { accessToken: TOKEN, nonce: "n", jkt: client.jkt });
  assert.deepEqual([result.ok, result.jkt], [true, client.jkt]);
  assert.deepEqual([result.claims.jti, result.claims.htm, result.claims.htu, result.claims.iat], ["one", "GET", RESOURCE, START]);
  for (const step of result.trace) {
    assert.equal(step.ok, step.check === "proof_field" ? null : true, step.check);
    assert.match(step.rfc, /RFC \d+ §/);
  }
});

for (const alg of ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519"]) {
  test(`a proof with ${alg} is checked`, async () => {
    const other = await makeClient(alg);
    const result = await edge.verifyProof(await other.proof(), request);
    assert.deepEqual([result.ok, result.jkt], [true, other.jkt], result.reason);
    const [header, payload, signature] = (await other.proof()).split(".");
    const octets = Buffer.from(signature, "base64url");
    octets[octets.length - 3] ^= 1;
    isRefused(await edge.verifyProof([header, payload, octets.toString("base64url")].join("."), request), "proof_signature_invalid");
  });
}

for (const alg of ["ES256", "Ed25519", "RS256", "PS256"]) {
  test(`a proof of the dpop package with ${alg} is accepted, by the clock of this machine`, async () => {
    const pair = await dpopKeys(alg);
    const proof = await generateProof(pair, RESOURCE, "POST", "a-nonce", TOKEN, { extra: [1] });
    const result = await edge.verifyProof(proof, { method: "POST", url: `${RESOURCE}?page=2#top`, accessToken: TOKEN, nonce: "a-nonce" });
    assert.deepEqual([result.ok, result.jkt], [true, await calculateJwkThumbprint(await exportJWK(pair.publicKey))], result.reason);
    assert.deepEqual(result.claims.extra, [1]);
  });
}

describe("each kind of fault has its reason and its check", () => {
  const jwk = client.jwk;
  for (const [reason, step, claims, expected] of [
    ["typ_mismatch", "proof_typ", { header: { typ: "JWT" } }],
    ["typ_missing", "proof_typ", { header: { typ: undefined } }],
    ["alg_not_allowed", "proof_alg", {}, { policy: { algorithms: ["Ed25519"] } }],
    ["jwk_missing", "proof_jwk", { header: { jwk: undefined } }],
    ["jwk_private", "proof_jwk", { header: { jwk: { ...jwk, d: "AAAA" } } }],
    ["jwk_malformed", "proof_jwk", { header: { jwk: { ...jwk, x: undefined } } }],
    ["jwk_unsupported", "proof_jwk", { header: { jwk: { ...jwk, kty: "oct" } } }],
    ["jwk_invalid", "proof_jwk", { header: { jwk: { ...jwk, x: "_".repeat(42) + "8" } } }],
    ["jwk_usage", "proof_jwk", { header: { jwk: { ...jwk, use: "enc" } } }],
    ["jwk_alg_mismatch", "proof_jwk", { header: { jwk: { ...jwk, alg: "ES384" } } }],
    ["b64_unsupported", "proof_crit", { header: { b64: false } }],
    ["jti_missing", "proof_claims", { jti: undefined }],
    ["jti_missing", "proof_claims", { jti: 5 }],
    ["jti_too_long", "proof_claims", { jti: "x".repeat(513) }],
    ["jti_too_long", "proof_claims", { jti: "xxxxx" }, { policy: { maxJtiBytes: 4 } }],
    ["htm_missing", "proof_claims", { htm: undefined }],
    ["htu_missing", "proof_claims", { htu: undefined }],
    ["iat_missing", "proof_claims", { iat: undefined }],
    ["iat_missing", "proof_claims", { iat: String(START) }],
    ["ath_missing", "proof_claims", {}, { accessToken: TOKEN }],
    ["claim_malformed", "proof_claims", { exp: "soon" }],
    ["nonce_malformed", "proof_claims", { nonce: 1 }],
    ["htm_mismatch", "proof_htm", { htm: "POST" }],
    ["htm_mismatch", "proof_htm", { htm: "get" }],
    ["htu_malformed", "proof_htu", { htu: "orders" }],
    ["htu_malformed", "proof_htu", { htu: "https://user@api.example/orders" }],
    ["htu_scheme_mismatch", "proof_htu", { htu: "http://api.example/orders" }],
    ["htu_host_mismatch", "proof_htu", { htu: "https://evil.example/orders" }],
    ["htu_port_mismatch", "proof_htu", { htu: "https://api.example:444/orders" }],
    ["htu_path_mismatch", "proof_htu", { htu: "https://api.example/Orders" }],
    ["iat_too_old", "proof_iat", { iat: START - 301 }],
    ["iat_too_old", "proof_iat", { iat: START - 11 }, { policy: { maxAge: 10 } }],
    ["iat_in_future", "proof_iat", { iat: START + 61 }],
    ["iat_in_future", "proof_iat", { iat: START + 1 }, { policy: { maxFuture: 0 } }],
    ["proof_expired", "proof_iat", { exp: START }],
    ["proof_not_yet_valid", "proof_iat", { nbf: START + 61 }],
    ["ath_mismatch", "proof_ath", { token: "another.token.here" }, { accessToken: TOKEN }],
    ["nonce_missing", "proof_nonce", {}, { nonce: "n" }],
    ["nonce_unknown", "proof_nonce", { nonce: "m" }, { nonce: "n" }],
    ["jkt_mismatch", "key_binding", {}, { jkt: "A".repeat(43) }],
    ["target_unknown", undefined, {}, { url: "/orders" }],
    ["proof_too_large", "proof_size", { jti: "x" }, { policy: { maxProofBytes: 100 } }],
  ]) {
    test(`${reason} for ${JSON.stringify({ ...claims, ...expected }).slice(0, 60)}`, async () => isRefused(await check(claims, expected), reason, step));
  }

  test("proof_signature_invalid", async () => {
    const [header, payload] = (await client.proof()).split(".");
    const [, , signature] = (await client.proof()).split(".");
    isRefused(await edge.verifyProof([header, payload, signature].join("."), request), "proof_signature_invalid", "proof_signature");
  });

  test("crit_unsupported", async () => {
    const [, payload, signature] = (await client.proof()).split(".");
    const header = Buffer.from(JSON.stringify({ alg: "ES256", typ: "dpop+jwt", jwk: client.jwk, crit: ["exp"], exp: 1 })).toString("base64url");
    isRefused(await edge.verifyProof([header, payload, signature].join("."), request), "crit_unsupported", "proof_crit");
  });

  test("proof_duplicate_member", async () => {
    const [header, , signature] = (await client.proof()).split(".");
    const payload = Buffer.from('{"jti":"a","\\u006ati":"b"}').toString("base64url");
    isRefused(await edge.verifyProof([header, payload, signature].join("."), request), "proof_duplicate_member", "proof_form");
  });

  for (const [reason, text] of [
    ["proof_not_compact", ""],
    ["proof_not_compact", "a.b"],
    ["proof_not_compact", "a.b.c.d"],
    ["proof_not_base64url", "e30=.e30.AA"],
    ["proof_header_malformed", "AAAA.e30.AAAA"],
    ["alg_missing", `${Buffer.from('{"typ":"dpop+jwt"}').toString("base64url")}.e30.AAAA`],
    ["alg_unsupported", `${Buffer.from('{"typ":"dpop+jwt","alg":"none"}').toString("base64url")}.e30.`],
    ["proof_too_large", "a".repeat(16385)],
  ]) {
    test(`${reason} for ${text.slice(0, 40)}`, async () => isRefused(await edge.verifyProof(text, request), reason));
  }
});

test("checks after the one that failed count as not made, those before it as passed", async () => {
  const { trace } = await check({ htm: "POST" });
  const at = trace.findIndex(({ ok }) => ok === false);
  assert.equal(trace[at].check, "proof_htm");
  assert.ok(trace.slice(0, at).every(({ check, ok }) => ok === true || check === "proof_field"));
  assert.ok(trace.slice(at + 1).every(({ ok }) => ok === null));
});

test("what is not asked for is not checked, and the trace says so", async () => {
  const result = await check({ token: TOKEN, nonce: "n" });
  assert.equal(result.ok, true, result.reason);
  const of = (name) => result.trace.find(({ check }) => check === name)?.ok ?? null;
  assert.equal(of("proof_nonce"), null);
  assert.equal(of("key_binding"), null);
  assert.equal(of("proof_ath"), null);
});

test("a proof may be verified twice: this is no replay check", async () => {
  const proof = await client.proof();
  for (let time = 0; time < 2; time++) assert.equal((await edge.verifyProof(proof, request)).ok, true);
});

test("times may be fractions and exponents, and nothing overflows", async () => {
  const sign = async (iat) => {
    const text = `{"jti":"a","htm":"GET","htu":"${RESOURCE}","iat":${iat}}`;
    return new CompactSign(new TextEncoder().encode(text)).setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: client.jwk }).sign(client.privateKey);
  };
  for (const iat of ["1800000000.5", "1.8e9", "18e+8", "1800000000.000000001"]) {
    assert.equal((await edge.verifyProof(await sign(iat), request)).ok, true, iat);
  }
  for (const iat of ["9e18", "1e400", "-1e400", "9223372036854775808", "-9223372036854775808", "0", "-0"]) {
    assert.equal((await edge.verifyProof(await sign(iat), request)).ok, false, iat);
  }
});

test("mistakes of the caller reject, and say what is wrong", async () => {
  const proof = await client.proof();
  await assert.rejects(edge.verifyProof(proof, { ...request, jkt: "short" }), /jkt is no SHA-256 thumbprint/);
  await assert.rejects(edge.verifyProof(proof, { ...request, policy: { algorithms: ["none"] } }), /proof\.algorithms/);
  await assert.rejects(edge.verifyProof(proof, { ...request, policy: { maxAge: -1 } }), /proof\.maxAge/);
  await assert.rejects(edge.verifyProof(undefined, request), TypeError);
});
