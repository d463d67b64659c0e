// Token sources of the caller's own: what they say is believed, checked and remembered only as far as it goes.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AUDIENCE, ISSUER, START, edge, makeRequest, makeWorld } from "./support.mjs";

const OPAQUE = "opaque-token~1";

/** A world whose source answers `answer(client)`; `asked` lists what it was asked. */
async function sourced(answer, options = {}) {
  const asked = [];
  let world;
  const tokens = {
    async resolve(token, context) {
      asked.push([token, context]);
      return answer(world.client);
    },
  };
  world = await makeWorld({ tokens, ...options });
  const ask = (about = {}) => world.ask({ token: OPAQUE, ...about });
  return { ...world, ask, asked };
}
const active = (more = {}, claims = {}) => ({ cnf }) => ({ active: true, claims: { sub: "bob", cnf, ...claims }, ...more });

test("a source resolves any token, and its claims are handed out", async () => {
  const { ask, asked } = await sourced(active({}, { scope: "a b" }));
  const decision = await ask();
  assert.equal(decision.ok, true, decision.reason);
  assert.deepEqual([decision.claims.sub, decision.claims.scope], ["bob", "a b"]);
  assert.deepEqual(asked, [[OPAQUE, { now: START }]]);
  assert.throws(() => { decision.claims.sub = "mallory"; }, TypeError);
});

test("what is not active is refused", async () => {
  const { ask } = await sourced(() => ({ active: false }));
  const decision = await ask();
  assert.deepEqual([decision.status, decision.error, decision.reason], [401, "invalid_token", "token_inactive"]);
});

test("binding, time, audience and issuer of its claims are checked", async () => {
  const reasonFor = async (claims) => (await (await sourced(active({}, claims))).ask()).reason;
  assert.equal(await reasonFor({ exp: START }), "token_expired");
  assert.equal(await reasonFor({ nbf: START + 60 }), "token_not_yet_valid");
  assert.equal(await reasonFor({ aud: "https://other.example" }), "token_audience_mismatch");
  assert.equal(await reasonFor({ iss: "https://evil.example" }), "token_issuer_mismatch");
  assert.equal(await reasonFor({ active: false }), "token_inactive");
  assert.equal(await reasonFor({ cnf: undefined }), "token_not_bound");
  assert.equal(await reasonFor({ cnf: {} }), "cnf_unknown");
  assert.equal(await reasonFor({ cnf: null }), "cnf_malformed");
  assert.equal(await reasonFor({ cnf: { jkt: "A".repeat(43) } }), "jkt_mismatch");
  assert.equal(await reasonFor({ aud: AUDIENCE, iss: ISSUER, exp: START + 1 }), undefined);
});

test("a source that fails or answers oddly means 503, never an acceptance", async () => {
  const answers = [
    () => { throw new Error("down"); },
    () => Promise.reject(new Error("down")),
    ...[undefined, null, true, "active", {}, { active: "true", claims: {} }, { active: 1, claims: {} }, { claims: {} }].map((answer) => () => answer),
    ...[undefined, null, "{}", 5, true].map((claims) => () => ({ active: true, claims })),
    () => ({ active: true, claims: { big: 5n } }),
    () => { const loop = {}; loop.loop = loop; return { active: true, claims: loop }; },
  ];
  for (const answer of answers) {
    const { ask } = await sourced(answer);
    const decision = await ask();
    assert.deepEqual([decision.ok, decision.status, decision.error, decision.reason], [false, 503, null, "token_source_unavailable"], String(answer));
    assert.match(decision.response().headers.get("retry-after"), /^\d+$/);
  }
});

test("a source that throws at once, without a promise, means 503 as well", async () => {
  const world = await makeWorld({ tokens: { resolve: () => { throw new Error("down"); } } });
  assert.equal((await world.ask({ token: OPAQUE })).reason, "token_source_unavailable");
});

describe("remembering", () => {
  test("nothing is remembered unless the source says until when", async () => {
    const { ask, asked } = await sourced(active());
    for (let time = 0; time < 3; time++) assert.equal((await ask()).ok, true);
    assert.equal(asked.length, 3);
  });

  test("with expiresAt the source is not asked again until then", async () => {
    const { ask, asked, clock } = await sourced(({ cnf }) => ({ active: true, claims: { cnf }, expiresAt: START + 20 }));
    for (let second = 0; second < 20; second += 5) {
      assert.equal((await ask()).ok, true);
      clock.forward(5);
    }
    assert.equal(asked.length, 1);
    await ask();
    assert.equal(asked.length, 2);
  });

  test("five minutes is the most", async () => {
    const { ask, asked, clock } = await sourced(active({ expiresAt: START + 9999 }));
    await ask();
    clock.forward(299);
    await ask();
    assert.equal(asked.length, 1);
    clock.forward(1);
    await ask();
    assert.equal(asked.length, 2);
  });

  test("what is remembered is still refused without its proof, with another key, and once expired", async () => {
    const { ask, server, asked, clock } = await sourced(active({ expiresAt: START + 200 }, { exp: START + 100 }));
    assert.equal((await ask()).ok, true);
    assert.equal((await ask({ proof: { htm: "PUT" } })).reason, "htm_mismatch");
    assert.equal((await server.authenticate(makeRequest({ token: OPAQUE, scheme: "Bearer" }))).reason, "dpop_token_as_bearer");
    clock.forward(100);
    assert.equal((await ask()).reason, "token_expired");
    assert.ok(asked.length <= 2);
  });

  test("a refusal is not remembered", async () => {
    let isActive = false;
    const { ask } = await sourced(({ cnf }) => (isActive ? { active: true, claims: { cnf }, expiresAt: START + 60 } : { active: false }));
    assert.equal((await ask()).reason, "token_inactive");
    isActive = true;
    assert.equal((await ask()).ok, true);
  });

  test("an expiresAt that is no time in the future keeps nothing", async () => {
    for (const expiresAt of [START, START - 1, NaN, Infinity, -Infinity, "soon", null, undefined, 10n, {}]) {
      const { ask, asked } = await sourced(active({ expiresAt }));
      for (let time = 0; time < 2; time++) assert.equal((await ask()).ok, true, String(expiresAt));
      assert.equal(asked.length, 2, String(expiresAt));
    }
  });

  test("with a cache of none the source is always asked", async () => {
    const { ask, asked } = await sourced(active({ expiresAt: START + 60 }), { cache: { tokens: 0 } });
    for (let time = 0; time < 2; time++) await ask();
    assert.equal(asked.length, 2);
  });
});

test("the source is asked only for requests whose proof holds so far", async () => {
  const { ask, server, asked } = await sourced(active());
  await server.authenticate(makeRequest());
  await server.authenticate(makeRequest({ token: OPAQUE }));
  await ask({ proof: { htm: "POST" } });
  await ask({ proof: { iat: 1 } });
  assert.deepEqual(asked, []);
});

test("jwtTokens() resolves nothing outside a server, and says why", async () => {
  await assert.rejects(edge.jwtTokens().resolve("x", { now: START }), /works within createResourceServer/);
});
