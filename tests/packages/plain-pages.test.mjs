// Both packages without a bundler: the installed files as they are, in Chromium, under a strict policy.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { launchChromium, outcomeOfPage } from "../support/chromium.mjs";
import { STRICT_CSP, serve } from "../support/static-server.mjs";
import { assertOutcome, assertVerified, page, projectWithApps } from "./harness.mjs";

const FOLDER = "/node_modules/";
/** What pages import, by the URL that a package's `exports` gives to browsers. */
const ENTRIES = ["@keybound/browser", "@keybound/browser/inline", "@keybound/edge"];
let project;
let browser;
const urls = {};

before(async () => {
  project = await projectWithApps();
  browser = await launchChromium();
  for (const entry of ENTRIES) urls[entry] = await urlOf(entry);
});
after(async () => {
  await browser?.close();
  await project?.remove();
});

async function urlOf(entry) {
  const name = entry.split("/").slice(0, 2).join("/");
  const { exports } = JSON.parse(await readFile(project.path(FOLDER, name, "package.json"), "utf8"));
  return new URL(forBrowsers(exports[entry.replace(name, ".")]), `http://x${FOLDER}${name}/`).pathname;
}

/** The branch "browser", else "default". */
function forBrowsers(target) {
  if (typeof target === "string") return target;
  return forBrowsers(target.browser ?? target.import ?? target.default);
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
    await assertOutcome(await outcome("/p.html", { pages: { "/p.html": page("/p.js"), "/p.js": byUrl(urls["@keybound/browser"]) } }));
  });

  test("imports by name through an import map, which the policy allows by its hash", async () => {
    const map = JSON.stringify({ imports: urls });
    const hash = createHash("sha256").update(map).digest("base64");
    const html = page("/src/both.js").replace("<script", `<script type="importmap">${map}</script><script`);
    const headers = { "content-security-policy": `${STRICT_CSP} 'sha256-${hash}'` };
    await assertVerified(await outcome("/p.html", { headers, pages: { "/p.html": html } }));
  });

  test("works where the server does not know the MIME type of .wasm", async () => {
    for (const type of ["application/octet-stream", "text/html"]) {
      await assertOutcome(await outcome("/p.html", { types: { ".wasm": type }, pages: { "/p.html": page("/p.js"), "/p.js": byUrl(urls["@keybound/browser"]) } }));
    }
  });

  test("fetches the module once, and not before it is needed", async () => {
    const idle = `import ${JSON.stringify(urls["@keybound/browser"])}; globalThis.outcome = { idle: true };`;
    const before = await outcome("/p.html", { pages: { "/p.html": page("/p.js"), "/p.js": idle } });
    const wasm = (requests) => requests.filter((path) => path.endsWith(".wasm")).length;
    assert.equal(wasm(before.requests), 0);
    const used = await outcome("/p.html", { pages: { "/p.html": page("/p.js"), "/p.js": byUrl(urls["@keybound/browser"]) } });
    assert.equal(wasm(used.requests), 1);
  });

  test("gets the module from inside the JavaScript with /inline", async () => {
    const result = await outcome("/p.html", { pages: { "/p.html": page("/p.js"), "/p.js": byUrl(urls["@keybound/browser/inline"]) } });
    await assertOutcome(result);
    assert.deepEqual(result.requests.filter((path) => path.endsWith(".wasm")), []);
  });
});

describe("a dedicated worker without a bundler", () => {
  test("imports the installed file by its URL", async () => {
    const worker = `${byUrl(urls["@keybound/browser"]).replace(/;$/, "")}.then(() => postMessage(globalThis.outcome));`;
    await assertOutcome(await outcome("/p.html", { pages: { "/p.html": page("/src/with-worker.js"), "/src/worker.js": worker } }));
  });
});
