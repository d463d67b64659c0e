// Tokens that end, in many tabs at once: one refresh, no token burned, one end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inEveryEngineWithSessions } from "./session-pages.mjs";

const TABS = 10;
const slowly = (milliseconds) => ({ path }) => (path === "/token" ? new Promise((resolve) => setTimeout(resolve, milliseconds)) : undefined);

inEveryEngineWithSessions("sessions", ({ openPage, withServer, comeBack, logIn }) => {
  /** Ten windows of one session, each with its token in hand. `prepare` runs in each before its session starts. */
  const tenTabs = async (server, prepare = () => {}) => {
    const tabs = await logIn(server);
    while (tabs.length < TABS) {
      const page = await openPage();
      await page.run(prepare);
      await page.run(async (issuer) => { await start(issuer).current(); }, server.origin);
      tabs.push(page);
    }
    return tabs;
  };
  /** Does the same in all tabs, and at the same time. */
  const everywhere = async (tabs, work, argument) => {
    const at = Date.now() + 1500;
    for (const tab of tabs) {
      const begin = `({ at, argument }) => { window.working = new Promise((resolve) => setTimeout(resolve, at - Date.now())).then(() => outcome((${work})(argument))); }`;
      await tab.run(begin, { at, argument });
    }
    const results = [];
    for (const tab of tabs) results.push(await tab.run(() => working));
    return results;
  };
  /** Takes the token of the session from the server, so that the API no longer knows it. */
  const spoilToken = async (server, page) => {
    const { token } = await page.run((issuer) => api(issuer), server.origin);
    await (await server.provider.AccessToken.find(token)).destroy();
    return token;
  };
  const ofType = (page, type) => page.run(`async () => {
    for (let tries = 0; tries < 50 && !events.some((event) => event.type === ${JSON.stringify(type)}); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    return events.filter((event) => event.type === ${JSON.stringify(type)});
  }`);

  for (const [how, prepare] of [
    ["", undefined],
    [" without Web Locks", () => void Object.defineProperty(navigator, "locks", { value: undefined })],
  ]) {
    test(`ten tabs whose token is refused refresh it once${how}, and all have the new one`, () =>
      withServer({}, async (server) => {
        const tabs = await tenTabs(server, prepare);
        const used = prepare ? tabs.slice(2) : tabs;
        const spoilt = await spoilToken(server, tabs[0]);
        // Without locks for longer than a lease lasts that nobody keeps up.
        server.meet = slowly(prepare ? 3500 : 700);
        // Several calls in each.
        const results = await everywhere(used, async (issuer) => Promise.all([api(issuer), api(issuer), api(issuer)]), server.origin);
        for (const { value } of results) assert.deepEqual(value?.map(({ status }) => status), [200, 200, 200]);
        const tokens = new Set(results.flatMap(({ value }) => value.map(({ token }) => token)));
        assert.equal(tokens.size, 1);
        assert.ok(!tokens.has(spoilt));
        assert.equal(server.grants("refresh_token", 200).length, 1);
        // A challenge for a nonce may come before; nothing else.
        assert.ok(server.grants("refresh_token").length <= 2, String(server.grants("refresh_token").length));
        for (const tab of used) assert.equal((await ofType(tab, "session_refreshed")).length, 1);
      }));
  }

  test("ten tabs whose session ends ask once, and each is told once", () =>
    withServer({}, async (server) => {
      const tabs = await tenTabs(server);
      await spoilToken(server, tabs[0]);
      server.meet = ({ path, form }) => (path === "/token" && form.grant_type === "refresh_token" ? { status: 400, body: { error: "invalid_grant" } } : undefined);
      const results = await everywhere(tabs, (issuer) => api(issuer), server.origin);
      assert.deepEqual(results.map(({ value }) => value?.status), tabs.map(() => 401));
      assert.equal(server.grants("refresh_token").length, 1);
      const ends = [];
      for (const tab of tabs) ends.push(...(await ofType(tab, "session_ended")));
      assert.deepEqual(ends.map(({ reason }) => reason), tabs.map(() => "refused"));
      assert.equal(ends.filter(({ elsewhere }) => !elsewhere).length, 1);
      for (const tab of tabs) assert.deepEqual(await tab.run(async (issuer) => [await session.current(), (await api(issuer)).status], server.origin), [null, 401]);
      assert.equal(server.grants("refresh_token").length, 1);
    }));

  test("a nonce that is asked for burns no refresh token, and each is used once", () =>
    withServer({}, async (server) => {
      const [, finished] = await logIn(server);
      // Without those that the tabs share, no nonce is known.
      const page = await openPage();
      await page.run((issuer) => { localStorage.clear(); start(issuer); }, server.origin);
      for (let round = 0; round < 3; round++) {
        await spoilToken(server, page);
        assert.equal((await page.run((issuer) => api(issuer), server.origin)).status, 200);
      }
      const asked = server.grants("refresh_token");
      assert.deepEqual(asked.map(({ status }) => status), [400, 200, 200, 200]);
      assert.equal(asked[0].form.refresh_token, asked[1].form.refresh_token);
      assert.equal(new Set(asked.map(({ form }) => form.refresh_token)).size, 3);
      assert.equal((await finished.run((issuer) => api(issuer), server.origin)).status, 200);
    }));

  test("a token is refreshed before its time is up", () =>
    withServer({ lifetime: 4 }, async (server) => {
      const [, page] = await logIn(server);
      const seen = await page.run(async (issuer) => {
        const tokens = [];
        for (let round = 0; round < 3; round++) {
          tokens.push((await api(issuer)).token);
          await new Promise((resolve) => setTimeout(resolve, round ? 3100 : 100));
        }
        return tokens;
      }, server.origin);
      assert.equal(seen[0], seen[1]);
      assert.ok(seen[2] && seen[2] !== seen[1]);
      assert.equal(server.grants("refresh_token", 200).length, 1);
      assert.equal(server.grants("refresh_token").length, 1);
    }));

  test("a connection that breaks during a refresh does not cost the session", () =>
    withServer({}, async (server) => {
      const [other, page] = await logIn(server);
      await spoilToken(server, page);
      await page.run(() => {
        // Not at the server: some browsers repeat a request by themselves when its connection turns out to be closed.
        const send = window.fetch;
        let cuts = 1;
        window.fetch = (request, init) => (String(request.url ?? request).endsWith("/token") && cuts-- > 0 ? Promise.reject(new window.TypeError("cut")) : send(request, init));
      });
      assert.equal((await page.run((issuer) => api(issuer), server.origin)).status, 200);

      // Broken for longer: an error, and the session is as it was.
      await spoilToken(server, page);
      server.meet = ({ path }) => (path === "/token" ? "cut" : undefined);
      const failed = await page.run((issuer) => outcome(api(issuer)), server.origin);
      assert.equal(failed.code, "server_failed");
      server.meet = ({ path }) => (path === "/token" ? { status: 503, body: { error: "temporarily_unavailable" } } : undefined);
      assert.equal((await page.run((issuer) => outcome(api(issuer)), server.origin)).code, "server_failed");
      server.meet = ({ path }) => (path === "/token" ? { status: 400, body: { error: "invalid_client" } } : undefined);
      assert.equal((await page.run((issuer) => outcome(api(issuer)), server.origin)).code, "grant_refused");
      server.meet = () => undefined;
      for (const tab of [page, other]) assert.equal((await tab.run((issuer) => api(issuer), server.origin)).status, 200);
      assert.deepEqual(await page.run(() => events.filter(({ type }) => type === "session_ended")), []);
      assert.equal(server.grants("refresh_token", 200).length, 2);
    }));

  test("while the server cannot be reached, a token that still works is used, and the server left alone", () =>
    withServer({ lifetime: 8 }, async (server) => {
      const [, page] = await logIn(server);
      await new Promise((resolve) => setTimeout(resolve, 6200));
      server.meet = ({ path }) => (path === "/token" ? { status: 503, body: {} } : undefined);
      const seen = await page.run(async (issuer) => [await api(issuer), await api(issuer), await api(issuer)].map(({ status }) => status), server.origin);
      assert.deepEqual(seen, [200, 200, 200]);
      assert.equal(server.grants("refresh_token", 503).length, 1);
    }));

  for (const hasLocks of [true, false]) {
    test(`a tab that is closed during its refresh holds up nobody${hasLocks ? "" : ", also without Web Locks"}`, () =>
      withServer({}, async (server) => {
        const [page] = await logIn(server);
        // A frame is a tab to the locks, and can be closed in every engine.
        await page.run(async ({ issuer, hasLocks }) => {
          const frame = document.createElement("iframe");
          frame.src = location.pathname;
          document.body.append(frame);
          while (!frame.contentWindow.ready) await new Promise((resolve) => setTimeout(resolve, 20));
          if (!hasLocks) for (const { navigator } of [window, frame.contentWindow]) Object.defineProperty(navigator, "locks", { value: undefined });
          await frame.contentWindow.start(issuer).current();
          window.frame = frame;
        }, { issuer: server.origin, hasLocks });
        await spoilToken(server, page);
        let arrived;
        const held = new Promise((resolve) => (arrived = resolve));
        let first = true;
        server.meet = ({ path, headers }) => {
          if (path !== "/token" || !first) return undefined;
          first = false;
          arrived(headers);
          return new Promise(() => {});
        };
        await page.run((issuer) => void frame.contentWindow.api(issuer).catch(() => {}), server.origin);
        await held;
        await page.run((issuer) => { window.going = outcome(api(issuer)); }, server.origin);
        // It waits for the other one.
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.equal(server.grants("refresh_token").length, 1);
        await page.run(() => frame.remove());
        assert.equal((await page.run(() => going)).value?.status, 200);
        assert.equal(server.grants("refresh_token", 200).length, 1);
      }));
  }

  test("a logout during a refresh that no lock keeps apart is not undone by it", () =>
    withServer({}, async (server) => {
      const [other, page] = await logIn(server);
      await spoilToken(server, page);
      // A lock that was waited for too long, as of a frozen tab.
      await page.run(() => void Object.defineProperty(navigator, "locks", { value: undefined }));
      let release;
      const held = new Promise((resolve) => {
        server.meet = ({ path }) => {
          if (path !== "/token" || release) return undefined;
          resolve();
          return new Promise((go) => (release = go));
        };
      });
      await page.run((issuer) => { window.going = outcome(api(issuer)); }, server.origin);
      await held;
      const hold = server.meet;
      server.meet = (request) => (request.path === "/token/revocation" ? { status: 503, body: {} } : hold(request));
      await other.run(() => session.logout().then(String));
      release();
      await page.run(() => going);
      assert.equal(server.grants("refresh_token", 200).length, 1);
      for (const tab of [page, other]) {
        assert.equal(await tab.run(async () => String(await session.current())), "null");
        assert.deepEqual((await ofType(tab, "session_ended")).map(({ reason }) => reason), ["logout"]);
      }
    }));

  test("a login during a refresh that no lock keeps apart is not undone by it", () =>
    withServer({}, async (server) => {
      const [other, page] = await logIn(server);
      await spoilToken(server, page);
      const again = await comeBack(other, server);
      await page.run(() => void Object.defineProperty(navigator, "locks", { value: undefined }));
      let release;
      const held = new Promise((resolve) => {
        server.meet = ({ path, form }) => {
          if (path !== "/token" || form.grant_type !== "refresh_token" || release) return undefined;
          resolve();
          return new Promise((go) => (release = go));
        };
      });
      await page.run((issuer) => { window.going = outcome(api(issuer)); }, server.origin);
      await held;
      await again.run((issuer) => start(issuer).finishLogin(), server.origin);
      const { thumbprint } = await again.run(() => session.current());
      release();
      assert.equal((await page.run(() => going)).value?.status, 200);
      for (const tab of [page, other, again]) assert.equal((await tab.run(() => session.current())).thumbprint, thumbprint);
    }));

  test("what a refresh got is used even if it cannot be stored", () =>
    withServer({}, async (server) => {
      const [, page] = await logIn(server);
      for (let round = 0; round < 2; round++) {
        await spoilToken(server, page);
        await page.run(() => void Object.defineProperty(navigator, "locks", { value: undefined, configurable: true }));
        await page.run(() => { IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); }; });
        // Neither is there a lock then: calls at one time share one refresh.
        const answers = await page.run((issuer) => Promise.all([api(issuer), api(issuer), api(issuer)]), server.origin);
        assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
      }
      assert.equal(await page.run(async () => (await session.current()).storage), "memory");
      assert.equal(server.grants("refresh_token", 200).length, 2);
    }));

  test("tokens of somebody else are not taken for a session", () =>
    withServer({}, async (server) => {
      const [, page] = await logIn(server);
      const token = await spoilToken(server, page);
      const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: server.origin, aud: "page", sub: "eve", iat: now, exp: now + 600 };
      const body = { access_token: token, token_type: "DPoP", id_token: `${part({ alg: "RS256" })}.${part(claims)}.c2ln` };
      server.meet = ({ path }) => (path === "/token" ? { status: 200, body } : undefined);
      assert.equal((await page.run((issuer) => outcome(api(issuer)), server.origin)).code, "server_failed");
      assert.equal(await page.run(async () => (await session.current()).claims.sub), "ada");
    }));

  test("a page that was frozen looks again when it is shown", () =>
    withServer({}, async (server) => {
      const deaf = await openPage();
      await deaf.run((issuer) => {
        // It hears nothing, as in the cache of pages that one can go back to.
        window.BroadcastChannel = class { postMessage() {} close() {} };
        start(issuer);
      }, server.origin);
      const [, page] = await logIn(server);
      assert.equal(await deaf.run(async () => String(await session.current())), "null");
      const seen = await deaf.run(async () => {
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        return (await session.current())?.claims.sub;
      });
      assert.equal(seen, "ada");
      assert.ok(page);
    }));

  test("a session without refresh token ends when its time is up, and says so", () =>
    withServer({ lifetime: 2, refresh: false }, async (server) => {
      const [other, page] = await logIn(server);
      assert.equal((await page.run((issuer) => api(issuer), server.origin)).status, 200);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      assert.equal((await page.run((issuer) => api(issuer), server.origin)).status, 401);
      for (const [tab, elsewhere] of [[page, false], [other, true]]) {
        assert.deepEqual(await ofType(tab, "session_ended"), [{ type: "session_ended", reason: "expired", elsewhere }]);
      }
    }));

  test("a refusal by the API of a token that is not over, and cannot be refreshed, ends nothing", () =>
    withServer({ refresh: false }, async (server) => {
      const [, page] = await logIn(server);
      await spoilToken(server, page);
      const seen = await page.run(async (issuer) => [(await api(issuer)).status, (await session.current()).claims.sub], server.origin);
      assert.deepEqual(seen, [401, "ada"]);
    }));

  test("tabs hear of logins of others, and a page that opens later finds the session", () =>
    withServer({}, async (server) => {
      const [other] = await logIn(server);
      assert.deepEqual(await ofType(other, "session_started"), [{ type: "session_started", elsewhere: true }]);
      const later = await openPage();
      assert.deepEqual(await later.run(async (issuer) => [(await start(issuer).current()).claims.sub, (await api(issuer)).status, events.filter(({ type }) => type === "session_started").length], server.origin), ["ada", 200, 0]);
    }));

  test("site data that are cleared under a session end it at its next refresh", () =>
    withServer({}, async (server) => {
      const [, page] = await logIn(server);
      await spoilToken(server, page);
      await page.run(() => new Promise((resolve, reject) => Object.assign(indexedDB.deleteDatabase("keybound"), { onsuccess: resolve, onerror: reject })));
      assert.equal((await page.run((issuer) => api(issuer), server.origin)).status, 401);
      assert.deepEqual(await ofType(page, "session_ended"), [{ type: "session_ended", reason: "lost", elsewhere: true }]);
      assert.equal(server.grants("refresh_token").length, 0);
    }));

  test("a worker shares the session of its page", () =>
    withServer({}, async (server) => {
      const [page] = await logIn(server);
      const seen = await page.run(async (issuer) => {
        const worker = new Worker("/session-page.js", { type: "module" });
        const ask = (message) => new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); worker.postMessage(message); });
        await new Promise((resolve) => { worker.onmessage = resolve; });
        return [await ask({ issuer, redirectUri: location.href }), await api(issuer)];
      }, server.origin);
      assert.equal(seen[0].status, 200);
      assert.equal(seen[0].token, seen[1].token);
    }));

  test("sessions of two names do not mix", () =>
    withServer({}, async (server) => {
      const [page] = await logIn(server);
      const seen = await page.run(async (issuer) => {
        const mine = session;
        const other = start(issuer, { name: "other" });
        return [await other.current(), (await mine.current()).claims.sub, (await other.fetch(issuer + "/api")).status];
      }, server.origin);
      assert.deepEqual(seen, [null, "ada", 401]);
      assert.ok(await comeBack(page, server));
    }));
});
