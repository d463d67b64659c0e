// What wasm-bindgen makes of crates/keybound-rustcrypto/src/npm.rs. Private to this package.

export interface Exports {
  readonly memory: WebAssembly.Memory;
}
export function initSync(source: { module: WebAssembly.Module }): Exports;

export class Signatures {
  constructor();
  import_p256(x: Uint8Array, y: Uint8Array): bigint;
  import_ed25519(x: Uint8Array): bigint;
  verify(key: bigint, algorithm: number, message: Uint8Array, signature: Uint8Array): number;
}
