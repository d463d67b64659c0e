// Nonces among many requests, clients and tabs: one challenge is enough for all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { challenge, inEveryEngine } from "./harness.mjs";
import { nonces, openClient as openClientIn, TIMELESS, wantsNonce, withApi } from "./requests-client.mjs";

const challenges = (api) => nonces(api).filter((nonce) => nonce === undefined).length;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

inEveryEngine("nonces", ({ open, name }) => {
  const openClient = (api, options) => openClientIn(open, api, options);

  test("fifty first requests at once cost one challenge", () =>
    withApi(wantsNonce("n1"), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(() => Promise.all(Array.from({ length: 50 }, (_, index) => outcome(call(`${target}/${index}`)))));
      assert.deepEqual(seen, Array(50).fill([200, "in"]));
      assert.deepEqual([challenges(api), api.requests.length], [1, 51]);
    }));

  test("so they do when several clients of a page make them", () =>
    withApi(wantsNonce("n1"), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(() => {
        const nonces = memory();
        return Promise.all(Array.from({ length: 10 }, (_, index) => outcome(client({ nonces })(`${target}/${index}`))));
      });
      assert.deepEqual(seen, Array(10).fill([200, "in"]));
      assert.equal(challenges(api), 1);
    }));

  test("when the first one is aborted, one of the others is the first", () =>
    withApi(({ path, claims }) => (path === "/first" ? new Promise(() => {}) : wantsNonce("n1")({ claims })), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => {
        const first = outcome(call(target + "/first", { signal: abortIn(500) }));
        await new Promise((resolve) => setTimeout(resolve, 200));
        const others = Array.from({ length: 20 }, (_, index) => outcome(call(`${target}/${index}`)));
        const ended = await first;
        const begun = performance.now();
        return [ended, await Promise.all(others), performance.now() - begun];
      });
      assert.deepEqual(seen.slice(0, 2), ["aborted", Array(20).fill([200, "in"])]);
      // At once, and not when nobody would have waited any longer.
      assert.ok(seen[2] < 2000, `${seen[2]} ms`);
      // That of the first, and that of the one that followed it.
      assert.equal(challenges(api), 2);
    }));

  test("when the first one fails, one of the others is the first", () =>
    withApi(wantsNonce("n1"), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => {
        const failing = (request) => (request.url.endsWith("/first") ? Promise.reject(new TypeError("cut")) : fetch(request));
        const one = client({ fetch: failing });
        const begun = performance.now();
        return [await Promise.all(["first", ..."abcdefghij"].map((path) => outcome(one(`${target}/${path}`)))), performance.now() - begun];
      });
      assert.deepEqual(seen[0], ["TypeError: cut", ...Array(10).fill([200, "in"])]);
      assert.ok(seen[1] < 2000, `${seen[1]} ms`);
      assert.equal(challenges(api), 1);
    }));

  test("a first one that hangs holds the others up for a few seconds, and still they cost one challenge", () =>
    withApi(({ path, claims }) => (path === "/hangs" ? pause(20_000) : wantsNonce("n1")({ claims })), async (api) => {
      const page = await openClient(api);
      const seen = await page.run(async () => {
        const stop = new AbortController();
        const hanging = outcome(call(target + "/hangs", { signal: stop.signal }));
        await new Promise((resolve) => setTimeout(resolve, 200));
        const begun = performance.now();
        const others = await Promise.all(Array.from({ length: 10 }, (_, index) => outcome(call(`${target}/${index}`))));
        const took = performance.now() - begun;
        stop.abort();
        return { others, took, hanging: await hanging };
      });
      assert.deepEqual([seen.others, seen.hanging], [Array(10).fill([200, "in"]), "aborted"]);
      assert.ok(seen.took < 7000, `${seen.took} ms`);
      assert.equal(challenges(api), 2);
    }));

  test("what one tab learnt, another knows, whether it was there before or comes after", () =>
    withApi(wantsNonce("n1"), async (api) => {
      // The clients' own store: none is given.
      const options = { nonces: undefined };
      const [one, before] = [await openClient(api), await openClient(api)];
      const get = (page) => page.run(() => outcome(client({ nonces: undefined })(target)));
      assert.deepEqual(await get(one), [200, "in"]);
      await pause(200);
      assert.deepEqual(await get(before), [200, "in"]);
      assert.deepEqual(await get(await openClient(api, options)), [200, "in"]);
      assert.deepEqual(nonces(api), [undefined, "n1", "n1", "n1"]);
    }));

  test("where tabs can share nothing, or something else stands there, a page keeps its nonces itself", () =>
    withApi(wantsNonce("n1"), async (api) => {
      const troubles = {
        refused: () => { Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } }); },
        full: () => { Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }; },
        garbage: () => localStorage.setItem("keybound nonces", "{"),
        "other things": () => localStorage.setItem("keybound nonces", '[["rs x",1],7]'),
        "no nonce": () => localStorage.setItem("keybound nonces", JSON.stringify([[`rs ${target}`, { no: "nonce" }]])),
      };
      for (const [trouble, make] of Object.entries(troubles)) {
        const page = await openClient(api);
        await page.run(() => localStorage.clear());
        await page.run(make);
        const before = api.requests.length;
        const twice = () => page.run(async () => [await outcome(client({ nonces: undefined })(target)), await outcome(client({ nonces: undefined })(target))]);
        assert.deepEqual(await twice(), [[200, "in"], [200, "in"]], trouble);
        assert.deepEqual(nonces(api).slice(before), [undefined, "n1", "n1"], trouble);
      }
      await (await openClient(api)).run(() => localStorage.clear());
    }));

  test("more servers than anybody speaks to do not fill what tabs share", async () => {
    const page = await open();
    const kept = await page.run(async () => {
      localStorage.clear();
      const key = await kb.DpopKey.open("requests");
      for (let index = 0; index < 80; index++) {
        const origin = `https://api${index}.example`;
        await kb.createFetch({ key, token: "t", origins: [origin], fetch: async () => new Response("", { headers: { "dpop-nonce": `n${index}` } }) })(origin);
      }
      const kept = JSON.parse(localStorage.getItem("keybound nonces")).map(([, nonce]) => nonce);
      localStorage.clear();
      return kept;
    });
    assert.deepEqual(kept, Array.from({ length: 64 }, (_, index) => `n${index + 16}`));
  });

  test("challenges are read as they are written, not searched for words", () => {
    const nonce = { "dpop-nonce": "n1" };
    const demands = [
      'Bearer realm="a, b", DPoP error="use_dpop_nonce"',
      'dpop  error = "use_dpop_nonce" , algs="ES256 \\"x\\", DPoP"',
      'DPOP algs="ES256", ERROR=use_dpop_nonce',
      'Basic YTpi, DPoP realm="say \\"DPoP\\"", error="use\\_dpop_nonce"',
      ["Bearer", 'DPoP error="use_dpop_nonce"'],
    ];
    const others = [
      'DPoP error="invalid_dpop_proof", error_description="use_dpop_nonce"',
      'DPoP realm="error=\\"use_dpop_nonce\\""',
      'Bearer error="use_dpop_nonce"',
      'DPoP error="USE_DPOP_NONCE"',
      'DPoP error="use_dpop_nonce_please"',
      'DPoP error="invalid_token", error="use_dpop_nonce"',
    ];
    // Firefox shows no page a challenge that stands in several fields: the nonce is kept, and the request not repeated.
    if (name === "firefox") others.unshift(demands.pop());
    const all = [...demands, ...others];
    return withApi(
      ({ path, claims }) => {
        const [, status, index] = path.split("/");
        return claims.nonce === "n1" ? { body: "in" } : { status: Number(status), headers: { ...nonce, "www-authenticate": all[index] }, body: "no" };
      },
      async (api) => {
        const page = await openClient(api);
        for (const status of [400, 401]) {
          const seen = await page.run(({ status, count }) => Promise.all(Array.from({ length: count }, (_, index) => outcome(client()(`${target}/${status}/${index}`)))), { status, count: all.length });
          assert.deepEqual(seen, [...demands.map(() => [200, "in"]), ...others.map(() => [status, "no"])]);
        }
        // Each demand twice, the others once.
        assert.equal(api.requests.length, 2 * (2 * demands.length + others.length));
      },
    );
  });

  test("a hidden challenge beside a visible nonce is reported, and the next request works", () =>
    withApi(
      wantsNonce("n1"),
      async (api) => {
        const page = await openClient(api);
        const seen = await page.run(async () => [await outcome(call(target)), await outcome(call(target)), events]);
        assert.deepEqual(seen.slice(0, 2), [[401, ""], [200, "in"]]);
        assert.deepEqual(seen[2], [{ type: "nonce_hidden", url: api.origin + "/", fix: "Access-Control-Expose-Headers: DPoP-Nonce, WWW-Authenticate, Date" }]);
      },
      { cors: { ...TIMELESS, "access-control-expose-headers": "DPoP-Nonce" } },
    ));

  test("a nonce of the retry itself is learnt too", () => {
    const answers = [challenge("n1"), { status: 403, headers: { "dpop-nonce": "n2" }, body: "no" }, { body: "in" }];
    return withApi((_, count) => answers[count - 1], async (api) => {
      const page = await openClient(api);
      assert.deepEqual(await page.run(async () => [await outcome(call(target)), await outcome(call(target))]), [[403, "no"], [200, "in"]]);
      assert.deepEqual(nonces(api), [undefined, "n1", "n2"]);
    });
  });
});
