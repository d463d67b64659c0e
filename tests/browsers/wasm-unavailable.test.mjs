// A WebAssembly module that does not come or may not run: an error that says why and what to change, and never a hang.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { listen } from "../support/loopback.mjs";
import { inEveryEngine, serveSite } from "./harness.mjs";

const MODULE = "/wasm/keybound_browser_bg.wasm";

/** A server that accepts, and then says nothing, or (`/part`) only the beginning. */
async function serveSilence() {
  const left = [];
  const server = createServer(({ url }, answer) => {
    answer.on("close", () => left.push(url));
    if (url !== "/part") return;
    answer.writeHead(200, { "content-type": "application/wasm", "content-length": "1000", "access-control-allow-origin": "*" }).write("\0asm");
  });
  return { ...(await listen(server)), left };
}

/** In the page: how a first use fails, and how long that takes. `hurry` makes hundredths of seconds. */
const failing = async ({ source, hurry, without }) => {
  if (without) delete window.WebAssembly;
  const { setTimeout } = window;
  if (hurry) {
    const { timeout } = AbortSignal;
    window.setTimeout = (work, milliseconds) => setTimeout(work, milliseconds / 100);
    AbortSignal.timeout = (milliseconds) => timeout.call(AbortSignal, milliseconds / 100);
  }
  const sources = {
    endless: () => new Response(new ReadableStream({})),
    refused: () => new Response("no", { status: 403 }),
    garbage: () => new Uint8Array([1, 2, 3]),
    other: () => new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]),
  };
  const start = performance.now();
  const first = source === undefined ? kb.DpopKey.open() : kb.init(sources[source]?.() ?? source);
  const fetching = source === undefined ? kb.createFetch({ key: () => {}, token: "t", origins: [location.origin] })("/") : kb.init();
  const errors = await Promise.all([first, fetching].map((work) => work.then(() => null, ({ code, message, cause }) => ({ code, message, cause: cause && cause.message }))));
  return { errors, took: performance.now() - start };
};

inEveryEngine("without the module", ({ name: engine, open }) => {
  const fails = async (origin, how, reason) => {
    const page = await open(`${origin}/page.html`);
    const { errors, took } = await page.run(failing, how);
    for (const error of errors) {
      assert.equal(error?.code, "wasm_unavailable", JSON.stringify(how));
      assert.match(error.cause, reason);
      assert.ok(error.message.endsWith(`(${error.cause})`), error.message);
      // What to change, whatever it is.
      for (const fix of ["keybound_browser_bg.wasm", "@keybound/browser/inline", "'wasm-unsafe-eval'"]) assert.ok(error.message.includes(fix), error.message);
    }
    assert.ok(took < 5000, `it took ${took} ms`);
    return page;
  };
  /** A site for one test. */
  const onSite = async (options, work) => {
    const site = await serveSite(options);
    try {
      await work(site.origin);
    } finally {
      await site.close();
    }
  };

  test("no WebAssembly in the browser", () => onSite({}, (origin) => fails(origin, { without: true }, /WebAssembly/)));

  // WebKitGTK does not apply the policy to WebAssembly in every version: then everything works.
  test("a policy that forbids WebAssembly", { skip: engine === "webkit" && "WebKitGTK lets WebAssembly run" }, () =>
    onSite({ headers: { "content-security-policy": "script-src 'self'" } }, (origin) => fails(origin, {}, /./)));

  test("a file that is not there, or is a page", async () => {
    await onSite({}, (origin) => fails(origin, { source: "/not/there.wasm" }, /not\/there\.wasm: 404/));
    await onSite({ pages: { [MODULE]: "<!doctype html>not here" } }, (origin) => fails(origin, {}, /./));
  });

  test("a wrong type is no obstacle", () =>
    onSite({ types: { ".wasm": "text/plain" } }, async (origin) => {
      assert.equal(await (await open(`${origin}/page.html`)).run(() => codeOf(kb.DpopKey.open())), "no error");
    }));

  test("a server that never answers, or never ends its answer", async () => {
    const silence = await serveSilence();
    try {
      for (const path of ["/", "/part"]) {
        await onSite({}, (origin) => fails(origin, { source: silence.origin + path, hurry: true }, /time|abort|cancel/i));
        // No connection is left to it: further tries would use up those that a browser makes.
        for (let tries = 0; tries < 100 && !silence.left.includes(path); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
        assert.ok(silence.left.includes(path), `${path} is waited for still`);
      }
    } finally {
      await silence.close();
    }
  });

  test("an answer of the application's own that never ends, or is an error", () =>
    onSite({}, async (origin) => {
      await fails(origin, { source: "endless", hurry: true }, /in time/);
      await fails(origin, { source: "refused" }, /403/);
    }));

  test("octets that are no module, and a module that is another", () =>
    onSite({}, async (origin) => {
      await fails(origin, { source: "garbage" }, /./);
      await fails(origin, { source: "other" }, /./);
    }));

  test("after a failed load the next call tries again", () =>
    onSite({}, async (origin) => {
      const page = await fails(origin, { source: "/not/there.wasm" }, /404/);
      assert.equal(await page.run(() => codeOf(kb.DpopKey.open("after a failed load"))), "no error");
    }));
});
