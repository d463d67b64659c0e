// A proof is good once: marks by key, jti and origin, kept as long as the proof could be accepted (RFC 9449 §11.1).
import assert from "node:assert/strict";
import { test } from "node:test";
import { RESOURCE, START, edge, makeClient, makeRequest, makeWorld } from "./support.mjs";

const refusedAsReplay = (decision) =>
  assert.deepEqual([decision.ok, decision.status, decision.error, decision.reason], [false, 401, "invalid_dpop_proof", "proof_replayed"]);

/** A proof with this jti, sent to this URL. */
const sendTo = async (world, jti, { url = RESOURCE, client = world.client, token = world.token } = {}) =>
  world.server.authenticate(makeRequest({ url, token, proof: await client.proof({ token, url, jti, now: world.clock.at }) }));

for (const [kind, replay] of [["the default store", undefined], ["memoryReplay()", () => edge.memoryReplay()]]) {
  test(`with ${kind} a captured proof is refused the second time`, async () => {
    const world = await makeWorld(replay ? { replay: replay() } : {});
    const request = await world.request();
    assert.equal((await world.server.authenticate(request)).ok, true);
    refusedAsReplay(await world.server.authenticate(request));
    refusedAsReplay(await world.server.authenticate(request.clone()));
  });
}

test("of a hundred copies of one proof sent at once exactly one is accepted", async () => {
  for (let round = 0; round < 5; round++) {
    const world = await makeWorld();
    const request = await world.request();
    const decisions = await Promise.all(Array.from({ length: 100 }, () => world.server.authenticate(request)));
    assert.equal(decisions.filter(({ ok }) => ok).length, 1);
    for (const decision of decisions.filter(({ ok }) => !ok)) refusedAsReplay(decision);
  }
});

test("a jti is one key's own: another key may use the same", async () => {
  const world = await makeWorld();
  const other = await makeClient();
  const token = await world.issuer.token({ cnf: other.cnf });
  assert.equal((await sendTo(world, "one")).ok, true);
  assert.equal((await sendTo(world, "one", { client: other, token })).ok, true);
  refusedAsReplay(await sendTo(world, "one"));
});

test("a jti that was used counts for the whole origin, signed anew or for another path", async () => {
  const world = await makeWorld();
  assert.equal((await sendTo(world, "one")).ok, true);
  refusedAsReplay(await sendTo(world, "one"));
  refusedAsReplay(await sendTo(world, "one", { url: "https://api.example/other?x=1" }));
  refusedAsReplay(await sendTo(world, "one", { url: "https://API.example:443/orders" }));
  assert.equal((await sendTo(world, "one", { url: "https://other.example/orders" })).ok, true);
  assert.equal((await sendTo(world, "two")).ok, true);
  assert.equal((await sendTo(world, "ONE")).ok, true);
});

test("a mark outlives its proof, also one that was made ahead of the clock", async () => {
  for (const ahead of [0, 59, -290]) {
    const world = await makeWorld({ proof: { maxAge: 300, maxFuture: 60 } });
    const proof = await world.client.proof({ token: world.token, now: START + ahead });
    const request = makeRequest({ token: world.token, proof });
    assert.equal((await world.server.authenticate(request)).ok, true);
    for (let second = 0; second < 400; second += 10) {
      world.clock.forward(10);
      const decision = await world.server.authenticate(request);
      assert.ok(["proof_replayed", "iat_too_old"].includes(decision.reason), `${ahead} after ${second}: ${decision.ok}`);
    }
  }
});

test("a proof that is refused for something else keeps its jti", async () => {
  const world = await makeWorld();
  const thief = await makeClient();
  const refusals = [
    () => sendTo(world, "one", { client: thief }),
    async () => world.server.authenticate(makeRequest({ token: world.token, url: "https://api.example/else", proof: await world.client.proof({ token: world.token, jti: "one" }) })),
    async () => world.server.authenticate(makeRequest({ token: await world.issuer.token({ cnf: world.client.cnf, aud: "other" }), proof: await world.client.proof({ token: world.token, jti: "one" }) })),
    async () => sendTo(world, "one", { token: await world.issuer.token({ cnf: world.client.cnf, now: START - 9999 }) }),
    async () => {
      const [header, payload, signature] = (await world.client.proof({ token: world.token, jti: "one" })).split(".");
      const forged = Buffer.from(signature, "base64url");
      forged[9] ^= 1;
      return world.server.authenticate(makeRequest({ token: world.token, proof: [header, payload, forged.toString("base64url")].join(".") }));
    },
  ];
  for (const [number, refuse] of refusals.entries()) {
    const decision = await refuse();
    assert.ok(!decision.ok && decision.reason !== "proof_replayed", `${number}: ${decision.reason}`);
  }
  assert.equal((await sendTo(world, "one")).ok, true);
});

test("the store is not asked about a request that is refused anyway", async () => {
  const world = await makeWorld({ replay: { claim: () => assert.fail("it was asked") }, proofOfPossession: { mechanism: "mtls" } });
  assert.equal((await world.ask()).reason, "token_not_certificate_bound");
  const bound = await makeWorld({ replay: { claim: () => assert.fail("it was asked") } }, { claims: { cnf: { jkt: (await makeClient()).jkt } } });
  assert.equal((await bound.ask()).reason, "jkt_mismatch");
});

test("servers that were given one store see each other's marks, others do not", async () => {
  const replay = edge.memoryReplay();
  const world = await makeWorld({ replay });
  const make = (store) =>
    edge.createResourceServer({
      issuer: "https://as.example", audience: "https://api.example", now: world.clock.now,
      tokens: edge.jwtTokens({ jwks: world.issuer.jwks }), replay: store,
    });
  const request = await world.request();
  assert.equal((await world.server.authenticate(request)).ok, true);
  refusedAsReplay(await make(replay).authenticate(request));
  assert.equal((await make(edge.memoryReplay()).authenticate(request)).ok, true);
});

test("a store is bounded for each key, so that one client cannot fill it: full means 503", async () => {
  const world = await makeWorld({ replay: edge.memoryReplay({ maxPerKey: 3 }) });
  for (let time = 0; time < 3; time++) assert.equal((await world.ask()).ok, true);
  const full = await world.ask();
  assert.deepEqual([full.status, full.error, full.reason], [503, null, "replay_store_full"]);
  assert.match(full.response().headers.get("retry-after"), /^\d+$/);
  const other = await makeClient();
  const token = await world.issuer.token({ cnf: other.cnf });
  assert.equal((await sendTo(world, "one", { client: other, token })).ok, true);
  world.clock.forward(500);
  assert.equal((await world.ask()).ok, true);
});

test("a store is bounded in all, and makes room when marks expire", async () => {
  const world = await makeWorld({ replay: edge.memoryReplay({ maxEntries: 2 }) });
  const clients = await Promise.all([makeClient(), makeClient(), makeClient()]);
  const reasons = [];
  for (const client of clients) {
    const token = await world.issuer.token({ cnf: client.cnf });
    reasons.push((await sendTo(world, "one", { client, token })).reason);
  }
  assert.deepEqual(reasons, [undefined, undefined, "replay_store_full"]);
  world.clock.forward(500);
  assert.equal((await world.ask()).ok, true);
});

test("bounds that are none are refused", () => {
  for (const options of [{ maxEntries: 0 }, { maxPerKey: 0 }, { maxEntries: -1 }, { maxPerKey: 1.5 }, { maxEntries: "5" }, { maxEntries: 2 ** 33 }]) {
    assert.throws(() => edge.memoryReplay(options), /memoryReplay: max(Entries|PerKey)/);
  }
});
