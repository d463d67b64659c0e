// A key is used with one algorithm only (RFC 8725 §3.1).
import assert from "node:assert/strict";
import { test } from "node:test";
import { SignJWT, exportJWK, generateKeyPair, importJWK } from "jose";
import { AUDIENCE, ISSUER, START, edge, makeClient, makeClock, makeIssuer, makeRequest } from "./support.mjs";

const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
const secret = await exportJWK(privateKey);
const jwk = { ...(await exportJWK(publicKey)), kid: "rsa" };
const client = await makeClient();

/** A server of an issuer with these keys; `reasonFor()` is why a token that our key signed is refused, undefined if it is not. */
function makeServer({ keys = [jwk], ...options } = {}) {
  const clock = makeClock();
  const tokens = edge.jwtTokens({ jwks: { keys }, ...options });
  const server = edge.createResourceServer({ issuer: ISSUER, audience: AUDIENCE, tokens, now: clock.now });
  const reasonFor = async (alg, kid = "rsa") => {
    const now = clock.at;
    const token = await new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: "a", client_id: "c", jti: "j", iat: now, exp: now + 60, cnf: client.cnf })
      .setProtectedHeader({ alg, typ: "at+jwt", kid })
      .sign(await importJWK({ ...secret, alg }, alg));
    const decision = await server.authenticate(makeRequest({ token, proof: await client.proof({ token, now }) }));
    return decision.reason;
  };
  return { clock, reasonFor };
}

const ORDERS = [["RS256", "PS256"], ["PS256", "RS256"]];

test("a key that names its algorithm is used with no other, though the issuer may use both", async () => {
  for (const [own, other] of ORDERS) {
    const keys = [{ ...jwk, alg: own }];
    const { reasonFor } = makeServer({ keys });
    assert.equal(await reasonFor(own), undefined);
    assert.equal(await reasonFor(other), "token_key_unknown");
    assert.equal(await makeServer({ keys, algorithms: [other] }).reasonFor(own), "token_alg_not_allowed");
  }
});

test("a key that names none is used with the algorithm that it was first verified with", async () => {
  for (const [first, other] of ORDERS) {
    const { reasonFor } = makeServer();
    assert.equal(await reasonFor(first), undefined);
    assert.equal(await reasonFor(other), "token_key_unknown");
    assert.equal(await reasonFor(first), undefined);
  }
});

test("that is not for anybody but the issuer to bring about", async () => {
  const { reasonFor } = makeServer({ keys: [jwk, { ...(await makeIssuer()).jwk, kid: "other" }] });
  // As from a thief, whose signature does not verify.
  const real = secret.d;
  const thief = await exportJWK((await generateKeyPair("PS256", { extractable: true })).privateKey);
  const ours = { ...secret };
  Object.assign(secret, thief);
  assert.equal(await reasonFor("PS256"), "token_signature_invalid");
  Object.assign(secret, ours);
  assert.equal(secret.d, real);
  assert.equal(await reasonFor("RS256"), undefined);
});

test("of tokens that come at once with both, one sort is accepted", async () => {
  const { reasonFor } = makeServer();
  const reasons = await Promise.all(["RS256", "PS256", "RS256", "PS256"].map((alg) => reasonFor(alg)));
  assert.equal(reasons.filter((reason) => reason === undefined).length, 2, `${reasons}`);
  assert.equal(reasons[0], reasons[2]);
});

test("it stays so when the keys are fetched anew", async () => {
  const jwks = new URL("https://as.example/jwks");
  const { clock, reasonFor } = makeServer({ keys: undefined, jwks, fetch: async () => Response.json({ keys: [jwk] }) });
  assert.equal(await reasonFor("PS256"), undefined);
  clock.forward(700);
  assert.equal(await reasonFor("RS256"), "token_key_unknown");
  assert.equal(await reasonFor("PS256"), undefined);
});

test("the configuration may name the one", async () => {
  const { reasonFor } = makeServer({ algorithms: edge.fapi2.algorithms });
  assert.equal(await reasonFor("RS256"), "token_alg_not_allowed");
  assert.equal(await reasonFor("PS256"), undefined);
});

test("under a second name it is still the same key", async () => {
  const { reasonFor } = makeServer({ keys: [{ ...jwk, kid: "one", alg: "PS256" }, { ...jwk, kid: "two", alg: "RS256" }, { ...jwk, kid: "three" }] });
  assert.equal(await reasonFor("PS256", "one"), undefined);
  assert.equal(await reasonFor("RS256", "two"), "token_key_unknown");
  assert.equal(await reasonFor("PS256", "three"), undefined);
  assert.equal(await reasonFor("RS256", "three"), "token_key_unknown");
});

test("EdDSA and Ed25519 are one algorithm under two names", async () => {
  for (const [signed, named] of [["EdDSA", "Ed25519"], ["Ed25519", "EdDSA"], ["EdDSA", undefined]]) {
    const issuer = await makeIssuer({ alg: signed });
    const jwks = { keys: [{ ...issuer.jwk, alg: named }] };
    const server = edge.createResourceServer({ issuer: ISSUER, audience: AUDIENCE, tokens: edge.jwtTokens({ jwks }), now: makeClock().now });
    const token = await issuer.token({ cnf: client.cnf });
    const decision = await server.authenticate(makeRequest({ token, proof: await client.proof({ token }) }));
    assert.equal(decision.ok, true, `${signed}, ${named}: ${decision.reason}`);
  }
});
