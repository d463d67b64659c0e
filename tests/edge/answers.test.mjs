// What an answer to a refused request looks like beside its challenges (RFC 9449 §8.2, RFC 6749 §5.2).
import assert from "node:assert/strict";
import { test } from "node:test";
import { challengesByScheme, challengesOf, makeRequest, makeWorld } from "./support.mjs";

test("an error is told in JSON, with the description that the challenge has", async () => {
  const world = await makeWorld();
  const decision = await world.ask({ proof: { htm: "POST" } });
  const response = decision.response();
  assert.match(response.headers.get("content-type"), /^application\/json/);
  const body = await response.json();
  assert.deepEqual(body, { error: "invalid_dpop_proof", error_description: decision.detail });
  assert.equal(challengesByScheme(response).DPoP.error_description, body.error_description);
});

test("a refusal is never cacheable, whatever the caller says", async () => {
  const world = await makeWorld();
  for (const decision of [await world.server.authenticate(makeRequest()), await world.ask({ proof: { htm: "POST" } })]) {
    for (const init of [undefined, { headers: { "cache-control": "public, max-age=600" } }]) {
      assert.equal(decision.response(init).headers.get("cache-control"), "no-store");
    }
  }
});

test("the caller's fields and status text go along, its status does not", async () => {
  const world = await makeWorld();
  const decision = await world.ask({ proof: { htm: "POST" } });
  const response = decision.response({ status: 200, statusText: "Nope", headers: [["x-request-id", "7"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]] });
  assert.deepEqual([response.status, response.statusText, response.headers.get("x-request-id")], [401, "Nope", "7"]);
  assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
  assert.equal(challengesOf(response).length, 2);
});

test("an answer can be made twice", async () => {
  const world = await makeWorld();
  const decision = await world.ask({ proof: { htm: "POST" } });
  const [first, second] = [decision.response(), decision.response()];
  assert.deepEqual(await first.json(), await second.json());
  assert.deepEqual([...first.headers], [...second.headers]);
});

test("nothing that a client sent comes back, in whatever place it sent it", async () => {
  const world = await makeWorld({ nonce: { secrets: ["s".repeat(32)] }, cors: { origins: ["https://app.example"] } });
  const canary = "cAnArY7";
  const { client, token, server } = world;
  const proof = (claims, rest = {}) => client.proof({ token, ...claims, ...rest });
  const requests = [
    makeRequest({ headers: { authorization: `${canary} x` } }),
    makeRequest({ headers: { authorization: `DPoP ${canary}, Bearer ${canary}` } }),
    makeRequest({ token: `${canary}"`, proof: await proof() }),
    makeRequest({ token: canary, scheme: "Bearer" }),
    makeRequest({ token, proof: canary }),
    makeRequest({ token, proof: await proof({ jti: canary, nonce: canary }) }),
    makeRequest({ token, proof: await proof({ htm: canary }) }),
    makeRequest({ token, proof: await proof({ htu: `https://${canary}.example/` }) }),
    makeRequest({ token, proof: await proof({ htu: `https://api.example/${canary}` }) }),
    makeRequest({ token, proof: await proof({ ath: canary }) }),
    makeRequest({ token, proof: await proof({}, { header: { typ: canary } }) }),
    makeRequest({ token, proof: await proof({}, { header: { kid: canary } }) }),
    makeRequest({ token, proof: await proof(), headers: { origin: `https://${canary}.example` } }),
    makeRequest({ url: `https://api.example/${canary}?${canary}`, token, proof: await proof() }),
    makeRequest({ token: await world.issuer.token({ cnf: { [canary]: "x" } }), scheme: "Bearer" }),
    makeRequest({ token: await world.issuer.token({ aud: canary }), scheme: "Bearer" }),
    makeRequest({ token: await world.issuer.token({ iss: `https://${canary}` }), scheme: "Bearer" }),
    makeRequest({ token: await world.issuer.token({ header: { kid: canary } }), scheme: "Bearer" }),
  ];
  for (const [number, request] of requests.entries()) {
    const decision = await server.authenticate(request, { explain: true });
    assert.equal(decision.ok, false, `request ${number}`);
    const response = decision.response();
    const told = [decision.reason, decision.detail, JSON.stringify(decision.trace), JSON.stringify([...response.headers]), await response.text()];
    for (const text of told) assert.ok(!text.toLowerCase().includes(canary.toLowerCase()), `request ${number}: ${text}`);
  }
});

test("forbid() answers 403 with the scope in the challenge of the scheme that was used", async () => {
  const world = await makeWorld({ resourceMetadata: "https://api.example/meta" });
  const accepted = await world.ask();
  const response = accepted.forbid("orders:write");
  assert.equal(response.status, 403);
  assert.equal(response.headers.get("cache-control"), "no-store");
  const { DPoP, Bearer } = challengesByScheme(response);
  assert.deepEqual([DPoP.error, DPoP.scope, DPoP.resource_metadata], ["insufficient_scope", "orders:write", "https://api.example/meta"]);
  assert.equal(Bearer.error, undefined);
  assert.deepEqual(await response.json(), { error: "insufficient_scope", scope: "orders:write" });
});

test("forbid() for an unbound token that is allowed stands in the Bearer challenge", async () => {
  const world = await makeWorld({ proofOfPossession: { required: false } });
  const token = await world.issuer.token();
  const accepted = await world.server.authenticate(makeRequest({ token, scheme: "Bearer" }));
  assert.deepEqual([accepted.ok, accepted.mechanisms, accepted.binding], [true, [], {}]);
  const { DPoP, Bearer } = challengesByScheme(accepted.forbid("a b"));
  assert.deepEqual([Bearer.error, Bearer.scope, DPoP.error], ["insufficient_scope", "a b", undefined]);
});

test("forbid() writes one challenge whatever is in the scope", async () => {
  const world = await makeWorld();
  const accepted = await world.ask();
  const response = accepted.forbid('say "hi"\\');
  assert.equal(challengesByScheme(response).DPoP.scope, 'say "hi"\\');
});

test("forbid() writes no field of another name, whatever is in the scope", async () => {
  const accepted = await (await makeWorld()).ask();
  const plain = [...accepted.forbid("a").headers.keys()];
  for (const scope of ["a\r\nx-evil: 1", "a\nb", "é漢\u0000", ""]) {
    const response = accepted.forbid(scope);
    assert.deepEqual([response.status, [...response.headers.keys()]], [403, plain], scope);
    assert.equal(challengesOf(response).length, 2);
  }
});
