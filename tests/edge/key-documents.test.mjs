// What an issuer's endpoint may do to a verifier: redirect it, flood it, let it wait.
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeIssuer } from "./support.mjs";
import { worldWithJwksUri } from "./published-keys.mjs";

const unavailable = (decision) =>
  assert.deepEqual([decision.ok, decision.status, decision.reason], [false, 503, "token_source_unavailable"]);

test("a redirect is not followed", async () => {
  const world = await worldWithJwksUri();
  world.published.answer = () => Response.redirect("http://169.254.169.254/", 302);
  unavailable(await world.ask());
  assert.deepEqual(world.fake.calls, ["https://as.example/jwks"]);
});

test("a document of more than a megabyte is refused, and no more of it is read than that", async () => {
  const world = await worldWithJwksUri();
  let sent = 0;
  let cancelled = false;
  const chunk = new Uint8Array(64 * 1024).fill(0x20);
  world.published.answer = () =>
    Object.defineProperty(
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += chunk.length;
            if (sent > 64 * 1024 * 1024) controller.close();
            else controller.enqueue(chunk);
          },
          cancel: () => void (cancelled = true),
        }),
      ),
      "clone",
      { value() { return this; } },
    );
  unavailable(await world.ask());
  assert.ok(sent <= 2 * 1024 * 1024, `${sent} octets were read`);
  assert.equal(cancelled, true);
});

test("a document just below the bound is read, whatever its chunks", async () => {
  const world = await worldWithJwksUri();
  const text = JSON.stringify({ keys: [world.issuer.jwk], padding: "ä".repeat(250_000) });
  const octets = new TextEncoder().encode(text);
  world.published.answer = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          // An odd size splits characters.
          for (let at = 0; at < octets.length; at += 4097) controller.enqueue(octets.subarray(at, at + 4097));
          controller.close();
        },
      }),
    );
  assert.equal((await world.ask()).ok, true);
});

test("a slow endpoint is given up", async (t) => {
  const patience = [];
  t.mock.method(AbortSignal, "timeout", (milliseconds) => {
    patience.push(milliseconds);
    return AbortSignal.abort(new DOMException("too slow", "TimeoutError"));
  });
  const world = await worldWithJwksUri();
  world.published.answer = ({ signal }) => Promise.reject(signal.reason);
  unavailable(await world.ask());
  assert.ok(patience.length === 1 && patience[0] <= 10_000, `${patience}`);
});

test("an endpoint whose fetch never ends is given up as well, and the next request asks anew", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const world = await worldWithJwksUri();
  world.published.answer = () => new Promise(() => {});
  const waiting = world.ask();
  while (world.fetches() === 0) await new Promise(setImmediate);
  for (let time = 0; time < 30; time++) {
    t.mock.timers.tick(1000);
    await new Promise(setImmediate);
  }
  unavailable(await waiting);
  world.published.answer = undefined;
  world.clock.forward(60);
  assert.equal((await world.ask()).ok, true);
});

test("a request that waits for another's fetch in vain makes its own", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const world = await worldWithJwksUri();
  // As where a platform cancelled the request that fetched, and its promises with it.
  world.published.answer = () => new Promise(() => {});
  const first = world.ask();
  while (world.fetches() === 0) await new Promise(setImmediate);
  world.published.answer = undefined;
  const requests = await Promise.all([world.request(), world.request(), world.request()]);
  const others = requests.map((request) => world.server.authenticate(request));
  for (let second = 0; second < 3; second++) {
    await new Promise(setImmediate);
    t.mock.timers.tick(1000);
  }
  for (const decision of await Promise.all(others)) assert.equal(decision.ok, true, decision.reason);
  assert.equal(world.fetches(), 2);
  t.mock.timers.tick(10_000);
  await first;
});

test("keys that are for something else, private, symmetric or broken are left out, and the rest counts", async () => {
  const world = await worldWithJwksUri();
  const { jwk } = world.issuer;
  world.published.keys = [
    { kty: "oct", k: "AAAA", kid: "k1" },
    { ...jwk, use: "enc" },
    { ...jwk, x: "AAAA" },
    { ...jwk, alg: "ES384" },
    null,
    5,
    { kty: "NEW", kid: "k1" },
    jwk,
  ];
  assert.equal((await world.ask()).ok, true);
});

test("two keys of one name cannot be told apart, so neither is used", async () => {
  const world = await worldWithJwksUri();
  world.published.keys = [world.issuer.jwk, (await makeIssuer()).jwk];
  assert.equal((await world.ask()).reason, "token_key_unknown");
});
