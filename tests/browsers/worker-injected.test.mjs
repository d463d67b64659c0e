// A script that got into the page of a worker's session: what it tries, and what it must not get.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serveApi } from "./harness.mjs";
import { inEveryEngineWithWorkers } from "./worker-pages.mjs";

/** Signs, reads, sends: everything that the script can lay hands on is heard, from before the session begins. */
const eavesdrop = () => {
  const heard = (globalThis.heard = []);
  globalThis.ports = new Set();
  const note = (...all) => {
    try {
      heard.push(JSON.stringify(all, (_, value) => (value instanceof MessagePort || value instanceof ReadableStream ? "object" : value)));
    } catch { heard.push("odd"); }
  };
  for (const { prototype } of [MessagePort, Worker]) {
    const post = prototype.postMessage;
    prototype.postMessage = function (...all) {
      if (this instanceof MessagePort && !ports.has(this)) {
        ports.add(this);
        this.addEventListener("message", ({ data }) => note("port", data));
      }
      for (const moved of Array.isArray(all[1]) ? all[1] : []) if (moved instanceof MessagePort) globalThis.moved = moved;
      note("post", all[0]);
      return post.apply(this, all);
    };
  }
  for (const name of ["Request", "Response", "Headers", "URL", "fetch", "Worker", "MessageChannel", "BroadcastChannel"]) {
    const before = globalThis[name];
    if (name === "fetch") globalThis.fetch = (...all) => { note("fetch", String(all[0]?.url ?? all[0])); return before(...all); };
    else globalThis[name] = new Proxy(before, { construct: (target, all, to) => { note(name, all[0], all[1]); return Reflect.construct(target, all, to); } });
  }
  const channel = new BroadcastChannel("keybound session");
  channel.onmessage = ({ data }) => note("channel", data);
  addEventListener("message", ({ data }) => note("window", data));
};

/** What is stored where the script can look. */
const loot = async () => {
  const found = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((resolve, reject) => { const request = indexedDB.open(name); request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
    for (const store of database.objectStoreNames) {
      const request = database.transaction(store).objectStore(store).getAll();
      found.push(name, ...(await new Promise((resolve) => { request.onsuccess = () => resolve(request.result); })));
    }
    database.close();
  }
  for (const storage of [localStorage, sessionStorage]) found.push(...Object.entries(storage));
  for (const name of await caches.keys()) found.push(name);
  return found;
};

const forged = async ({ url, elsewhere, issuer }) => {
  const [port] = ports;
  /** As the page's own questions, with numbers of its own. */
  let number = 1e6;
  const say = (question) => new Promise((resolve) => {
    const id = ++number;
    const hear = ({ data }) => { if (data.id !== id && data.ended !== id) return; port.removeEventListener("message", hear); resolve(data.failure?.code ?? data.failure?.text ?? data.value ?? "nothing"); };
    port.addEventListener("message", hear);
    port.postMessage({ id, ...question });
    setTimeout(() => resolve("no answer"), 4000);
  });
  const call = (more) => say({ ask: { type: "fetch", method: "GET", url: url + "/orders", headers: [], body: undefined, ...more } });
  return {
    proof: await say({ ask: { type: "proof", method: "GET", url } }),
    token: await say({ ask: { type: "token" } }),
    bound: await say({ ask: { type: "bound" } }),
    inherited: await say({ ask: { type: "__proto__" } }),
    odd: await say({ ask: 7 }),
    elsewhere: await call({ url: elsewhere + "/steal" }),
    script: await call({ url: "data:text/plain,x" }),
    authorization: await call({ headers: [["authorization", "Bearer x"]] }),
    upper: await call({ headers: [["AUTHORIZATION", "DPoP x"]] }),
    dpop: await call({ headers: [["DPoP", "x.y.z"]] }),
    tokenEndpoint: await call({ url: issuer + "/token", method: "POST" }),
    sameThere: await call({ url: issuer + "//TOKEN/", method: "POST" }),
    long: await call({ url: url + "/" + "x".repeat(100_000) }),
    large: await call({ method: "POST", body: new ArrayBuffer(33 * 1024 * 1024) }),
    shape: await call({ headers: [["x-test"]] }),
    parameters: await say({ ask: { type: "begin", parameters: [["redirect_uri", elsewhere]] } }),
    early: await call({ iat: 1, jti: "mine", claims: { iat: 1 }, nonce: "mine", issuer: elsewhere, origins: [elsewhere] }).then(({ status }) => status),
  };
};

/** In the page's own world: what a driver runs may see the page through glass, and patch nothing. */
const INJECTED = `Object.assign(globalThis, { eavesdrop: ${eavesdrop}, loot: ${loot}, forged: ${forged} }); eavesdrop(); globalThis.injected = true;`;
const inject = async () => {
  document.head.append(Object.assign(document.createElement("script"), { src: "/injected.js" }));
  while (!window.injected) await new Promise((resolve) => setTimeout(resolve, 5));
};

inEveryEngineWithWorkers("a script in the page of a worker's session", ({ withServers }) => {
  test("sees no token and no proof, whatever it hears, opens, patches and forges", () =>
    withServers({ lifetime: 5 }, async ({ server, api, openPage }) => {
      const page = await openPage();
      await page.run(inject);
      const calls = [];
      const stranger = await serveApi((request) => void calls.push(request));
      try {
        await page.run(async (url) => {
          await start();
          await logIn();
          await (await session.fetch(url + "/orders", { method: "POST", body: "1" })).text();
        }, api.origin);
        const refused = await page.run((servers) => forged(servers), { url: api.origin, elsewhere: stranger.origin, issuer: server.origin });
        const seen = await page.run(async (url) => {
          // Past the token's life: it is refreshed.
          await new Promise((resolve) => setTimeout(resolve, 5200));
          await (await session.fetch(url + "/orders")).text();
          await session.logout();
          return { heard: heard.join("\n"), ports: ports.size };
        }, api.origin);
        const looted = await page.run(() => loot());

        assert.equal(seen.ports, 1);
        const secrets = server.requests.flatMap(({ headers, form }) => [headers.dpop, form.code_verifier, form.refresh_token, form.token]).filter(Boolean);
        assert.ok(secrets.length > 5);
        assert.equal(server.grants("refresh_token", 200).length, 1);
        assert.ok(seen.heard.includes("/orders"), "it does hear what goes by");
        for (const secret of secrets) assert.ok(!seen.heard.includes(secret), secret);
        // Tokens and proofs are JWTs, refresh tokens were among the secrets.
        assert.doesNotMatch(seen.heard, /eyJ[\w-]+\.[\w-]+\.[\w-]+|access_token|refresh_token|id_token/);
        // With the newest nonce, who can sign elsewhere could use it.
        assert.doesNotMatch(seen.heard, /dpop-nonce/i);
        assert.deepEqual(looted, []);
        assert.equal(calls.length, 0);

        const { early, ...others } = refused;
        for (const [what, answer] of Object.entries(others)) assert.match(String(answer), /^(worker_refused|origin_not_allowed|invalid_url)$/, what);
        assert.equal(early, 200);
        // Proofs are of the moment.
        assert.ok(api.reasons.every((reason) => reason === null || reason === "nonce_missing" || reason === "token_expired" || reason === "no_credentials"), String(api.reasons));
      } finally {
        await stranger.close();
      }
    }));

  test("a second connection, a second worker of the same script, and other kinds of workers have no session", () =>
    withServers({}, async ({ api, openPage }) => {
      const page = await openPage();
      const seen = await page.run(async (url) => {
        await start();
        const own = await logIn();
        const second = await outcome(connectWorker(worker));
        const other = await connectWorker(new Worker("/keybound/worker.js", { type: "module" }));
        const foreign = { status: await other.status(), answer: (await other.fetch(url + "/orders")).status };
        const shared = await new Promise((resolve) => {
          if (!globalThis.SharedWorker) return resolve("none");
          const shared = new SharedWorker("/keybound/worker.js", { type: "module" });
          shared.onerror = () => resolve("error");
          shared.port.onmessage = () => resolve("answered");
          const { port2 } = new MessageChannel();
          shared.port.postMessage("keybound", [port2]);
          setTimeout(() => resolve("silent"), 1500);
        });
        const service = await navigator.serviceWorker.register("/keybound/worker.js", { type: "module" }).then((registration) => registration.unregister().then(() => "registered"), () => "refused");
        return { own: own.claims.sub, second: second.code, foreign, shared, service, still: (await session.fetch(url + "/orders")).status };
      }, api.origin);
      assert.deepEqual([seen.own, seen.second, seen.foreign, seen.still], ["ada", "worker_refused", { status: null, answer: 401 }, 200]);
      assert.match(seen.shared, /^(none|error|silent)$/);
      assert.equal(seen.service, "refused");
    }));

  test("reaches nothing of the authorization server but userinfo, though the worker's script names it among the APIs", () =>
    withServers({ worker: ({ server, api }) => ({ origins: [api.origin, server.origin] }) }, async ({ server, openPage }) => {
      const page = await openPage();
      const seen = await page.run(async (issuer) => {
        await start();
        await logIn();
        const tried = {};
        for (const path of ["/token", "//TOKEN/", "/token/revocation", "/request", "/jwks", "/anything"]) tried[path] = (await outcome(session.fetch(issuer + path, { method: "POST" }))).code;
        return { tried, userinfo: (await session.fetch(issuer + "/me")).status };
      }, server.origin);
      for (const [path, code] of Object.entries(seen.tried)) assert.equal(code, "worker_refused", path);
      assert.ok(seen.userinfo > 0);
    }));

  test("three hundred questions at once are more than are answered", async () => {
    const stalled = await serveApi(() => new Promise(() => {}));
    try {
      await withServers({ worker: ({ api }) => ({ origins: [api.origin, stalled.origin] }) }, async ({ api, openPage }) => {
        const page = await openPage();
        const seen = await page.run(async ({ url, stalled }) => {
          await start();
          await logIn();
          const controller = new AbortController();
          const all = Array.from({ length: 300 }, () => outcome(session.fetch(stalled, { signal: controller.signal })));
          await Promise.race(all);
          await new Promise((resolve) => setTimeout(resolve, 500));
          controller.abort();
          const refused = (await Promise.all(all)).filter(({ code }) => code === "worker_refused").length;
          return [refused, (await session.fetch(url + "/orders")).status];
        }, { url: api.origin, stalled: stalled.origin });
        assert.deepEqual(seen, [44, 200]);
      });
    } finally {
      await stalled.close();
    }
  });
}, { pages: { "/injected.js": INJECTED } });

/** A script of the attacker that the origin serves: it writes down what it sees, and takes over whom it can. */
const SPY = `
const seen = [];
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", ({ request }) => { if (request.headers.has("dpop")) seen.push(request.url); });
addEventListener("message", ({ source }) => source.postMessage(seen));`;

const besiege = async (script) => {
  const refusal = await navigator.serviceWorker.register(script).then(() => undefined, (error) => error.name);
  if (refusal) return { refusal };
  const registration = await navigator.serviceWorker.ready;
  globalThis.spied = () => new Promise((resolve) => { navigator.serviceWorker.onmessage = ({ data }) => resolve(data); registration.active.postMessage(0); });
  globalThis.leave = () => registration.unregister();
  return {};
};

inEveryEngineWithWorkers(
  "a service worker over the worker",
  ({ withServers }) => {
    test("is noticed by a new worker before a login begins", () =>
      withServers({}, async ({ openPage }) => {
        const page = await openPage();
        const seen = await page.run(`async () => {
          await (${besiege})("/spy.js");
          await start();
          const ended = await outcome(session.loginUrl());
          const seen = await spied();
          await leave();
          return [ended.code, seen];
        }`);
        assert.deepEqual(seen, ["worker_controlled", []]);
      }));
  },
  { pages: { "/spy.js": SPY } },
);

inEveryEngineWithWorkers(
  "a policy that names the worker's script",
  ({ withServers }) => {
    test("keeps every other script from becoming a worker of any kind, and the worker works", () =>
      withServers({}, async ({ api, openPage }) => {
        const page = await openPage();
        const seen = await page.run(`async (url) => {
          const { refusal } = await (${besiege})("/spy.js");
          await start();
          await logIn();
          return [refusal, (await session.fetch(url + "/orders")).status];
        }`, api.origin);
        assert.deepEqual(seen, ["SecurityError", 200]);
      }));
  },
  { pages: { "/spy.js": SPY }, headers: { "content-security-policy": "script-src 'self' 'wasm-unsafe-eval'; worker-src http://127.0.0.1:*/keybound/worker.js" } },
);
