// Measures what ships: the JavaScript that a user's bundler makes of the usual imports, and the wasm module.
// Prints one line of JSON for `cargo xtask size`.
import { build } from "esbuild";
import { mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const root = fileURLToPath(new URL("../../../", import.meta.url));

// Limits in bytes after brotli, wasm and JavaScript together; 1 kB is 1000 bytes.
const packages = [
  {
    package: "@keybound/browser",
    folder: "browser",
    modules: ["keybound_browser"],
    usual: 'export { DpopKey, createFetch } from "@keybound/browser";',
    conditions: ["browser", "import"],
    limit: 12_000,
  },
  {
    // What it adds to the row above, without oauth4webapi, which an application brings along.
    package: "@keybound/browser/session",
    folder: "browser",
    modules: [],
    usual: 'export { DpopKey, createFetch } from "@keybound/browser"; export { createSession } from "@keybound/browser/session";',
    beyond: 'export { DpopKey, createFetch } from "@keybound/browser";',
    external: ["oauth4webapi"],
    conditions: ["browser", "import"],
    limit: 4_000,
  },
  {
    package: "@keybound/edge",
    folder: "edge",
    modules: ["keybound_edge"],
    usual: 'export { createResourceServer } from "@keybound/edge";',
    conditions: ["workerd", "worker", "import"],
    limit: 54_500,
  },
  {
    package: "@keybound/edge with software signatures",
    folder: "edge",
    modules: ["keybound_edge", "keybound_rustcrypto"],
    usual: 'export { createResourceServer } from "@keybound/edge"; export { wasmSignatures } from "@keybound/edge/wasm";',
    conditions: ["workerd", "worker", "import"],
    limit: 81_000,
  },
];

/** A project in which both packages are installed, as far as a bundler can tell. */
function project() {
  const folder = join(root, "target-wasm/size");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "node_modules/@keybound"), { recursive: true });
  for (const source of new Set(packages.map(({ folder: source }) => source))) {
    symlinkSync(join(root, "dist", source), join(folder, "node_modules/@keybound", source), "dir");
  }
  return folder;
}

async function bundle({ usual, conditions, external = [] }, resolveDir) {
  const result = await build({
    stdin: { contents: usual, resolveDir },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    mainFields: ["module", "main"],
    conditions,
    // The module travels as a file of its own, whichever way a loader names it.
    external: ["*.wasm", ...external],
    legalComments: "none",
    logLevel: "error",
  });
  return Buffer.from(result.outputFiles[0].contents);
}

/** Each module is a file of its own, and is compressed as one. */
function modules({ folder, modules: names }) {
  return names.map((name) => readFileSync(join(root, "dist", folder, "wasm", `${name}_bg.wasm`)));
}

function sizes(files) {
  const sum = (length) => files.reduce((total, bytes) => total + length(bytes), 0);
  return {
    bytes: sum((bytes) => bytes.length),
    gzip: sum((bytes) => gzipSync(bytes, { level: 9 }).length),
    brotli: sum((bytes) => {
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
      return brotliCompressSync(bytes, { params }).length;
    }),
  };
}

const resolveDir = project();
const rows = [];
for (const entry of packages) {
  const javascript = sizes([await bundle(entry, resolveDir)]);
  if (entry.beyond) {
    const before = sizes([await bundle({ ...entry, usual: entry.beyond }, resolveDir)]);
    for (const measure of Object.keys(javascript)) javascript[measure] -= before[measure];
  }
  rows.push({ package: entry.package, limit: entry.limit, javascript, wasm: sizes(modules(entry)) });
}
console.log(JSON.stringify(rows));
