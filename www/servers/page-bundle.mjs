// @ts-check
// The page as its visitors get it: modules and styles bundled, the wasm of @keybound/browser beside them.

import { readFile, readdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { DemoFailure } from "./failure.mjs";
import { resolveFrom } from "./installed-packages.mjs";

const PAGE = fileURLToPath(new URL("../page/", import.meta.url));
const TYPES = /** @type {Record<string, string>} */ ({
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".map": "application/json",
  ".wasm": "application/wasm",
});

/** @typedef {{ type: string, content: Uint8Array }} Asset */

/**
 * @param {import("./installed-packages.mjs").Installed} installed
 * @returns {Promise<Map<string, Asset>>} By path.
 */
export async function bundlePage(installed) {
  const { outputFiles } = await build({
    entryPoints: [join(PAGE, "app.js"), join(PAGE, "styles.css")],
    outdir: "/",
    write: false,
    bundle: true,
    format: "esm",
    target: "es2022",
    conditions: ["browser"],
    sourcemap: "linked",
    plugins: [resolveFrom(installed)],
    logLevel: "silent",
  }).catch((cause) => {
    throw new DemoFailure("the page cannot be bundled", { cause, fix: "cargo xtask build" });
  });
  const assets = new Map(outputFiles.map(({ path, contents }) => [`/${basename(path)}`, asset(path, contents)]));

  // The package asks for its wasm by `new URL("./wasm/…", import.meta.url)`: beside the bundle.
  const wasm = join(installed.locate("@keybound/browser"), "wasm");
  for (const file of (await readdir(wasm)).filter((name) => name.endsWith(".wasm"))) {
    assets.set(`/wasm/${file}`, asset(file, await readFile(join(wasm, file))));
  }
  for (const file of ["index.html", "icon.svg"]) assets.set(`/${file}`, asset(file, await readFile(join(PAGE, file))));
  return assets;
}

/** @param {string} file @param {Uint8Array} content @returns {Asset} */
function asset(file, content) {
  return { type: TYPES[extname(file)] ?? "application/octet-stream", content };
}
