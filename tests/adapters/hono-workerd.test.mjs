// Hono and its adapter in the Workers runtime, bundled from the installed package.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { listOf, makeClient, makeIssuer } from "../edge/support.mjs";
import { listen } from "../support/loopback.mjs";
import { APP } from "./support.mjs";
import { removeProject, startHonoWorker } from "./servers.mjs";

let worker;
let upstream;
let issuer;
let client;
let nonce;

const realNow = () => Math.floor(Date.now() / 1000);

async function fieldsFor(path, { method = "GET", ...about } = {}) {
  const now = realNow();
  const token = await issuer.token({ now, cnf: client.cnf });
  const dpop = await client.proof({ token, now, method, url: `${worker.origin}${path}`, nonce, ...about });
  return { authorization: `DPoP ${token}`, dpop, origin: APP };
}
const ask = async (path, { method = "GET", headers = {}, ...init } = {}) =>
  fetch(`${worker.origin}${path}`, { method, headers: { ...(await fieldsFor(path, { method })), ...headers }, redirect: "manual", ...init });

before(async () => {
  issuer = await makeIssuer();
  client = await makeClient();
  upstream = await listen(createServer((request, response) => response.writeHead(200, { "x-upstream": "1", vary: "Accept" }).end("from upstream")));
  worker = await startHonoWorker({ page: APP, jwks: issuer.jwks, upstream: upstream.origin });
  nonce = (await ask("/orders")).headers.get("dpop-nonce");
});
after(async () => {
  await worker?.close();
  await upstream?.close();
  await removeProject();
});

function assertReadable({ headers }) {
  assert.equal(headers.get("access-control-allow-origin"), APP);
  assert.deepEqual(listOf(headers, "access-control-expose-headers"), ["www-authenticate", "dpop-nonce", "date"]);
  assert.ok(listOf(headers, "vary").includes("origin"));
}

test("lets the holder of the key in, once for each proof", async () => {
  const headers = await fieldsFor("/orders");
  const first = await fetch(`${worker.origin}/orders?page=2`, { headers });
  assert.equal(first.status, 200, `${await first.clone().text()} ${worker.log()}`);
  assert.deepEqual(await first.json(), { sub: "alice", body: "" });
  assertReadable(first);
  const again = await fetch(`${worker.origin}/orders`, { headers });
  assert.equal(again.status, 401);
  assertReadable(again);
});

test("leaves the body to the handler", async () => {
  const answer = await ask("/orders", { method: "POST", body: "x".repeat(100_000) });
  assert.equal((await answer.json()).body.length, 100_000);
});

test("finishes what was streamed, fetched from elsewhere or made of an error, and what no route has", async () => {
  for (const [path, status, text] of [
    ["/orders/stream", 200, "abc"],
    ["/orders/fetched", 200, "from upstream"],
    ["/orders/throws", 500, "Internal Server Error"],
    ["/orders/missing", 404, "404 Not Found"],
  ]) {
    const answer = await ask(path);
    assert.deepEqual([answer.status, await answer.text()], [status, text], worker.log());
    assertReadable(answer);
  }
  const fetched = await ask("/orders/fetched");
  assert.deepEqual([fetched.headers.get("x-upstream"), listOf(fetched.headers, "vary")], ["1", ["accept", "origin"]]);
});

test("answers preflights and a missing scope, readable for the page", async () => {
  const preflight = await fetch(`${worker.origin}/orders`, { method: "OPTIONS", headers: { origin: APP, "access-control-request-method": "DELETE" } });
  assert.deepEqual([preflight.status, preflight.headers.get("access-control-allow-origin")], [204, APP]);
  const forbidden = await ask("/orders", { method: "DELETE" });
  assert.equal(forbidden.status, 403);
  assertReadable(forbidden);
});

test("a WebSocket is let through", async () => {
  const { request } = await import("node:http");
  const path = "/orders/socket";
  const headers = { ...(await fieldsFor(path)), connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
  const outgoing = request(`${worker.origin}${path}`, { headers });
  const status = await new Promise((resolve, reject) => {
    outgoing.on("upgrade", ({ statusCode }, socket) => {
      socket.destroy();
      resolve(statusCode);
    });
    outgoing.on("response", ({ statusCode }) => resolve(statusCode));
    outgoing.on("error", reject);
    outgoing.end();
  });
  assert.equal(status, 101, worker.log());
});
