// A session in a worker: logging in, asking an API, refreshing, leaving; at a real authorization server and a real API.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { inEveryEngineWithWorkers } from "./worker-pages.mjs";

inEveryEngineWithWorkers("a session in a worker", ({ name, open, withServers, site }) => {
  // WebKit's driver runs scripts without a person's click, and WebKit opens no window then: there, a frame.
  const popup = name !== "webkit";
  test(`a login in a ${popup ? "popup" : "frame"} opens the API; the code is bound to the worker's key`, () =>
    withServers({}, async ({ server, api, openPage }) => {
      const page = await openPage();
      const seen = await page.run(async ({ url, popup }) => {
        await start();
        const before = await session.status();
        const status = await (popup ? session.login() : logIn());
        const response = await session.fetch(url + "/orders", { method: "POST", body: "three", headers: { "x-test": "1" } });
        return { before, status, answer: { status: response.status, url: response.url, body: await response.json() }, events };
      }, { url: api.origin, popup });
      assert.equal(seen.before, null);
      const { status } = seen;
      assert.deepEqual([status.claims.sub, status.storage], ["ada", "memory"]);
      assert.deepEqual(seen.answer, { status: 200, url: `${api.origin}/orders`, body: { sub: "ada", jkt: status.thumbprint, method: "POST", body: "three" } });
      const pushed = server.requests.find(({ path, status: answered }) => path === "/request" && answered === 201);
      assert.deepEqual([pushed.form.dpop_jkt, pushed.form.code_challenge_method], [status.thumbprint, "S256"]);
      assert.ok(decodeJwt(pushed.headers.dpop).nonce);
      // The API wanted a nonce first.
      assert.deepEqual(api.reasons, ["nonce_missing", null].slice(-api.reasons.length));
      assert.ok(seen.events.some(({ type }) => type === "session_started"));
      assert.ok(seen.events.some(({ type, reason }) => type === "retry" && reason === "use_dpop_nonce"));
    }));

  test("a window that the person closes is a login that was cancelled", () =>
    withServers({}, async ({ openPage }) => {
      const page = await openPage();
      const seen = await page.run(async () => {
        await start();
        const target = frame();
        const going = outcome(session.login({ window: target }));
        document.querySelector("iframe").remove();
        return going;
      });
      assert.equal(seen.code, "login_cancelled");
    }));

  test("an answer that another window gives is not the login's", () =>
    withServers({}, async ({ openPage }) => {
      const page = await openPage();
      const seen = await page.run(async () => {
        await start();
        const forged = setInterval(() => postMessage({ type: "keybound login", url: location.origin + "/back.html?code=mine&state=mine" }, location.origin), 5);
        return outcome(logIn()).finally(() => clearInterval(forged));
      });
      assert.equal(seen.value?.claims.sub, "ada", JSON.stringify(seen));
    }));

  test("what the person refuses, and what the page may not ask for, are told with their codes", () =>
    withServers({ worker: () => ({ parameters: { ui_locales: "de" } }) }, async ({ server, openPage }) => {
      server.person = null;
      const page = await openPage();
      const seen = await page.run(async () => {
        await start();
        const refused = await outcome(session.loginUrl({ parameters: { scope: "everything" } }));
        return [await outcome(logIn({ parameters: { login_hint: "ada", ui_locales: "fr" } })), refused, await outcome(session.finishLogin("https://else.example/?code=1&state=2"))];
      });
      assert.deepEqual([seen[0].code, seen[0].said], ["login_cancelled", "access_denied"]);
      assert.equal(seen[1].code, "worker_refused");
      assert.equal(seen[2].code, "login_invalid");
      const { form } = server.requests.find(({ path, status }) => path === "/request" && status === 201);
      assert.deepEqual([form.login_hint, form.ui_locales], ["ada", "de"]);
    }));

  test("a token is refreshed in the worker", () =>
    withServers({ lifetime: 8 }, async ({ server, api, openPage }) => {
      const page = await openPage();
      const seen = await page.run(async (url) => {
        await start();
        await logIn();
        const statuses = [(await session.fetch(url + "/orders")).status];
        await new Promise((resolve) => setTimeout(resolve, 8200));
        statuses.push((await session.fetch(url + "/orders")).status);
        return { statuses, told: events.map(({ type }) => type) };
      }, api.origin);
      assert.deepEqual(seen.statuses, [200, 200]);
      assert.ok(seen.told.includes("session_refreshed"));
      assert.equal(server.grants("refresh_token", 200).length, 1);
    }));

  test("an AbortSignal reaches the request, in whatever state it is", () =>
    withServers({}, async ({ api, openPage }) => {
      const page = await openPage();
      const seen = await page.run(async (url) => {
        await start();
        await logIn();
        await session.fetch(url + "/orders");
        const controller = new AbortController();
        const slow = outcome(session.fetch(url + "/slow", { signal: controller.signal }));
        setTimeout(() => controller.abort(), 200);
        return [await slow, await outcome(session.fetch(url + "/orders", { signal: AbortSignal.abort() })), (await session.fetch(url + "/orders")).status];
      }, api.origin);
      assert.deepEqual([seen[0].code, seen[0].name, seen[1].code, seen[2]], ["aborted", "AbortError", "aborted", 200]);
    }));

  test("errors of requests come across: another origin, a redirect, a network that fails", () =>
    withServers({}, async ({ api, openPage }) => {
      const page = await openPage();
      const seen = await page.run(async ({ url, own }) => {
        await start();
        await logIn();
        const codes = [];
        for (const target of [own + "/worker.html", url + "/away"]) codes.push((await outcome(session.fetch(target))).code);
        return codes;
      }, { url: api.origin, own: site().origin });
      assert.deepEqual(seen, ["origin_not_allowed", "redirect_refused"]);
      await api.close();
      assert.match((await page.run((url) => outcome(session.fetch(url + "/orders")), api.origin)).code, /^TypeError/);
    }));

  test("a logout revokes the tokens, and no address that it gives holds one", () =>
    withServers({}, async ({ server, api, openPage }) => {
      const page = await openPage();
      const seen = await page.run(async (url) => {
        await start();
        await logIn();
        const address = String(await session.logout());
        return { address, status: await session.status(), answer: (await session.fetch(url + "/orders")).status };
      }, api.origin);
      assert.deepEqual([seen.status, seen.answer], [null, 401]);
      assert.equal(new URL(seen.address).searchParams.get("client_id"), "page");
      assert.doesNotMatch(seen.address, /id_token/);
      assert.equal(server.requests.filter(({ path, status }) => path === "/token/revocation" && status === 200).length, 1);
    }));

  test("what an event says of an error stays in the worker", () =>
    withServers({}, async ({ server, openPage }) => {
      const page = await openPage();
      server.meet = ({ path, form }) => (path === "/token/revocation" ? { status: 503, body: form } : undefined);
      const told = await page.run(async () => {
        await start();
        await logIn();
        await session.logout();
        return events.filter(({ type }) => type === "revocation_failed");
      });
      assert.deepEqual(told, [{ type: "revocation_failed" }]);
    }));

  test("with the worker the session ends; requests under way are told, and a new worker knows nobody", () =>
    withServers({}, async ({ api, openPage }) => {
      const page = await openPage();
      const seen = await page.run(async (url) => {
        await start();
        const first = (await logIn()).thumbprint;
        await session.fetch(url + "/orders");
        const going = outcome(session.fetch(url + "/slow"));
        const old = session;
        setTimeout(() => old.close(), 100);
        const ended = [(await going).code, (await outcome(old.status())).code];
        await start();
        const status = await session.status();
        const answer = (await session.fetch(url + "/orders")).status;
        const second = (await logIn()).thumbprint;
        return { ended, status, answer, same: first === second };
      }, api.origin);
      assert.deepEqual(seen, { ended: ["worker_gone", "worker_gone"], status: null, answer: 401, same: false });
    }));

  test("a worker's script that is not there is told at once", () =>
    withServers({}, async ({ openPage }) => {
      const page = await openPage();
      const [seen, took] = await page.run(async () => {
        const begun = performance.now();
        return [await outcome(start("/nowhere.js")), performance.now() - begun];
      });
      assert.equal(seen.code, "worker_gone");
      // Not only when the time for its start is over.
      assert.ok(took < 10_000, `${took} ms`);
    }));

  test("without a bundler the page loads its half only: no session, no module, no oauth4webapi", async () => {
    const since = site().requests.length;
    const page = await open(`${site().origin}/plain.html`);
    assert.deepEqual(await page.run(async () => [typeof half.connectWorker, half.returnLogin(), Object.keys(half).sort()]), ["function", false, ["connectWorker", "returnLogin"]]);
    const loaded = site().requests.slice(since).filter((path) => path.endsWith(".js") || path.endsWith(".wasm"));
    assert.ok(loaded.includes("/worker/page.js"));
    assert.ok(loaded.length < 10 && loaded.every((path) => !/session|serve|wasm|key|exchange|oauth/.test(path)), String(loaded));
  });
}, {
  pages: {
    "/plain.html": `<!doctype html><meta charset="utf-8"><title>plain</title><script type="module" src="/plain.js"></script>`,
    "/plain.js": `globalThis.half = await import("/worker/page.js"); globalThis.ready = true;`,
  },
});
