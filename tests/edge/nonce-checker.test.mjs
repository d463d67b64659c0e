// Nonces that the caller keeps by itself: a NonceChecker.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { makeWorld } from "./support.mjs";

const checker = (answers, { required = true, current = () => "the-current-one" } = {}) => ({
  required,
  current,
  check: (nonce) => answers[nonce] ?? "unknown",
});

const KNOWN = { now: "current", before: "previous", old: "stale" };

for (const [kind, wrap] of [["synchronous", (value) => value], ["asynchronous", async (value) => value]]) {
  describe(`a ${kind} checker`, () => {
    const make = () => {
      const inner = checker(KNOWN);
      return makeWorld({ nonce: { required: true, current: () => wrap(inner.current()), check: (nonce) => wrap(inner.check(nonce)) } });
    };

    test("decides which nonces are good", async () => {
      const world = await make();
      assert.equal((await world.ask({ nonce: "now" })).ok, true);
      assert.equal((await world.ask({ nonce: "before" })).ok, true);
      assert.equal((await world.ask({ nonce: "old" })).reason, "nonce_stale");
      assert.equal((await world.ask({ nonce: "else" })).reason, "nonce_unknown");
      assert.equal((await world.ask()).reason, "nonce_missing");
    });

    test("gives the nonce of challenges and renewals", async () => {
      const world = await make();
      assert.equal((await world.ask()).response().headers.get("dpop-nonce"), "the-current-one");
      assert.equal((await world.ask({ nonce: "before" })).finish(new Response()).headers.get("dpop-nonce"), "the-current-one");
      assert.equal((await world.ask({ nonce: "now" })).finish(new Response()).headers.get("dpop-nonce"), null);
    });
  });
}

test("one that requires none is asked only about nonces that were sent", async () => {
  const asked = [];
  const nonce = { required: false, current: () => "n", check: (text) => (asked.push(text), "current") };
  const world = await makeWorld({ nonce });
  assert.equal((await world.ask()).ok, true);
  assert.equal((await world.ask({ nonce: "sent" })).ok, true);
  assert.deepEqual(asked, ["sent"]);
});

test("an object with methods on its prototype is one", async () => {
  class Checker {
    required = true;
    current() {
      return this.text;
    }
    check(nonce) {
      return nonce === this.text ? "current" : "unknown";
    }
    text = "of-a-class";
  }
  const world = await makeWorld({ nonce: new Checker() });
  assert.equal((await world.ask({ nonce: "of-a-class" })).ok, true);
});

test("one that fails or answers oddly means 503, never an acceptance", async () => {
  const oddities = [
    () => { throw new Error("down"); },
    () => Promise.reject(new Error("down")),
    ...[undefined, null, true, "Current", "", 0, {}].map((answer) => () => answer),
  ];
  for (const check of oddities) {
    const world = await makeWorld({ nonce: { required: true, current: () => "n", check } });
    const decision = await world.ask({ nonce: "n" });
    assert.deepEqual([decision.ok, decision.status, decision.error, decision.reason], [false, 503, null, "nonce_source_unavailable"], String(check));
    const response = decision.response();
    assert.match(response.headers.get("retry-after"), /^\d+$/);
    assert.equal(response.headers.get("www-authenticate"), null);
    assert.equal(response.headers.get("cache-control"), "no-store");
  }
});

test("a challenge without a nonce to give is no challenge: 503", async () => {
  const currents = [
    () => { throw new Error("down"); },
    () => Promise.reject(new Error("down")),
    ...[undefined, null, "", "two words", 'quo"ted', "line\nbreak", "ü", 5].map((answer) => () => answer),
  ];
  for (const current of currents) {
    const world = await makeWorld({ nonce: checker(KNOWN, { current }) });
    const decision = await world.ask();
    assert.deepEqual([decision.status, decision.reason], [503, "nonce_source_unavailable"], String(current));
    assert.equal(decision.response().headers.get("dpop-nonce"), null);
  }
});

test("an acceptance stands although no renewed nonce can be had", async () => {
  for (const current of [() => Promise.reject(new Error("down")), () => "line\nbreak", () => undefined]) {
    const world = await makeWorld({ nonce: checker(KNOWN, { current }) });
    const decision = await world.ask({ nonce: "before" });
    assert.equal(decision.ok, true, decision.reason);
    assert.equal(decision.finish(new Response("x")).headers.get("dpop-nonce"), null);
  }
});
