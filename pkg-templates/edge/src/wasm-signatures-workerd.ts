// @keybound/edge/wasm for workerd, which compiles modules only when it loads the worker.

import { provideSignatures } from "./wasm-signatures.js";
import module from "./wasm/keybound_rustcrypto_bg.wasm";

provideSignatures(() => module);

export { initSignatures, wasmSignatures, type SignatureProvider } from "./wasm-signatures.js";
