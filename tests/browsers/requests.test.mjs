// createFetch in a page, against a server of another origin that misbehaves in each way a test needs.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { assertProof } from "../support/proof.mjs";
import { challenge, inEveryEngine } from "./harness.mjs";
import { nonces, openClient as openClientIn, wantsNonce, withApi } from "./requests-client.mjs";

/** Node's HTTP server refuses methods that it does not know, lower-case patch among them. */
async function serveAnyMethod() {
  const methods = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      const head = String(chunk);
      const [method] = head.split(" ");
      const proof = /^dpop: (.*)\r$/im.exec(head)?.[1];
      if (proof) methods.push([method, decodeJwt(proof).htm]);
      const cors = ["Access-Control-Allow-Origin: *", "Access-Control-Allow-Headers: Authorization, DPoP", "Access-Control-Allow-Methods: GET, HEAD, POST, PATCH, patch, DELETE"];
      socket.end(["HTTP/1.1 200 OK", ...cors, "Connection: close", "Content-Length: 0", "", ""].join("\r\n"));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, methods, close: () => new Promise((resolve) => server.close(resolve)) };
}

inEveryEngine("requests", ({ open }) => {
  const openClient = (api, options) => openClientIn(open, api, options);

  test("a request carries token and proof, and an answer comes back as it is", () =>
    withApi(() => ({ status: 201, headers: { "x-y": "z" }, body: "made" }), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => {
        const response = await call(target + "/items?page=2#top", { method: "post", headers: { "x-test": "kept" }, body: JSON.stringify({ a: 1 }) });
        return { status: response.status, text: await response.text(), type: response.type, thumbprint: key.thumbprint };
      });
      assert.deepEqual([seen.status, seen.text, seen.type], [201, "made", "cors"]);
      const [request] = api.requests;
      assert.equal(request.authorization, "DPoP token-1");
      assert.deepEqual([request.headers["x-test"], request.body, request.path], ["kept", '{"a":1}', "/items?page=2"]);
      await assertProof(request.proof, { method: "POST", url: api.origin + "/items", accessToken: "token-1", thumbprint: seen.thumbprint });
    }));

  test("what is asked may be a string, a URL or a Request, and what is said about it stands in any of the forms that fetch takes", () =>
    withApi(wantsNonce("n1"), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => {
        // Each with a client that knows no nonce yet: all of it is sent twice.
        const get = (...asked) => outcome(client()(...asked));
        const asked = new Request(target + "/asked", { method: "PUT", headers: { "x-test": "of the request" }, body: "of the request" });
        return {
          string: await get(target + "/string"),
          URL: await get(new URL("/url?a=b#c", target)),
          "a record": await get(target + "/record", { headers: { "X-Test": "of a record" } }),
          pairs: await get(target + "/pairs", { headers: [["x-test", "one"], ["X-Test", "two"]] }),
          Headers: await get(target + "/headers", { headers: new Headers({ "x-test": "of Headers" }) }),
          Request: await get(asked),
          "the caller's Request": asked.bodyUsed,
          "other headers": await get(new Request(target + "/other", { headers: { "x-test": "of the request" } }), { headers: { "content-type": "text/other" } }),
          "another method": await get(new Request(target + "/method", { method: "POST", headers: { "x-test": "kept" } }), { method: "DELETE" }),
          "no body": await get(target + "/none", { method: "POST", body: null }),
          "an empty init": await get(new Request(target + "/empty", { headers: { "x-test": "kept" } }), {}),
        };
      });
      const { "the caller's Request": used, ...answers } = seen;
      for (const [form, answer] of Object.entries(answers)) assert.deepEqual(answer, [200, "in"], form);
      // As the platform has it: whose body was sent, its Request is spent.
      assert.equal(typeof used, "boolean");
      const told = ({ method, path, headers, body }) => [method, path, headers["x-test"], body];
      const expected = [
        ["GET", "/string", undefined, ""], ["GET", "/url?a=b", undefined, ""], ["GET", "/record", "of a record", ""], ["GET", "/pairs", "one, two", ""],
        ["GET", "/headers", "of Headers", ""], ["PUT", "/asked", "of the request", "of the request"], ["GET", "/other", undefined, ""],
        ["DELETE", "/method", "kept", ""], ["POST", "/none", undefined, ""], ["GET", "/empty", "kept", ""],
      ];
      assert.deepEqual(api.requests.map(told), expected.flatMap((one) => [one, one]));
      for (const { method, path, claims } of api.requests) assert.deepEqual([claims.htm, claims.htu], [method, api.origin + path.split("?")[0]]);
      assert.equal(api.requests.find(({ path }) => path === "/other").headers["content-type"], "text/other");
    }));

  test("an address without an origin is the page's, and what else a request says goes with it", async () => {
    const page = await open();
    const seen = await page.run(async () => {
      const key = await kb.DpopKey.open("requests");
      const requests = [];
      const fetch = async (request) => (requests.push(request), new Response(""));
      const call = kb.createFetch({ key, token: "t", origins: [location.origin], fetch });
      const about = { credentials: "include", cache: "no-store", mode: "same-origin", referrerPolicy: "no-referrer", integrity: "sha256-x", keepalive: true };
      await call("here?a=b", about);
      await call(new Request("there", about));
      await call(new Request("overridden", { ...about, credentials: "omit" }), { credentials: "include" });
      return requests.map((request) => [request.url, request.redirect, ...Object.keys(about).map((name) => request[name] ?? about[name])]);
    });
    const { origin } = new URL(seen[0][0]);
    const rest = ["manual", "include", "no-store", "same-origin", "no-referrer", "sha256-x", true];
    assert.deepEqual(seen, ["/here?a=b", "/there", "/overridden"].map((path) => [origin + path, ...rest]));
  });

  test("a nonce is learnt from its challenge, kept, and replaced by each newer one", () => {
    let current = 1;
    const rotating = ({ claims }) => {
      if (claims.nonce !== `n${current}`) return challenge(`n${current}`);
      current++;
      return { body: "in", headers: { "dpop-nonce": `n${current}` } };
    };
    return withApi(rotating, async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => [await outcome(call(target)), await outcome(call(target)), await outcome(call(target)), events]);
      assert.deepEqual(seen.slice(0, 3), [[200, "in"], [200, "in"], [200, "in"]]);
      assert.deepEqual(nonces(api), [undefined, "n1", "n2", "n3"]);
      assert.deepEqual(seen[3], [{ type: "retry", reason: "use_dpop_nonce", url: api.origin + "/" }]);
      // RFC 9449 §4.2, §7.3: each attempt has a proof of its own.
      assert.equal(new Set(api.requests.map(({ claims }) => claims.jti)).size, api.requests.length);
    });
  });

  test("a server that never has enough of nonces is given up after one retry", async () => {
    let count = 0;
    const servers = {
      "always a new one": () => challenge(`n${count++}`),
      "the same again": () => challenge("n0"),
      "two at once": () => challenge("n1, n2"),
      "an illegal one": () => challenge('n"1'),
      "one too long": () => challenge("n".repeat(2000)),
    };
    for (const [how, answer] of Object.entries(servers)) {
      await withApi(answer, async (api) => {
        const page = await openClient(api);
        assert.equal(await page.run(() => outcome(call(target))), "nonce_rejected", how);
        assert.ok(api.requests.length <= 2, `${how}: ${api.requests.length} requests`);
      });
    }
  });

  test("a nonce that CORS hides is reported with the line to add", () =>
    withApi(
      wantsNonce("n1"),
      async (api) => {
        const page = await openClient(api);
        const seen = await page.run(async () => [await outcome(call(target)), events]);
        assert.equal(seen[0], "nonce_hidden");
        assert.deepEqual(seen[1], [{ type: "nonce_hidden", url: api.origin + "/", fix: "Access-Control-Expose-Headers: DPoP-Nonce, WWW-Authenticate, Date" }]);
        assert.equal(api.requests.length, 1);
      },
      { cors: { "access-control-allow-origin": "*", "access-control-allow-headers": "Authorization, DPoP", "access-control-expose-headers": "WWW-Authenticate" } },
    ));

  test("other errors with a nonce beside them are answers, and the nonce is used next time", () =>
    withApi(({ claims }) => (claims.nonce === "n1" ? { body: "in" } : { status: 403, headers: { "dpop-nonce": "n1" }, body: "no" }), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => [await outcome(call(target)), await outcome(call(target))]);
      assert.deepEqual(seen, [[403, "no"], [200, "in"]]);
    }));

  test("bodies of every kind are sent again, whole", () =>
    withApi(wantsNonce("n1"), async (api) => {
      const page = await openClient(api);
      const results = await page.run(async () => {
        const form = new FormData();
        form.set("a", "b");
        const bodies = {
          string: "text ä",
          params: new URLSearchParams({ a: "b c" }),
          blob: new Blob(["blob"], { type: "text/x" }),
          buffer: new TextEncoder().encode("buffer").buffer,
          view: new TextEncoder().encode("view"),
          form,
        };
        const results = {};
        for (const [kind, body] of Object.entries(bodies)) {
          // Each with a client that knows no nonce yet.
          results[kind] = await outcome(client()(target, { method: "POST", body }));
        }
        results.request = await outcome(client()(new Request(target, { method: "PUT", body: "of a request", headers: { "content-type": "text/y" } })));
        results.overridden = await outcome(client()(new Request(target, { method: "PUT", body: "old" }), { method: "POST", body: "new" }));
        results.none = await outcome(client()(target, { method: "POST" }));
        return results;
      });
      for (const [kind, result] of Object.entries(results)) assert.deepEqual(result, [200, "in"], kind);
      const pairs = api.requests.map((request, index) => [request, api.requests[index + 1]]).filter((_, index) => index % 2 === 0);
      assert.equal(pairs.length, Object.keys(results).length);
      for (const [first, second] of pairs) {
        assert.equal(second.body, first.body);
        assert.equal(second.headers["content-type"], first.headers["content-type"]);
        assert.equal(second.method, first.method);
      }
      const bodies = pairs.map(([{ body }]) => body);
      assert.deepEqual(bodies.filter((body) => !body.startsWith("--")), ["text ä", "a=b+c", "blob", "buffer", "view", "of a request", "new", ""]);
      assert.equal(pairs[1][0].headers["content-type"], "application/x-www-form-urlencoded;charset=UTF-8");
    }));

  test("a body too large to keep is not sent twice, and the caller's next call works", () =>
    withApi(wantsNonce("n1"), async (api) => {
      const page = await openClient(api, { replayableBodyBytes: 10 });
      const seen = await page.run(async () => {
        const results = [];
        for (const body of ["more than ten", new Blob(["more than ten"]), new URLSearchParams({ more: "than ten" })]) {
          const one = client();
          results.push(await outcome(one(target, { method: "POST", body })), await outcome(one(target, { method: "POST", body })));
        }
        return results;
      });
      assert.deepEqual(seen, Array(3).fill(["body_not_replayable", [200, "in"]]).flat());
      assert.equal(api.requests.length, 6);
    }));

  test("the method in the proof is the one on the wire", async () => {
    const api = await serveAnyMethod();
    try {
      const page = await openClient(api);
      await page.run(async () => {
        for (const method of ["get", "Post", "patch", "PATCH", "delete", "hEAD"]) await outcome(call(target, { method }));
      });
      assert.deepEqual(api.methods, [["GET", "GET"], ["POST", "POST"], ["patch", "patch"], ["PATCH", "PATCH"], ["DELETE", "DELETE"], ["HEAD", "HEAD"]]);
    } finally {
      await api.close();
    }
  });

  test("redirects are refused, and nothing is sent to where they point", () =>
    withApi(() => ({}), (elsewhere) =>
      withApi(({ path }) => ({ status: Number(path.slice(1)), headers: { location: `${elsewhere.origin}/stolen` } }), async (api) => {
        const page = await openClient(api);
        const seen = await page.run(() => Promise.all([301, 302, 303, 307, 308].map((status) => outcome(call(`${target}/${status}`)))));
        assert.deepEqual(seen, Array(5).fill("redirect_refused"));
        assert.equal(elsewhere.requests.length, 0);
      }),
    ));

  test("other origins get neither token nor proof, and strict clients refuse them", () =>
    withApi(() => ({ body: "plain" }), (elsewhere) =>
      withApi(() => ({}), async (api) => {
        const page = await openClient(api);
        const seen = await page.run(async (other) => [
          await outcome(call(other + "/open")),
          await outcome(client({ strict: true })(other)),
          await codeOf(client({ origins: ["http://api.example"] })(target)),
        ], elsewhere.origin);
        assert.deepEqual(seen, [[200, "plain"], "origin_not_allowed", "invalid_url"]);
        assert.equal(elsewhere.requests.length, 1);
        assert.deepEqual([elsewhere.requests[0].authorization, elsewhere.requests[0].proof], [undefined, undefined]);
        assert.equal(api.requests.length, 0);
      }),
    ));

  test("without a token a request goes out plain", () =>
    withApi(() => ({ body: "plain" }), async (api) => {
      const page = await openClient(api);
      assert.deepEqual(await page.run(() => outcome(client({ token: () => null })(target, { method: "POST", body: "x" }))), [200, "plain"]);
      const [{ authorization, proof, body }] = api.requests;
      assert.deepEqual([authorization, proof, body], [undefined, undefined, "x"]);
    }));

  test("a refused token is asked for once more, and only another one is tried", () => {
    const stale = { status: 401, headers: { "www-authenticate": 'Bearer, DPoP error="invalid_token"' }, body: "stale" };
    return withApi(({ authorization }) => (authorization === "DPoP token-2" ? { body: "in" } : stale), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => {
        const asked = [];
        const token = (next) => (context) => {
          asked.push([context.stale, context.url.pathname]);
          return context.stale ? next : "token-1";
        };
        return [await outcome(client({ token: token("token-2") })(target + "/a")), await outcome(client({ token: token("token-1") })(target + "/b")), await outcome(client({ token: token("token-3") })(target + "/c")), asked];
      });
      assert.deepEqual(seen.slice(0, 3), [[200, "in"], [401, "stale"], [401, "stale"]]);
      assert.deepEqual(seen[3], [[false, "/a"], [true, "/a"], [false, "/b"], [true, "/b"], [false, "/c"], [true, "/c"]]);
      assert.deepEqual(api.requests.map(({ path }) => path), ["/a", "/a", "/b", "/c", "/c"]);
    });
  });

  test("a token that is not bound to this key is not sent", () =>
    withApi(() => ({ body: "in" }), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => {
        const other = await kb.DpopKey.open("another key");
        const bound = (more) => ({ token: () => ({ accessToken: "t", tokenType: "DPoP", ...more }) });
        return [
          await outcome(client(bound({ tokenType: "Bearer" }))(target)),
          await outcome(client(bound({ thumbprint: other.thumbprint }))(target)),
          await outcome(client({ ...bound({ thumbprint: other.thumbprint }), key: (token) => (token.thumbprint === other.thumbprint ? other : key) })(target)),
          await outcome(client(bound({ thumbprint: key.thumbprint, tokenType: "dpop" }))(target)),
        ];
      });
      assert.deepEqual(seen, ["token_downgraded", "token_key_mismatch", [200, "in"], [200, "in"]]);
      assert.equal(api.requests.length, 2);
    }));

  test("a proxy's rewriting is signed as the server sees it", () =>
    withApi(() => ({}), async (api) => {
      const page = await openClient(api);
      await page.run(() => outcome(client({ htu: (url) => new URL("https://inside.example/v1" + url.pathname) })(target + "/items")));
      assert.equal(api.requests[0].claims.htu, "https://inside.example/v1/items");
    }));

  test("the server's clock is followed", () =>
    withApi(({ claims }) => ({ ...(claims.nonce === "n1" ? { body: "in" } : challenge("n1")), headers: { ...challenge("n1").headers, date: new Date(Date.now() + 600_000).toUTCString() } }), async (api) => {
      const page = await openClient(api);
      const events = await page.run(async () => (await outcome(call(target)), events));
      const skew = events.find(({ type }) => type === "clock_skew");
      assert.ok(Math.abs(skew.seconds - 600) <= 5, JSON.stringify(events));
      const [first, second] = api.requests.map(({ claims }) => claims.iat);
      assert.ok(Math.abs(second - first - 600) <= 10, `${first} ${second}`);
    }));
});
