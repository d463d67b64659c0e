// Conformance cases in a page of headless Chromium, through the built package.

import { launchChromium } from "../support/chromium.mjs";
import { root } from "../support/paths.mjs";
import { serve } from "../support/static-server.mjs";
import { main } from "./report.mjs";

const PAGE = `
import * as edge from "/dist/edge/index.js";
import { runFile } from "/tests/conformance/cases.mjs";
globalThis.runCase = async (json) => {
  const results = [];
  for await (const result of runFile(edge, JSON.parse(json))) results.push(result);
  return JSON.stringify(results);
};
`;

const server = await serve(root, {
  pages: { "/index.html": '<!doctype html><script type="module" src="/page.js"></script>', "/page.js": PAGE },
});
const browser = await launchChromium();
try {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/`);
  await page.waitForFunction(() => globalThis.runCase !== undefined);
  await main(async function* (file) {
    for (const testCase of file.cases) {
      const json = JSON.stringify({ meta: file.meta, cases: [testCase] });
      yield* JSON.parse(await page.evaluate((text) => globalThis.runCase(text), json));
    }
  });
} finally {
  await browser.close();
  await server.close();
}
