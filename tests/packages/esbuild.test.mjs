// @keybound/browser through esbuild, which leaves `new URL(..., import.meta.url)` alone.
import { after, before, describe, test } from "node:test";
import { build } from "esbuild";
import { launchChromium, outcomeOfPage } from "../support/chromium.mjs";
import { serve } from "../support/static-server.mjs";
import { assertOutcome, page, projectWithApps } from "./harness.mjs";

let project;
let browser;
let server;

// The way that needs no option, and the way that ships the module as a file.
const WITH_LOADER = `
import * as keybound from "@keybound/browser";
import wasm from "@keybound/browser/keybound_browser.wasm";
import { REQUEST, prove, report } from "./prove.js";

report(async () => {
  await keybound.init(new URL(wasm, import.meta.url));
  return prove(keybound, REQUEST);
});
`;

before(async () => {
  project = await projectWithApps({
    "src/loader.js": WITH_LOADER,
    "out/inline.html": page("/inline.js"),
    "out/loader.html": page("/loader.js"),
  });
  await build({
    absWorkingDir: project.folder,
    entryPoints: ["src/inline.js", "src/loader.js"],
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

  test("makes a page that gets the module's file from --loader:.wasm=file", async () => {
    await assertOutcome(await outcomeOfPage(browser, `${server.origin}/loader.html`));
  });
});
