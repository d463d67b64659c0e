// @keybound/browser without a bundler: the installed files as they are, in Chromium, under a strict policy.
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { launchChromium, outcomeOfPage } from "../support/chromium.mjs";
import { STRICT_CSP, serve } from "../support/static-server.mjs";
import { assertOutcome, page, projectWithApps } from "./harness.mjs";

const ENTRY = "/node_modules/@keybound/browser/";
let project;
let browser;
let entry;

before(async () => {
  project = await projectWithApps();
  browser = await launchChromium();
  const { exports } = JSON.parse(await (await import("node:fs/promises")).readFile(project.path(`.${ENTRY}package.json`), "utf8"));
  entry = Object.fromEntries([".", "./inline"].map((name) => [name, new URL(defaultTarget(exports[name]), `http://x${ENTRY}`).pathname]));
});
after(async () => {
  await browser?.close();
  await project?.remove();
});

/** What a browser would be given: the branch "browser", else "default". */
function defaultTarget(target) {
  if (typeof target === "string") return target;
  return defaultTarget(target.browser ?? target.import ?? target.default);
}

async function outcome(path, options) {
  const server = await serve(project.folder, options);
  try {
    return { ...(await outcomeOfPage(browser, `${server.origin}${path}`)), requests: server.requests };
  } finally {
    await server.close();
  }
}

const byUrl = (specifier) => `
import * as keybound from ${JSON.stringify(specifier)};
import { REQUEST, prove, report } from "/src/prove.js";
report(() => prove(keybound, REQUEST));`;

describe("a page without a bundler", () => {
  test("imports the installed file by its URL", async () => {
    await assertOutcome(await outcome("/p.html", { pages: { "/p.html": page("/p.js"), "/p.js": byUrl(entry["."]) } }));
  });

  test("imports by name through an import map, which the policy allows by its hash", async () => {
    const map = JSON.stringify({ imports: { "@keybound/browser": entry["."] } });
    const hash = createHash("sha256").update(map).digest("base64");
    const html = page("/src/main.js").replace("<script", `<script type="importmap">${map}</script><script`);
    const headers = { "content-security-policy": `${STRICT_CSP} 'sha256-${hash}'` };
    await assertOutcome(await outcome("/p.html", { headers, pages: { "/p.html": html } }));
  });

  test("works where the server does not know the MIME type of .wasm", async () => {
    for (const type of ["application/octet-stream", "text/html"]) {
      await assertOutcome(await outcome("/p.html", { types: { ".wasm": type }, pages: { "/p.html": page("/p.js"), "/p.js": byUrl(entry["."]) } }));
    }
  });

  test("fetches the module once, and not before it is needed", async () => {
    const idle = `import ${JSON.stringify(entry["."])}; globalThis.outcome = { idle: true };`;
    const before = await outcome("/p.html", { pages: { "/p.html": page("/p.js"), "/p.js": idle } });
    const wasm = (requests) => requests.filter((path) => path.endsWith(".wasm")).length;
    assert.equal(wasm(before.requests), 0);
    const used = await outcome("/p.html", { pages: { "/p.html": page("/p.js"), "/p.js": byUrl(entry["."]) } });
    assert.equal(wasm(used.requests), 1);
  });

  test("gets the module from inside the JavaScript with /inline", async () => {
    const result = await outcome("/p.html", { pages: { "/p.html": page("/p.js"), "/p.js": byUrl(entry["./inline"]) } });
    await assertOutcome(result);
    assert.deepEqual(result.requests.filter((path) => path.endsWith(".wasm")), []);
  });
});

describe("a dedicated worker without a bundler", () => {
  test("imports the installed file by its URL", async () => {
    const worker = `${byUrl(entry["."]).replace(/;$/, "")}.then(() => postMessage(globalThis.outcome));`;
    await assertOutcome(await outcome("/p.html", { pages: { "/p.html": page("/src/with-worker.js"), "/src/worker.js": worker } }));
  });
});
