// Both packages through Vite: its dev server, which bundles dependencies beforehand, and its build.
import { after, before, describe, test } from "node:test";
import { build, createServer } from "vite";
import { launchChromium, outcomeOfPage } from "../support/chromium.mjs";
import { STRICT_CSP, serve } from "../support/static-server.mjs";
import { PAGES, assertPage, page, projectWithApps } from "./harness.mjs";

let project;
let browser;

before(async () => {
  project = await projectWithApps(Object.fromEntries(PAGES.map((name) => [`${name}.html`, page(`/src/${name}.js`)])));
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await project?.remove();
});

const config = () => ({ root: project.folder, configFile: false, logLevel: "error", clearScreen: false });

describe("Vite's dev server", () => {
  let server;
  before(async () => {
    server = await createServer({
      ...config(),
      server: { host: "127.0.0.1", port: 0, headers: { "content-security-policy": STRICT_CSP } },
    });
    await server.listen();
  });
  after(() => server?.close());

  for (const name of PAGES) {
    test(`serves a page with ${name}.js`, async () => {
      await assertPage(name, await outcomeOfPage(browser, `${server.resolvedUrls.local[0]}${name}.html`));
    });
  }
});

describe("Vite's build", () => {
  let server;
  before(async () => {
    const input = PAGES.map((name) => project.path(`${name}.html`));
    await build({ ...config(), build: { outDir: "vite-out", rollupOptions: { input } } });
    server = await serve(project.path("vite-out"));
  });
  after(() => server?.close());

  for (const name of PAGES) {
    test(`makes a page of ${name}.js`, async () => {
      await assertPage(name, await outcomeOfPage(browser, `${server.origin}/${name}.html`));
    });
  }
});
