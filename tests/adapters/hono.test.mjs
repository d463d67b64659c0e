// The middleware for Hono: who is let in, and that answers are finished whoever wrote them.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { streamText } from "hono/streaming";
import { RESOURCE, challengesByScheme, listOf, makeWorld } from "../edge/support.mjs";
import { dist } from "../support/paths.mjs";
import { APP, SECRET, fieldsOf, fieldsToRenew, hono } from "./support.mjs";

const { accepted, keybound } = hono;

/** An app with the middleware on all routes. `ask` makes a good request whose nonce is due to be renewed. */
async function makeApp(declare, { options = {}, claims = {}, protect = {}, before = () => {} } = {}) {
  const world = await makeWorld({ cors: { origins: [APP] }, nonce: { secrets: [SECRET] }, ...options }, { claims });
  const app = new Hono();
  before(app);
  app.use(keybound(world.server, protect));
  declare(app, world.server);
  const plain = (path, init, ...rest) => app.request(new URL(path, RESOURCE).href, init, ...rest);
  const ask = async (path = "/orders", { method = "GET", headers = {}, ...init } = {}, ...rest) => {
    const url = new URL(path, RESOURCE).href;
    const good = await fieldsToRenew(world, (fields) => plain(path, { headers: fields }), { url, method });
    return plain(path, { method, headers: { ...good, ...headers }, ...init }, ...rest);
  };
  return { ...world, app, plain, ask };
}

function assertFinished({ headers }) {
  assert.match(headers.get("dpop-nonce") ?? "", /^[\w-]{28}$/);
  assert.ok(listOf(headers, "cache-control").includes("no-store"));
  assert.ok(listOf(headers, "vary").includes("origin"));
  assert.equal(headers.get("access-control-allow-origin"), APP);
  for (const name of ["www-authenticate", "dpop-nonce", "date"]) assert.ok(listOf(headers, "access-control-expose-headers").includes(name), name);
}

test("a handler has the acceptance, typed by name and through accepted()", async () => {
  const elsewhere = (c) => c.json({ sub: accepted(c).claims.sub, same: accepted(c) === c.get("keybound") });
  const { ask } = await makeApp((app) => app.get("/orders", elsewhere));
  const answer = await ask();
  assert.deepEqual([answer.status, await answer.json()], [200, { sub: "alice", same: true }]);
  assertFinished(answer);
});

test("accepted() without the middleware says what is missing", async () => {
  const app = new Hono();
  app.onError((error, c) => c.text(error.message));
  app.get("/", (c) => c.json(accepted(c).claims));
  assert.match(await (await app.request("/")).text(), /put keybound\(server\) .* before this handler/);
});

test("nothing behind it runs for a request that is refused", async () => {
  let ran = 0;
  const { plain, token } = await makeApp((app) => app.all("*", () => void (ran += 1)));
  const answer = await plain("/orders", { headers: { origin: APP } });
  assert.equal(answer.status, 401);
  assert.ok(challengesByScheme(answer).DPoP);
  assert.equal(answer.headers.get("access-control-allow-origin"), APP);
  const bearer = await plain("/orders", { headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual([bearer.status, bearer.headers.get("cache-control")], [401, "no-store"]);
  assert.equal(ran, 0);
});

test("a preflight is answered before anybody asks for a token", async () => {
  const { plain } = await makeApp((app) => app.get("/orders", (c) => c.text("in")));
  const answer = await plain("/orders", { method: "OPTIONS", headers: { origin: APP, "access-control-request-method": "GET" } });
  assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [204, APP]);
  assert.ok(listOf(answer.headers, "access-control-allow-headers").includes("dpop"));
  const other = await plain("/orders", { method: "OPTIONS", headers: { origin: "https://evil.example", "access-control-request-method": "GET" } });
  assert.deepEqual([other.status, other.headers.get("access-control-allow-origin")], [204, null]);
});

describe("answers are finished", () => {
  const cases = {
    "of a handler that returns a Response of its own": [(app) => app.get("/orders", () => new Response("in")), 200],
    "whose fields cannot be changed": [(app) => app.get("/orders", () => Response.redirect("https://api.example/next", 302)), 302],
    "of a handler that throws": [
      (app) => {
        app.onError((error, c) => c.text("oh", 500));
        app.get("/orders", () => {
          throw new Error("no");
        });
      },
      500,
    ],
    "of a handler that throws an answer": [
      (app) =>
        app.get("/orders", () => {
          throw new HTTPException(418, { res: new Response("teapot", { status: 418 }) });
        }),
      418,
    ],
    "of an error in a mounted app": [
      (app) => {
        const inner = new Hono();
        inner.onError((error, c) => c.text("inner", 503));
        inner.get("/", () => Promise.reject(new Error("no")));
        app.route("/orders", inner);
      },
      503,
    ],
    "where there is no route": [() => {}, 404],
    "of a notFound of one's own": [(app) => app.notFound((c) => c.json({ none: true }, 404)), 404],
    "without a body": [(app) => app.get("/orders", (c) => c.body(null, 204)), 204],
  };
  for (const [name, [declare, status]] of Object.entries(cases)) {
    test(name, async () => {
      const answer = await (await makeApp(declare)).ask();
      assert.equal(answer.status, status);
      assertFinished(answer);
    });
  }

  test("while they stream: what comes first can be read before the rest is there", async () => {
    let go;
    const gate = new Promise((resolve) => (go = resolve));
    const { ask } = await makeApp((app) =>
      app.get("/orders", (c) =>
        streamText(c, async (stream) => {
          await stream.write("first");
          await gate;
          await stream.write("second");
        }),
      ),
    );
    const answer = await ask();
    assertFinished(answer);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await reader.read()).value, "first");
    go();
    assert.equal((await reader.read()).value, "second");
  });

  test("and keep the fields of handlers and of other middleware, cookies too", async () => {
    const { ask } = await makeApp(
      (app) => {
        app.use(async (c, next) => {
          await next();
          c.header("X-After", "1");
        });
        app.get("/orders", (c) => {
          c.header("Vary", "Accept-Encoding");
          c.header("Cache-Control", "private");
          c.header("Set-Cookie", "a=1", { append: true });
          c.header("Set-Cookie", "b=2", { append: true });
          return c.text("in");
        });
      },
      {
        before: (app) =>
          app.use(async (c, next) => {
            c.header("X-Before", "1");
            await next();
          }),
      },
    );
    const answer = await ask();
    assertFinished(answer);
    assert.deepEqual(listOf(answer.headers, "vary"), ["accept-encoding", "origin"]);
    assert.deepEqual(listOf(answer.headers, "cache-control"), ["private", "no-store"]);
    assert.deepEqual(answer.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.deepEqual([answer.headers.get("x-before"), answer.headers.get("x-after")], ["1", "1"]);
  });

  test("beside Hono's own CORS middleware, for acceptances and refusals", async () => {
    const before = (app) => app.use(cors({ origin: APP, exposeHeaders: ["X-Total"] }));
    const { ask, plain } = await makeApp((app) => app.get("/orders", (c) => c.text("in")), { before });
    for (const [answer, status] of [[await ask(), 200], [await plain("/orders", { headers: { origin: APP, authorization: "DPoP x" } }), 401]]) {
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get("access-control-allow-origin"), APP);
      assert.deepEqual(listOf(answer.headers, "access-control-expose-headers"), ["x-total", "www-authenticate", "dpop-nonce", "date"]);
      assert.ok(listOf(answer.headers, "cache-control").includes("no-store"));
    }
  });

  test("and an origin that others allowed stays, also in a refusal", async () => {
    const { ask, plain } = await makeApp((app) => app.get("/orders", (c) => c.text("in")), { before: (app) => app.use(cors()) });
    for (const answer of [await ask(), await plain("/orders", { headers: { origin: APP } })]) assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  });

  test("and a field that others set first does not make a refusal cacheable", async () => {
    const before = (app) =>
      app.use(async (c, next) => {
        c.res.headers.set("Cache-Control", "public, max-age=600");
        c.res.headers.set("X-Before", "1");
        await next();
      });
    const { plain } = await makeApp(() => {}, { before });
    const { headers } = await plain("/orders");
    assert.deepEqual([headers.get("cache-control"), headers.get("x-before")], ["no-store", "1"]);
  });

  test("and where there is nothing to add, the handler's own is handed on", async () => {
    const mine = new Response("in");
    const world = await makeWorld();
    const app = new Hono();
    app.use(keybound(world.server));
    app.get("/orders", () => mine);
    assert.equal(await app.fetch(await world.request()), mine);
  });
});

describe("a scope", () => {
  test("that the token lacks is answered with 403 and all fields", async () => {
    const { ask } = await makeApp((app) => app.get("/orders", (c) => c.text("in")), { claims: { scope: "read" }, protect: { scope: "read write" } });
    const answer = await ask();
    assert.equal(answer.status, 403);
    assert.deepEqual(challengesByScheme(answer).DPoP.scope, "read write");
    assertFinished(answer);
  });

  test("on a route goes together with the middleware for all, though a proof serves once", async () => {
    const { ask } = await makeApp(
      (app, server) => {
        app.get("/read", keybound(server, { scope: "read" }), (c) => c.text(c.get("keybound").claims.sub));
        app.get("/write", keybound(server, { scope: "write" }), (c) => c.text("in"));
      },
      { claims: { scope: "read" } },
    );
    const answer = await ask("/read");
    assert.deepEqual([answer.status, await answer.text()], [200, "alice"]);
    assertFinished(answer);
    const forbidden = await ask("/write");
    assert.equal(forbidden.status, 403);
    assertFinished(forbidden);
  });

  test("that a handler finds missing is its own to refuse", async () => {
    const { ask } = await makeApp((app) => app.get("/orders", (c) => c.get("keybound").forbid("admin")));
    const answer = await ask();
    assert.deepEqual([answer.status, challengesByScheme(answer).DPoP.scope], [403, "admin"]);
    assertFinished(answer);
  });
});

test("two servers in one app each decide for themselves", async () => {
  const world = await makeWorld();
  const other = await makeWorld();
  const app = new Hono();
  app.use(keybound(world.server), keybound(other.server));
  app.get("/orders", (c) => c.text("in"));
  assert.equal((await app.fetch(await world.request())).status, 401);
});

test("a proof serves once, also for the same app", async () => {
  const world = await makeWorld();
  const app = new Hono();
  app.use(keybound(world.server));
  app.get("/orders", (c) => c.text("in"));
  const headers = await fieldsOf(world);
  const statuses = [];
  for (const _ of [1, 2]) statuses.push((await app.request(RESOURCE, { headers })).status);
  assert.deepEqual(statuses, [200, 401]);
});

test("HEAD is decided as HEAD", async () => {
  const { ask } = await makeApp((app) => app.get("/orders", (c) => c.text("in")));
  const answer = await ask("/orders", { method: "HEAD" });
  assert.deepEqual([answer.status, await answer.text()], [200, ""]);
  assertFinished(answer);
});

test("what may outlive the answer goes to the runtime's waitUntil, and a context can be given", async () => {
  const seen = [];
  const app = new Hono();
  const server = { preflight: () => null, authenticate: async (request, context) => (seen.push(context), { ok: false, response: () => new Response(null, { status: 401 }) }) };
  app.use(keybound(server, { context: (c) => ({ explain: c.req.query("why") === "1" }) }));
  const kept = [];
  await app.request("https://api.example/?why=1", {}, {}, { waitUntil: (promise) => kept.push(promise), passThroughOnException() {} });
  await app.request("https://api.example/");
  const promise = Promise.resolve();
  seen[0].waitUntil(promise);
  assert.deepEqual(kept, [promise]);
  assert.deepEqual([seen[0].explain, seen[1].explain, "waitUntil" in seen[1]], [true, false, false]);
});

test("nothing of Hono is loaded by the adapter", async () => {
  assert.doesNotMatch(await readFile(join(dist.edge, "hono.js"), "utf8"), /["']hono["'/]/);
});
