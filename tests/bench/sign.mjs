// How long one proof with an access token takes in each browser engine, beside one raw signature and other libraries in the same
// run, and when a cold page has its first proof. Fails above the bound.
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { engines } from "../browsers/engines.mjs";
import { dist } from "../support/paths.mjs";
import { serve } from "../support/static-server.mjs";
import { median, spread } from "./figures.mjs";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "24" }, batch: { type: "string", default: "100" } } });
const size = { rounds: Number(values.rounds), batch: Number(values.batch), warmUp: 3 };
/** What one proof may cost, in raw signatures. */
const BOUND = 1.2;
const COLD_PAGES = 7;
const KINDS = ["raw", "keybound", "dpop", "jose", "oauth4webapi"];

async function site(folder) {
  await build({
    entryPoints: [fileURLToPath(new URL("sign-page.js", import.meta.url))],
    outfile: join(folder, "page.js"),
    bundle: true,
    format: "esm",
    minify: true,
    target: "es2022",
    alias: { "@keybound/browser": join(dist.browser, "index.js") },
    logLevel: "error",
  });
  // The bundle asks for the module beside itself, in `wasm/`.
  await mkdir(join(folder, "wasm"));
  await copyFile(join(dist.browser, "wasm/keybound_browser_bg.wasm"), join(folder, "wasm/keybound_browser_bg.wasm"));
  const html = `<!doctype html><meta charset="utf-8"><title>sign</title><script type="module" src="/page.js"></script>`;
  return serve(folder, { pages: { "/page.html": html } });
}

async function openPage(browser, origin) {
  const page = await browser.open(`${origin}/page.html`);
  await page.run(async () => {
    while (!globalThis.ready) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  return page;
}

function report(name, figures, first) {
  const ratio = (kind) => median(figures[kind].map((value, round) => value / figures.raw[round]));
  console.log(`${name}: one proof with an access token, microseconds (median, middle half)`);
  for (const kind of KINDS) {
    const each = figures[kind];
    const [low, high] = spread(each);
    const times = kind === "raw" ? "1.00" : ratio(kind).toFixed(2);
    console.log(`  ${kind.padEnd(14)} ${median(each).toFixed(0).padStart(6)}  (${low.toFixed(0)} to ${high.toFixed(0)})  ${times} times one raw subtle.sign`);
  }
  const of = (pick) => median(first.map(pick)).toFixed(0);
  console.log(`  first proof of a cold page: ${of((each) => each.sinceScript)} ms after the script began, ${of((each) => each.sinceNavigation)} ms after the navigation`);
  return ratio("keybound");
}

const folder = await mkdtemp(join(tmpdir(), "keybound-bench-"));
const slow = [];
try {
  const { origin, close } = await site(folder);
  try {
    for (const { name, launch } of engines) {
      const browser = await launch();
      try {
        const first = [];
        for (let opened = 0; opened < COLD_PAGES; opened++) {
          const page = await openPage(browser, origin);
          first.push(await page.run(() => globalThis.firstProof));
          await page.close();
        }
        const page = await openPage(browser, origin);
        const times = report(name, await page.run((size) => globalThis.measure(size), size), first);
        if (times > BOUND) slow.push(`${name}: ${times.toFixed(2)} times a raw signature, and ${BOUND} is the bound`);
      } finally {
        await browser.close();
      }
    }
  } finally {
    await close();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
for (const line of slow) console.error(line);
process.exitCode = slow.length === 0 ? 0 : 1;
