// Proof policies that others laid down.

import type { Alg, ProofPolicy } from "./types.js";

/**
 * What the FAPI 2.0 Security Profile asks of proofs, for both roles: `proof: fapi2`.
 *
 * Signatures are PS256, ES256 or EdDSA on Ed25519, under either of its names, and never RS256 (§5.4.1). A proof may
 * have been made up to 60 s ahead of this server's clock: up to 10 s must be accepted and more than 60 s refused
 * (§5.3.2.1 item 13, which binds authorization servers). Everything else has its default; spread it to set more:
 * `proof: { ...fapi2, maxAge: 60 }`. Access tokens have algorithms of their own:
 * `jwtTokens({ algorithms: fapi2.algorithms })`.
 */
export const fapi2: ProofPolicy & { readonly algorithms: readonly Alg[]; readonly maxFuture: number } = Object.freeze({
  algorithms: Object.freeze(["ES256", "PS256", "EdDSA", "Ed25519"] as const),
  maxFuture: 60,
});
