// Token endpoints through both adapters: the body is somebody else's to read, everything else is there.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import express from "express";
import { Hono } from "hono";
import { edge, listOf, makeClient, makeClock } from "../edge/support.mjs";
import { APP, SECRET, hono, node, send, serveHandler } from "./support.mjs";

const ENDPOINT = "https://as.example/token";
const closing = [];
after(() => Promise.all(closing.map((close) => close())));

/** What an authorization server does, but for the adapter: finds the grant, binds, answers. */
const answerOf = (binding, code) => ({ access_token: "t", token_type: binding.tokenType, cnf: binding.cnf, code });

const ADAPTERS = {
  async Node(options) {
    const endpoint = node.createNodeTokenEndpoint({ publicUrl: ENDPOINT.replace("/token", ""), ...options });
    const app = express();
    app.use(express.urlencoded({ extended: false }));
    app.all("/token", async (request, response) => {
      if (await endpoint.preflight(request, response)) return;
      const binding = await endpoint.bind(request, response, { clientType: "public", dpopJkt: request.body.jkt });
      if (binding !== null) response.json(answerOf(binding, request.body.code));
    });
    const { origin, close } = await serveHandler(app);
    closing.push(close);
    return (request) => send(origin, { path: "/token", ...request });
  },
  async Hono(options) {
    const endpoint = edge.createTokenEndpoint(options);
    const app = new Hono();
    app.use("/token", hono.keyboundToken(endpoint));
    app.post("/token", async (c) => {
      const { jkt, code } = await c.req.parseBody();
      const binding = await c.get("bind")({ clientType: "public", dpopJkt: jkt });
      return binding.ok ? c.json(answerOf(binding, code)) : binding.response();
    });
    return async (request) => {
      const answer = await app.request(ENDPOINT, request);
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    };
  },
};

for (const [name, serve] of Object.entries(ADAPTERS)) {
  describe(`a token endpoint through ${name}`, () => {
    const make = async (options = {}) => {
      const clock = makeClock();
      const client = await makeClient();
      const ask = await serve({ now: clock.now, cors: { origins: [APP] }, nonce: { secrets: [SECRET] }, ...options });
      const post = async (about = {}, fields = {}) => {
        const dpop = await client.proof({ method: "POST", url: ENDPOINT, now: clock.at, ...about });
        const headers = { dpop, origin: APP, "content-type": "application/x-www-form-urlencoded" };
        const answer = await ask({ method: "POST", headers, body: new URLSearchParams({ code: "c", ...fields }).toString() });
        return { ...answer, json: JSON.parse(answer.text) };
      };
      return { clock, client, ask, post };
    };

    test("asks for a nonce with a JSON body, binds with it, and renews it in time", async () => {
      const { clock, client, post } = await make();
      const challenge = await post();
      const nonce = challenge.headers.get("dpop-nonce");
      assert.deepEqual([challenge.status, challenge.json.error], [400, "use_dpop_nonce"]);
      assert.equal(challenge.headers.get("access-control-allow-origin"), APP);
      assert.ok(listOf(challenge.headers, "access-control-expose-headers").includes("dpop-nonce"));
      const bound = await post({ nonce });
      assert.deepEqual([bound.status, bound.json], [200, { access_token: "t", token_type: "DPoP", cnf: { jkt: client.jkt }, code: "c" }]);
      assert.equal(bound.headers.get("dpop-nonce"), null);
      assert.equal(bound.headers.get("access-control-allow-origin"), APP);
      clock.forward(60);
      const renewed = await post({ nonce });
      assert.match(renewed.headers.get("dpop-nonce"), /^[\w-]{28}$/);
      assert.ok(listOf(renewed.headers, "cache-control").includes("no-store"));
    });

    test("refuses a code that was bound to another key, and a proof that was used", async () => {
      const { client, post, ask } = await make({ nonce: undefined });
      assert.equal((await post({}, { jkt: client.jkt })).status, 200);
      const other = await make({ nonce: undefined });
      const refused = await post({}, { jkt: other.client.jkt });
      assert.equal(refused.status, 400);
      const headers = { dpop: await client.proof({ method: "POST", url: ENDPOINT }), "content-type": "application/x-www-form-urlencoded" };
      const statuses = [];
      for (const _ of [1, 2]) statuses.push((await ask({ method: "POST", headers, body: "code=c" })).status);
      assert.deepEqual(statuses, [200, 400]);
    });

    test("answers preflights", async () => {
      const { ask } = await make();
      const preflight = (origin) => ask({ method: "OPTIONS", headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "dpop" } });
      const allowed = await preflight(APP);
      assert.deepEqual([allowed.status, allowed.headers.get("access-control-allow-origin")], [204, APP]);
      assert.ok(listOf(allowed.headers, "access-control-allow-headers").includes("dpop"));
      assert.equal((await preflight("https://evil.example")).headers.get("access-control-allow-origin"), null);
    });
  });
}
