// Clocks that differ: what tells the server's, and what does not.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { openNodeDoor } from "../authorization-server/door.mjs";
import { AUDIENCE, edge, ISSUER, makeIssuer } from "../edge/support.mjs";
import { dist } from "../support/paths.mjs";
import { challenge, inEveryEngine, serveApi } from "./harness.mjs";
import { openClient as openClientIn, TIMELESS, withApi } from "./requests-client.mjs";

const { createNodeResourceServer } = await import(pathToFileURL(join(dist.edge, "node.js")));
const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (claims) => `${base64url({ alg: "none" })}.${base64url(claims)}.c2ln`;
const now = () => Date.now() / 1000;

inEveryEngine("clocks", ({ open, site }) => {
  const openClient = (api, options) => openClientIn(open, api, options);

  test("a fresh token shows how far the clock is off, and the proofs for the API follow", async () => {
    for (const [member, seconds] of [["access_token", 600], ["id_token", 600], ["access_token", -600]]) {
      const answer = () => ({
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ access_token: "opaque", token_type: "DPoP", [member]: jwt({ iat: Math.floor(now() + seconds), name: "ä" }) }),
      });
      const as = await serveApi(answer, { cors: TIMELESS });
      try {
        await withApi(() => ({}), async (api) => {
          const page = await openClient(api);
          const events = await page.run(async (as) => {
            const request = { method: "POST", body: new URLSearchParams({ grant_type: "authorization_code" }) };
            const tokens = kb.createTokenFetch({ key, origins: [as], nonces: memory(), onEvent: (event) => events.push(event) });
            await tokens(as + "/token", request);
            await outcome(call(target));
            // Once known, it is no news.
            await tokens(as + "/token", request);
            return events;
          }, as.origin);
          assert.deepEqual(events.map(({ type }) => type), ["clock_skew"], member);
          assert.ok(Math.abs(events[0].seconds - seconds) <= 5, `${events[0].seconds}`);
          for (const { iat } of [api.requests[0].claims, as.requests[1].claims]) assert.ok(Math.abs(iat - now() - seconds) <= 10, `${iat}`);
        }, { cors: TIMELESS });
      } finally {
        await as.close();
      }
    }
  });

  test("a token brings what was learnt when it was issued", () =>
    withApi(() => ({}), async (api) => {
      const page = await openClient(api);
      await page.run(() => outcome(client({ token: () => ({ accessToken: "t", tokenType: "DPoP", clockOffset: -900 }) })(target)));
      assert.ok(Math.abs(api.requests[0].claims.iat - now() + 900) <= 10);
    }, { cors: TIMELESS }));

  test("a server with an absurd date does not make clients send one", async () => {
    const dates = ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday", "", "Thu, 01 Jan 1970 00:00:00 GMT, Fri, 31 Dec 9999 23:59:59 GMT", "-1", "1e400"];
    for (const date of dates) {
      await withApi(({ claims }) => (claims.nonce === "n1" ? { body: "in" } : { ...challenge("n1"), headers: { ...challenge("n1").headers, date } }), async (api) => {
        const page = await openClient(api);
        assert.deepEqual(await page.run(async () => [await outcome(call(target)), await outcome(call(target)), events.map(({ type }) => type)]), [[200, "in"], [200, "in"], ["retry"]], date);
        for (const { claims } of api.requests) assert.ok(Math.abs(claims.iat - now()) <= 10, `${date}: ${claims.iat}`);
      });
    }
  });

  test("a date that is far off but possible is followed, and left again when the server is right again", () => {
    let ahead = 86_400;
    return withApi(() => ({ ...challenge("n1"), headers: { "www-authenticate": "DPoP", date: new Date(Date.now() + ahead * 1000).toUTCString() }, status: 401 }), async (api) => {
      const page = await openClient(api);
      const get = () => page.run(async () => (await outcome(call(target)), events.length));
      assert.equal(await get(), 1);
      ahead = 0;
      assert.equal(await get(), 2);
      await get();
      const hours = api.requests.map(({ claims }) => Math.round((claims.iat - now()) / 3600) + 0);
      assert.deepEqual(hours, [0, 24, 0]);
    });
  });

  test("requests at one time learn one clock, whichever way it is off, and tell it once", async () => {
    for (const seconds of [600, -600]) {
      const date = () => new Date(Date.now() + seconds * 1000).toUTCString();
      // All arrive before the first is answered; the connections of a browser to one server are six.
      let [arrived, go] = [0, undefined];
      const all = new Promise((resolve) => (go = resolve));
      await withApi(async ({ claims, path }) => {
        if (path === "/prime") return {};
        if (++arrived >= 5) go();
        await all;
        return { ...challenge("n1"), ...(claims.nonce === "n1" && { status: 200 }), headers: { ...challenge("n1").headers, date: date() } };
      }, async (api) => {
        const page = await openClient(api);
        const events = await page.run(async () => {
          await outcome(call(target + "/prime"));
          await Promise.all(Array.from({ length: 5 }, (_, index) => outcome(call(`${target}/${index}`))));
          return events.filter(({ type }) => type === "clock_skew");
        });
        const ahead = api.requests.map(({ claims }) => claims.iat - now());
        assert.equal(api.requests.length, 11);
        for (const off of ahead.slice(0, 6)) assert.ok(Math.abs(off) <= 10, `${ahead}`);
        for (const off of ahead.slice(6)) assert.ok(Math.abs(off - seconds) <= 10, `${ahead}`);
        assert.equal(events.length, 1);
        assert.ok(Math.abs(events[0].seconds - seconds) <= 5);
      });
    }
  });

  test("a server of @keybound/edge shows its clock to the pages that it names: a machine that is off gets in", async () => {
    const door = await openNodeDoor();
    const issuer = await makeIssuer();
    const server = createNodeResourceServer({
      issuer: ISSUER, audience: AUDIENCE, publicUrl: door.origin, tokens: edge.jwtTokens({ jwks: issuer.jwks }), cors: { origins: [site().origin] },
    });
    door.serve(async (incoming, outgoing) => void ((await server.protect(incoming, outgoing)) && outgoing.end("in")));
    try {
      for (const seconds of [900, -900]) {
        const page = await openClient(door);
        const { thumbprint } = await page.run(() => ({ thumbprint: key.thumbprint }));
        const token = await issuer.token({ now: Math.floor(now()), cnf: { jkt: thumbprint } });
        const seen = await page.run(async ({ token, seconds }) => {
          const right = window.Date.now;
          window.Date.now = () => right() + seconds * 1000;
          const one = client({ token });
          return [(await outcome(one(target)))[0], await outcome(one(target)), events.map((event) => [event.type, event.seconds])];
        }, { token, seconds });
        assert.deepEqual(seen.slice(0, 2), [401, [200, "in"]]);
        assert.deepEqual(seen[2].map(([type]) => type), ["clock_skew"]);
        assert.ok(Math.abs(seen[2][0][1] + seconds) <= 10, String(seen[2]));
      }
    } finally {
      await door.close();
    }
  });
});
