// The WebAssembly module of the core.

import { Module } from "./module.js";
import { ModuleLoader, type Source } from "./module-loader.js";

const loader = new ModuleLoader<Module>({
  file: "wasm/keybound_edge_bg.wasm",
  init: "init",
  exports: ["server_open", "endpoint_open"],
  // Bundlers find the file by exactly this expression.
  beside: () => new URL("./wasm/keybound_edge_bg.wasm", import.meta.url),
  bind: ({ module }) => new Module(module),
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

/** The module. Only after `init`. */
export function core(): Module {
  const { exports } = loader;
  if (exports === undefined) throw new Error("call and await init() of @keybound/edge first");
  return exports;
}

/** Whether `init` is done. */
export function isReady(): boolean {
  return loader.exports !== undefined;
}

/** For entry points that bring the module along. */
export function provide(source: () => Source): void {
  loader.provide(source);
}
