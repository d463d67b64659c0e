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
export async function importAndVerify(signatures: Signatures, jwk: string, span: SignatureSpan): Promise<Verified> {
  try {
    const key = jwk === "" ? null : await signatures.import(jwk, span.algorithm);
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
  /** For Node's own function; not there where a check takes so long that its pool of threads should make it. */
  node?: NodeParameters;
}

const ECDSA = (namedCurve: string, hash: string, node?: NodeParameters): Parameters => ({
  import: { name: "ECDSA", namedCurve },
  verify: { name: "ECDSA", hash },
  ...(node && { node }),
});
const RSA = (name: string, padding: number): Parameters => ({
  import: { name, hash: "SHA-256" },
  verify: { name, saltLength: 32 },
  node: { hash: "sha256", padding, saltLength: 32 },
});
const ED25519: Parameters = { import: { name: "Ed25519" }, verify: { name: "Ed25519" }, node: {} };

const PARAMETERS: Readonly<Record<Alg, Parameters>> = {
  ES256: ECDSA("P-256", "SHA-256", { hash: "sha256", dsaEncoding: "ieee-p1363" }),
  ES384: ECDSA("P-384", "SHA-384"),
  ES512: ECDSA("P-521", "SHA-512"),
  RS256: RSA("RSASSA-PKCS1-v1_5", 1),
  PS256: RSA("RSA-PSS", 6),
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

// Node's subtle.verify hands each check to another thread and back, which takes longer than the check itself
// (90 to 140 microseconds against 55 for ES256); its own function makes the same check at once.

interface NodeParameters {
  hash?: string;
  dsaEncoding?: string;
  /** The number of RSA_PKCS1_PADDING or RSA_PKCS1_PSS_PADDING. */
  padding?: number;
  saltLength?: number;
}

interface NodeCrypto {
  KeyObject: { from(key: CryptoKey): object };
  verify(hash: string | undefined, message: Uint8Array, key: object, signature: Uint8Array): boolean;
}

/** Deno, Bun and workers that imitate Node have a SubtleCrypto that waits for nobody, or no such function. */
function nodeCrypto(): NodeCrypto | undefined {
  const { process, navigator } = globalThis as {
    process?: { getBuiltinModule?(name: "node:crypto"): NodeCrypto | undefined };
    navigator?: { userAgent?: string };
  };
  return /^Node/.test(navigator?.userAgent ?? "Node") ? process?.getBuiltinModule?.("node:crypto") : undefined;
}

class PlatformKey implements ImportedKey {
  readonly #key: CryptoKey;
  readonly #parameters: Parameters;
  readonly #node: NodeCrypto | undefined;
  readonly #nodeKey: object | undefined;

  constructor(key: CryptoKey, parameters: Parameters) {
    this.#key = key;
    this.#parameters = parameters;
    if (parameters.node === undefined) return;
    this.#node = nodeCrypto();
    this.#nodeKey = this.#node && { ...parameters.node, key: this.#node.KeyObject.from(key) };
  }

  serves(algorithm: number): boolean {
    return this.#parameters === parametersOf(algorithm);
  }

  async verify({ message, signature }: SignatureSpan): Promise<boolean> {
    if (this.#node && this.#nodeKey) return this.#node.verify(this.#parameters.node?.hash, message, this.#nodeKey, signature);
    try {
      return await crypto.subtle.verify(this.#parameters.verify, this.#key, signature, message);
    } catch {
      // Some engines throw for a signature of a form that none can have.
      return false;
    }
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
