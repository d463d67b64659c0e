// Access tokens that are JWTs.

import type { Alg, ResolvedToken, TokenSource } from "./types.js";

/** Options of {@link jwtTokens}. */
export interface JwtOptions {
  /**
   * "rfc9068" (default) asks for typ at+jwt and the claims of RFC 9068 §2.2; the others accept what that
   * provider really issues, and still never an ID token, a proof or a logout token.
   */
  profile?: "rfc9068" | "auth0" | "keycloak" | "okta";
  /** The issuer's keys, or where they are. Default: found by RFC 8414 or OpenID discovery. */
  jwks?: { keys: JsonWebKey[] } | URL;
  /** What the issuer may sign with. Default: every algorithm of {@link Alg}. */
  algorithms?: readonly Alg[];
  /** Header types accepted beside the profile's. */
  types?: readonly string[];
  fetch?: typeof fetch;
}

/** JWTs are verified by the server that the source is given to: it knows issuer and audience. */
export class JwtTokens implements TokenSource {
  readonly options: JwtOptions;

  constructor(options: JwtOptions) {
    this.options = options;
  }

  resolve(): Promise<ResolvedToken> {
    return Promise.reject(new TypeError("jwtTokens() works within createResourceServer, which knows issuer and audience"));
  }
}

/** Access tokens that are JWTs (RFC 9068), checked with the keys that their issuer publishes. */
export function jwtTokens(options: JwtOptions = {}): TokenSource {
  return new JwtTokens(options);
}
