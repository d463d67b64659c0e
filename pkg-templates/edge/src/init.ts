// The WebAssembly module of the core.

import { ModuleLoader, type Source } from "./module-loader.js";
import { initSync, type Exports } from "./wasm/keybound_edge.js";

const loader = new ModuleLoader<Exports>({
  file: "wasm/keybound_edge_bg.wasm",
  init: "init",
  exports: ["server_open", "tokenendpoint_open"],
  // Bundlers find the file by exactly this expression.
  beside: () => new URL("./wasm/keybound_edge_bg.wasm", import.meta.url),
  bind: initSync,
});

/**
 * Loads the wasm module. Optional: everything in this package awaits it by itself. Memoised; safe to
 * call from anywhere. Call it with a source where the file is not beside the script.
 *
 * Throws if the module cannot be had; the next call tries again.
 */
export function init(source?: Source): Promise<void> {
  return loader.load(source);
}

/** The module's memory. Only after `init`. */
export function memory(): WebAssembly.Memory {
  const { exports } = loader;
  if (exports === undefined) throw new Error("call and await init() of @keybound/edge first");
  return exports.memory;
}

/** Whether `init` is done. */
export function isReady(): boolean {
  return loader.exports !== undefined;
}

/** For entry points that bring the module along. */
export function provide(source: () => Source): void {
  loader.provide(source);
}
