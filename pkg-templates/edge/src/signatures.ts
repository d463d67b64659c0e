// Signatures are the platform's: SubtleCrypto checks them, one `verify` each.

import type { SignatureSpan } from "./engine.js";
import { lookup } from "./tables.js";

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

const PARAMETERS: Readonly<Record<string, Parameters>> = {
  ES256: ECDSA("P-256", "SHA-256"),
  ES384: ECDSA("P-384", "SHA-384"),
  ES512: ECDSA("P-521", "SHA-512"),
  RS256: RSA("RSASSA-PKCS1-v1_5"),
  PS256: RSA("RSA-PSS"),
  EdDSA: ED25519,
  Ed25519: ED25519,
};

function parametersOf(algorithm: number): Parameters {
  const parameters = PARAMETERS[lookup().algorithms[algorithm] ?? ""];
  if (parameters === undefined) throw new Error(`no algorithm ${algorithm}`);
  return parameters;
}

/** A key that SubtleCrypto imported, for one algorithm. */
export interface ImportedKey {
  key: CryptoKey;
  /** Which algorithm it was imported for; the two names of Ed25519 share one. */
  parameters: unknown;
}

/** What became of a signature: `unavailable` where the platform does not know the algorithm. */
export type Verdict = "valid" | "invalid" | "unavailable";

/** Whether an imported key serves this algorithm. */
export function serves(imported: ImportedKey, algorithm: number): boolean {
  return imported.parameters === parametersOf(algorithm);
}

/** Imports a public key. Null: the key is none (a point off its curve); throws where the algorithm is not known. */
export async function importKey(jwk: string, algorithm: number): Promise<ImportedKey | null> {
  const parameters = parametersOf(algorithm);
  try {
    const key = await crypto.subtle.importKey("jwk", JSON.parse(jwk) as JsonWebKey, parameters.import, false, ["verify"]);
    return { key, parameters };
  } catch (cause) {
    if (isUnavailable(cause)) throw cause;
    return null;
  }
}

/** Checks a signature. The views are read before this returns. */
export function verify(imported: ImportedKey, span: SignatureSpan): Promise<boolean> {
  return crypto.subtle.verify(parametersOf(span.algorithm).verify, imported.key, span.signature, span.message).catch(
    // Some engines throw for a signature of a form that none can have.
    () => false,
  );
}

/** Whether the platform, and not the key, is what an import failed for. */
export function isUnavailable(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "NotSupportedError";
}
