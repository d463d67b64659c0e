// Both packages through esbuild, which leaves `new URL(..., import.meta.url)` alone.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { build } from "esbuild";
import { launchChromium, outcomeOfPage } from "../support/chromium.mjs";
import { serve } from "../support/static-server.mjs";
import { assertOutcome, assertSession, assertVerified, page, projectWithApps } from "./harness.mjs";

let project;
let browser;
let server;

// The way that needs no option, and the way that ships the module as a file.
const WITH_LOADER = `
import * as keybound from "@keybound/browser";
import browserModule from "@keybound/browser/keybound_browser.wasm";
import * as edge from "@keybound/edge";
import edgeModule from "@keybound/edge/keybound_edge.wasm";
import { REQUEST, proveAndVerify, report } from "./prove.js";

report(async () => {
  await keybound.init(new URL(browserModule, import.meta.url));
  await edge.init(new URL(edgeModule, import.meta.url));
  return proveAndVerify(keybound, edge.verifyProof, REQUEST);
});
`;

// A session finds the module that the other entry point brought.
const INLINE_SESSION = `
import * as keybound from "@keybound/browser/inline";
import { createSession } from "@keybound/browser/session";
import { REQUEST, proveAndLogIn, report } from "./prove.js";

report(() => proveAndLogIn(keybound, createSession, REQUEST));
`;

before(async () => {
  project = await projectWithApps({
    "src/loader.js": WITH_LOADER,
    "src/inline-session.js": INLINE_SESSION,
    "out/inline.html": page("/inline.js"),
    "out/loader.html": page("/loader.js"),
    "out/inline-session.html": page("/inline-session.js"),
  });
  await build({
    absWorkingDir: project.folder,
    entryPoints: ["src/inline.js", "src/loader.js", "src/inline-session.js"],
    outdir: "out",
    bundle: true,
    format: "esm",
    loader: { ".wasm": "file" },
    logLevel: "error",
  });
  server = await serve(project.path("out"));
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await server?.close();
  await project?.remove();
});

describe("esbuild's build", () => {
  test("makes a page of @keybound/browser/inline without any option", async () => {
    await assertOutcome(await outcomeOfPage(browser, `${server.origin}/inline.html`));
  });

  test("makes a page of @keybound/browser/session, which finds what @keybound/browser/inline brought", async () => {
    await assertSession(await outcomeOfPage(browser, `${server.origin}/inline-session.html`));
  });

  test("makes a page that gets the modules' files from --loader:.wasm=file", async () => {
    await assertVerified(await outcomeOfPage(browser, `${server.origin}/loader.html`));
  });
});

describe("of a worker, esbuild's build holds the module of software signatures", () => {
  /** The bundle's JavaScript, and the modules beside it. */
  async function bundle(source, conditions) {
    const { outputFiles, metafile } = await build({
      stdin: { contents: source, resolveDir: project.folder },
      absWorkingDir: project.folder,
      outdir: "unwritten",
      bundle: true,
      format: "esm",
      conditions,
      loader: { ".wasm": "file" },
      write: false,
      metafile: true,
      logLevel: "error",
    });
    const inputs = Object.keys(metafile.inputs);
    return {
      script: outputFiles.find(({ path }) => path.endsWith(".js")).text,
      modules: inputs.filter((path) => path.endsWith(".wasm")).map((path) => path.split("/").at(-1)).sort(),
    };
  }

  const SERVER = 'export { createResourceServer } from "@keybound/edge";';
  const SOFTWARE = 'export { wasmSignatures } from "@keybound/edge/wasm";';
  const CORE = "keybound_edge_bg.wasm";
  const SIGNATURES = "keybound_rustcrypto_bg.wasm";

  test("only if it imports the subpath", async () => {
    assert.deepEqual((await bundle(SERVER, ["workerd"])).modules, [CORE]);
    assert.deepEqual((await bundle(SERVER + SOFTWARE, ["workerd"])).modules, [CORE, SIGNATURES]);
  });

  test("by name as well, where the file is loaded from beside the script", async () => {
    const { script, modules } = await bundle(SERVER, []);
    assert.deepEqual([modules, script.includes(CORE), script.includes("rustcrypto")], [[], true, false]);
    assert.ok((await bundle(SERVER + SOFTWARE, [])).script.includes(SIGNATURES));
  });
});
