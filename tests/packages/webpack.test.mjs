// Both packages through webpack 5, without any configuration for wasm.
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import webpack from "webpack";
import { launchChromium, outcomeOfPage } from "../support/chromium.mjs";
import { serve } from "../support/static-server.mjs";
import { PAGES, assertPage, page, projectWithApps } from "./harness.mjs";

let project;
let browser;
let server;

before(async () => {
  project = await projectWithApps(Object.fromEntries(PAGES.map((name) => [`out/${name}.html`, page(`/${name}.js`)])));
  await bundle();
  server = await serve(project.path("out"));
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await server?.close();
  await project?.remove();
});

async function bundle() {
  const compiler = webpack({
    mode: "production",
    context: project.folder,
    entry: Object.fromEntries(PAGES.map((name) => [name, `./src/${name}.js`])),
    output: { path: project.path("out"), filename: "[name].js", publicPath: "/" },
  });
  const stats = await promisify(compiler.run.bind(compiler))();
  await promisify(compiler.close.bind(compiler))();
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString({ all: false, errors: true, warnings: true }));
}

describe("webpack's build", () => {
  for (const name of PAGES) {
    test(`makes a page of ${name}.js`, async () => {
      await assertPage(name, await outcomeOfPage(browser, `${server.origin}/${name}.html`));
    });
  }
});
