// createTokenFetch in a page: token, PAR and revocation requests at an authorization server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertProof } from "../support/proof.mjs";
import { challenge, inEveryEngine } from "./harness.mjs";
import { withApi } from "./requests-client.mjs";

const json = (status, body, headers = {}) => ({ status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
const token = (type = "DPoP") => json(200, { access_token: "token-1", token_type: type });
const demand = (nonce) => json(400, { error: "use_dpop_nonce" }, { "dpop-nonce": nonce });

inEveryEngine("token requests", ({ open }) => {
  const openClient = async (server) => {
    const page = await open();
    await page.run(async (target) => {
      window.target = target;
      window.key = await kb.DpopKey.open("tokens");
      window.events = [];
      const held = new Map();
      window.nonces = { held, get: (role, origin) => held.get(`${role} ${origin}`), set: (role, origin, nonce) => void held.set(`${role} ${origin}`, nonce) };
      window.client = (more) => kb.createTokenFetch({ key, origins: [target], nonces, onEvent: (event) => events.push(event), ...more });
      window.call = client();
      window.form = (more) => ({ method: "POST", body: new URLSearchParams({ grant_type: "authorization_code", code: "c" }), ...more });
      window.outcome = (promise) => promise.then(async (response) => [response.status, await response.text()], (error) => error.code ?? String(error));
    }, server.origin);
    return page;
  };

  test("a token request is proved, its challenge answered, and the answer readable", () =>
    withApi(({ claims }) => (claims.nonce === "n1" ? token("dpop") : demand("n1")), async (server) => {
      const page = await openClient(server);
      const seen = await page.run(async () => [await outcome(call(target + "/token", form())), events, key.thumbprint]);
      assert.deepEqual(seen[0], [200, token("dpop").body]);
      assert.deepEqual(seen[1], [{ type: "retry", reason: "use_dpop_nonce", url: server.origin + "/token" }]);
      assert.deepEqual(server.requests.map(({ claims }) => claims.nonce), [undefined, "n1"]);
      assert.equal(server.requests[1].body, "grant_type=authorization_code&code=c");
      await assertProof(server.requests[1].proof, { method: "POST", url: server.origin + "/token", nonce: "n1", thumbprint: seen[2] });
    }));

  test("a challenge with 401, as some servers send it, is answered too", () =>
    withApi(({ claims }) => (claims.nonce === "n1" ? token() : { ...challenge("n1"), body: "{}" }), async (server) => {
      const page = await openClient(server);
      assert.equal((await page.run(() => outcome(call(target + "/token", form()))))[0], 200);
    }));

  test("another error with a nonce beside it burns nothing: it is not repeated", () =>
    withApi(() => json(400, { error: "invalid_grant" }, { "dpop-nonce": "n1" }), async (server) => {
      const page = await openClient(server);
      const seen = await page.run(async () => [await outcome(call(target + "/token", form())), [...nonces.held]]);
      assert.deepEqual(seen, [[400, '{"error":"invalid_grant"}'], [[`as ${server.origin}`, "n1"]]]);
      assert.equal(server.requests.length, 1);
    }));

  test("doubled and illegal nonces are dropped", async () => {
    for (const nonce of ["n1, n2", 'n"1', "n 1"]) {
      await withApi(() => demand(nonce), async (server) => {
        const page = await openClient(server);
        assert.deepEqual(await page.run(async () => [await outcome(call(target + "/token", form())), nonces.held.size]), ["nonce_rejected", 0], nonce);
        assert.equal(server.requests.length, 1);
      });
    }
  });

  test("a bearer token is discarded unless it is dangerously accepted", async () => {
    for (const answer of [token("Bearer"), json(200, { access_token: "t" }), json(200, { access_token: "t", token_type: 7 })]) {
      await withApi(() => answer, async (server) => {
        const page = await openClient(server);
        const seen = await page.run(async () => [await outcome(call(target + "/token", form())), (await outcome(client({ dangerouslyAcceptBearer: true })(target + "/token", form())))[0]]);
        assert.deepEqual(seen, ["token_downgraded", 200]);
      });
    }
    // PAR and revocation answers have no token.
    await withApi(({ path }) => (path === "/par" ? json(201, { request_uri: "urn:x" }) : { status: 200 }), async (server) => {
      const page = await openClient(server);
      assert.deepEqual(await page.run(async () => [(await outcome(call(target + "/par", form())))[0], (await outcome(call(target + "/revoke", form())))[0]]), [201, 200]);
      assert.ok(server.requests.every(({ proof }) => proof));
    });
  });

  test("everything else passes untouched", () =>
    withApi(() => ({ body: "as it is" }), async (server) => {
      const page = await openClient(server);
      const seen = await page.run(async () => {
        const given = [];
        const spy = client({ fetch: (...call) => (given.push(call), fetch(...call)) });
        const calls = [
          [target + "/.well-known/openid-configuration"],
          [target + "/userinfo", { headers: { authorization: "DPoP t" } }],
          [target + "/token", form({ headers: { authorization: "Bearer t" } })],
          [target + "/token", form({ headers: { dpop: "of.another.library" } })],
          [target + "/token", { method: "POST", body: "{}", headers: { "content-type": "application/json" } }],
          [target + "/token", { method: "POST", body: "text" }],
        ];
        for (const call of calls) await outcome(spy(...call));
        return calls.every((call, index) => call[0] === given[index][0] && call[1] === given[index][1]);
      });
      assert.equal(seen, true);
      assert.deepEqual(server.requests.map(({ proof }) => proof), [undefined, undefined, undefined, "of.another.library", undefined, undefined]);
      // Client authentication stays with the proof.
      await page.run(() => outcome(call(target + "/token", form({ headers: { authorization: "Basic eDp5" } }))));
      const last = server.requests.at(-1);
      assert.ok(last.proof && last.authorization === "Basic eDp5");
    }));

  test("a nonce of the authorization server never reaches a resource server, even of the same origin", () =>
    withApi(({ path }) => (path === "/token" ? json(200, { access_token: "t", token_type: "DPoP" }, { "dpop-nonce": "as-nonce" }) : { headers: { "dpop-nonce": "rs-nonce" } }), async (server) => {
      const page = await openClient(server);
      await page.run(async () => {
        const api = kb.createFetch({ key, token: "t", origins: [target] });
        const as = kb.createTokenFetch({ key, origins: [target] });
        for (const request of [() => as(target + "/token", form()), () => api(target), () => as(target + "/token", form()), () => api(target)]) await outcome(request());
      });
      assert.deepEqual(server.requests.map(({ claims }) => claims.nonce), [undefined, undefined, "as-nonce", "rs-nonce"]);
    }));

  test("a token request is not redirected", () =>
    withApi(({ path }) => (path === "/token" ? { status: 307, headers: { location: "/other" } } : token()), async (server) => {
      const page = await openClient(server);
      assert.equal(await page.run(() => outcome(call(target + "/token", form()))), "redirect_refused");
      assert.equal(server.requests.length, 1);
    }));
});
