// Constructors do nothing but remember: no clock, no randomness, no timer, no fetch, no key, no module.
import assert from "node:assert/strict";
import { test } from "node:test";
import { START, edge, makeClock, makeIssuer, makeWorld } from "./support.mjs";

test("servers, stores and sources are made without touching the outside world", async (t) => {
  const issuer = await makeIssuer();
  const touched = [];
  const watch = (object, name) => t.mock.method(object, name, () => (touched.push(name), undefined));
  watch(Date, "now");
  watch(performance, "now");
  watch(Math, "random");
  for (const name of ["fetch", "setTimeout", "setInterval", "setImmediate", "queueMicrotask"]) watch(globalThis, name);
  for (const name of ["getRandomValues", "randomUUID"]) watch(crypto, name);
  for (const name of ["importKey", "digest", "sign", "verify", "generateKey"]) watch(crypto.subtle, name);
  for (const name of ["compile", "instantiate"]) watch(WebAssembly, name);

  const { certificates } = edge;
  const common = {
    nonce: { secrets: ["s".repeat(32)] },
    replay: edge.memoryReplay(),
    certificates: [certificates.cloudflare(), certificates.clientCertHeader({ trusted: true }), certificates.from(() => touched.push("from"))],
    publicUrl: () => touched.push("publicUrl"),
    cors: { origins: "*" },
    now: () => touched.push("now"),
  };
  const options = { issuer: "https://as.example", audience: "https://api.example", onDecision: () => touched.push("onDecision") };
  edge.createResourceServer(options);
  edge.createResourceServer({ ...options, ...common, tokens: edge.jwtTokens({ jwks: issuer.jwks, fetch: () => touched.push("fetch") }) });
  edge.createResourceServer({ ...options, ...common, tokens: edge.jwtTokens() }).metadata("https://api.example");
  edge.createTokenEndpoint(common);

  t.mock.restoreAll();
  assert.deepEqual(touched, []);
});

test("a clock that gives no number accepts nothing", async () => {
  for (const odd of [NaN, undefined, "now", Infinity, -Infinity]) {
    const clock = makeClock();
    const world = await makeWorld({ now: () => clock.at });
    const request = await world.request();
    clock.at = odd;
    const decision = await world.server.authenticate(request);
    assert.equal(decision.ok, false, String(odd));
    clock.at = START;
  }
});
