// diagnose(): what needs attention, told without changing anything.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { START, edge, makeClient, makeClock, makeRequest, makeWorld } from "./support.mjs";
import { worldWithJwksUri } from "./published-keys.mjs";

const of = ({ checks }, name) => checks.find((check) => check.name.startsWith(name));

test("a server with keys and nonces is in order", async () => {
  const world = await makeWorld({ nonce: { secrets: ["s".repeat(32)] }, replay: edge.memoryReplay() });
  const diagnosis = await world.server.diagnose();
  assert.equal(diagnosis.ok, true, JSON.stringify(diagnosis));
  assert.equal(of(diagnosis, "keys of https://as.example").detail, "1 published");
});

test("missing nonces are told, with what to do", async () => {
  const diagnosis = await (await makeWorld()).server.diagnose();
  assert.equal(diagnosis.ok, false);
  assert.match(of(diagnosis, "nonces").fix, /nonce: \{ secrets \}/);
});

test("keys that cannot be fetched are told, with what to do", async () => {
  const world = await worldWithJwksUri();
  world.published.answer = () => { throw new TypeError("fetch failed"); };
  const check = of(await world.server.diagnose(), "keys of");
  assert.equal(check.ok, false);
  assert.match(check.fix, /reach the issuer/);
  world.published.answer = () => ({ keys: [] });
  assert.match(of(await world.server.diagnose(), "keys of").fix, /publish/);
  world.published.answer = () => "<!doctype html>";
  assert.equal(of(await world.server.diagnose(), "keys of").ok, false);
});

test("requests are decided after it as before it, with given keys and with fetched ones", async () => {
  for (const world of [await makeWorld(), await worldWithJwksUri()]) {
    await world.server.diagnose();
    const decision = await world.ask();
    assert.equal(decision.ok, true, decision.reason);
    await world.server.diagnose();
    assert.equal((await world.ask()).ok, true);
  }
});

test("one that fails does not keep requests from trying", async () => {
  const world = await worldWithJwksUri();
  world.published.answer = () => new Response("down", { status: 500 });
  await world.server.diagnose();
  world.published.answer = undefined;
  assert.equal((await world.ask()).ok, true);
});

const GOOD = { nonce: { secrets: ["s".repeat(32)] }, replay: edge.memoryReplay() };

/** Every check that is not in order says what to do about it. */
const toldOf = (diagnosis, name) => {
  assert.equal(diagnosis.ok, diagnosis.checks.every(({ ok }) => ok));
  for (const { ok, fix } of diagnosis.checks) assert.ok(ok || fix?.length > 10);
  return of(diagnosis, name);
};

/** On a platform that names itself so. */
async function onPlatform(t, userAgent, run) {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { userAgent }, configurable: true });
  t.after(() => (before === undefined ? delete globalThis.navigator : Object.defineProperty(globalThis, "navigator", before)));
  return run();
}

test("marks in memory are told where the platform runs many isolates, and only there", async (t) => {
  const world = await makeWorld({ nonce: GOOD.nonce });
  assert.equal(toldOf(await world.server.diagnose(), "replay").ok, true);
  await onPlatform(t, "Cloudflare-Workers", async () => {
    const check = toldOf(await world.server.diagnose(), "replay");
    assert.equal(check.ok, false);
    assert.match(check.fix, /Durable Object|Redis/);
    const shared = await makeWorld({ ...GOOD, replay: { claim: () => true } });
    assert.equal((await shared.server.diagnose()).ok, true);
  });
});

test("no nonce secret is told; one that is too short never makes a server", async () => {
  const check = toldOf(await (await makeWorld()).server.diagnose(), "nonces");
  assert.equal(check.ok, false);
  assert.match(check.detail, /no secret/);
  for (const secrets of [["s".repeat(31)], [new Uint8Array(31)], ["s".repeat(32), ""], []]) {
    await assert.rejects(makeWorld({ nonce: { secrets } }), /^TypeError: nonce\.secrets/);
  }
  const own = { required: true, current: () => "n", check: () => "current" };
  assert.equal(toldOf(await (await makeWorld({ nonce: own })).server.diagnose(), "nonces").ok, true);
});

describe("the clock, beside the Date of the issuer's answer", () => {
  const httpDate = (seconds) => new Date(seconds * 1000).toUTCString();

  async function clockCheck(fields) {
    const world = await worldWithJwksUri(GOOD);
    world.published.answer = () => Response.json({ keys: world.published.keys }, { headers: fields });
    const diagnosis = await world.server.diagnose();
    return toldOf(diagnosis, "clock") ?? null;
  }

  test("is in order up to some seconds", async () => {
    for (const apart of [0, -10, 10]) assert.equal((await clockCheck({ date: httpDate(START + apart) })).ok, true, `${apart}`);
  });

  for (const [apart, says] of [[-60, "60 s ahead of|59 s ahead of"], [60, "60 s behind"], [-86_400, "s ahead of"], [86_400, "s behind"]]) {
    test(`is told where it is ${-apart} s ahead`, async () => {
      const check = await clockCheck({ date: httpDate(START + apart) });
      assert.equal(check.ok, false);
      assert.match(check.detail, new RegExp(says));
      assert.match(check.fix, /NTP/);
    });
  }

  test("counts an answer's time in other caches", async () => {
    assert.equal((await clockCheck({ date: httpDate(START - 600), age: "600" })).ok, true);
  });

  test("is not judged without a Date, or with keys that are given", async () => {
    assert.equal(await clockCheck({}), null);
    assert.equal(await clockCheck({ date: "noon" }), null);
    assert.equal(toldOf(await (await makeWorld(GOOD)).server.diagnose(), "clock"), undefined);
  });
});

describe("publicUrl", () => {
  const FIELDS = {
    forwarded: "for=192.0.2.1;host=evil.example",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    "x-forwarded-port": "8443",
    "x-forwarded-prefix": "/v1",
    "x-forwarded-for": "192.0.2.1",
  };

  for (const [name, value] of Object.entries(FIELDS)) {
    test(`is told to be missing once a request came with ${name}, whose value is not told`, async () => {
      const world = await makeWorld(GOOD);
      await world.ask();
      assert.equal(toldOf(await world.server.diagnose(), "publicUrl").ok, true);
      await world.ask({ headers: { [name]: value } });
      await world.ask();
      const check = toldOf(await world.server.diagnose(), "publicUrl");
      assert.equal(check.ok, false);
      assert.ok(check.detail.includes(name) && !JSON.stringify(check).includes("evil"));
      assert.match(check.fix, /publicUrl/);
    });
  }

  test("is in order where it is set", async () => {
    const world = await makeWorld({ ...GOOD, publicUrl: "https://api.example" });
    await world.ask({ headers: FIELDS });
    assert.equal((await world.server.diagnose()).ok, true);
  });

  test("is in order on Workers, where the platform adds fields to every request", async (t) => {
    await onPlatform(t, "Cloudflare-Workers", async () => {
      const world = await makeWorld({ ...GOOD, replay: "external" });
      await world.ask({ headers: { "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1" } });
      assert.equal((await world.server.diagnose()).ok, true);
      await world.ask({ headers: { "x-forwarded-host": "api.example" } });
      assert.equal(toldOf(await world.server.diagnose(), "publicUrl").ok, false);
    });
  });
});

test("a token endpoint tells the same of itself", async () => {
  const url = "https://as.example/token";
  const client = await makeClient();
  const bare = edge.createTokenEndpoint({ now: makeClock().now });
  await bare.bind(makeRequest({ url, method: "POST", proof: await client.proof({ url, method: "POST" }), headers: { forwarded: "host=x" } }));
  const diagnosis = await bare.diagnose();
  assert.deepEqual(diagnosis.checks.filter(({ ok }) => !ok).map(({ name }) => name), ["nonces", "publicUrl"]);
  const good = edge.createTokenEndpoint({ ...GOOD, publicUrl: "https://as.example", now: makeClock().now });
  assert.equal((await good.diagnose()).ok, true);
});
