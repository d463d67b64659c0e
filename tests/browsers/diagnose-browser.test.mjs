// diagnose() in browsers that lack something, and in bundles of those who do not import it.
import assert from "node:assert/strict";
import { createServer, connect } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { build } from "esbuild";
import { join } from "node:path";
import { dist } from "../support/paths.mjs";
import { STRICT_CSP } from "../support/static-server.mjs";
import { assertFix, diagnose, failing } from "./diagnose-pages.mjs";
import { inEveryEngine, serveSite } from "./harness.mjs";

const SECURE = "Serve this page over https (http is good enough from localhost only).";
const SUBTLE = "Look for a script or an extension of the browser that takes crypto.subtle away, or replaces crypto; else use a current browser.";
const STORE = "In the browser's settings, let this site store data, and leave the private window; until then people log in after each reload.";

/** An address of this machine that is no loopback address: to browsers, http from there is not secure. */
const address = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === "IPv4" && !internal)?.address;

/** Lets others reach at `address` what listens at a loopback port. */
async function expose(origin) {
  const { port } = new URL(origin);
  const sockets = new Set();
  const server = createServer((socket) => {
    const upstream = connect(Number(port), "127.0.0.1");
    for (const [one, other] of [[socket, upstream], [upstream, socket]]) {
      sockets.add(one);
      one.on("error", () => other.destroy()).on("close", () => sockets.delete(one)).pipe(other);
    }
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, address, resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://${address}:${server.address().port}`, close };
}

inEveryEngine("diagnose", ({ open }) => {
  const withSite = async (options, work) => {
    const site = await serveSite(options);
    try {
      return await work(await open(`${site.origin}/page.html`), site);
    } finally {
      await site.close();
    }
  };

  test("a browser that has everything lacks nothing, and nothing is left behind in it", async () => {
    const page = await open();
    const checks = await diagnose(page);
    assert.deepEqual([checks.ok, [...checks.keys()]], [true, ["secure context", "WebAssembly", "algorithms", "key storage", "Web Locks"]]);
    assert.match(checks.get("algorithms").detail, /^ES256, ES384, /);
    const left = await page.run(async () => {
      const database = await new Promise((resolve) => { indexedDB.open("keybound").onsuccess = ({ target }) => resolve(target.result); });
      const request = database.transaction("keys").objectStore("keys").getAllKeys();
      const keys = await new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
      return keys.filter((key) => String(key).includes("diagnosis"));
    });
    assert.deepEqual(left, []);
  });

  test("a page that came by http from another machine is told to use https", { skip: address === undefined && "this machine has loopback addresses only" }, () =>
    withSite({}, async (_, site) => {
      const outside = await expose(site.origin);
      try {
        const checks = await diagnose(await open(`${outside.origin}/page.html`), { resource: "https://api.example/", issuer: "nowhere" });
        assert.equal(checks.get("secure context").detail, `${outside.origin} is no secure context: there is no crypto.subtle in it`);
        for (const name of ["secure context", "algorithms", "key storage"]) assertFix(checks, name, SECURE);
        assert.equal(checks.get("WebAssembly").ok, true);
        assertFix(checks, "resource: reach", /^First do what the checks of the browser say/);
      } finally {
        await outside.close();
      }
    }));

  test("a secure page from which something took crypto.subtle is told to look for that", async () => {
    const page = await open();
    await page.run(() => void Object.defineProperty(Crypto.prototype, "subtle", { get: () => undefined }));
    const checks = await diagnose(page);
    assert.deepEqual(failing(checks), ["secure context", "algorithms", "key storage"]);
    for (const name of failing(checks)) assertFix(checks, name, SUBTLE);
  });

  test("a browser that cannot sign with ES256 is told to be replaced", async () => {
    const page = await open();
    await page.run(() => {
      const { generateKey } = SubtleCrypto.prototype;
      SubtleCrypto.prototype.generateKey = function (parameters, ...rest) {
        return parameters.namedCurve === "P-256" ? Promise.reject(new DOMException("no", "NotSupportedError")) : generateKey.call(this, parameters, ...rest);
      };
    });
    assertFix(await diagnose(page), "algorithms", "Use a current browser: this one cannot sign with ES256.");
  });

  test("an IndexedDB that takes no keys, is not there, or does not answer, is told of", async () => {
    const none = await open();
    await none.run(() => { IDBObjectStore.prototype.put = () => { throw new DOMException("no keys here", "DataCloneError"); }; });
    const refused = await diagnose(none);
    assert.deepEqual(failing(refused), ["key storage"]);
    assertFix(refused, "key storage", STORE);
    const forgetful = await open();
    await forgetful.run(() => { IDBObjectStore.prototype.put = function () { return this.get("nothing"); }; });
    const forgotten = await diagnose(forgetful);
    assert.equal(forgotten.get("key storage").detail, "IndexedDB forgets a key at once");
    assertFix(forgotten, "key storage", STORE);
    const gone = await open();
    await gone.run(() => void Object.defineProperty(window, "indexedDB", { value: undefined }));
    assertFix(await diagnose(gone), "key storage", STORE);
    const silent = await open();
    await silent.run(() => { IDBFactory.prototype.open = () => ({}); });
    const started = Date.now();
    const late = await diagnose(silent);
    assert.ok(Date.now() - started < 20_000);
    assert.equal(late.get("key storage").detail, "no answer within 8 s");
    assertFix(late, "key storage", `Close the other tabs of this site, and try again. ${STORE}`);
  });

  test("a policy without a word for WebAssembly is told the one that it needs", () =>
    withSite({ headers: { "content-security-policy": "script-src 'self'" } }, async (page) => {
      const checks = await diagnose(page);
      assert.deepEqual(failing(checks), ["WebAssembly"]);
      assertFix(checks, "WebAssembly", `In the answer that brings the page:\nContent-Security-Policy: ${STRICT_CSP}`);
    }));

  test("a module that is not there, or is a page instead, is told apart from a policy", () =>
    withSite({ pages: { "/wasm/keybound_browser_bg.wasm": "<!doctype html>" } }, async (page) => {
      const checks = await diagnose(page, { resource: "https://api.example/" });
      assert.deepEqual(failing(checks), ["WebAssembly", "resource: reach"]);
      assertFix(checks, "WebAssembly", /^Serve wasm\/keybound_browser_bg\.wasm beside the package's index\.js; or import from @keybound\/browser\/inline/);
      assertFix(checks, "resource: reach", /^First do what the checks of the browser say/);
    }));

  test("a browser without WebAssembly is told so", async () => {
    const page = await open();
    await page.run(() => void delete window.WebAssembly);
    const checks = await diagnose(page);
    assert.deepEqual(failing(checks), ["WebAssembly"]);
    assertFix(checks, "WebAssembly", /^Switch it on/);
  });

  test("Web Locks that are not there are no fault, and those that never come are one", async () => {
    const none = await open();
    await none.run(() => void Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined }));
    const without = await diagnose(none);
    assert.deepEqual([without.ok, without.get("Web Locks").detail], [true, "none here: keys are still made once, only slower"]);
    const stuck = await open();
    await stuck.run(() => { LockManager.prototype.request = (name, ...rest) => (name.includes("diagnosis") && !name.startsWith("keybound key") ? new Promise(() => {}) : rest.at(-1)()); });
    const hanging = await diagnose(stuck);
    assert.deepEqual(failing(hanging), ["Web Locks"]);
    assertFix(hanging, "Web Locks", "Restart the browser. Until then keys are still made once, only slower.");
  });

  test("it runs in a worker", () =>
    withSite(
      { pages: { "/diagnosis.js": 'import { diagnose } from "/index.js"; postMessage(await diagnose({ resource: "http://127.0.0.1:9/", issuer: "http://127.0.0.1:9" }));' } },
      async (page) => {
        const { checks } = await page.run(() => new Promise((resolve, reject) => {
          const worker = new Worker("/diagnosis.js", { type: "module" });
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => reject(new Error(message));
        }));
        assert.deepEqual(failing(new Map(checks.map((check) => [check.name, check]))), ["resource: reach", "issuer: metadata"]);
      },
    ));
});

test("whoever does not import diagnose does not get it", async () => {
  const bundle = async (contents) => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: dist.browser },
      bundle: true, write: false, minify: true, format: "esm", platform: "browser", target: "es2022", external: ["*.wasm"],
    });
    return outputFiles[0].text;
  };
  const index = JSON.stringify(join(dist.browser, "index.js"));
  assert.match(await bundle(`export { diagnose } from ${index};`), /keybound-diagnosis/);
  assert.doesNotMatch(await bundle(`export { DpopKey, createFetch, createTokenFetch, chooseAlgorithm, KeyboundError } from ${index};`), /diagnosis/);
});
