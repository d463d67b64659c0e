// Who checks signatures: the platform, with one `verify` each, or a provider that was given instead.

import type { SignatureSpan } from "./engine.js";
import { lookup } from "./tables.js";
import type { Alg, SignatureProvider } from "./types.js";

/** A public key that can check signatures. */
export interface ImportedKey {
  /** Whether it is for this algorithm; the two names of Ed25519 are one. */
  serves(algorithm: number): boolean;
  /** Checks a signature. The views are read before this returns. */
  verify(span: SignatureSpan): Promise<boolean>;
}

/** A provider, as the rest of the package knows it. */
export abstract class Signatures implements SignatureProvider {
  abstract readonly name: string;
  /** What it can check; which of them a platform really has shows only when a key is imported. */
  abstract readonly algorithms: readonly Alg[];
  /** Loads what `import` needs. */
  abstract init(): Promise<void>;
  /** Imports a public key. Null: the key is none (a point off its curve); throws {@link Unavailable}. */
  abstract import(jwk: string, algorithm: number): Promise<ImportedKey | null>;
}

/** The algorithm is not to be had here. */
export class Unavailable extends Error {
  override readonly name = "NotSupportedError";
}

/** Whether the platform, and not the key, is what an import failed for. */
export function isUnavailable(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "NotSupportedError";
}

/** What became of a signature, and the key that checked it. */
export interface Verified {
  ok: boolean;
  key: ImportedKey | null;
  /** The algorithm is not to be had here. */
  unavailable?: boolean;
}

/** Checks one signature with a key that is not known yet. */
export async function importAndVerify(signatures: Signatures, jwk: string | undefined, span: SignatureSpan): Promise<Verified> {
  try {
    const key = jwk === undefined ? null : await signatures.import(jwk, span.algorithm);
    return { ok: key !== null && (await key.verify(span)), key };
  } catch (cause) {
    if (isUnavailable(cause)) return { ok: false, key: null, unavailable: true };
    throw cause;
  }
}

// SubtleCrypto

interface Parameters {
  import: RsaHashedImportParams | EcKeyImportParams | Algorithm;
  verify: AlgorithmIdentifier | RsaPssParams | EcdsaParams;
}

const ECDSA = (namedCurve: string, hash: string): Parameters => ({
  import: { name: "ECDSA", namedCurve },
  verify: { name: "ECDSA", hash },
});
const RSA = (name: string): Parameters => ({
  import: { name, hash: "SHA-256" },
  verify: { name, saltLength: 32 },
});
const ED25519: Parameters = { import: { name: "Ed25519" }, verify: { name: "Ed25519" } };

const PARAMETERS: Readonly<Record<Alg, Parameters>> = {
  ES256: ECDSA("P-256", "SHA-256"),
  ES384: ECDSA("P-384", "SHA-384"),
  ES512: ECDSA("P-521", "SHA-512"),
  RS256: RSA("RSASSA-PKCS1-v1_5"),
  PS256: RSA("RSA-PSS"),
  EdDSA: ED25519,
  Ed25519: ED25519,
};

/** Every algorithm that the package knows. */
export const ALGORITHMS = Object.keys(PARAMETERS) as readonly Alg[];

function parametersOf(algorithm: number): Parameters {
  const parameters = PARAMETERS[lookup().algorithms[algorithm] as Alg];
  if (parameters === undefined) throw new Error(`no algorithm ${algorithm}`);
  return parameters;
}

class PlatformKey implements ImportedKey {
  readonly #key: CryptoKey;
  readonly #parameters: Parameters;

  constructor(key: CryptoKey, parameters: Parameters) {
    this.#key = key;
    this.#parameters = parameters;
  }

  serves(algorithm: number): boolean {
    return this.#parameters === parametersOf(algorithm);
  }

  verify(span: SignatureSpan): Promise<boolean> {
    return crypto.subtle.verify(this.#parameters.verify, this.#key, span.signature, span.message).catch(
      // Some engines throw for a signature of a form that none can have.
      () => false,
    );
  }
}

class PlatformSignatures extends Signatures {
  readonly name = "webcrypto";
  readonly algorithms = ALGORITHMS;

  async init(): Promise<void> {
    // It is there, or it is not.
  }

  async import(jwk: string, algorithm: number): Promise<ImportedKey | null> {
    const parameters = parametersOf(algorithm);
    const subtle = (globalThis.crypto as Crypto | undefined)?.subtle;
    if (subtle === undefined) throw new Unavailable("this runtime has no SubtleCrypto: give crypto: wasmSignatures of @keybound/edge/wasm");
    try {
      const key = await subtle.importKey("jwk", JSON.parse(jwk) as JsonWebKey, parameters.import, false, ["verify"]);
      return new PlatformKey(key, parameters);
    } catch (cause) {
      if (isUnavailable(cause)) throw cause;
      return null;
    }
  }
}

const platform = new PlatformSignatures();

/** The provider that the options name. */
export function signaturesOf(crypto: "webcrypto" | SignatureProvider | undefined): Signatures {
  if (crypto === undefined || crypto === "webcrypto") return platform;
  if (crypto instanceof Signatures) return crypto;
  throw new TypeError('crypto: give "webcrypto", or wasmSignatures of @keybound/edge/wasm');
}
