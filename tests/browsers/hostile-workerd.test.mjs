// The hostile server where the runtime shows redirects: in workerd, with the built package's own files.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { serveHostile } from "../support/hostile-server.mjs";
import { dist } from "../support/paths.mjs";
import { startWorkerd } from "../support/workerd.mjs";
import { assertRedirects } from "./hostile-redirects.mjs";

/** All that the entry for workerd loads, with no bundler between. */
async function modules() {
  const files = await readdir(dist.browser);
  const scripts = files.filter((file) => file.endsWith(".js") && !file.startsWith("inline"));
  const diagnose = files.includes("diagnose") ? (await readdir(join(dist.browser, "diagnose"))).filter((file) => file.endsWith(".js")).map((file) => `diagnose/${file}`) : [];
  const wasm = "wasm/keybound_browser_bg.wasm";
  return [
    { name: "worker.js", esModule: fileURLToPath(new URL("./hostile-worker.js", import.meta.url)) },
    ...[...scripts, ...diagnose].map((file) => ({ name: `browser/${file}`, esModule: join(dist.browser, file) })),
    { name: `browser/${wasm}`, wasm: join(dist.browser, wasm) },
  ];
}

describe("hostile servers in workerd", () => {
  let server;
  let worker;
  before(async () => {
    server = await serveHostile();
    worker = await startWorkerd({ modules: await modules() });
  });
  after(async () => {
    await worker?.stop();
    await server?.close();
  });

  const send = async (path, init) => {
    const body = JSON.stringify({ url: `${server.origin}/${path}`, init, origins: [server.origin] });
    return (await fetch(worker.origin, { method: "POST", body, signal: AbortSignal.timeout(10_000) })).json();
  };

  test("redirects are followed within the origin by safe methods only, with a proof for each place, and never beyond", () => assertRedirects(server, send));

  test("nonces are followed, and bad ones end after two attempts at most", async () => {
    for (const path of ["rotating", "looping", "same", "none", "doubled"]) {
      const since = server.requests.length;
      assert.deepEqual(await send(path), path === "rotating" ? [200, "in"] : "nonce_rejected", path);
      assert.ok(server.requests.length - since <= 2, path);
    }
  });
});
