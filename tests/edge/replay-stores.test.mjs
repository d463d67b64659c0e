// Replay stores of the caller's own, and marks that the caller claims by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { START, edge, makeRequest, makeWorld } from "./support.mjs";

const setStore = (seen = new Set()) => ({ claim: ({ key }) => !seen.has(key) && Boolean(seen.add(key)) });
const asynchronous = (store) => ({ claim: async (mark) => (await new Promise(setImmediate), store.claim(mark)) });

for (const [kind, make] of [["synchronous", setStore], ["asynchronous", () => asynchronous(setStore())]]) {
  test(`a ${kind} store decides`, async () => {
    const world = await makeWorld({ replay: make() });
    const request = await world.request();
    assert.equal((await world.server.authenticate(request)).ok, true);
    assert.equal((await world.server.authenticate(request)).reason, "proof_replayed");
  });

  test(`of a hundred copies sent at once a ${kind} store lets one through`, async () => {
    const world = await makeWorld({ replay: make() });
    const request = await world.request();
    const decisions = await Promise.all(Array.from({ length: 100 }, () => world.server.authenticate(request)));
    assert.equal(decisions.filter(({ ok }) => ok).length, 1);
  });
}

test("a store gets what it needs: the mark's key, the thumbprint to shard by, when it may be forgotten, and the time", async () => {
  const marks = [];
  const world = await makeWorld({ replay: { claim: (mark) => (marks.push(mark), true) }, proof: { maxAge: 100, maxFuture: 20 } });
  await world.ask({ proof: { jti: "one", now: START - 5 } });
  await world.ask({ proof: { jti: "one", now: START + 5 } });
  await world.ask({ proof: { jti: "two", iat: START - 0.5 } });
  const [one, again, two] = marks;
  assert.deepEqual(Object.keys(one).sort(), ["expiresAt", "jkt", "key", "now"]);
  assert.match(one.key, /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual([one.jkt, one.now, one.expiresAt], [world.client.jkt, START, START - 5 + 120]);
  assert.equal(again.key, one.key);
  assert.notEqual(two.key, one.key);
  // Rounded up, so that no mark ends before its proof.
  assert.equal(two.expiresAt, START + 120);
});

test("a store that fails or answers oddly means 503, never an acceptance", async () => {
  const claims = [
    () => { throw new Error("down"); },
    () => Promise.reject(new Error("down")),
    async () => { throw undefined; },
    ...[undefined, null, 1, 0, "true", "OK", {}, []].map((answer) => () => answer),
    async () => undefined,
  ];
  for (const claim of claims) {
    const world = await makeWorld({ replay: { claim } });
    const decision = await world.ask();
    assert.deepEqual([decision.ok, decision.status, decision.error, decision.reason], [false, 503, null, "replay_store_unavailable"], String(claim));
    const response = decision.response();
    assert.match(response.headers.get("retry-after"), /^\d+$/);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("www-authenticate"), null);
  }
});

test("a store keeps its `this`", async () => {
  class Store {
    #seen = new Set();
    claim({ key }) {
      return !this.#seen.has(key) && Boolean(this.#seen.add(key));
    }
  }
  const world = await makeWorld({ replay: new Store() });
  assert.equal((await world.ask()).ok, true);
});

test('with replay: "external" nothing is marked, and the acceptance brings the mark to claim', async () => {
  const world = await makeWorld({ replay: "external" });
  const request = await world.request();
  const [first, second] = [await world.server.authenticate(request), await world.server.authenticate(request)];
  assert.deepEqual([first.ok, second.ok], [true, true]);
  assert.deepEqual(first.replay, second.replay);
  assert.match(first.replay.key, /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual([first.replay.jkt, first.replay.now, first.replay.expiresAt], [world.client.jkt, START, START + 360]);
});

test("without a proof there is no mark", async () => {
  const world = await makeWorld({ replay: "external", proofOfPossession: { required: false } });
  const decision = await world.server.authenticate(makeRequest({ token: await world.issuer.token(), scheme: "Bearer" }));
  assert.deepEqual([decision.ok, decision.replay], [true, undefined]);
});

test("with a store the acceptance brings no mark", async () => {
  assert.equal((await (await makeWorld()).ask()).replay, undefined);
});

test("memoryReplay() can be claimed by hand: fresh, seen, and full as an error", async () => {
  const world = await makeWorld({ replay: "external" });
  const store = edge.memoryReplay({ maxPerKey: 2 });
  const marks = await Promise.all([1, 2, 3].map(async () => (await world.ask()).replay));
  assert.deepEqual([await store.claim(marks[0]), await store.claim(marks[0]), await store.claim(marks[1])], [true, false, true]);
  assert.throws(() => store.claim(marks[2]), /full/);
});

test("marks claimed by hand and marks claimed by a server are the same marks", async () => {
  const store = edge.memoryReplay();
  const world = await makeWorld({ replay: "external" });
  const request = await world.request();
  const { replay } = await world.server.authenticate(request);
  assert.equal(await store.claim(replay), true);
  const inside = edge.createResourceServer({
    issuer: "https://as.example", audience: "https://api.example", now: world.clock.now,
    tokens: edge.jwtTokens({ jwks: world.issuer.jwks }), replay: store,
  });
  assert.equal((await inside.authenticate(request)).reason, "proof_replayed");
});
