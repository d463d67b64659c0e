// Which algorithm a new key should have: one that the server takes and this browser can do.

import { KeyboundError } from "./errors.js";
import { generate, type SigningAlgorithm } from "./key.js";

/** ES256 first, which everybody knows; RSA last, whose keys are slow to make. */
const PREFERENCE: readonly SigningAlgorithm[] = ["ES256", "Ed25519", "EdDSA", "ES384", "ES512", "PS256", "RS256"];

/** Those of them that the server takes, the best one first (RFC 9449 §5.1). ES256 where it says nothing. */
export function ranked(offered: readonly string[] = ["ES256"]): readonly SigningAlgorithm[] {
  return PREFERENCE.filter((algorithm) => offered.includes(algorithm));
}

/**
 * The algorithm for `DpopKey.open`: the first that is among `offered`, the `dpop_signing_alg_values_supported` of the authorization
 * server's metadata (RFC 9449 §5.1), and of which this browser makes a key. ES256 where the server says nothing.
 * Throws `unsupported_algorithm` if there is none.
 */
export async function chooseAlgorithm(offered: readonly string[] = ["ES256"]): Promise<SigningAlgorithm> {
  let problem: unknown = new Error(`the server takes ${offered.join(", ")}`);
  for (const algorithm of ranked(offered)) {
    try {
      // Engines do not say what they can do: they have to be tried.
      await generate(algorithm);
      return algorithm;
    } catch (error) {
      if ((error as KeyboundError).code !== "unsupported_algorithm") throw error;
      problem = error;
    }
  }
  throw new KeyboundError("unsupported_algorithm", problem);
}
