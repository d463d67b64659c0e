// When published keys are fetched: once for all who wait, again at a bounded rate, and old ones serve for a bounded time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeIssuer, makeWorld } from "./support.mjs";
import { worldWithJwksUri } from "./published-keys.mjs";

const HOUR = 3600;
const down = () => { throw new TypeError("fetch failed"); };

/** A token of a day, so that keys and not the token grow old. */
const longLived = async (world) => world.issuer.token({ cnf: world.client.cnf, now: world.clock.at, exp: world.clock.at + 24 * HOUR });

test("nothing is fetched before the first request", async () => {
  const world = await worldWithJwksUri();
  assert.equal(world.fetches(), 0);
});

test("given keys are never fetched, also after a day", async () => {
  const world = await makeWorld();
  for (const seconds of [0, 700, HOUR, 24 * HOUR]) {
    world.clock.forward(seconds);
    assert.equal((await world.ask({ token: await longLived(world) })).ok, true, `${seconds}`);
  }
});

test("fifty first requests at once are served by one fetch", async () => {
  const world = await worldWithJwksUri();
  let answer;
  world.published.answer = () => new Promise((resolve) => (answer = () => resolve({ keys: world.published.keys })));
  const decisions = Array.from({ length: 50 }, () => world.ask());
  while (answer === undefined) await new Promise(setImmediate);
  answer();
  for (const decision of await Promise.all(decisions)) assert.equal(decision.ok, true, decision.reason);
  assert.equal(world.fetches(), 1);
});

test("while keys are fresh there is no further fetch", async () => {
  const world = await worldWithJwksUri();
  for (const seconds of [0, 1, 100, 400]) {
    world.clock.forward(seconds);
    assert.equal((await world.ask({ token: await longLived(world) })).ok, true);
  }
  assert.equal(world.fetches(), 1);
});

test("an unknown kid is looked for again, at a bounded rate", async () => {
  const world = await worldWithJwksUri();
  await world.ask();
  const next = await makeIssuer({ kid: "k2" });
  const unknown = async () => world.ask({ token: await next.token({ cnf: world.client.cnf, now: world.clock.at }) });
  for (let time = 0; time < 20; time++) {
    const decision = await unknown();
    assert.deepEqual([decision.status, decision.reason], [401, "token_key_unknown"]);
  }
  assert.ok(world.fetches() <= 2, `${world.fetches()} fetches`);
  const before = world.fetches();
  for (let second = 0; second < 300; second += 10) {
    world.clock.forward(10);
    await unknown();
  }
  assert.ok(world.fetches() - before <= 10, `${world.fetches() - before} fetches in five minutes`);
  world.published.keys = [world.issuer.jwk, next.jwk];
  world.clock.forward(30);
  assert.equal((await unknown()).ok, true);
});

test("a rotated key is found by the requests that need it, with one fetch", async () => {
  const world = await worldWithJwksUri();
  await world.ask();
  const next = await makeIssuer({ kid: "k2" });
  world.published.keys = [world.issuer.jwk, next.jwk];
  world.clock.forward(60);
  const tokens = await Promise.all(Array.from({ length: 20 }, () => next.token({ cnf: world.client.cnf, now: world.clock.at })));
  const decisions = await Promise.all(tokens.map((token) => world.ask({ token })));
  for (const decision of decisions) assert.equal(decision.ok, true, decision.reason);
  assert.equal(world.fetches(), 2);
});

test("an issuer that cannot be reached means 503, and recovery follows", async () => {
  const world = await worldWithJwksUri();
  world.published.answer = down;
  const decision = await world.ask();
  assert.deepEqual([decision.ok, decision.status, decision.error, decision.reason], [false, 503, null, "token_source_unavailable"]);
  const response = decision.response();
  assert.match(response.headers.get("retry-after"), /^\d+$/);
  assert.equal(response.headers.get("www-authenticate"), null);
  assert.equal(await response.text(), "");
  world.published.answer = undefined;
  world.clock.forward(Number(response.headers.get("retry-after")));
  assert.equal((await world.ask()).ok, true);
});

test("an issuer that cannot be reached is not asked by every request", async () => {
  const world = await worldWithJwksUri();
  world.published.answer = down;
  for (let time = 0; time < 50; time++) assert.equal((await world.ask()).status, 503);
  assert.ok(world.fetches() <= 5, `${world.fetches()} fetches`);
});

test("keys are fetched anew in time, so that a key that left the set stops verifying, also for remembered tokens", async () => {
  const world = await worldWithJwksUri();
  const token = await longLived(world);
  assert.equal((await world.ask({ token })).ok, true);
  world.published.keys = [(await makeIssuer({ kid: "k2" })).jwk];
  // Asked all the time, so that the token is remembered when its key goes.
  for (let second = 0; second < 660; second += 60) {
    world.clock.forward(60);
    await world.ask({ token });
  }
  const decision = await world.ask({ token });
  assert.deepEqual([decision.ok, decision.error, decision.reason], [false, "invalid_token", "token_key_unknown"]);
});

test("a key that is replaced under its own kid no longer verifies what the old one signed", async () => {
  const world = await worldWithJwksUri();
  const old = await longLived(world);
  assert.equal((await world.ask({ token: old })).ok, true);
  const next = await makeIssuer({ kid: "k1" });
  world.published.keys = [next.jwk];
  world.clock.forward(700);
  assert.equal((await world.ask({ token: old })).reason, "token_signature_invalid");
  assert.equal((await world.ask({ token: await next.token({ cnf: world.client.cnf, now: world.clock.at }) })).ok, true);
});

for (const [how, answer] of [
  ["cannot be reached", down],
  ["answers with an error", () => new Response("oops", { status: 500 })],
  ["answers with no key set", () => "<!doctype html>"],
  ["answers with an object without keys", () => ({ error: "maintenance" })],
]) {
  test(`while the issuer ${how} old keys serve, for a bounded time, and then there is 503 until it is back`, async () => {
    const world = await worldWithJwksUri();
    const token = await longLived(world);
    assert.equal((await world.ask({ token })).ok, true);
    world.published.answer = answer;
    for (const seconds of [700, 600, 1200]) {
      world.clock.forward(seconds);
      const decision = await world.ask({ token });
      assert.equal(decision.ok, true, `after ${seconds} more: ${decision.reason}`);
    }
    world.clock.forward(2 * HOUR);
    for (let time = 0; time < 3; time++) {
      const decision = await world.ask({ token });
      assert.deepEqual([decision.ok, decision.status, decision.reason], [false, 503, "token_source_unavailable"], `request ${time}`);
      world.clock.forward(1);
    }
    world.published.answer = undefined;
    world.clock.forward(60);
    assert.equal((await world.ask({ token })).ok, true);
  });
}

test("the first answer counts only if it is a key set", async () => {
  for (const answer of ["<!doctype html>", "{}", "[]", '{"keys":{}}', "null", ""]) {
    const world = await worldWithJwksUri();
    world.published.answer = () => answer;
    assert.equal((await world.ask()).status, 503, answer);
    world.published.answer = undefined;
    world.clock.forward(60);
    assert.equal((await world.ask()).ok, true, answer);
  }
});

test("with waitUntil nobody waits for a refresh, and it is handed over", async () => {
  const world = await worldWithJwksUri();
  const token = await longLived(world);
  await world.ask({ token });
  world.clock.forward(700);
  let answer;
  world.published.answer = () => new Promise((resolve) => (answer = () => resolve({ keys: [] })));
  const later = [];
  const decision = await world.ask({ token, context: { waitUntil: (promise) => later.push(promise) } });
  assert.deepEqual([decision.ok, later.length, world.fetches()], [true, 1, 2]);
  answer();
  await Promise.all(later);
  assert.equal((await world.ask({ token })).reason, "token_key_unknown");
});

test("a refresh that fails in waitUntil rejects nothing", async () => {
  const world = await worldWithJwksUri();
  const token = await longLived(world);
  await world.ask({ token });
  world.clock.forward(700);
  world.published.answer = down;
  const later = [];
  assert.equal((await world.ask({ token, context: { waitUntil: (promise) => later.push(promise) } })).ok, true);
  await Promise.all(later);
});

test("a clock that is set back stops neither requests nor fetches", async () => {
  const world = await worldWithJwksUri();
  world.clock.forward(24 * HOUR);
  assert.equal((await world.ask({ token: await longLived(world) })).ok, true);
  world.clock.forward(-24 * HOUR);
  assert.equal((await world.ask()).ok, true);
  const next = await makeIssuer({ kid: "k2" });
  world.published.keys = [next.jwk];
  world.clock.forward(30);
  assert.equal((await world.ask({ token: await next.token({ cnf: world.client.cnf }) })).ok, true);
});
