// A page of another origin and its nonce: the whole round trip in real browsers, against a worker, a worker with Hono, and Node
// (RFC 9449 §8, §9 and the Fetch standard's CORS protocol).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { inEveryEngine } from "../browsers/harness.mjs";
import { AUDIENCE, makeIssuer } from "../edge/support.mjs";
import { SERVERS, removeProject } from "./servers.mjs";

after(removeProject);

inEveryEngine("a page of another origin", ({ open, site }) => {
  for (const [kind, start] of Object.entries(SERVERS)) {
    describe(`and ${kind}`, () => {
      let issuer;
      let server;
      before(async () => {
        issuer = await makeIssuer();
        server = await start({ page: site().origin, jwks: issuer.jwks });
      });
      after(() => server?.close());

      /** A page whose `watched` fetch notes what a page can see of each answer. */
      const openPage = async () => {
        const page = await open();
        const jkt = await page.run(async () => {
          window.seen = [];
          window.watched = async (request, init) => {
            const response = await fetch(request, init);
            const { status, headers } = response;
            seen.push({ status, nonce: headers.has("dpop-nonce"), challenge: headers.get("www-authenticate")?.includes("use_dpop_nonce") ?? false });
            return response;
          };
          window.key = await kb.DpopKey.open(`cross-origin-${Math.random()}`);
          window.memory = () => {
            const held = new Map();
            return { get: (role, at) => held.get(role + at), set: (role, at, nonce) => void held.set(role + at, nonce) };
          };
          return key.thumbprint;
        });
        return { ...page, jkt };
      };
      const tokenFor = (jkt) => issuer.token({ now: Math.floor(Date.now() / 1000), cnf: { jkt }, aud: AUDIENCE });

      test("learns the nonce from the challenge, comes again and is let in; afterwards it knows it", async () => {
        const page = await openPage();
        const outcome = await page.run(
          async ({ origin, token }) => {
            const call = kb.createFetch({ key, token, origins: [origin], nonces: memory(), fetch: watched });
            const first = await call(`${origin}/orders?page=1`);
            const second = await call(`${origin}/orders`, { method: "POST", body: JSON.stringify({ a: 1 }), headers: { "content-type": "application/json" } });
            const forbidden = await call(`${origin}/orders`, { method: "DELETE" });
            return { seen, first: await first.json(), second: await second.json(), forbidden: [forbidden.status, forbidden.headers.get("www-authenticate")] };
          },
          { origin: server.origin, token: await tokenFor(page.jkt) },
        );
        assert.deepEqual(outcome.seen, [
          { status: 401, nonce: true, challenge: true },
          { status: 200, nonce: false, challenge: false },
          { status: 200, nonce: false, challenge: false },
          { status: 403, nonce: false, challenge: false },
        ]);
        assert.deepEqual(outcome.first, { sub: "alice", body: "" });
        assert.deepEqual(outcome.second, { sub: "alice", body: '{"a":1}' });
        assert.equal(outcome.forbidden[0], 403);
        assert.match(outcome.forbidden[1], /insufficient_scope/);
        await page.close();
      });

      test("does the same at the token endpoint, whose challenge is a 400", async () => {
        const page = await openPage();
        const outcome = await page.run(async (origin) => {
          const call = kb.createTokenFetch({ key, origins: [origin], nonces: memory(), fetch: watched });
          const response = await call(`${origin}/token`, { method: "POST", body: new URLSearchParams({ grant_type: "authorization_code", code: "c" }) });
          return { seen, answer: await response.json() };
        }, server.origin);
        assert.deepEqual(outcome.seen.map(({ status, nonce }) => [status, nonce]), [[400, true], [200, false]]);
        assert.deepEqual(outcome.answer, { access_token: "t", token_type: "DPoP", cnf: { jkt: page.jkt } });
        await page.close();
      });

      test("whose origin is not allowed can read nothing", async () => {
        // The same files under another name are another origin.
        const page = await open(`${site().origin.replace("127.0.0.1", "localhost")}/page.html`);
        const outcome = await page.run((origin) => fetch(`${origin}/orders`).then(({ status }) => status, (error) => error.name), server.origin);
        assert.equal(outcome, "TypeError");
        await page.close();
      });
    });
  }
});
