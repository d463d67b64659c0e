// Bodies that can be sent once only, and aborts wherever a request is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inEveryEngine } from "./harness.mjs";
import { nonces, openClient as openClientIn, wantsNonce, withApi } from "./requests-client.mjs";

inEveryEngine("bodies and aborts", ({ open }) => {
  const openClient = (api, options) => openClientIn(open, api, options);

  test("a stream within the limit is kept for the retry, also where the engine sends no streams", () =>
    withApi(wantsNonce("n1"), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(() => {
        const parts = ["one ", "two ", "three"].map((part) => new TextEncoder().encode(part));
        const body = new ReadableStream({ pull: (stream) => (parts.length ? stream.enqueue(parts.shift()) : stream.close()) });
        return outcome(call(target, { method: "POST", body, duplex: "half", headers: { "content-type": "text/x" } }));
      });
      assert.deepEqual(seen, [200, "in"]);
      assert.deepEqual(api.requests.map(({ body, headers }) => [body, headers["content-type"]]), Array(2).fill(["one two three", "text/x"]));
    }));

  test("a stream too large to keep is not spent on a server that may want a nonce; primeNonce asks it first", () =>
    withApi(wantsNonce("n1"), async (api) => {
      const page = await openClient(api, { replayableBodyBytes: 10 });
      const seen = await page.run(async () => {
        const request = new Request(target, { method: "POST", body: "more than ten" });
        const refused = await outcome(call(request));
        const used = request.bodyUsed;
        const primed = await call.primeNonce(target + "/prime");
        return [refused, used, primed ?? null, await outcome(call(request))];
      });
      assert.deepEqual(seen, ["body_not_replayable", false, null, [200, "in"]]);
      assert.deepEqual(api.requests.map(({ method, path, body }) => [method, path, body]), [["HEAD", "/prime", ""], ["HEAD", "/prime", ""], ["POST", "/", "more than ten"]]);
      assert.deepEqual(nonces(api), [undefined, "n1", "n1"]);
    }));

  test("a stream too large to keep goes to a server that answered before and wanted no nonce", () =>
    withApi(({ body }) => ({ body: String(body.length) }), async (api) => {
      const page = await openClient(api, { replayableBodyBytes: 10 });
      const seen = await page.run(async () => {
        const upload = () => outcome(call(new Request(target, { method: "POST", body: "more than ten" })));
        return [await upload(), await outcome(call(target)), await upload()];
      });
      assert.deepEqual(seen, ["body_not_replayable", [200, "0"], [200, "13"]]);
    }));

  test("primeNonce can be aborted, and tells what is wrong", () =>
    withApi(({ path }) => (path === "/hangs" ? new Promise(() => {}) : { status: 302, headers: { location: "/" } }), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => [await codeOf(call.primeNonce(target + "/hangs", { signal: abortIn(50) })), await codeOf(call.primeNonce(target))]);
      assert.deepEqual(seen, ["aborted", "redirect_refused"]);
    }));

  test("an abort is heard wherever the request is", () =>
    withApi(({ path }) => (path === "/nonce" ? { headers: { "dpop-nonce": "n1" } } : new Promise(() => {})), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => {
        const never = () => new Promise(() => {});
        const late = () => new Promise((resolve) => setTimeout(resolve, 3000, "still waiting after three seconds"));
        const told = (promise) => Promise.race([promise.then(() => "no error", (error) => [error.code, error.name, error.cause?.message]), late()]);
        const already = new AbortController();
        already.abort(new Error("enough"));
        const seen = {
          before: await told(client({ token: never })(target, { signal: already.signal })),
          token: await told(client({ token: never })(target, { signal: abortIn(50) })),
          key: await told(client({ key: never })(target, { signal: abortIn(50) })),
          "reading a nonce": await told(client({ nonces: { get: never, set: never } })(target, { signal: abortIn(50) })),
          "keeping a nonce": await told(client({ nonces: { get() {}, set: never } })(target + "/nonce", { signal: abortIn(500) })),
          "reading the body to send": await told(call(target, { method: "POST", body: new ReadableStream({}), duplex: "half", signal: abortIn(50) })),
          sending: await told(client({ fetch: never })(target, { signal: abortIn(50) })),
          answer: await told(client()(target, { signal: abortIn(50) })),
          "reading a token answer": await told(kb.createTokenFetch({ key, origins: [target], nonces: memory(), fetch: async () => new Response(new ReadableStream({})) })(
            target, { method: "POST", body: new URLSearchParams({ code: "c" }), signal: abortIn(50) },
          )),
          "answer to a Request": await told(client()(new Request(target, { signal: abortIn(50) }))),
        };
        const first = told(call(target, { signal: abortIn(2000) }));
        const second = told(call(target, { signal: abortIn(50) }));
        // Not only when the first one ends, which lets all go that wait for it.
        seen["waiting for the first answer"] = await Promise.race([second, first.then(() => "waited until the first one ended")]);
        seen["that first one"] = await first;
        const { digest, sign } = SubtleCrypto.prototype;
        Object.assign(SubtleCrypto.prototype, { digest: never });
        seen.hashing = await told(client({ token: "another" })(target, { signal: abortIn(50) }));
        Object.assign(SubtleCrypto.prototype, { digest, sign: never });
        seen.signing = await told(client()(target, { signal: abortIn(50) }));
        Object.assign(SubtleCrypto.prototype, { sign });
        return seen;
      });
      for (const [where, outcome] of Object.entries(seen)) assert.deepEqual(outcome, ["aborted", "AbortError", "enough"], where);
    }));

  test("a signal that outlives its requests keeps nothing of them", () =>
    withApi(() => ({ body: "in" }), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => {
        const { signal } = new AbortController();
        const held = new Set();
        let count = 0;
        signal.addEventListener = (_, listener) => (count++, held.add(listener));
        signal.removeEventListener = (_, listener) => held.delete(listener);
        await outcome(call(target, { signal }));
        await outcome(client({ token: () => Promise.reject(new Error("no")) })(target, { signal }));
        return [count, held.size];
      });
      assert.deepEqual(seen, [2, 0]);
    }));

  test("an abort is heard while the module is loading", async () => {
    const page = await open();
    const seen = await page.run(() => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 50);
      window.fetch = () => new Promise(() => {});
      const call = kb.createFetch({ key: () => Promise.reject(new Error("not asked")), token: "t", origins: ["https://api.example"] });
      return codeOf(call("https://api.example", { signal: stop.signal }));
    });
    assert.equal(seen, "aborted");
  });

  test("a time limit keeps its name", () =>
    withApi(() => new Promise(() => {}), async (api) => {
      const page = await openClient(api);
      assert.deepEqual(await page.run(() => call(target, { signal: AbortSignal.timeout(50) }).catch((error) => [error.code, error.name])), ["aborted", "TimeoutError"]);
    }));
});
