// Access tokens that are JWTs.

import type { Alg, ResolvedToken, TokenSource } from "./types.js";

/** A JWK set (RFC 7517 §5). */
export interface KeySet {
  keys: JsonWebKey[];
}

/** Options of {@link jwtTokens}. */
export interface JwtOptions {
  /**
   * "rfc9068" (default) asks for typ at+jwt and the claims of RFC 9068 §2.2; the others accept what that
   * provider really issues, and still never an ID token, a proof or a logout token.
   */
  profile?: "rfc9068" | "auth0" | "keycloak" | "okta";
  /**
   * The issuer's keys, or where they are. Default: found by RFC 8414 or OpenID discovery. Of several issuers each has
   * its own, by its name: `{ "https://one.example": keys, "https://two.example": new URL("https://two.example/jwks") }`.
   *
   * Keys that are fetched are fetched anew when the answer's `Cache-Control` or `Expires` says so (RFC 9111), after a
   * minute at the least and a day at the most; ten minutes where it says nothing. While there is no answer old ones
   * serve for up to an hour more, or for five minutes if the answer said `must-revalidate`, `no-cache` or `no-store`.
   */
  jwks?: KeySet | URL | { readonly [issuer: string]: KeySet | URL };
  /**
   * What the issuer may sign with. Default: every algorithm of {@link Alg}. A key is used with one of them only
   * (RFC 8725 §3.1): with its `alg`, or, if it names none, with that of the first of its signatures that verified.
   */
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

/** Whether the keys are given by issuer. */
export function isByIssuer(jwks: JwtOptions["jwks"]): jwks is { readonly [issuer: string]: KeySet | URL } {
  return typeof jwks === "object" && jwks !== null && !(jwks instanceof URL) && !("keys" in jwks) && !Array.isArray(jwks);
}

/** The keys of one issuer, or where they are. */
export function keysFor(issuer: string, jwks: JwtOptions["jwks"]): KeySet | URL | undefined {
  return isByIssuer(jwks) ? jwks[issuer] : jwks;
}
