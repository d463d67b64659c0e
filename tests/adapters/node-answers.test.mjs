// Answers on Node's responses: what finish() adds is there whichever way the handler writes, over HTTP/1.1 and HTTP/2.
import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, before, describe, test } from "node:test";
import { challengesByScheme, listOf } from "../edge/support.mjs";
import { APP, PATH, SECRET, fieldsToRenew, headersOf, makeNodeWorld, node, send } from "./support.mjs";

/** A server, and how to send requests to it; `handle` is what its handler does for the time being. */
const PROTOCOLS = {
  async "HTTP/1.1"(handler) {
    const server = createHttpServer(handler);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${server.address().port}`;
    return {
      send: (request) => send(origin, request),
      async close() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
  async "HTTP/2"(handler) {
    const server = createHttp2Server(handler);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const session = connect(`http://127.0.0.1:${server.address().port}`);
    return {
      send: (request) => sendOn(session, request),
      async close() {
        session.close();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
};

function sendOn(session, { method = "GET", path = PATH, headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": method, ":path": path, ":authority": "api.example", ...headers });
    let answer;
    let text = "";
    stream.on("response", (_headers, _flags, raw) => {
      const all = [];
      for (let at = 0; at < raw.length; at += 2) if (!raw[at].startsWith(":")) all.push(raw[at], raw[at + 1]);
      answer = { status: _headers[":status"], headers: headersOf(all) };
    });
    stream.setEncoding("utf8");
    stream.on("data", (chunk) => (text += chunk));
    stream.on("error", reject);
    stream.on("end", () => resolve({ ...answer, text }));
    stream.end();
  });
}

const OTHERS = { vary: "Accept-Encoding", "cache-control": "private", "access-control-expose-headers": "X-Total", "x-own": "1" };

/** Ways to write the same answer. */
const WAYS = {
  "setHeader and end": (response) => {
    for (const [name, value] of Object.entries(OTHERS)) response.setHeader(name, value);
    response.end("in");
  },
  "writeHead with an object": (response) => void response.writeHead(200, OTHERS).end("in"),
  "writeHead with a reason and an object": (response) => void response.writeHead(200, "Fine", OTHERS).end("in"),
  "writeHead with no reason and an object": (response) => void response.writeHead(200, undefined, OTHERS).end("in"),
  "writeHead with names and values in turn": (response) => void response.writeHead(200, Object.entries(OTHERS).flat()).end("in"),
  "writeHead with a list of pairs": (response) => void response.writeHead(200, Object.entries(OTHERS)).end("in"),
  "both, of which writeHead has the last word": (response) => {
    response.setHeader("Vary", "Overwritten");
    response.setHeader("X-Own", "0");
    response.writeHead(200, OTHERS).end("in");
  },
  "write and end": (response) => {
    for (const [name, value] of Object.entries(OTHERS)) response.setHeader(name, value);
    response.write("i");
    response.end("n");
  },
  "lists of values": (response) => {
    response.setHeader("Vary", ["Accept-Encoding"]);
    response.setHeader("Cache-Control", ["private"]);
    response.writeHead(200, { "Access-Control-Expose-Headers": ["X-Total"], "X-Own": 1 });
    response.end("in");
  },
  "flushHeaders before the body": (response) => {
    for (const [name, value] of Object.entries(OTHERS)) response.setHeader(name, value);
    response.flushHeaders();
    setTimeout(() => response.end("in"), 5);
  },
  "a stream": async (response) => {
    for (const [name, value] of Object.entries(OTHERS)) response.setHeader(name, value);
    await pipeline(Readable.from(["i", "n"]), response);
  },
  "a hook of somebody else's on writeHead": (response) => {
    const { writeHead } = response;
    response.writeHead = (...given) => {
      for (const [name, value] of Object.entries(OTHERS)) response.setHeader(name, value);
      return writeHead.apply(response, given);
    };
    response.end("in");
  },
};

for (const [protocol, start] of Object.entries(PROTOCOLS)) {
  describe(`over ${protocol}`, () => {
    let world;
    let server;
    let handle;
    before(async () => {
      world = await makeNodeWorld({ cors: { origins: [APP] }, nonce: { secrets: [SECRET] } });
      server = await start(async (request, response) => {
        const accepted = await world.api.protect(request, response);
        if (accepted !== null) await handle(response, accepted, request);
      });
    });
    after(() => server?.close());

    /** Fields of an acceptance whose nonce is due: `finish` has everything to add then. */
    const fields = (about) => fieldsToRenew(world, (headers) => server.send({ headers }), about);
    const answered = async (way, about = {}, method = "GET") => {
      handle = way;
      return server.send({ method, headers: await fields({ method, ...about }) });
    };

    for (const [name, way] of Object.entries(WAYS)) {
      test(`the answer is complete after ${name}`, async () => {
        const { status, headers, text } = await answered(way);
        assert.deepEqual([status, text], [200, "in"]);
        assert.match(headers.get("dpop-nonce"), /^[\w-]{28}$/);
        assert.deepEqual(listOf(headers, "vary"), ["accept-encoding", "origin"]);
        assert.deepEqual(listOf(headers, "cache-control"), ["private", "no-store"]);
        assert.deepEqual(listOf(headers, "access-control-expose-headers"), ["x-total", "www-authenticate", "dpop-nonce", "date"]);
        assert.equal(headers.get("access-control-allow-origin"), APP);
        assert.equal(headers.get("x-own"), "1");
      });
    }

    test("a nonce of the handler's own is replaced, an origin that it allowed is not", async () => {
      const { headers } = await answered((response) => void response.writeHead(200, { "dpop-nonce": "mine", "access-control-allow-origin": "https://other.example" }).end());
      assert.match(headers.get("dpop-nonce"), /^[\w-]{28}$/);
      assert.equal(headers.get("access-control-allow-origin"), "https://other.example");
    });

    test("cookies stay as many as they were, from setHeader and from writeHead", async () => {
      const cookies = ["a=1; Path=/", "b=2, or so"];
      for (const way of [
        (response) => {
          response.setHeader("Set-Cookie", cookies);
          response.end();
        },
        (response) => response.writeHead(200, { "Set-Cookie": cookies }).end(),
        (response) => response.writeHead(200, ["Set-Cookie", cookies[0], "Set-Cookie", cookies[1]]).end(),
      ]) assert.deepEqual((await answered(way)).headers.getSetCookie(), cookies);
    });

    test("every status has them: errors, redirects, answers without a body", async () => {
      for (const status of [204, 302, 304, 404, 500]) {
        const { status: seen, headers } = await answered((response) => void response.writeHead(status).end());
        assert.equal(seen, status);
        assert.ok(headers.get("dpop-nonce"), String(status));
      }
    });

    test("HEAD has them", async () => {
      const { status, headers, text } = await answered((response) => response.end("in"), {}, "HEAD");
      assert.deepEqual([status, text], [200, ""]);
      assert.ok(headers.get("dpop-nonce"));
    });

    test("a handler that was let in can still forbid, and all of it is in the answer", async () => {
      const answer = await answered((response, accepted) => {
        response.setHeader("Vary", "Accept-Encoding");
        response.setHeader("X-Own", "1");
        return node.send(response, accepted.forbid("admin"));
      });
      assert.equal(answer.status, 403);
      assert.deepEqual(JSON.parse(answer.text), { error: "insufficient_scope", scope: "admin" });
      assert.equal(challengesByScheme(answer).DPoP.scope, "admin");
      assert.deepEqual(listOf(answer.headers, "vary"), ["accept-encoding", "origin"]);
      assert.equal(answer.headers.get("x-own"), "1");
      assert.ok(answer.headers.get("dpop-nonce"));
      assert.equal(answer.headers.get("cache-control"), "no-store");
    });

    test("a refusal keeps what others have set, but for what may not be cached", async () => {
      const other = await start(async (request, response) => {
        for (const [name, value] of Object.entries(OTHERS)) response.setHeader(name, value);
        response.setHeader("Set-Cookie", ["a=1", "b=2"]);
        await world.api.protect(request, response);
      });
      try {
        for (const method of ["GET", "HEAD"]) {
          const { status, headers, text } = await other.send({ method, headers: { origin: APP, authorization: "DPoP x" } });
          assert.equal(status, 401);
          assert.equal(text === "", method === "HEAD");
          assert.deepEqual(listOf(headers, "vary"), ["accept-encoding", "origin"]);
          assert.deepEqual(listOf(headers, "access-control-expose-headers"), ["x-total", "www-authenticate", "dpop-nonce", "date"]);
          assert.deepEqual([headers.get("cache-control"), headers.get("x-own")], ["no-store", "1"]);
          assert.deepEqual(headers.getSetCookie(), ["a=1", "b=2"]);
        }
      } finally {
        await other.close();
      }
    });

    test("a refusal that the caller answers by itself can carry cookies, each its own", async () => {
      const other = await start(async (request, response) => {
        const decision = await world.api.authenticate(request);
        await node.send(response, decision.response({ headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] }));
      });
      try {
        const { status, headers } = await other.send();
        assert.deepEqual([status, headers.getSetCookie()], [401, ["a=1", "b=2"]]);
      } finally {
        await other.close();
      }
    });

    test("a preflight is answered, and what others have set stays", async () => {
      const { status, headers, text } = await server.send({
        method: "OPTIONS",
        headers: { origin: APP, "access-control-request-method": "POST", "access-control-request-headers": "authorization,dpop" },
      });
      assert.deepEqual([status, text], [204, ""]);
      assert.equal(headers.get("access-control-allow-origin"), APP);
      assert.deepEqual(listOf(headers, "access-control-allow-headers"), ["authorization", "dpop", "content-type"]);
      assert.deepEqual(listOf(headers, "vary"), ["origin", "access-control-request-method", "access-control-request-headers"]);
    });

    test("a preflight of another origin is answered and allowed nothing", async () => {
      const { status, headers } = await server.send({ method: "OPTIONS", headers: { origin: "https://evil.example", "access-control-request-method": "POST" } });
      assert.deepEqual([status, headers.get("access-control-allow-origin")], [204, null]);
    });

    test("a request that breaks off while it is decided ends quietly, let in or not", async () => {
      for (const verdict of [true, false]) {
        let breakOff;
        const replay = { claim: async () => (await breakOff(), verdict) };
        const { api, fields: fieldsOfBroken } = await makeNodeWorld({ replay, cors: { origins: [APP] } });
        let outcome;
        const decided = new Promise((resolve) => (outcome = resolve));
        const other = await start((request, response) => {
          breakOff = () => new Promise((resolve) => {
            response.once("close", resolve);
            (response.stream ?? response.socket).destroy();
          });
          api.protect(request, response).then((accepted) => {
            if (accepted !== null) response.writeHead(200, { "x-own": "1" }).end("in");
            outcome(accepted?.ok ?? null);
          }, outcome);
        });
        try {
          const sent = other.send({ headers: { ...(await fieldsOfBroken()), origin: APP } }).catch(() => "broken off");
          assert.equal(await decided, verdict || null);
          await Promise.race([sent, new Promise((resolve) => setTimeout(resolve, 50))]);
        } finally {
          await other.close();
        }
      }
    });

    test("where there is nothing to add, nothing is touched", async () => {
      const plain = await makeNodeWorld();
      const other = await start(async (request, response) => {
        if ((await plain.api.protect(request, response)) !== null) response.writeHead(200, { vary: "X", "X-Own": "1" }).end();
      });
      try {
        const { status, headers } = await other.send({ headers: await plain.fields() });
        assert.equal(status, 200);
        assert.deepEqual([headers.get("vary"), headers.get("cache-control"), headers.get("dpop-nonce")], ["X", null, null]);
      } finally {
        await other.close();
      }
    });
  });
}

test("two DPoP fields over HTTP/2 are seen as two, and the authority stands for the host", async () => {
  const world = await makeNodeWorld({ publicUrl: ["https://api.example"] });
  const reasons = [];
  const server = createHttp2Server(async (request, response) => {
    const decision = await world.api.authenticate(request);
    reasons.push(decision.ok || decision.reason);
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const session = connect(`http://127.0.0.1:${server.address().port}`);
  try {
    const { authorization, dpop } = await world.fields();
    const other = await world.fields();
    await sendOn(session, { headers: { authorization, dpop: [dpop, other.dpop] } });
    await sendOn(session, { headers: { authorization, dpop } });
    await sendOn(session, { headers: { ...other, ":authority": "evil.example" } });
    assert.deepEqual(reasons, ["proof_multiple", true, "target_unknown"]);
  } finally {
    session.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

test("the method counts as it was sent, in its own case", async () => {
  const world = await makeNodeWorld();
  const reasons = [];
  const server = createHttp2Server(async (request, response) => {
    const decision = await world.api.authenticate(request);
    reasons.push(decision.ok || decision.reason);
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const session = connect(`http://127.0.0.1:${server.address().port}`);
  try {
    for (const method of ["GET", "get"]) await sendOn(session, { method: "get", headers: await world.fields({ method }) });
    assert.deepEqual(reasons, ["htm_mismatch", true]);
  } finally {
    session.close();
    await new Promise((resolve) => server.close(resolve));
  }
});
