// @keybound/edge/wasm: signatures in software, for runtimes without SubtleCrypto. A second module, for those who import this.

import { ModuleLoader, type Source } from "./module-loader.js";
import { Signatures, Unavailable, type ImportedKey } from "./signatures.js";
import type { SignatureSpan } from "./engine.js";
import { lookup } from "./tables.js";
import { initSync, Signatures as Engine, type Exports } from "./wasm/keybound_rustcrypto.js";
import type { Alg, SignatureProvider } from "./types.js";

/** As crates/keybound-rustcrypto/src/npm.rs numbers them. */
const VALID = 1;
const KEY_FORGOTTEN = 2;
const NO_KEY = 0n;

const ALGORITHMS: readonly Alg[] = ["ES256", "EdDSA", "Ed25519"];

const loader = new ModuleLoader<Exports>({
  file: "wasm/keybound_rustcrypto_bg.wasm",
  init: "initSignatures",
  exports: ["signatures_new", "signatures_verify"],
  // Bundlers find the file by exactly this expression.
  beside: () => new URL("./wasm/keybound_rustcrypto_bg.wasm", import.meta.url),
  bind: initSync,
});
let engine: Engine | undefined;

/**
 * Loads the module of {@link wasmSignatures}. Optional: a server that was given it awaits this by itself.
 * Memoised; takes what `init` takes, where the file is not beside the script.
 *
 * Throws if the module cannot be had; the next call tries again.
 */
export async function initSignatures(source?: Source): Promise<void> {
  await loader.load(source);
  engine ??= new Engine();
}

/** For entry points that bring the module along. @internal */
export function provideSignatures(source: () => Source): void {
  loader.provide(source);
}

/** What names the key, as crates/keybound-core/src/key.rs writes it. */
interface PublicJwk {
  crv?: string;
  x?: string;
  y?: string;
}

class SoftwareKey implements ImportedKey {
  readonly #engine: Engine;
  readonly #jwk: PublicJwk;
  #handle: bigint;

  constructor(engine: Engine, jwk: PublicJwk) {
    this.#engine = engine;
    this.#jwk = jwk;
    this.#handle = importInto(engine, jwk);
  }

  /** Whether the key is one: a point on its curve, and not of small order. */
  get isValid(): boolean {
    return this.#handle !== NO_KEY;
  }

  serves(algorithm: number): boolean {
    return (lookup().algorithms[algorithm] === "ES256") === (this.#jwk.crv === "P-256");
  }

  async verify({ algorithm, message, signature }: SignatureSpan): Promise<boolean> {
    let verdict = this.#engine.verify(this.#handle, algorithm, message, signature);
    if (verdict === KEY_FORGOTTEN) {
      // The module keeps those keys that were imported last.
      this.#handle = importInto(this.#engine, this.#jwk);
      verdict = this.#engine.verify(this.#handle, algorithm, message, signature);
    }
    return verdict === VALID;
  }
}

function importInto(engine: Engine, { crv, x = "", y = "" }: PublicJwk): bigint {
  if (crv === "P-256") return engine.import_p256(octets(x), octets(y));
  return crv === "Ed25519" ? engine.import_ed25519(octets(x)) : NO_KEY;
}

function octets(base64url: string): Uint8Array {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (octet) => octet.charCodeAt(0));
}

class SoftwareSignatures extends Signatures {
  readonly name = "wasm";
  readonly algorithms = ALGORITHMS;

  init(): Promise<void> {
    return initSignatures();
  }

  async import(jwk: string, algorithm: number): Promise<ImportedKey | null> {
    await initSignatures();
    const name = lookup().algorithms[algorithm] ?? "";
    if (engine === undefined || !(ALGORITHMS as readonly string[]).includes(name)) throw new Unavailable(`no ${name} in software`);
    const key = new SoftwareKey(engine, JSON.parse(jwk) as PublicJwk);
    return key.isValid ? key : null;
  }
}

/**
 * Checks ES256 and Ed25519 (EdDSA) in WebAssembly. Give it as `crypto` to a server where there is no
 * SubtleCrypto; where there is, the platform is several times as fast.
 */
export const wasmSignatures: SignatureProvider = new SoftwareSignatures();
export type { SignatureProvider };
