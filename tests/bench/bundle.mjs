// A worker of this folder as `startWorkerd` takes it, bundled with the package as `cargo xtask build` left it.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { dist } from "../support/paths.mjs";

/** Modules for workerd. Only a worker that imports the package has its wasm beside it. */
export async function bundle(entry, folder) {
  const outdir = join(folder, entry.replace(/\.js$/, ""));
  const { metafile } = await build({
    entryPoints: { worker: fileURLToPath(new URL(entry, import.meta.url)) },
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    minify: true,
    target: "es2022",
    conditions: ["workerd", "worker"],
    external: ["cloudflare:workers"],
    alias: { "@keybound/edge/signatures": join(dist.edge, "signatures.js"), "@keybound/edge": join(dist.edge, "workerd.js") },
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    metafile: true,
    logLevel: "error",
  });
  const wasm = "keybound_edge_bg.wasm";
  const modules = [{ name: "worker.mjs", esModule: join(outdir, "worker.mjs") }];
  if (Object.keys(metafile.outputs).some((file) => file.endsWith(wasm))) modules.push({ name: wasm, wasm: join(outdir, wasm) });
  return modules;
}
