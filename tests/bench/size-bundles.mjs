// What a user's bundler makes of some imports: minified scripts and the WebAssembly modules that they load, compressed.
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { dist, root } from "../support/paths.mjs";

export const here = fileURLToPath(new URL(".", import.meta.url));

/** Where code runs, as bundlers are told. */
const PLATFORMS = {
  browser: { platform: "browser" },
  // As wrangler does it.
  workers: { platform: "neutral", mainFields: ["module", "main"], conditions: ["workerd", "worker", "import"] },
  node: { platform: "node" },
};

export const gzip = (octets) => gzipSync(octets, { level: 9 }).length;
export function brotli(octets) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: octets.length };
  return brotliCompressSync(octets, { params }).length;
}

/** Octets by measure. Each file is compressed by itself, as it travels. */
export function sizes(files) {
  const sum = (length) => files.reduce((total, octets) => total + length(octets), 0);
  return { "minified": sum((octets) => octets.length), "gzip 9": sum(gzip), "brotli 11": sum(brotli) };
}

/** A project in which the packages are installed, as far as a bundler can tell. `bundle` is what it makes of imports. */
export async function makeProject() {
  const folder = await mkdtemp(join(await realpath(tmpdir()), "keybound-size-"));
  await mkdir(join(folder, "node_modules/@keybound"), { recursive: true });
  for (const [name, source] of Object.entries(dist)) await symlink(source, join(folder, "node_modules/@keybound", name), "dir");
  return { bundle: (entry) => bundle(entry, folder), remove: () => rm(folder, { recursive: true, force: true }) };
}

/**
 * The files of an application that consists of `code`, in two lists: what it loads at once, and what it loads when it needs it.
 * `external` is left out.
 */
async function bundle({ code, platform = "browser", external = [] }, folder) {
  const { metafile, outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder, sourcefile: "application.js" },
    bundle: true,
    minify: true,
    splitting: true,
    write: false,
    metafile: true,
    outdir: join(folder, "out"),
    format: "esm",
    target: "es2022",
    nodePaths: [join(root, "node_modules")],
    // A module travels as a file of its own, whichever way a loader names it.
    external: ["*.wasm", "cloudflare:*", ...external],
    legalComments: "none",
    logLevel: "error",
    absWorkingDir: folder,
    ...PLATFORMS[platform],
  });
  const [entry] = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint === "application.js").map(([path]) => path);
  const atOnce = reached(metafile.outputs, entry);
  const scripts = outputFiles.map(({ path, contents }) => ({ atOnce: atOnce.has(path.slice(folder.length + 1)), octets: Buffer.from(contents) }));
  const modules = await modulesNamedIn(scripts);
  const of = (wanted) => [...scripts, ...modules].filter(({ atOnce }) => atOnce === wanted).map(({ octets }) => octets);
  return { atOnce: of(true), later: of(false) };
}

/** The chunks that are there before the entry runs. */
function reached(outputs, entry, found = new Set()) {
  if (found.has(entry)) return found;
  found.add(entry);
  for (const { path, kind } of outputs[entry].imports) if (kind === "import-statement" && path in outputs) reached(outputs, path, found);
  return found;
}

/** The modules of ours whose files the scripts name: at once if a script does that is there at once. */
async function modulesNamedIn(scripts) {
  const modules = [];
  for (const folder of Object.values(dist)) {
    for (const file of (await readdir(join(folder, "wasm"))).filter((name) => name.endsWith(".wasm"))) {
      const naming = scripts.filter(({ octets }) => octets.includes(file));
      if (naming.length > 0) modules.push({ atOnce: naming.some(({ atOnce }) => atOnce), octets: await readFile(join(folder, "wasm", file)) });
    }
  }
  return modules;
}
