// Loading the WebAssembly module, once, wherever this runs.

import { KeyboundError } from "./errors.js";
import { inTime } from "./in-time.js";
import { attach } from "./module.js";

type Source = URL | string | Response | BufferSource | WebAssembly.Module;

/** How long the module's file may take before the load counts as failed. */
const PATIENCE = 30_000;

let loading: Promise<void> | undefined;
let bundled: (() => Source) | undefined;

/**
 * Loads the wasm module. Optional: everything in this package awaits it by itself. Memoised; safe to
 * call from anywhere. Call it with a source where the file is not beside the script.
 *
 * Throws `wasm_unavailable`; the next call tries again.
 */
export function init(source?: Source): Promise<void> {
  // One that comes too late is not attached: there may be another by then.
  loading ??= inTime(load(source), PATIENCE)
    .then(attach)
    .catch((cause: unknown) => {
      loading = undefined;
      throw new KeyboundError("wasm_unavailable", cause);
    });
  return loading;
}

/** For entry points that bring the module along. */
export function provide(source: () => Source): void {
  bundled = source;
}

async function load(source: Source | undefined): Promise<WebAssembly.Exports> {
  // Bundlers find the file by exactly this expression.
  const from = source ?? bundled?.() ?? new URL("./wasm/keybound_browser_bg.wasm", import.meta.url);
  const module = typeof from === "string" || from instanceof URL ? await read(from) : from;
  if (module instanceof Response && !module.ok) throw new Error(`${module.url}: ${module.status}`);
  // Streamed, a file of this size would be ready no sooner.
  const made = await WebAssembly.instantiate((module instanceof Response ? await module.arrayBuffer() : module) as BufferSource);
  // Of a compiled module, only the instance comes back.
  return (made.instance ?? made).exports;
}

/** What Node has and browsers have not, found without an import that a bundler would trip over. */
interface NodeGlobals {
  process?: { getBuiltinModule?(name: "node:fs"): { readFileSync(path: URL): Uint8Array<ArrayBuffer> } | undefined };
}

async function read(from: string | URL): Promise<Response | BufferSource> {
  const url = new URL(from, globalThis.location?.href ?? import.meta.url);
  // Node's fetch reads no files.
  const fs = url.protocol === "file:" && (globalThis as NodeGlobals).process?.getBuiltinModule?.("node:fs");
  return fs ? fs.readFileSync(url) : fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
}
