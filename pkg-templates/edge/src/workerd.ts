// The package for workerd, which compiles modules only when it loads the worker.

import { provide } from "./init.js";
import module from "./wasm/keybound_edge_bg.wasm";

provide(() => module);

export * from "./index.js";
