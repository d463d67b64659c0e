// @ts-check
// The worker as one module and its .wasm, the way a worker's own build tool would bundle it.

import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { resolveFrom } from "../installed-packages.mjs";

/**
 * @param {import("../installed-packages.mjs").Installed} installed
 * @param {string} outdir
 * @returns {Promise<string[]>} The modules' file names, the entry first.
 */
export async function bundleWorker(installed, outdir) {
  await build({
    entryPoints: [fileURLToPath(new URL("worker.js", import.meta.url))],
    outdir,
    bundle: true,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker"],
    external: ["cloudflare:*"],
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    plugins: [resolveFrom(installed)],
    logLevel: "silent",
  });
  const others = (await readdir(outdir)).filter((file) => file.endsWith(".wasm"));
  return ["worker.js", ...others];
}
