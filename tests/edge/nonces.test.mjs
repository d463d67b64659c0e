// Stateless nonces (RFC 9449 §8 and §9): missing, stale and forged are told apart, and servers with one secret agree.
import assert from "node:assert/strict";
import { test } from "node:test";
import { START, challengesByScheme, edge, listOf, makeRequest, makeWorld } from "./support.mjs";

const OLD = "old secret, thirty-two bytes at least";
const NEW = new Uint8Array(32).fill(7);
const WINDOW = 60;

const worldWith = (nonce, options = {}) => makeWorld({ nonce, ...options });
const nonceOf = (response) => response.headers.get("dpop-nonce");

/** The nonce that a world gives out now. */
const currentOf = async (world) => nonceOf((await world.ask()).response());

test("a proof without a nonce is asked for one, once and uncacheably", async () => {
  const world = await worldWith({ secrets: [OLD] });
  const decision = await world.ask();
  assert.deepEqual([decision.status, decision.error, decision.reason], [401, "use_dpop_nonce", "nonce_missing"]);
  const response = decision.response();
  assert.equal(challengesByScheme(response).DPoP.error, "use_dpop_nonce");
  assert.match(nonceOf(response), /^[\x21\x23-\x5b\x5d-\x7e]+$/);
  assert.ok(!nonceOf(response).includes(","), "exactly one");
  assert.deepEqual(listOf(response.headers, "cache-control"), ["no-store"]);
  assert.equal((await response.json()).error, "use_dpop_nonce");
});

test("a page of an allowed origin can read the nonce", async () => {
  const world = await worldWith({ secrets: [OLD] }, { cors: { origins: ["https://app.example"] } });
  const { headers } = (await world.ask({ headers: { origin: "https://app.example" } })).response();
  assert.ok(headers.get("dpop-nonce"));
  assert.ok(listOf(headers, "access-control-expose-headers").includes("dpop-nonce"));
});

test("the nonce of the challenge is accepted, any number of times", async () => {
  const world = await worldWith({ secrets: [OLD] });
  const nonce = await currentOf(world);
  for (let time = 0; time < 3; time++) assert.equal((await world.ask({ nonce })).ok, true);
});

test("within the next window it is accepted and answered with the current one", async () => {
  const world = await worldWith({ secrets: [OLD], window: WINDOW });
  const nonce = await currentOf(world);
  world.clock.forward(WINDOW);
  const decision = await world.ask({ nonce });
  assert.equal(decision.ok, true, decision.reason);
  const renewed = nonceOf(decision.finish(new Response()));
  assert.notEqual(renewed, nonce);
  assert.equal(renewed, await currentOf(world));
  const next = await world.ask({ nonce: renewed });
  assert.equal(nonceOf(next.finish(new Response())), null);
});

test("after two windows it is stale, and the challenge brings the current one", async () => {
  const world = await worldWith({ secrets: [OLD], window: WINDOW });
  const nonce = await currentOf(world);
  world.clock.forward(2 * WINDOW);
  const decision = await world.ask({ nonce });
  assert.deepEqual([decision.error, decision.reason], ["use_dpop_nonce", "nonce_stale"]);
  const retry = await world.ask({ nonce: nonceOf(decision.response()) });
  assert.equal(retry.ok, true, retry.reason);
});

test("the window is the policy's", async () => {
  const world = await worldWith({ secrets: [OLD], window: 5 });
  const nonce = await currentOf(world);
  world.clock.forward(10);
  assert.equal((await world.ask({ nonce })).reason, "nonce_stale");
});

test("a forged nonce is unknown, in whatever place it differs", async () => {
  const world = await worldWith({ secrets: [OLD] });
  const nonce = await currentOf(world);
  const changed = (at) => nonce.slice(0, at) + (nonce[at] === "A" ? "B" : "A") + nonce.slice(at + 1);
  const forged = [...nonce].map((_, at) => changed(at));
  for (const text of [...forged, "x", `${nonce}A`, nonce.slice(1), `${nonce}=`, nonce.toLowerCase(), "\u0000", "ü"]) {
    if (text === nonce) continue;
    const decision = await world.ask({ nonce: text });
    assert.deepEqual([decision.error, decision.reason], ["use_dpop_nonce", "nonce_unknown"], text);
    assert.ok(nonceOf(decision.response()));
  }
});

test("a nonce that is no string is malformed, an empty one is none of ours", async () => {
  const world = await worldWith({ secrets: [OLD] });
  assert.equal((await world.ask({ proof: { nonce: 5 } })).reason, "nonce_malformed");
  assert.equal((await world.ask({ nonce: "" })).ok, false);
});

test("servers with one secret know each other's nonces; with another audience they do not", async () => {
  const here = await worldWith({ secrets: [OLD] });
  const nonce = await currentOf(here);
  const there = await worldWith({ secrets: [new TextEncoder().encode(OLD)] });
  assert.equal((await there.ask({ nonce })).ok, true);
  const elsewhere = await worldWith({ secrets: [OLD] }, { audience: ["https://api.example", "https://other.example"] });
  assert.equal((await elsewhere.ask({ nonce })).reason, "nonce_unknown");
});

test("a new secret in front signs, and the one behind it still counts until it is taken away", async () => {
  const before = await worldWith({ secrets: [OLD] });
  const rotated = await worldWith({ secrets: [NEW, OLD] });
  const after = await worldWith({ secrets: [NEW] });
  const ofOld = await currentOf(before);
  const ofNew = await currentOf(rotated);
  assert.notEqual(ofNew, ofOld);
  for (const nonce of [ofOld, ofNew]) assert.equal((await rotated.ask({ nonce })).ok, true);
  assert.equal((await after.ask({ nonce: ofNew })).ok, true);
  assert.equal((await after.ask({ nonce: ofOld })).reason, "nonce_unknown");
  assert.equal((await before.ask({ nonce: ofNew })).reason, "nonce_unknown");
});

test("where none is required a proof may do without, but not with a bad one", async () => {
  const world = await worldWith({ secrets: [OLD], required: false, window: WINDOW });
  const without = await world.ask();
  assert.equal(without.ok, true, without.reason);
  const challenge = await world.ask({ nonce: "x" });
  assert.deepEqual([challenge.error, challenge.reason], ["use_dpop_nonce", "nonce_unknown"]);
  const nonce = nonceOf(challenge.response());
  assert.equal((await world.ask({ nonce })).ok, true);
  world.clock.forward(WINDOW);
  assert.ok(nonceOf((await world.ask({ nonce })).finish(new Response())));
  world.clock.forward(WINDOW);
  assert.equal((await world.ask({ nonce })).reason, "nonce_stale");
});

test("a server without nonces ignores what clients send", async () => {
  const world = await makeWorld();
  assert.equal((await world.ask({ nonce: "from somewhere" })).ok, true);
});

test("nonces are asked of proofs only: a bearer token that is allowed needs none", async () => {
  const world = await worldWith({ secrets: [OLD] }, { proofOfPossession: { required: false } });
  const request = makeRequest({ token: await world.issuer.token(), scheme: "Bearer" });
  assert.equal((await world.server.authenticate(request)).ok, true);
});

test("a nonce challenge comes before the token is looked at, and burns no jti", async () => {
  let asked = 0;
  const source = { resolve: async () => ((asked += 1), { active: false }) };
  const world = await worldWith({ secrets: [OLD] }, { tokens: source, replay: { claim: () => assert.fail("the store was asked") } });
  const decision = await world.ask();
  assert.deepEqual([decision.reason, asked], ["nonce_missing", 0]);
});

test("a wrong clock gives nothing away: a nonce from ahead of its time is not accepted", async () => {
  const world = await worldWith({ secrets: [OLD], window: WINDOW }, { proof: { maxAge: 1000, maxFuture: 1000 } });
  world.clock.at = START + 600;
  const nonce = await currentOf(world);
  world.clock.at = START;
  assert.equal((await world.ask({ nonce })).ok, false);
});

test("a secret is taken as it was when the server was made", async () => {
  const secret = new Uint8Array(32).fill(1);
  const world = await worldWith({ secrets: [secret] });
  secret.fill(2);
  const twin = await worldWith({ secrets: [new Uint8Array(32).fill(1)] });
  assert.equal((await twin.ask({ nonce: await currentOf(world) })).ok, true);
});

test("a weak policy cannot be made", () => {
  const make = (nonce) => () => edge.createResourceServer({ issuer: "https://as.example", audience: "a", nonce });
  assert.throws(make({ secrets: [] }), /nonce\.secrets: at least one/);
  assert.throws(make({}), /nonce\.secrets: at least one/);
  assert.throws(make({ secrets: "a string of more than thirty-two bytes" }), /nonce\.secrets/);
  assert.throws(make({ secrets: ["short"] }), /nonce\.secrets: each needs 32 bytes/);
  assert.throws(make({ secrets: [OLD, new Uint8Array(31)] }), /nonce\.secrets: each needs 32 bytes/);
  assert.throws(make({ secrets: [undefined] }), /nonce\.secrets: each needs 32 bytes/);
  assert.throws(make({ secrets: [OLD], window: 0 }), /nonce\.window/);
  assert.throws(make({ secrets: [OLD], window: 1.5 }), /nonce\.window/);
});
