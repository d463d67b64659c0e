// JWT access tokens (RFC 9068 §4): what they must say, and what else never passes for one.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CompactSign, SignJWT } from "jose";
import { AUDIENCE, ISSUER, START, edge, makeIssuer, makeRequest, makeWorld } from "./support.mjs";

/** The reason for which a token with these claims and header members is refused; undefined if it is not. */
async function reasonFor({ header, ...claims } = {}, options = {}) {
  const world = await makeWorld(options);
  const token = await world.issuer.token({ cnf: world.client.cnf, header, ...claims });
  return (await world.ask({ token })).reason;
}

test("a token of the issuer, for this audience, in its time is accepted", async () => {
  assert.equal(await reasonFor(), undefined);
  assert.equal(await reasonFor({ aud: ["https://other.example", AUDIENCE] }), undefined);
  assert.equal(await reasonFor({ header: { typ: "application/at+jwt" } }), undefined);
  assert.equal(await reasonFor({ nbf: START + 5 }), undefined);
  assert.equal(await reasonFor({ extra: { a: [1, null] }, header: { x: 1 } }), undefined);
});

test("several audiences are one server's names", async () => {
  const audience = ["https://one.example", AUDIENCE];
  assert.equal(await reasonFor({}, { audience }), undefined);
  assert.equal(await reasonFor({ aud: "https://one.example" }, { audience }), undefined);
  assert.equal(await reasonFor({ aud: "https://two.example" }, { audience }), "token_audience_mismatch");
});

for (const [reason, about] of [
  ["token_issuer_mismatch", { iss: "https://as.example/" }],
  ["token_issuer_mismatch", { iss: "https://AS.example" }],
  ["token_claim_missing", { iss: undefined }],
  ["token_claim_missing", { aud: undefined }],
  ["token_claim_missing", { exp: undefined }],
  ["token_claim_missing", { iat: undefined }],
  ["token_claim_missing", { sub: undefined }],
  ["token_claim_missing", { client_id: undefined }],
  ["token_claim_missing", { jti: undefined }],
  ["token_audience_mismatch", { aud: "https://api.example/" }],
  ["token_audience_mismatch", { aud: [] }],
  ["token_payload_malformed", { aud: { 0: AUDIENCE } }],
  ["token_payload_malformed", { aud: [AUDIENCE, 5] }],
  ["token_payload_malformed", { exp: "tomorrow" }],
  ["token_expired", { exp: START }],
  ["token_not_yet_valid", { nbf: START + 60 }],
  ["token_typ_mismatch", { header: { typ: "JWT" } }],
  ["token_typ_mismatch", { header: { typ: undefined } }],
  ["token_typ_mismatch", { header: { typ: "dpop+jwt" } }],
  ["token_typ_mismatch", { header: { typ: "logout+jwt" } }],
  ["token_key_unknown", { header: { kid: "k2" } }],
  ["token_header_malformed", { header: { kid: 5 } }],
  ["cnf_malformed", { cnf: "x" }],
  ["cnf_malformed", { cnf: { jkt: "short" } }],
  ["cnf_unknown", { cnf: { kid: "x" } }],
  ["token_not_bound", { cnf: undefined }],
]) {
  test(`${reason} for ${JSON.stringify(about, (_, value) => (value === undefined ? "(missing)" : value))}`, async () => {
    assert.equal(await reasonFor(about), reason);
  });
}

test("a token of another's key under this issuer's name is refused", async () => {
  const world = await makeWorld();
  const thief = await makeIssuer();
  assert.equal((await world.ask({ token: await thief.token({ cnf: world.client.cnf }) })).reason, "token_signature_invalid");
});

test("a token that brings its own key, or names where to find one, is checked with the issuer's all the same", async () => {
  const world = await makeWorld();
  const thief = await makeIssuer();
  for (const header of [{ jwk: thief.jwk }, { jku: "https://evil.example/jwks" }, { x5u: "https://evil.example/x" }]) {
    assert.equal((await world.ask({ token: await thief.token({ cnf: world.client.cnf, header }) })).reason, "token_signature_invalid");
  }
});

test("none, symmetric and unknown algorithms are refused", async () => {
  const world = await makeWorld();
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: "a", client_id: "c", jti: "j", iat: START, exp: START + 60, cnf: world.client.cnf };
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const secret = new TextEncoder().encode(JSON.stringify(world.issuer.jwk));
  const hs256 = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid: "k1" }).sign(secret);
  for (const token of [hs256, `${encoded({ alg: "none", typ: "at+jwt" })}.${encoded(claims)}.`, `${encoded({ typ: "at+jwt" })}.${encoded(claims)}.AAAA`]) {
    assert.equal((await world.ask({ token })).ok, false);
  }
  assert.equal((await world.ask({ token: hs256 })).reason, "token_alg_not_allowed");
});

test("the issuer's algorithms are a matter of configuration", async () => {
  const world = await makeWorld();
  const tokens = edge.jwtTokens({ jwks: world.issuer.jwks, algorithms: ["PS256"] });
  const server = edge.createResourceServer({ issuer: ISSUER, audience: AUDIENCE, tokens, now: world.clock.now });
  assert.equal((await server.authenticate(await world.request())).reason, "token_alg_not_allowed");
});

for (const alg of ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519"]) {
  test(`an issuer may sign with ${alg}`, async () => {
    const world = await makeWorld();
    const issuer = await makeIssuer({ alg });
    const server = edge.createResourceServer({ issuer: ISSUER, audience: AUDIENCE, tokens: edge.jwtTokens({ jwks: issuer.jwks }), now: world.clock.now });
    const token = await issuer.token({ cnf: world.client.cnf });
    for (let time = 0; time < 2; time++) {
      const decision = await server.authenticate(await world.request({ token }));
      assert.equal(decision.ok, true, decision.reason);
    }
  });
}

test("header types beside the profile's may be named", async () => {
  const world = await makeWorld();
  const token = await world.issuer.token({ cnf: world.client.cnf, header: { typ: "acme+jwt" } });
  const server = (types) =>
    edge.createResourceServer({ issuer: ISSUER, audience: AUDIENCE, tokens: edge.jwtTokens({ jwks: world.issuer.jwks, types }), now: world.clock.now });
  assert.equal((await server(["acme+jwt"]).authenticate(await world.request({ token }))).ok, true);
  assert.equal((await server([]).authenticate(await world.request({ token }))).reason, "token_typ_mismatch");
});

describe("what is no token at all", () => {
  for (const [what, token, reason] of [
    ["two parts", "a.b", "token_not_jwt"],
    ["four parts", "a.b.c.d", "token_not_jwt"],
    ["padding", "e30=", "token_not_jwt"],
    ["opaque text", "opaque", "token_not_jwt"],
    ["characters of no token", "a.b\"c", "token_malformed"],
    ["33 kB", "a".repeat(33 * 1024), "token_too_large"],
  ]) {
    test(`${what}: ${reason}`, async () => {
      const { server } = await makeWorld();
      assert.equal((await server.authenticate(makeRequest({ token, scheme: "Bearer" }))).reason, reason);
    });
  }

  test("a payload with a name twice is refused", async () => {
    const world = await makeWorld();
    const text = JSON.stringify({ iss: ISSUER, aud: AUDIENCE, sub: "a", client_id: "c", jti: "j", iat: START, exp: START + 60 });
    const twice = text.replace("{", `{"\\u0073ub":"root",`);
    const token = await new CompactSign(new TextEncoder().encode(twice)).setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: "k1" }).sign(world.issuer.privateKey);
    assert.equal((await world.server.authenticate(makeRequest({ token, scheme: "Bearer" }))).reason, "token_payload_malformed");
  });
});

test("whatever comes in, the answer is a decision", async () => {
  const world = await makeWorld({ nonce: { secrets: ["s".repeat(32)], required: false } });
  const good = await world.client.proof({ token: world.token });
  // A generator with a seed: the same texts every time.
  let state = 7;
  const random = (below) => ((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0), Math.floor((state / 2 ** 32) * below));
  const mutate = (text) => {
    const at = random(text.length);
    const inserted = ["", ".", "=", "A", "_", "%", " ", "é", "\t", '"'][random(10)];
    return text.slice(0, at) + inserted + text.slice(at + random(3));
  };
  for (let time = 0; time < 500; time++) {
    const fields = { authorization: `DPoP ${world.token}`, dpop: good };
    const name = ["authorization", "dpop"][random(2)];
    fields[name] = mutate(fields[name]);
    const decision = await world.server.authenticate(makeRequest({ headers: fields }));
    if (!decision.ok) assert.ok([400, 401].includes(decision.response().status), decision.reason);
  }
});
