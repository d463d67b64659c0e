// The middleware for Node in Express 5, and in whatever else takes (request, response, next).
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, describe, test } from "node:test";
import express from "express";
import { AUDIENCE, challengesByScheme, listOf } from "../edge/support.mjs";
import { APP, PATH, SECRET, fieldsOf, fieldsToRenew, makeNodeWorld, node, send, serveHandler } from "./support.mjs";

const closing = [];
after(() => Promise.all(closing.map((close) => close())));

async function serveExpress(declare, { options = {}, claims = {} } = {}) {
  const world = await makeNodeWorld({ cors: { origins: [APP] }, nonce: { secrets: [SECRET] }, ...options }, { claims });
  const app = express();
  // Express writes errors of handlers to the console otherwise.
  app.set("env", "test");
  declare(app, world.api);
  const { origin, close } = await serveHandler(app);
  closing.push(close);
  const good = (path = PATH, method = "GET") =>
    fieldsToRenew(world, (headers) => send(origin, { path, headers }), { url: `${AUDIENCE}${path}`, method });
  return {
    ...world,
    origin,
    /** A good request, whose nonce is due to be renewed. */
    ask: async (path, { method = "GET", headers = {}, body } = {}) =>
      send(origin, { path, method, headers: { ...(await good(path, method)), ...headers }, body }),
    plain: (path, request) => send(origin, { path, ...request }),
  };
}

/** Everything that finish() adds is there. */
function assertFinished({ headers }) {
  assert.match(headers.get("dpop-nonce") ?? "", /^[\w-]{28}$/);
  assert.ok(listOf(headers, "cache-control").includes("no-store"));
  assert.ok(listOf(headers, "vary").includes("origin"));
  assert.equal(headers.get("access-control-allow-origin"), APP);
  assert.deepEqual(listOf(headers, "access-control-expose-headers"), ["www-authenticate", "dpop-nonce", "date"]);
}

describe("in Express", () => {
  test("a route behind it has the claims, and its answer is finished", async () => {
    const server = await serveExpress((app, api) => {
      app.use(api.middleware());
      app.get(PATH, (request, response) => response.vary("Accept").cookie("a", "1").json({ sub: node.accepted(request).claims.sub }));
    });
    const answer = await server.ask(PATH);
    assert.deepEqual([answer.status, JSON.parse(answer.text)], [200, { sub: "alice" }]);
    assertFinished(answer);
    assert.deepEqual(listOf(answer.headers, "vary"), ["accept", "origin"]);
    assert.equal(answer.headers.getSetCookie().length, 1);
  });

  test("nothing behind it runs for a request that is refused", async () => {
    let ran = 0;
    const server = await serveExpress((app, api) => {
      app.use(api.middleware());
      app.use(() => void (ran += 1));
    });
    const answer = await server.plain(PATH, { headers: { origin: APP } });
    assert.equal(answer.status, 401);
    assert.ok(challengesByScheme(answer).DPoP);
    assert.equal((await server.plain(PATH, { headers: { authorization: `Bearer ${server.token}` } })).status, 401);
    assert.equal(ran, 0);
  });

  test("a preflight is answered before anybody asks for a token", async () => {
    const server = await serveExpress((app, api) => app.use(api.middleware()));
    const answer = await server.plain(PATH, { method: "OPTIONS", headers: { origin: APP, "access-control-request-method": "GET" } });
    assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [204, APP]);
  });

  test("below a mount path the whole path counts, which Express takes off there", async () => {
    const server = await serveExpress((app, api) => {
      const orders = express.Router();
      orders.use(api.middleware());
      orders.get("/:id", (request, response) => response.json({ url: request.url }));
      app.use("/v1/orders", orders);
    });
    const answer = await server.ask("/v1/orders/7");
    assert.deepEqual([answer.status, JSON.parse(answer.text)], [200, { url: "/7" }]);
    const wrong = await server.plain("/v1/orders/7", { headers: await fieldsOf(server, { url: `${AUDIENCE}/7` }) });
    assert.equal(wrong.status, 401);
  });

  test("one for all routes and one with a scope on a route decide once", async () => {
    const server = await serveExpress(
      (app, api) => {
        app.use(api.middleware());
        app.get("/read", api.middleware({ scope: "read" }), (request, response) => response.end("in"));
        app.get("/write", api.middleware({ scope: "read write" }), (request, response) => response.end("in"));
      },
      { claims: { scope: "read" } },
    );
    assert.equal((await server.ask("/read")).status, 200);
    const forbidden = await server.ask("/write");
    assert.equal(forbidden.status, 403);
    assert.equal(challengesByScheme(forbidden).DPoP.scope, "read write");
    assertFinished(forbidden);
  });

  test("errors, missing routes, redirects, files and unchanged answers are finished as well", async () => {
    const server = await serveExpress((app, api) => {
      app.use(api.middleware());
      app.get("/throws", () => {
        throw new Error("no");
      });
      app.get("/rejects", async () => Promise.reject(new Error("no")));
      app.get("/handled", () => {
        throw Object.assign(new Error("no"), { handled: true });
      });
      app.get("/redirect", (request, response) => response.redirect("/elsewhere"));
      app.get("/file", (request, response) => response.sendFile(fileURLToPath(import.meta.url)));
      app.get("/same", (request, response) => response.send("same"));
      app.use((error, request, response, next) => {
        if (error.handled) response.status(418).json({ error: "handled" });
        else next(error);
      });
    });
    const etag = (await server.ask("/same")).headers.get("etag");
    for (const [path, status, headers] of [
      ["/throws", 500], ["/rejects", 500], ["/handled", 418], ["/missing", 404], ["/redirect", 302], ["/file", 200],
      ["/same", 304, { "if-none-match": etag }],
    ]) {
      const answer = await server.ask(path, { headers });
      assert.equal(answer.status, status, path);
      assertFinished(answer);
    }
  });

  test("a handler can forbid by itself", async () => {
    const server = await serveExpress((app, api) => {
      app.use(api.middleware());
      app.get(PATH, (request, response) => node.send(response, node.accepted(request).forbid("admin")));
    });
    const answer = await server.ask(PATH);
    assert.equal(answer.status, 403);
    assertFinished(answer);
  });

  test("a server that cannot decide hands the error on", async () => {
    const server = await serveExpress((app, api) => {
      app.use((request, response, next) => {
        Object.defineProperty(request, "rawHeaders", { get: () => assert.fail("broken") });
        next();
      });
      app.use(api.middleware());
      app.use((error, request, response, _next) => response.status(500).end(error.message));
    });
    assert.deepEqual((await server.plain(PATH)).text, "broken");
  });
});

test("in a plain chain of (request, response, next) it goes on once, or not at all", async () => {
  const world = await makeNodeWorld();
  const calls = [];
  const chain = [world.api.middleware(), (request, response, next) => (calls.push("second"), next()), (request, response) => response.end("in")];
  const { origin, close } = await serveHandler((request, response) => {
    const next = (at) => (error) => (error ? response.writeHead(500).end() : chain[at](request, response, next(at + 1)));
    next(0)();
  });
  closing.push(close);
  assert.equal((await send(origin)).status, 401);
  assert.deepEqual(calls, []);
  const answer = await send(origin, { headers: await world.fields() });
  assert.deepEqual([answer.status, answer.text, calls], [200, "in", ["second"]]);
});
