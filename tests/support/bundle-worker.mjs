// A worker as wrangler bundles it: one file, and each .wasm a module of its own beside it.
import { basename, join } from "node:path";
import { build } from "esbuild";
import { root } from "./paths.mjs";

/**
 * Bundles the file `entry` of an installed project (see `installedPackages`) for `startWorkerd`, which takes what it gives
 * as `modules`. What the project has not installed, a framework, comes from the repository's node_modules.
 */
export async function bundleWorker(project, entry) {
  const wasm = [];
  const keepWasm = {
    name: "wasm-modules",
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
        const file = join(resolveDir, path);
        wasm.push({ name: basename(file), wasm: file });
        return { path: `./${basename(file)}`, external: true };
      });
    },
  };
  const outfile = project.path("out", entry);
  await build({
    entryPoints: [project.path(entry)],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:workers"],
    nodePaths: [join(root, "node_modules")],
    plugins: [keepWasm],
    logLevel: "error",
  });
  return [{ name: "worker.mjs", esModule: outfile }, ...wasm];
}
