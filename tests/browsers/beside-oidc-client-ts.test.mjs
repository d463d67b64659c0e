// oidc-client-ts with keys of @keybound/browser, at a real authorization server and a real API, nonces required by both.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { inEveryEngineBeside } from "./beside-pages.mjs";

/** In the page: `start(issuer)` makes a UserManager, `call(url)` asks the API as the user who is signed in. */
const SCRIPT = `
import { UserManager, WebStorageStateStore } from "oidc-client-ts";
import { createDPoPStore } from "@keybound/browser/oidc-client-ts";
const store = createDPoPStore();
const start = (issuer) => (globalThis.manager = new UserManager({
  authority: issuer, client_id: "page", redirect_uri: redirectUri, scope: "openid orders", automaticSilentRenew: false,
  userStore: new WebStorageStateStore({ store: localStorage }), dpop: { store, bind_authorization_code: true },
}));
const signedFetch = (origin) => kb.createFetch({
  key: () => store.key("page"), origins: [origin],
  token: async () => { const user = await manager.getUser(); return user && { accessToken: user.access_token, tokenType: user.token_type }; },
});
const call = async (url) => { const response = await (globalThis.api ??= signedFetch(new URL(url).origin))(url); return { status: response.status, ...(response.ok && (await response.json())) }; };
const removeAll = async () => { for (const clientId of await store.getAllKeys()) await store.remove(clientId); };
Object.assign(globalThis, { store, start, call, removeAll });`;

/** The library reads ID tokens, and leaves it to TLS that they are the server's (OpenID Connect Core §3.1.3.7). */
const ID_TOKEN = [{ alg: "RS256" }, { sub: "ada" }].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).concat("AA").join(".");

inEveryEngineBeside("oidc-client-ts", SCRIPT, ({ openPage, withServers, goAndComeBack }) => {
  const signIn = async (page, server) => {
    await goAndComeBack(page, (issuer) => void start(issuer).signinRedirect(), server.origin);
    return page.run(async (issuer) => { const user = await start(issuer).signinCallback(); return { type: user.token_type, token: user.access_token }; }, server.origin);
  };

  test("a sign-in, calls of the API and a silent refresh use one key that cannot be exported, and one nonce", () =>
    withServers(async ({ server, api }) => {
      const page = await openPage();
      const user = await signIn(page, server);
      assert.equal(user.type, "DPoP");
      const { jkt, extractable } = await page.run(async () => ({ jkt: (await store.key("page")).thumbprint, extractable: (await store.get("page")).keys.privateKey.extractable }));
      assert.equal(decodeJwt(user.token).cnf.jkt, jkt);
      assert.equal(extractable, false);
      assert.deepEqual(await page.run((url) => call(url), `${api.origin}/orders`), { status: 200, sub: "ada", jkt, method: "GET", body: "" });

      const renewed = await page.run(async () => { const user = await manager.signinSilent(); return { type: user.token_type, token: user.access_token }; });
      assert.equal(renewed.type, "DPoP");
      assert.notEqual(renewed.token, user.token);
      assert.equal(decodeJwt(renewed.token).cnf.jkt, jkt);
      assert.equal((await page.run((url) => call(url), `${api.origin}/orders`)).status, 200);
      // The nonce that the sign-in learnt was kept with the key: the refresh is not challenged.
      assert.deepEqual(server.grants("authorization_code").map(({ status }) => status), [400, 200]);
      assert.deepEqual(server.grants("refresh_token").map(({ status }) => status), [200]);

      await page.reload();
      const after = await page.run(async ({ issuer, url }) => {
        while (!globalThis.ready) await new Promise((resolve) => setTimeout(resolve, 5));
        start(issuer);
        const answer = await call(url);
        const kept = (await store.get("page")).nonce;
        await manager.signinSilent();
        return { answer, kept };
      }, { issuer: server.origin, url: `${api.origin}/orders` });
      assert.deepEqual([after.answer.status, after.answer.jkt], [200, jkt]);
      assert.ok(after.kept);
      assert.equal(server.grants("refresh_token", 400).length, 0);
      await page.run(() => removeAll());
    }));

  test("when the user is removed, the key is gone in every tab, and the next sign-in has another", () =>
    withServers(async ({ server, api }) => {
      const [page, other] = [await openPage(), await openPage()];
      const user = await signIn(page, server);
      const url = `${api.origin}/orders`;
      const asks = ({ issuer, url }) => { globalThis.manager ?? start(issuer); return call(url); };
      assert.equal((await other.run(asks, { issuer: server.origin, url })).status, 200);

      // A tab that still holds the token when its key is deleted.
      await other.run((token) => { manager.getUser = async () => ({ access_token: token, token_type: "DPoP" }); }, user.token);
      await page.run(() => manager.removeUser());
      assert.deepEqual(await page.run(() => store.getAllKeys()), []);
      const refused = await other.run(async (url) => {
        let ended;
        for (let tries = 0; tries < 100 && (ended = await outcome(call(url))).value; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
        return ended;
      }, url);
      assert.equal(refused.code, "key_lost");

      const next = await signIn(page, server);
      assert.notEqual(decodeJwt(next.token).cnf.jkt, decodeJwt(user.token).cnf.jkt);
      // The tab that lost its key goes on with the new one.
      const answer = await other.run((url) => { delete manager.getUser; return call(url); }, url);
      assert.deepEqual([answer.status, answer.jkt], [200, decodeJwt(next.token).cnf.jkt]);
      await page.run(() => removeAll());
    }));

  test("a bearer token, which the library takes, does not reach the API", () =>
    withServers(async ({ server, api }) => {
      const page = await openPage();
      server.meet = ({ path }) => (path === "/token" ? { status: 200, body: { access_token: "t", token_type: "Bearer", expires_in: 60, id_token: ID_TOKEN } } : undefined);
      const user = await signIn(page, server);
      assert.equal(user.type, "Bearer");
      assert.equal((await page.run((url) => outcome(call(url)), `${api.origin}/orders`)).code, "token_downgraded");
      assert.deepEqual(api.reasons, []);
      await page.run(async () => { await manager.removeUser(); });
    }));

  test("tabs that begin at once, in either of the library's ways, get one key", async () => {
    const tabs = [await openPage(), await openPage()];
    const at = Date.now() + 1000;
    for (const tab of tabs) {
      await tab.run((at) => {
        // The library looks, makes a pair of its own where it finds none, gives it to the store, and signs with what it gave.
        const itsOwn = async () => {
          const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
          const state = { keys };
          await store.set("client", state);
          return state;
        };
        const begin = async () => {
          await new Promise((resolve) => setTimeout(resolve, at - Date.now()));
          const states = await Promise.all([store.get("client"), itsOwn(), itsOwn(), store.get("client")]);
          return Promise.all(states.map(async ({ keys }) => (await crypto.subtle.exportKey("jwk", keys.publicKey)).x));
        };
        window.begun = begin();
      }, at);
    }
    const found = [];
    for (const tab of tabs) found.push(...(await tab.run(() => begun)));
    assert.equal(found.length, 8);
    assert.equal(new Set(found).size, 1, String(found));
    await tabs[0].run(() => removeAll());
  });

  test("a sign-in that nobody finishes leaves one key, which is listed, used by the next one, and can be removed", () =>
    withServers(async ({ server }) => {
      const page = await openPage();
      const jkts = await page.run(async (issuer) => {
        const jkts = [];
        for (let index = 0; index < 3; index++) {
          const navigated = new Promise((resolve) => {
            start(issuer)._redirectNavigator.prepare = async () => ({ navigate: async ({ url }) => { resolve(new URL(url)); throw new Error("stays here"); }, close() {} });
          });
          await manager.signinRedirect().catch(() => {});
          jkts.push((await navigated).searchParams.get("dpop_jkt"));
        }
        return [...jkts, ...(await store.getAllKeys())];
      }, server.origin);
      assert.match(jkts[0], /^[\w-]{43}$/);
      assert.deepEqual(jkts, [jkts[0], jkts[0], jkts[0], "page"]);
      assert.deepEqual(await page.run(async () => {
        await removeAll();
        const databaseKeys = await new Promise((resolve) => { indexedDB.open("keybound").onsuccess = ({ target }) => {
          target.result.transaction("keys").objectStore("keys").getAllKeys().onsuccess = ({ target }) => resolve(target.result);
        }; });
        return [await store.getAllKeys(), databaseKeys.filter((key) => JSON.stringify(key).includes("oidc-client-ts"))];
      }), [[], []]);
    }));

  test("where the browser stores no keys, a sign-in in the page has one all the same; an extractable key is refused", async () => {
    const page = await openPage();
    const seen = await page.run(async () => {
      IDBObjectStore.prototype.put = () => { throw new DOMException("no keys here", "DataCloneError"); };
      const first = await store.get("private");
      await store.set("private", { keys: first.keys, nonce: "n1" });
      const again = await store.get("private");
      const listed = await store.getAllKeys();
      const { storage } = await store.key("private");
      await store.remove("private");
      const extractable = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
      return [again.keys === first.keys, again.nonce, listed, storage, await store.getAllKeys(), (await outcome(store.key("private"))).code, (await outcome(store.set("bad", { keys: extractable }))).code];
    });
    assert.deepEqual(seen, [true, "n1", ["private"], "memory", [], "key_lost", "extractable_key"]);
  });
});
