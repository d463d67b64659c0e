// Where an issuer's keys are found (RFC 8414 §3, OpenID Connect Discovery §4), and what is not believed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { edge, makeClient, makeIssuer, makeRequest, makeClock } from "./support.mjs";
import { fakeFetch } from "./published-keys.mjs";

/** A server of this issuer that finds its keys by `routes`, and a good request to it. */
async function discovering(issuerName, routesOf) {
  const issuer = await makeIssuer({ issuer: issuerName });
  const fake = fakeFetch(routesOf(issuer));
  const server = edge.createResourceServer({
    issuer: issuerName,
    audience: "https://api.example",
    tokens: edge.jwtTokens({ fetch: fake.send }),
    now: makeClock().now,
  });
  const client = await makeClient();
  const token = await issuer.token({ cnf: client.cnf });
  const ask = async () => server.authenticate(makeRequest({ token, proof: await client.proof({ token }) }));
  return { ...fake, ask };
}

const JWKS = "https://as.example/the-keys";

for (const [issuer, where] of [
  ["https://as.example", "https://as.example/.well-known/oauth-authorization-server"],
  ["https://as.example", "https://as.example/.well-known/openid-configuration"],
  ["https://as.example/", "https://as.example/.well-known/oauth-authorization-server"],
  ["https://as.example/tenants/7", "https://as.example/.well-known/oauth-authorization-server/tenants/7"],
  ["https://as.example/tenants/7", "https://as.example/tenants/7/.well-known/openid-configuration"],
  ["https://as.example/tenants/7/", "https://as.example/tenants/7/.well-known/openid-configuration"],
  ["http://127.0.0.1:8080/realms/x", "http://127.0.0.1:8080/realms/x/.well-known/openid-configuration"],
]) {
  test(`the keys of ${issuer} are found by ${where}`, async () => {
    const { ask, calls } = await discovering(issuer, ({ jwks }) => ({ [where]: { issuer, jwks_uri: JWKS }, [JWKS]: jwks }));
    const decision = await ask();
    assert.equal(decision.ok, true, decision.reason);
    assert.deepEqual(calls.slice(-2), [where, JWKS]);
  });
}

test("RFC 8414 is asked first, and OpenID only where that has nothing", async () => {
  const issuer = "https://as.example/a";
  const first = "https://as.example/.well-known/oauth-authorization-server/a";
  const { ask, calls } = await discovering(issuer, ({ jwks }) => ({ [first]: { issuer, jwks_uri: JWKS }, [JWKS]: jwks }));
  assert.equal((await ask()).ok, true);
  assert.deepEqual(calls, [first, JWKS]);
});

test("every fetch asks for JSON, follows no redirect and can be given up", async () => {
  const issuer = "https://as.example";
  const { ask, options } = await discovering(issuer, ({ jwks }) => ({
    "https://as.example/.well-known/openid-configuration": { issuer, jwks_uri: JWKS },
    [JWKS]: jwks,
  }));
  assert.equal((await ask()).ok, true);
  assert.equal(options.length, 3);
  for (const init of options) {
    assert.equal(new Headers(init.headers).get("accept"), "application/json");
    assert.equal(init.redirect, "manual");
    assert.ok(init.signal instanceof AbortSignal);
  }
});

const OAUTH = "https://as.example/.well-known/oauth-authorization-server";

for (const [what, metadata] of [
  ["of another issuer", { issuer: "https://evil.example", jwks_uri: JWKS }],
  ["of an issuer that differs by a slash", { issuer: "https://as.example/", jwks_uri: JWKS }],
  ["of no issuer", { jwks_uri: JWKS }],
  ["without jwks_uri", { issuer: "https://as.example" }],
  ["with a jwks_uri that is no URL", { issuer: "https://as.example", jwks_uri: "the keys" }],
  ["with a jwks_uri that is no https URL", { issuer: "https://as.example", jwks_uri: "http://as.example/the-keys" }],
  ["with a list of jwks_uri", { issuer: "https://as.example", jwks_uri: [JWKS] }],
  ["that is no object", "null"],
  ["that is no JSON", "<!doctype html>"],
  ["behind a redirect", Response.redirect("https://as.example/elsewhere", 302)],
  ["with an error status", Response.json({ issuer: "https://as.example", jwks_uri: JWKS }, { status: 500 })],
]) {
  test(`metadata ${what} is not believed: 503`, async () => {
    const { ask, countOf } = await discovering("https://as.example", ({ jwks }) => ({
      [OAUTH]: metadata,
      "https://as.example/elsewhere": { issuer: "https://as.example", jwks_uri: JWKS },
      [JWKS]: jwks,
      "http://as.example/the-keys": jwks,
    }));
    const decision = await ask();
    assert.deepEqual([decision.ok, decision.status, decision.reason], [false, 503, "token_source_unavailable"]);
    assert.match(decision.response().headers.get("retry-after"), /^\d+$/);
    assert.equal(countOf(JWKS), 0);
    assert.equal(countOf("http://as.example/the-keys"), 0);
  });
}

test("several issuers have keys of their own: one cannot sign for the other", async () => {
  const names = ["https://one.example", "https://two.example"];
  const [one, two] = await Promise.all(names.map((issuer) => makeIssuer({ issuer })));
  const routes = {};
  for (const { issuer, jwks } of [one, two]) {
    routes[`${issuer}/.well-known/oauth-authorization-server`] = { issuer, jwks_uri: `${issuer}/jwks` };
    routes[`${issuer}/jwks`] = jwks;
  }
  const fake = fakeFetch(routes);
  const server = edge.createResourceServer({ issuer: names, audience: "https://api.example", tokens: edge.jwtTokens({ fetch: fake.send }), now: makeClock().now });
  const client = await makeClient();
  const ask = async (token) => server.authenticate(makeRequest({ token, proof: await client.proof({ token }) }));
  for (const { token } of [one, two]) assert.equal((await ask(await token({ cnf: client.cnf }))).ok, true);
  const forged = await ask(await two.token({ iss: names[0], cnf: client.cnf }));
  assert.deepEqual([forged.ok, forged.error], [false, "invalid_token"]);
  assert.equal((await ask(await one.token({ iss: "https://three.example", cnf: client.cnf }))).reason, "token_issuer_mismatch");
});
