// How long an issuer's keys and metadata serve: what their answers say (RFC 9111), within bounds.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ISSUER, edge, makeClient, makeClock, makeIssuer, makeRequest } from "./support.mjs";
import { JWKS_URI, fakeFetch, worldWithJwksUri } from "./published-keys.mjs";

const DAY = 86_400;
const httpDate = (seconds) => new Date(seconds * 1000).toUTCString();

/** A world whose key set is answered with these fields; `ask()` uses a token that outlives the test. */
async function worldWithFields(fieldsOf) {
  const world = await worldWithJwksUri();
  world.published.answer = () => Response.json({ keys: world.published.keys }, { headers: fieldsOf(world.clock.at) });
  const token = await world.issuer.token({ cnf: world.client.cnf, exp: world.clock.at + 30 * DAY });
  return { ...world, ask: () => world.ask({ token }) };
}

/** The seconds after which a request makes a second fetch: fresh up to there and not a second longer. */
async function assertFresh(world, seconds) {
  assert.equal((await world.ask()).ok, true);
  world.clock.forward(seconds);
  assert.equal((await world.ask()).ok, true);
  assert.equal(world.fetches(), 1, `fetched again within ${seconds} s`);
  world.clock.forward(1);
  assert.equal((await world.ask()).ok, true);
  assert.equal(world.fetches(), 2, `not fetched again after ${seconds} s`);
}

for (const [what, seconds, fieldsOf] of [
  ["an answer that says nothing", 600, () => ({})],
  ["max-age", 300, () => ({ "cache-control": "public, max-age=300" })],
  ["max-age less Age", 300, () => ({ "cache-control": "max-age=900", age: "600" })],
  ["s-maxage before max-age", 120, () => ({ "cache-control": "max-age=900, s-maxage=120" })],
  ["Auth0's fifteen seconds, which are less than the least", 60, () => ({ "cache-control": "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400" })],
  ["Okta's month, which is more than the most", DAY, () => ({ "cache-control": "max-age=3293198, must-revalidate" })],
  ["Keycloak's no-cache", 60, () => ({ "cache-control": "no-cache" })],
  ["no-store", 60, () => ({ "cache-control": "no-store, max-age=900" })],
  ["a max-age that is none", 60, () => ({ "cache-control": "max-age=soon" })],
  ["Expires", 1200, (now) => ({ date: httpDate(now - 40), expires: httpDate(now + 1160) })],
  ["Expires without Date", 1200, (now) => ({ expires: httpDate(now + 1200) })],
  ["an Expires that is no date", 60, () => ({ expires: "0; never" })],
  ["Expires beside a max-age, which counts", 300, (now) => ({ "cache-control": "max-age=300", expires: httpDate(now + 1200) })],
]) {
  test(`${what}: keys are fresh for ${seconds} s`, async () => assertFresh(await worldWithFields(fieldsOf), seconds));
}

describe("while there is no answer", () => {
  for (const [control, fresh, stale] of [
    ["max-age=900", 900, 3600],
    ["max-age=900, must-revalidate", 900, 300],
    ["no-store", 60, 300],
    ["max-age=900, stale-if-error=1200", 900, 1200],
    ["max-age=900, stale-if-error=86400", 900, 3600],
  ]) {
    test(`keys with ${control} serve for ${stale} s more, and then there is 503`, async () => {
      const world = await worldWithFields(() => ({ "cache-control": control }));
      assert.equal((await world.ask()).ok, true);
      world.published.answer = () => { throw new TypeError("fetch failed"); };
      world.clock.forward(fresh + stale);
      assert.equal((await world.ask()).ok, true);
      world.clock.forward(1);
      const decision = await world.ask();
      assert.deepEqual([decision.ok, decision.status, decision.reason], [false, 503, "token_source_unavailable"]);
    });
  }
});

describe("metadata", () => {
  const FIRST = `${ISSUER}/.well-known/oauth-authorization-server`;
  const SECOND = `${ISSUER}/.well-known/openid-configuration`;

  async function discovering(fields = {}) {
    const clock = makeClock();
    const issuer = await makeIssuer();
    const client = await makeClient();
    const routes = {
      [SECOND]: () => Response.json({ issuer: ISSUER, jwks_uri: JWKS_URI }, { headers: fields }),
      [JWKS_URI]: () => Response.json(issuer.jwks, { headers: { "cache-control": "max-age=120" } }),
    };
    const fake = fakeFetch(routes);
    const server = edge.createResourceServer({ issuer: ISSUER, audience: "https://api.example", tokens: edge.jwtTokens({ fetch: fake.send }), now: clock.now });
    const token = await issuer.token({ cnf: client.cnf, exp: clock.at + DAY });
    const ask = async () => server.authenticate(makeRequest({ token, proof: await client.proof({ token, now: clock.at }) }));
    return { ask, clock, routes, ...fake };
  }

  test("is not asked for again with every refresh of the keys", async () => {
    const { ask, clock, calls } = await discovering();
    for (let minute = 0; minute < 60; minute += 5) {
      assert.equal((await ask()).ok, true);
      clock.forward(300);
    }
    assert.deepEqual([...new Set(calls)], [FIRST, SECOND, JWKS_URI]);
    assert.equal(calls.length, 2 + 12);
  });

  test("is asked for again in an hour, or earlier if its answer says so", async () => {
    for (const [fields, seconds] of [[{}, 3600], [{ "cache-control": "max-age=86400" }, 3600], [{ "cache-control": "max-age=1000" }, 1000]]) {
      const { ask, clock, countOf } = await discovering(fields);
      await ask();
      clock.forward(seconds - 1);
      await ask();
      assert.equal(countOf(SECOND), 1);
      clock.forward(121);
      await ask();
      assert.equal(countOf(SECOND), 2, JSON.stringify(fields));
    }
  });

  test("is asked for again at once where the keys have moved", async () => {
    for (const gone of [() => new Response("gone", { status: 404 }), () => "<!doctype html>"]) {
      const { ask, clock, routes, countOf } = await discovering();
      await ask();
      const keys = routes[JWKS_URI];
      const moved = "https://keys.example/jwks";
      Object.assign(routes, { [JWKS_URI]: gone, [moved]: keys, [SECOND]: { issuer: ISSUER, jwks_uri: moved } });
      // An answer that is no key set is found out afterwards, so that it is the next fetch that looks anew.
      for (let time = 0; time < 2; time++) {
        clock.forward(121);
        assert.equal((await ask()).ok, true);
      }
      assert.ok(countOf(moved) >= 1);
    }
  });
});

describe("several issuers with keys that are given", () => {
  const NAMES = ["https://one.example", "https://two.example"];

  test("each signs for itself only", async () => {
    const [one, two] = await Promise.all(NAMES.map((issuer) => makeIssuer({ issuer })));
    const fake = fakeFetch({ "https://two.example/jwks": two.jwks });
    const jwks = { [NAMES[0]]: one.jwks, [NAMES[1]]: new URL("https://two.example/jwks") };
    const server = edge.createResourceServer({ issuer: NAMES, audience: "https://api.example", tokens: edge.jwtTokens({ jwks, fetch: fake.send }), now: makeClock().now });
    const client = await makeClient();
    const ask = async (token) => server.authenticate(makeRequest({ token, proof: await client.proof({ token }) }));
    for (const { token } of [one, two]) {
      const decision = await ask(await token({ cnf: client.cnf }));
      assert.equal(decision.ok, true, decision.reason);
    }
    for (const [signer, name] of [[one, NAMES[1]], [two, NAMES[0]]]) {
      assert.equal((await ask(await signer.token({ iss: name, cnf: client.cnf }))).reason, "token_signature_invalid");
    }
    assert.deepEqual(fake.calls, ["https://two.example/jwks"]);
  });

  test("one set for all of them is refused, and so is one for none of them", async () => {
    const { jwks } = await makeIssuer();
    const make = (keys) => () => edge.createResourceServer({ issuer: NAMES, audience: "a", tokens: edge.jwtTokens({ jwks: keys }) });
    for (const shared of [jwks, new URL("https://one.example/jwks")]) {
      assert.throws(make(shared), /^TypeError: tokens\.jwks: with one set for several issuers each could sign for the others; give an object/);
    }
    assert.throws(make({ [NAMES[0]]: jwks }), /^TypeError: tokens\.jwks\["https:\/\/two\.example"\]: give a key set/);
    assert.throws(make({ [NAMES[0]]: jwks, [NAMES[1]]: "https://two.example/jwks" }), /^TypeError: tokens\.jwks\["https:\/\/two\.example"\]/);
    assert.throws(make({ [NAMES[0]]: jwks, [NAMES[1]]: jwks, "https://three.example": jwks }), /"https:\/\/three\.example" is not among the issuers/);
    assert.throws(make({ [NAMES[0]]: new URL("http://one.example/jwks"), [NAMES[1]]: jwks }), /must be an https URL/);
  });
});
