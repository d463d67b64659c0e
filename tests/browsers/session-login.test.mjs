// Logging in and out at a real authorization server (oidc-provider), with everything that happens on the way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { inEveryEngineWithSessions } from "./session-pages.mjs";

const without = (url, ...names) => {
  const address = new URL(url);
  for (const name of names) address.searchParams.delete(name);
  return address.href;
};

inEveryEngineWithSessions("logins", ({ openPage, withServer, comeBack, logIn, redirectUri }) => {
  test("a login is pushed, bound to its key from the first request on, and opens the API", () =>
    withServer({}, async (server) => {
      const [, page] = await logIn(server, { appState: { next: "/orders" }, parameters: { ui_locales: "de" } });
      const seen = await page.run(async (issuer) => ({
        info: await session.current(),
        api: await api(issuer),
        address: location.href,
        again: await session.finishLogin(),
        token: (await session.bound()).token,
        events: events.filter(({ type }) => type.startsWith("session")),
      }), server.origin);
      const { info } = seen;
      assert.deepEqual([info.claims.sub, info.storage, info.scope], ["ada", "persistent", "openid"]);
      assert.ok(Math.abs(info.expiresAt - Date.now() / 1000 - 600) < 30);
      assert.deepEqual(seen.api, { status: 200, sub: "ada", jkt: info.thumbprint, token: seen.token.accessToken });
      assert.equal(seen.token.thumbprint, info.thumbprint);
      assert.deepEqual([seen.address, seen.again], [redirectUri(), null]);
      assert.deepEqual(seen.events, [{ type: "session_started", elsewhere: false }]);

      const pushed = server.requests.filter(({ path, status }) => path === "/request" && status === 201);
      assert.equal(pushed.length, 1);
      const { form } = pushed[0];
      assert.deepEqual([form.dpop_jkt, form.code_challenge_method, form.ui_locales, form.response_type], [info.thumbprint, "S256", "de", "code"]);
      // One proof each, with the server's nonce.
      for (const { headers } of server.requests) assert.match(headers.dpop, /^[\w-]+\.[\w-]+\.[\w-]+$/);
      assert.ok(decodeJwt(pushed[0].headers.dpop).nonce);
      assert.equal(server.grants("authorization_code", 200).length, 1);
    }));

  test("what is given to login comes back; the page goes there and back by itself", () =>
    withServer({}, async (server) => {
      const page = await openPage();
      await page.run((issuer) => void start(issuer).login({ appState: ["ä", 1] }), server.origin);
      const deadline = Date.now() + 15_000;
      let finished;
      while (!finished && Date.now() < deadline) {
        // While the browser is on its way there is nothing to run in.
        finished = await page.run((issuer) => (location.search.includes("code=") && globalThis.ready ? outcome(start(issuer).finishLogin()) : undefined), server.origin).catch(() => undefined);
      }
      assert.deepEqual(finished, { value: { appState: ["ä", 1] } });
      // A reload or a bookmark is no second answer.
      assert.equal(await page.run(() => location.search), "");
    }));

  test("where nothing can be pushed, the address says which key the code is for", () =>
    withServer({ par: false, nonces: false }, async (server) => {
      const page = await openPage();
      const url = await page.run(async (issuer) => String(await start(issuer).loginUrl()), server.origin);
      assert.match(new URL(url).searchParams.get("dpop_jkt"), /^[\w-]{43}$/);
      const [, back] = await logIn(server);
      assert.equal((await back.run((issuer) => api(issuer), server.origin)).status, 200);
    }));

  test("an answer that is opened in two tabs at once is redeemed once, and both are logged in", () =>
    withServer({}, async (server) => {
      const begun = await openPage();
      const one = await comeBack(begun, server, { appState: 7 });
      const url = await one.run(() => location.href);
      const two = await openPage(url);
      // The nonces that the tabs share.
      await two.run(() => localStorage.clear());
      server.meet = ({ path }) => (path === "/token" ? new Promise((resolve) => setTimeout(resolve, 1000)) : undefined);
      for (const page of [one, two]) await page.run((issuer) => { window.finishing = outcome(start(issuer).finishLogin()); }, server.origin);
      for (const page of [one, two]) assert.deepEqual(await page.run(() => finishing), { value: { appState: 7 } });
      // And a bookmark of it, later.
      const three = await openPage(url);
      assert.deepEqual(await three.run((issuer) => outcome(start(issuer).finishLogin()), server.origin), { value: { appState: 7 } });
      assert.equal(server.grants("authorization_code", 200).length, 1);
      assert.equal(server.grants("authorization_code").filter(({ status }) => status === 400).length, 1, "the challenge for a nonce");
      for (const page of [one, two, three, begun]) assert.equal((await page.run((issuer) => api(issuer), server.origin)).status, 200);
    }));

  test("of two logins that end at once one stays, and every tab has it", () =>
    withServer({}, async (server) => {
      const begun = await openPage();
      const backs = [await comeBack(begun, server), await comeBack(begun, server)];
      for (const page of backs) await page.run((issuer) => { window.finishing = outcome(start(issuer).finishLogin()); }, server.origin);
      for (const page of backs) assert.ok((await page.run(() => finishing)).value);
      const found = [];
      for (const page of [begun, ...backs]) found.push(await page.run((issuer) => api(issuer), server.origin));
      assert.deepEqual(found.map(({ status }) => status), [200, 200, 200]);
      assert.equal(new Set(found.map(({ token }) => token)).size, 1);
      assert.equal(new Set(found.map(({ jkt }) => jkt)).size, 1);
    }));

  test("a new login has a key of its own, while the old key serves its tokens", () =>
    withServer({}, async (server) => {
      const [page] = await logIn(server);
      await page.run(async () => { window.before = await session.bound(); });
      const back = await comeBack(page, server);
      // The new login is not finished: the old session goes on.
      assert.equal((await page.run((issuer) => api(issuer), server.origin)).status, 200);
      // A request that has its token, and whose body is not there yet, ends with the key of that token.
      await page.run((issuer) => {
        const body = new ReadableStream({ start: (stream) => (window.slow = stream) });
        window.going = outcome(session.fetch(issuer + "/api", { method: "POST", body, duplex: "half" }).then(({ status }) => status));
      }, server.origin);
      await back.run((issuer) => start(issuer).finishLogin(), server.origin);
      const answered = await page.run(async () => {
        while ((await session.current()).thumbprint === before.token.thumbprint) await new Promise((resolve) => setTimeout(resolve, 20));
        slow.close();
        return going;
      });
      assert.deepEqual(answered, { value: 200 });
      const seen = await page.run(async (issuer) => {
        const old = kb.createFetch({ key: before.key, token: before.token, origins: [issuer] });
        return [await api(issuer), before.token.thumbprint, (await old(issuer + "/api")).status];
      }, server.origin);
      assert.equal(seen[0].status, 200);
      assert.notEqual(seen[0].jkt, seen[1]);
      assert.equal(seen[2], 200);
    }));

  test("an answer to a login that this browser does not know is told so, and asks the server for nothing", () =>
    withServer({}, async (server) => {
      const begun = await openPage();
      const page = await comeBack(begun, server);
      const url = await page.run(() => location.href);
      const before = server.requests.length;
      const forged = new URL(url);
      forged.searchParams.set("state", "of-somebody-else");
      const results = await page.run(async ({ issuer, forged, stateless }) => {
        start(issuer);
        return [await outcome(session.finishLogin(forged)), await outcome(session.finishLogin(stateless)), await outcome(session.finishLogin(location.origin + "/page.html?code=1&state=2"))];
      }, { issuer: server.origin, forged: forged.href, stateless: without(url, "state") });
      assert.equal(results[0].code, "login_unknown");
      assert.match(results[0].message, /Start a new login/);
      // No answer of this flow at all.
      assert.deepEqual(results.slice(1), [{ value: null }, { value: null }]);
      assert.equal(server.requests.length, before);
      // It did no harm to the login that is under way.
      assert.ok((await page.run(() => outcome(session.finishLogin()))).value !== undefined);
      assert.equal((await page.run((issuer) => api(issuer), server.origin)).status, 200);
    }));

  test("an answer of another server, or of nobody, is refused before the code goes anywhere (RFC 9207)", () =>
    withServer({}, async (server) => {
      const begun = await openPage();
      const page = await comeBack(begun, server);
      const url = await page.run(() => location.href);
      const before = server.requests.length;
      const other = new URL(url);
      other.searchParams.set("iss", "https://attacker.example");
      const codes = await page.run(async ({ issuer, urls }) => {
        start(issuer);
        const codes = [];
        for (const url of urls) codes.push((await outcome(session.finishLogin(url))).code);
        return codes;
      }, { issuer: server.origin, urls: [other.href, without(url, "iss")] });
      assert.deepEqual(codes, ["login_invalid", "login_invalid"]);
      assert.equal(server.requests.length, before);
      assert.ok((await page.run(() => outcome(session.finishLogin()))).value);
    }));

  test("a person who says no, and a server that does, are told apart", () =>
    withServer({}, async (server) => {
      const begun = await openPage();
      server.person = null;
      const cancelled = await comeBack(begun, server);
      const seen = await cancelled.run(async (issuer) => [await outcome(start(issuer).finishLogin()), location.search, await session.current()], server.origin);
      assert.deepEqual([seen[0].code, seen[0].said, seen[1], seen[2]], ["login_cancelled", "access_denied", "", null]);
      assert.match(seen[0].message, /the person said no/);
      server.person = "ada";
      const refused = await comeBack(begun, server, { parameters: { prompt: "none" } });
      const second = await refused.run((issuer) => outcome(start(issuer).finishLogin()), server.origin);
      assert.deepEqual([second.code, second.said], ["login_refused", "login_required"]);
      // The next one is as good as any.
      const third = await comeBack(begun, server);
      assert.ok((await third.run((issuer) => outcome(start(issuer).finishLogin()), server.origin)).value);
    }));

  test("site data that were cleared on the way are noticed, and it is said what to do", () =>
    withServer({}, async (server) => {
      const begun = await openPage();
      const page = await comeBack(begun, server);
      const result = await page.run(async (issuer) => {
        await new Promise((resolve, reject) => Object.assign(indexedDB.deleteDatabase("keybound"), { onsuccess: resolve, onerror: reject }));
        return outcome(start(issuer).finishLogin());
      }, server.origin);
      assert.equal(result.code, "login_unknown");
      assert.match(result.message, /Start a new login/);
    }));

  test("a server that cannot be reached costs nothing: the same answer is good afterwards", () =>
    withServer({}, async (server) => {
      const begun = await openPage();
      const page = await comeBack(begun, server);
      const [cut, busy] = ["cut", { status: 503, body: {} }];
      for (const trouble of [cut, busy]) {
        server.meet = ({ path }) => (path === "/token" ? trouble : undefined);
        const failed = await page.run(async (issuer) => [await outcome((globalThis.session ?? start(issuer)).finishLogin()), location.search.includes("code=")], server.origin);
        assert.deepEqual([failed[0].code, failed[1]], ["server_failed", true]);
        assert.match(failed[0].message, /try again/);
      }
      server.meet = () => undefined;
      assert.ok((await page.run(() => outcome(session.finishLogin()))).value);
    }));

  test("a code that the server refuses ends the login, with what the server says", () =>
    withServer({}, async (server) => {
      const begun = await openPage();
      const page = await comeBack(begun, server);
      const forged = new URL(await page.run(() => location.href));
      forged.searchParams.set("code", "made-up");
      const failed = await page.run(({ issuer, forged }) => outcome(start(issuer).finishLogin(forged)), { issuer: server.origin, forged: forged.href });
      assert.deepEqual([failed.code, failed.said], ["grant_refused", "invalid_grant"]);
    }));

  test("tokens that are not bound are not taken", () =>
    withServer({}, async (server) => {
      const begun = await openPage();
      const page = await comeBack(begun, server);
      server.meet = ({ path }) => (path === "/token" ? { status: 200, body: { access_token: "t", token_type: "Bearer", expires_in: 60 } } : undefined);
      const seen = await page.run(async (issuer) => [(await outcome(start(issuer).finishLogin())).code, await session.current()], server.origin);
      assert.deepEqual(seen, ["token_downgraded", null]);
    }));

  test("a clock that is an hour off, either way, does not keep anybody out", () =>
    withServer({}, async (server) => {
      for (const hours of [1, -1]) {
        const begun = await openPage();
        const page = await comeBack(begun, server);
        const seen = await page.run(async ({ issuer, hours }) => {
          const right = window.Date.now;
          window.Date.now = () => right() + hours * 3600_000;
          start(issuer);
          return [await outcome(session.finishLogin()), await api(issuer), events.find(({ type }) => type === "clock_skew")];
        }, { issuer: server.origin, hours });
        assert.ok(seen[0].value, JSON.stringify(seen[0]));
        assert.equal(seen[1].status, 200);
        assert.ok(Math.abs(seen[2].seconds + hours * 3600) < 30, JSON.stringify(seen[2]));
      }
    }));

  test("where the browser stores no keys, the session lives in the page and says so", () =>
    withServer({}, async (server) => {
      const refuse = () => {
        IDBObjectStore.prototype.put = () => { throw new DOMException("no keys here", "DataCloneError"); };
      };
      const begun = await openPage();
      await begun.run(`() => { (${refuse})(); }`);
      // The login is of this tab, as its storage is.
      await begun.run((issuer) => void start(issuer).login({ appState: "memory" }), server.origin);
      let finished;
      for (const deadline = Date.now() + 15_000; !finished && Date.now() < deadline; ) {
        const finish = `(issuer) => { if (!location.search.includes("code=") || !globalThis.ready) return; (${refuse})(); return outcome(start(issuer).finishLogin()); }`;
        finished = await begun.run(finish, server.origin).catch(() => undefined);
      }
      assert.deepEqual(finished, { value: { appState: "memory" } });
      const seen = await begun.run(async (issuer) => [(await session.current()).storage, await api(issuer)], server.origin);
      assert.deepEqual([seen[0], seen[1].status], ["memory", 200]);
      // A code cannot be promised to a key that will not be there.
      assert.equal(server.requests.find(({ path, status }) => path === "/request" && status === 201).form.dpop_jkt, undefined);

      const page = await openPage();
      const nothing = `async (issuer) => { (${refuse})(); Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }; return outcome(start(issuer).loginUrl()); }`;
      const refused = await page.run(nothing, server.origin);
      assert.equal(refused.code, "storage_failed");
      assert.match(refused.message, /allow site data/);
    }));

  test("keys of logins that nobody finished are swept, others stay", () =>
    withServer({}, async (server) => {
      const page = await openPage();
      const left = await page.run(async (issuer) => {
        const states = [];
        for (let index = 0; index < 3; index++) states.push(new URL(await start(issuer, { metadata: { issuer, authorization_endpoint: issuer + "/auth" } }).loginUrl()).searchParams.get("state"));
        const database = await new Promise((resolve) => { indexedDB.open("keybound").onsuccess = ({ target }) => resolve(target.result); });
        const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
        const logins = async () => {
          const keys = await done(database.transaction("keys").objectStore("keys").getAllKeys());
          return states.map((state) => keys.some((key) => Array.isArray(key) && key.includes(state)));
        };
        const change = database.transaction("keys", "readwrite").objectStore("keys");
        const at = (await done(change.getAllKeys())).find((key) => Array.isArray(key) && key.includes(states[1]));
        const login = await done(change.get(at));
        await done(change.put({ ...login, at: login.at - 25 * 3600_000 }, at));
        const before = await logins();
        start(issuer);
        for (let tries = 0; tries < 100 && (await logins())[1]; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
        return [before, await logins()];
      }, server.origin);
      assert.deepEqual(left, [[true, true, true], [true, false, true]]);
    }));

  test("the key is of an algorithm that the server takes", () =>
    withServer({}, async (server) => {
      const page = await openPage();
      const seen = await page.run(async (issuer) => {
        const algorithmOf = async (offered, more) => {
          const metadata = { issuer, authorization_endpoint: issuer + "/auth", ...(offered && { dpop_signing_alg_values_supported: offered }) };
          start(issuer, { metadata, name: "algorithms", ...more });
          const state = new URL(await session.loginUrl()).searchParams.get("state");
          const database = await new Promise((resolve) => { indexedDB.open("keybound").onsuccess = ({ target }) => resolve(target.result); });
          const request = database.transaction("keys").objectStore("keys").get(["login", "algorithms", state]);
          const login = await new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
          return [login.algorithm, login.pair.privateKey.extractable];
        };
        return [await algorithmOf(), await algorithmOf(["RS256", "ES256"]), await algorithmOf(["ES384"]), await algorithmOf(["ES256"], { algorithm: "PS256" })];
      }, server.origin);
      assert.deepEqual(seen, [["ES256", false], ["ES256", false], ["ES384", false], ["PS256", false]]);
    }));

  test("a logout ends the session in every tab, revokes its tokens, and says where to leave the server", () =>
    withServer({}, async (server) => {
      const [other, page] = await logIn(server);
      const { token } = await page.run((issuer) => api(issuer), server.origin);
      assert.equal((await other.run((issuer) => api(issuer), server.origin)).status, 200);
      const leave = await page.run(async (back) => String(await session.logout({ postLogoutRedirectUri: back })), redirectUri());
      const { origin, pathname, searchParams } = new URL(leave);
      assert.equal(origin + pathname, `${server.origin}/session/end`);
      assert.equal(decodeJwt(searchParams.get("id_token_hint")).sub, "ada");
      assert.deepEqual([searchParams.get("post_logout_redirect_uri"), searchParams.get("client_id")], [redirectUri(), "page"]);
      const revoked = server.requests.filter(({ path }) => path === "/token/revocation");
      assert.deepEqual(revoked.map(({ form, status }) => [form.token_type_hint, status]), [["refresh_token", 200]]);
      // The access token goes with it (RFC 7009 §2.1), but not the other way round.
      assert.notEqual(revoked[0].form.token, token);
      assert.equal(await server.provider.AccessToken.find(token), undefined);
      const told = await other.run(async () => {
        for (let tries = 0; tries < 100 && !events.some(({ type }) => type === "session_ended"); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
        return events.filter(({ type }) => type === "session_ended");
      });
      assert.deepEqual(told, [{ type: "session_ended", reason: "logout", elsewhere: true }]);
      for (const tab of [other, page]) assert.deepEqual(await tab.run(async (issuer) => [await session.current(), await session.bound(), (await api(issuer)).status], server.origin), [null, null, 401]);
      assert.equal(await page.run(async () => String(await session.logout())), "null");
    }));

  test("a logout after the site data were cleared still revokes what the page knows", () =>
    withServer({}, async (server) => {
      const [, page] = await logIn(server);
      await page.run(async () => {
        await new Promise((resolve, reject) => Object.assign(indexedDB.deleteDatabase("keybound"), { onsuccess: resolve, onerror: reject }));
        await session.logout();
      });
      assert.deepEqual(server.requests.filter(({ path }) => path === "/token/revocation").map(({ status }) => status), [200]);
      assert.deepEqual(await page.run(() => events.filter(({ type }) => type === "session_ended").map(({ reason }) => reason)), ["logout"]);
    }));

  test("a logout without network is one all the same, and says that the server knows nothing of it", () =>
    withServer({}, async (server) => {
      const [, page] = await logIn(server);
      server.meet = () => "cut";
      const seen = await page.run(async () => {
        await session.logout();
        return [await session.current(), events.filter(({ type }) => /ended|revocation/.test(type)).map(({ type }) => type)];
      });
      assert.deepEqual(seen, [null, ["session_ended", "revocation_failed"]]);
    }));
});
