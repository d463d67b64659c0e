// Proofs in each browser engine: how long one takes beside a raw signature and other libraries in the same run, and how long a cold
// page takes to its first.
import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { EmbeddedJWK, jwtVerify } from "jose";
import { engines } from "../browsers/engines.mjs";
import { dist } from "../support/paths.mjs";
import { serve } from "../support/static-server.mjs";
import { interleave, median, medianRatio, summary } from "./figures.mjs";
import { table, write } from "./report.mjs";
import { HTU, METHOD, NONCE, TOKEN } from "./sign-clients/request.js";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    rounds: { type: "string" },
    batch: { type: "string" },
    pages: { type: "string" },
  },
});
const [rounds, batch, pages] = values.quick ? [40, 12, 3] : [150, 30, 15];
const size = { rounds: Number(values.rounds ?? rounds), batch: Number(values.batch ?? batch), warmUp: 3 };
const coldPages = Number(values.pages ?? pages);

/** What one proof may cost, in raw signatures. */
const BOUND = 1.15;
/** npm's name of each library. */
const PACKAGES = {
  keybound: "@keybound/browser", dpop: "dpop", jose: "jose", oauth4webapi: "oauth4webapi", atproto: "@atproto/oauth-client-browser",
  "oidc-client-ts": "oidc-client-ts", "auth0-spa-js": "@auth0/auth0-spa-js",
};
/** How a cold page comes to its first proof: the function of a file in sign-clients, and who has it. */
const BEGINNINGS = [
  { way: "fresh", title: "a new key that is not kept", libraries: ["raw", "keybound", "dpop", "jose", "oauth4webapi", "atproto"] },
  { way: "kept", title: "a new key, kept in IndexedDB", libraries: ["raw", ...Object.keys(PACKAGES)] },
  { way: "kept", title: "the key is in IndexedDB already", libraries: ["raw", ...Object.keys(PACKAGES)], stored: true },
];
/** With these two, clocks are finer (High Resolution Time §8.1). No Content-Security-Policy: modules come from blobs. */
const HEADERS = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const { version } = JSON.parse(await readFile(join(dist.browser, "package.json"), "utf8"));
const origin = (name) => (name === "keybound" ? { version } : name in PACKAGES ? { peer: PACKAGES[name] } : {});

async function bundle(entry, outfile) {
  const require = createRequire(createRequire(import.meta.url).resolve("@atproto/oauth-client-browser"));
  await build({
    entryPoints: [here(entry)],
    outfile,
    bundle: true,
    format: "esm",
    platform: "browser",
    minify: true,
    target: "es2022",
    alias: {
      "@keybound/browser": join(dist.browser, "index.js"),
      "@atproto/oauth-client/fetch-dpop": join(dirname(require.resolve("@atproto/oauth-client")), "fetch-dpop.js"),
    },
    external: ["*.wasm"],
    logLevel: "error",
  });
}

async function site(folder) {
  await bundle("sign-page.js", join(folder, "page.js"));
  await bundle("sign-first-page.js", join(folder, "first-page.js"));
  for (const library of ["raw", ...Object.keys(PACKAGES)]) await bundle(`sign-clients/${library}.js`, join(folder, `first/${library}.js`));
  // The bundle asks for the module beside itself, in `wasm/`.
  await mkdir(join(folder, "wasm"));
  await copyFile(join(dist.browser, "wasm/keybound_browser_bg.wasm"), join(folder, "wasm/keybound_browser_bg.wasm"));
  const page = (script) => `<!doctype html><meta charset="utf-8"><title>sign</title><script type="module" src="${script}"></script>`;
  return serve(folder, { pages: { "/page.html": page("/page.js"), "/first.html": page("/first-page.js") }, headers: HEADERS });
}

const whenReady = (page) =>
  page.run(async () => {
    while (!globalThis.ready) await new Promise((resolve) => setTimeout(resolve, 5));
  });

/** Throws unless `proof` is one that a resource server would take (RFC 9449 §4.3). */
async function check(name, proof, { nonce }) {
  const { payload } = await jwtVerify(proof, EmbeddedJWK, { typ: "dpop+jwt", algorithms: ["ES256"], maxTokenAge: 600 });
  const ath = createHash("sha256").update(TOKEN).digest("base64url");
  const wanted = { htm: METHOD, htu: HTU, ath, ...(nonce && { nonce: NONCE }) };
  for (const [claim, value] of Object.entries(wanted)) {
    if (payload[claim] !== value) throw new Error(`${name}: ${claim} is ${payload[claim]}, not ${value}`);
  }
}

const LIMIT = "raw subtle.sign";

/** Rows of one table, each beside `raw`. */
function rowsOf(title, unit, figures) {
  return Object.entries(figures).map(([name, each]) => {
    const row = { table: title, name: name === "raw" ? LIMIT : name, ...origin(name.split(",")[0]), unit, ...summary(each) };
    return name === "raw" ? row : { ...row, ratio: medianRatio(each, figures.raw), against: LIMIT };
  });
}

/** keybound's figures once more, beside the fastest of the others. */
function besideFastest(title, unit, figures) {
  const others = Object.keys(figures).filter((name) => name in PACKAGES && name !== "keybound");
  const fastest = others.reduce((best, name) => (median(figures[name]) < median(figures[best]) ? name : best));
  const ratio = medianRatio(figures.keybound, figures[fastest]);
  const bound = { ratio, against: fastest, bound: "less than 1", met: ratio < 1 };
  return { table: title, name: "keybound, beside the fastest peer", version, unit, ...summary(figures.keybound), ...bound };
}

async function steady(engine, browser, origin) {
  const page = await browser.open(`${origin}/page.html`);
  await whenReady(page);
  const specimens = await page.run(() => globalThis.specimens());
  // The first request of a client that makes proofs only in requests has no nonce yet.
  for (const [name, proof] of Object.entries(specimens)) await check(name, proof, { nonce: !["oauth4webapi", "atproto"].includes(name) });
  const rows = [];
  for (const [kind, title] of [["proofs", "one proof with an access token"], ["requests", "one request with a proof, answered at once by a stub"]]) {
    const heading = `${engine}: ${title}`;
    const figures = Object.fromEntries(await page.run((size) => globalThis.measure(size), { table: kind, ...size }));
    const measured = rowsOf(heading, "microseconds", figures);
    if (kind === "proofs") {
      const own = measured.find(({ name }) => name === "keybound");
      Object.assign(own, { bound: `at most ${BOUND}`, met: own.ratio <= BOUND });
    }
    rows.push(...measured, besideFastest(heading, "microseconds", figures));
  }
  await page.close();
  return rows;
}

async function cold(engine, browser, origin) {
  const page = await browser.open(`${origin}/first.html`);
  const first = async (library, way, name) => {
    await page.reload();
    await whenReady(page);
    const { milliseconds, proof } = await page.run((given) => globalThis.firstProof(given), { library, way, name, token: TOKEN, nonce: NONCE });
    if (library !== "raw") await check(library, proof, { nonce: false });
    return milliseconds;
  };
  const rows = [];
  for (const { way, title, libraries, stored } of BEGINNINGS) {
    // The first round, of which nothing is kept, stores the keys.
    const nameFor = (round) => (stored ? "stored" : `${title} ${round}`);
    const figures = await interleave(libraries, { rounds: coldPages, warmUp: 1 }, (library, round) => first(library, way, nameFor(round)));
    rows.push(...rowsOf(`${engine}: first proof of a cold page, ${title}`, "milliseconds", figures));
  }
  await page.close();
  return rows;
}

const NOTES = [
  "Each library makes the same proof: ES256, an access token of 600 octets, a nonce, a target with a query. Before anything is timed, one proof of each is verified. Libraries take turns in one page, and a ratio is the median of the rounds' ratios.",
  "keybound and dpop are called for the proof alone. keybound keeps the hash of the last token it was given, the others hash it for each proof: the row with a new token each time shows what that is worth. oidc-client-ts and auth0-spa-js ask IndexedDB for the key for each proof, as they do in use; auth0-spa-js signs with dpop. The least by hand is a proof written in thirty lines for one request over and over, with all that can be kept and nothing checked: what any proof takes beyond the signature.",
  "oauth4webapi and @atproto/oauth-client-browser make proofs only within a request, so they stand in the table of requests, where keybound's is its whole fetch with origins, nonces and a retry prepared; the server is a function that answers at once. atproto's fetch is the one of its sessions, which it does not export.",
  "First proof: the library's script and module have arrived, and no compiler has seen these octets before (each time others are added that mean nothing). Timed is everything after: compiling, evaluating, loading the module, making or finding the key, the proof. Libraries that keep no key are given the same few lines over IndexedDB. Which page comes first in a browser process, and what the browser caches on disk, is left out.",
  "What it does not show: slow devices (engines run on a desktop machine, without a window), what the download of the octets costs (see the sizes), other algorithms than ES256, pages that do other work at the same time, and the time that servers take. WebKit is WebKitGTK, not Safari, whose cryptography is another; clocks in Firefox and WebKit are coarser than in Chromium, so look at medians.",
];

const folder = await mkdtemp(join(tmpdir(), "keybound-bench-"));
const rows = [];
try {
  const { origin, close } = await site(folder);
  try {
    for (const { name, launch } of engines) {
      console.error(`sign: ${name}`);
      const browser = await launch();
      try {
        rows.push(...(await steady(name, browser, origin)), ...(await cold(name, browser, origin)));
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
console.log(table(rows));
await write(values.json, { group: "sign", title: "Proofs in the browser", rows, notes: NOTES });
