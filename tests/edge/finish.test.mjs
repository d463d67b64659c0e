// finish(): what an accepted request's answer gets, and that nothing of it is lost.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { listOf, makeWorld } from "./support.mjs";

const ORIGIN = "https://app.example";
const SECRET = "s".repeat(32);

/** An acceptance whose nonce is due to be renewed, asked for by a page. */
async function accepted({ cors = { origins: [ORIGIN] }, nonce = { secrets: [SECRET] } } = {}) {
  const world = await makeWorld({ cors, nonce });
  const challenge = await world.ask({ headers: { origin: ORIGIN } });
  world.clock.forward(60);
  const decision = await world.ask({ nonce: challenge.response().headers.get("dpop-nonce"), headers: { origin: ORIGIN } });
  assert.equal(decision.ok, true, decision.reason);
  return decision;
}

let decision;
before(async () => {
  decision = await accepted();
});

test("a response without anything to add stays the very same", async () => {
  const world = await makeWorld();
  const response = new Response("x");
  assert.equal((await world.ask()).finish(response), response);
});

test("the next nonce comes once, and makes the answer uncacheable", () => {
  const response = decision.finish(Response.json({}, { headers: { "dpop-nonce": "mine" } }));
  assert.match(response.headers.get("dpop-nonce"), /^[A-Za-z0-9_-]{28}$/);
  assert.deepEqual(listOf(response.headers, "cache-control"), ["no-store"]);
});

test("fields that are there stay, and what they lack is appended", () => {
  const response = decision.finish(
    new Response("x", {
      headers: {
        vary: "Accept-Encoding",
        "cache-control": "private",
        "access-control-expose-headers": "X-Total, dpop-nonce",
        "x-other": "1",
      },
    }),
  );
  assert.deepEqual(listOf(response.headers, "vary"), ["accept-encoding", "origin"]);
  assert.deepEqual(listOf(response.headers, "cache-control"), ["private", "no-store"]);
  assert.deepEqual(listOf(response.headers, "access-control-expose-headers"), ["x-total", "dpop-nonce", "www-authenticate", "date"]);
  assert.equal(response.headers.get("x-other"), "1");
});

test("an origin that the handler allowed by itself is not replaced", () => {
  const response = decision.finish(new Response("x", { headers: { "access-control-allow-origin": "https://other.example" } }));
  assert.equal(response.headers.get("access-control-allow-origin"), "https://other.example");
});

test("finishing twice adds nothing the second time", () => {
  const once = decision.finish(new Response("x"));
  const twice = decision.finish(decision.finish(new Response("x")));
  assert.deepEqual([...twice.headers], [...once.headers]);
});

test("a member that is there in another case is not added again, nor anything beside a star", () => {
  const response = decision.finish(new Response("x", { headers: { vary: "ORIGIN", "access-control-expose-headers": "*" } }));
  assert.deepEqual(listOf(response.headers, "vary"), ["origin"]);
  assert.deepEqual(listOf(response.headers, "access-control-expose-headers"), ["*"]);
});

test("status, status text and cookies stay", () => {
  const headers = new Headers([["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
  const response = decision.finish(new Response("made", { status: 201, statusText: "Made it", headers }));
  assert.deepEqual([response.status, response.statusText], [201, "Made it"]);
  assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
});

test("statuses without a body keep having none", () => {
  for (const status of [204, 205, 304]) {
    const response = decision.finish(new Response(null, { status }));
    assert.deepEqual([response.status, response.body], [status, null]);
    assert.ok(response.headers.get("dpop-nonce"));
  }
});

test("a body streams on: what comes first can be read before the rest is there", async () => {
  let stream;
  const body = new ReadableStream({ start: (controller) => (stream = controller) });
  const response = decision.finish(new Response(body));
  const reader = response.body.getReader();
  stream.enqueue(new TextEncoder().encode("first"));
  assert.equal(new TextDecoder().decode((await reader.read()).value), "first");
  stream.enqueue(new TextEncoder().encode("second"));
  stream.close();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "second");
  assert.equal((await reader.read()).done, true);
});

test("a response whose fields cannot be changed gets them all the same", () => {
  const response = decision.finish(Response.redirect("https://api.example/next", 302));
  assert.deepEqual([response.status, response.headers.get("location")], [302, "https://api.example/next"]);
  assert.ok(response.headers.get("dpop-nonce"));
});

test("a response that no constructor makes gets the fields itself, and keeps its cookies", () => {
  class Switching extends Response {
    get status() {
      return 101;
    }
  }
  const upgrade = new Switching(null, { headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["upgrade", "websocket"]] });
  const response = decision.finish(upgrade);
  assert.equal(response, upgrade);
  assert.ok(response.headers.get("dpop-nonce"));
  assert.equal(response.headers.get("upgrade"), "websocket");
  assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
});

test("forbid() carries the renewed nonce and the CORS fields as well", () => {
  const response = decision.forbid("admin");
  assert.ok(response.headers.get("dpop-nonce"));
  assert.equal(response.headers.get("access-control-allow-origin"), ORIGIN);
});

test("a nonce that is still current is not sent again", async () => {
  const world = await makeWorld({ nonce: { secrets: [SECRET] } });
  const nonce = (await world.ask()).response().headers.get("dpop-nonce");
  assert.equal((await world.ask({ nonce })).finish(new Response()).headers.get("dpop-nonce"), null);
});
