// Which challenge an answer carries (RFC 9449 §7.1 and §7.2, RFC 6750 §3, RFC 9728 §5.1).
import assert from "node:assert/strict";
import { test } from "node:test";
import { challengesByScheme, challengesOf, makeClient, makeRequest, makeWorld } from "./support.mjs";

const ALGS = "ES256 ES384 ES512 RS256 PS256 EdDSA Ed25519";

test("a request without credentials gets bare challenges for both schemes, and no error", async () => {
  const { server } = await makeWorld();
  const decision = await server.authenticate(makeRequest());
  assert.deepEqual([decision.ok, decision.error, decision.status, decision.reason], [false, null, 401, "credentials_missing"]);
  const response = decision.response();
  assert.equal(response.status, 401);
  assert.deepEqual(challengesOf(response), [
    { scheme: "DPoP", parameters: { algs: ALGS } },
    { scheme: "Bearer", parameters: {} },
  ]);
  assert.equal(await response.text(), "");
});

test("credentials of a foreign scheme count as none", async () => {
  const { server } = await makeWorld();
  const decision = await server.authenticate(makeRequest({ token: "dTpw", scheme: "Basic" }));
  assert.deepEqual([decision.error, decision.status, decision.reason], [null, 401, "scheme_unsupported"]);
  for (const { parameters } of challengesOf(decision.response())) assert.equal(parameters.error, undefined);
});

test("a fault of the proof stands in the DPoP challenge, and the Bearer challenge stays bare", async () => {
  const world = await makeWorld();
  const decision = await world.ask({ proof: { htm: "POST" } });
  const { DPoP, Bearer } = challengesByScheme(decision.response());
  assert.equal(DPoP.error, "invalid_dpop_proof");
  assert.equal(DPoP.error_description, decision.detail);
  assert.equal(DPoP.algs, ALGS);
  assert.deepEqual(Bearer, {});
});

test("a missing proof is a fault of the proof", async () => {
  const world = await makeWorld();
  const decision = await world.server.authenticate(makeRequest({ token: world.token }));
  assert.deepEqual([decision.status, decision.error, decision.reason], [401, "invalid_dpop_proof", "proof_missing"]);
});

test("a proof of another key is a fault of the token, told in the DPoP challenge", async () => {
  const world = await makeWorld();
  const thief = await makeClient();
  const proof = await thief.proof({ token: world.token });
  const decision = await world.server.authenticate(makeRequest({ token: world.token, proof }));
  assert.deepEqual([decision.status, decision.error, decision.reason], [401, "invalid_token", "jkt_mismatch"]);
  assert.equal(challengesByScheme(decision.response()).DPoP.error, "invalid_token");
});

test("a bound token as Bearer is refused in the Bearer challenge, also with a valid proof beside it", async () => {
  const world = await makeWorld();
  const proof = await world.client.proof({ token: world.token });
  for (const extra of [{}, { proof }]) {
    const decision = await world.server.authenticate(makeRequest({ token: world.token, scheme: "Bearer", ...extra }));
    assert.deepEqual([decision.ok, decision.status, decision.reason], [false, 401, "dpop_token_as_bearer"]);
    const { DPoP, Bearer } = challengesByScheme(decision.response());
    assert.equal(Bearer.error, "invalid_token");
    assert.equal(DPoP.error, undefined);
  }
});

test("the scheme is recognised in any case", async () => {
  const world = await makeWorld();
  for (const scheme of ["dpop", "DPOP", "dPoP"]) assert.equal((await world.ask({ scheme })).ok, true, scheme);
});

test("both schemes at once are a bad request", async () => {
  const world = await makeWorld();
  const proof = await world.client.proof({ token: world.token });
  const raw = [["Authorization", `DPoP ${world.token}`], ["Authorization", `Bearer ${world.token}`], ["DPoP", proof]];
  const joined = new Headers(raw);
  for (const [request, context] of [
    [makeRequest({ headers: Object.fromEntries(joined) }), {}],
    [makeRequest(), { headers: raw }],
  ]) {
    const decision = await world.server.authenticate(request, context);
    assert.deepEqual([decision.status, decision.error, decision.reason], [400, "invalid_request", "authorization_multiple"]);
    assert.equal(decision.response().status, 400);
    assert.equal(challengesOf(decision.response()).filter(({ parameters }) => parameters.error === "invalid_request").length, 1);
  }
});

test("two proofs are refused, however they arrive", async () => {
  const world = await makeWorld();
  const proof = await world.client.proof({ token: world.token });
  const joined = await world.server.authenticate(makeRequest({ token: world.token, proof: `${proof}, ${proof}` }));
  const raw = [["authorization", `DPoP ${world.token}`], ["dpop", proof], ["DPoP", proof]];
  const apart = await world.server.authenticate(makeRequest(), { headers: raw });
  for (const { reason, error } of [joined, apart]) assert.deepEqual([reason, error], ["proof_multiple", "invalid_dpop_proof"]);
});

test("algs names what the policy allows, in every DPoP challenge", async () => {
  const world = await makeWorld({ proof: { algorithms: ["ES256", "Ed25519"] } });
  for (const decision of [await world.server.authenticate(makeRequest()), await world.ask({ proof: { htm: "POST" } })]) {
    assert.equal(challengesByScheme(decision.response()).DPoP.algs, "ES256 Ed25519");
  }
});

test("an algorithm outside the policy is refused", async () => {
  const world = await makeWorld({ proof: { algorithms: ["Ed25519"] } });
  assert.equal((await world.ask()).reason, "alg_not_allowed");
});

test("resource_metadata stands beside errors and in bare challenges, for each scheme", async () => {
  const resourceMetadata = "https://api.example/.well-known/oauth-protected-resource";
  const world = await makeWorld({ resourceMetadata });
  for (const decision of [await world.server.authenticate(makeRequest()), await world.ask({ proof: { htm: "POST" } })]) {
    const challenges = challengesOf(decision.response());
    assert.equal(challenges.length, 2);
    for (const { parameters } of challenges) assert.equal(parameters.resource_metadata, resourceMetadata);
  }
});

test("only schemes that are taken are named, and the first of them has the error of one that is not", async () => {
  const schemes = async (proofOfPossession) => {
    const { server } = await makeWorld({ proofOfPossession });
    return challengesOf((await server.authenticate(makeRequest())).response()).map(({ scheme }) => scheme);
  };
  assert.deepEqual(await schemes({ mechanism: "dpop" }), ["DPoP"]);
  assert.deepEqual(await schemes({ mechanism: "dpop", required: false }), ["DPoP", "Bearer"]);
  assert.deepEqual(await schemes({ mechanism: "mtls" }), ["Bearer"]);
  assert.deepEqual(await schemes({ mechanism: "either" }), ["DPoP", "Bearer"]);
  const world = await makeWorld({ proofOfPossession: { mechanism: "dpop" } });
  const bearer = await world.server.authenticate(makeRequest({ token: world.token, scheme: "Bearer" }));
  assert.equal(challengesByScheme(bearer.response()).DPoP.error, "invalid_token");
});
