// diagnose(): what needs attention, told without changing anything.
import assert from "node:assert/strict";
import { test } from "node:test";
import { edge, makeWorld } from "./support.mjs";
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
