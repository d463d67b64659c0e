// Loading the WebAssembly module, once, wherever this runs.

import bind, { type Exports } from "./wasm/keybound_edge.js";

type Source = WebAssembly.Module | BufferSource | URL | Response;

/** How long the module's file may take, in milliseconds, before the load counts as failed. */
const PATIENCE = 30_000;

let loading: Promise<void> | undefined;
let loaded: Exports | undefined;
let bundled: (() => Source) | undefined;

/**
 * Loads the wasm module. Optional: everything in this package awaits it by itself. Memoised; safe to
 * call from anywhere. Call it with a source where the file is not beside the script.
 *
 * Throws if the module cannot be had; the next call tries again.
 */
export function init(source?: Source): Promise<void> {
  loading ??= load(source).catch((cause: unknown) => {
    loading = undefined;
    throw new Error(
      "@keybound/edge cannot load its WebAssembly module: see that wasm/keybound_edge_bg.wasm is deployed beside the script, or give it to init()",
      { cause },
    );
  });
  return loading;
}

/** The module's memory. Only after `init`. */
export function memory(): WebAssembly.Memory {
  if (loaded === undefined) throw new Error("call and await init() of @keybound/edge first");
  return loaded.memory;
}

/** Whether `init` is done. */
export function isReady(): boolean {
  return loaded !== undefined;
}

/** For entry points that bring the module along. */
export function provide(source: () => Source): void {
  bundled = source;
}

async function load(source: Source | undefined): Promise<void> {
  // Bundlers find the file by exactly this expression.
  const from = source ?? bundled?.() ?? new URL("./wasm/keybound_edge_bg.wasm", import.meta.url);
  const module = from instanceof URL ? await read(from) : from;
  if (module instanceof Response && !module.ok) throw new Error(`${module.url}: ${module.status}`);
  loaded = await bind({ module_or_path: module });
}

/** What Node has and others have not, found without an import that a bundler would trip over. */
interface NodeGlobals {
  process?: { getBuiltinModule?(name: "node:fs"): { readFileSync(path: URL): Uint8Array<ArrayBuffer> } | undefined };
}

async function read(url: URL): Promise<Response | BufferSource> {
  // Node's fetch reads no files.
  const fs = url.protocol === "file:" && (globalThis as NodeGlobals).process?.getBuiltinModule?.("node:fs");
  return fs ? fs.readFileSync(url) : fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
}
