// Options are checked where they are given, and what is wrong says what to change.

import { JwtTokens, type JwtOptions } from "./tokens.js";
import type { CorsPolicy, NonceChecker, NoncePolicy, ResourceServerOptions, TokenEndpointOptions } from "./types.js";

const ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519"];
const PROFILES = ["rfc9068", "auth0", "keycloak", "okta"];
const MIN_SECRET_BYTES = 32;

/** Options as the module reads them, in crates/keybound-edge/src/npm/options.rs. */
export interface EngineOptions {
  issuers: string[];
  audiences: string[];
  mechanism: string;
  required: boolean;
  proof: object;
  tokens: { profile: string; algorithms: string[] | undefined; types: string[] } | undefined;
  nonce: { required: boolean; /** base64url */ secrets: string[] | undefined; window: number } | undefined;
  resourceMetadata: string | undefined;
  tokenCache: number;
  keyCache: number;
}

/** Checks a server's options. */
export function readOptions(options: ResourceServerOptions): EngineOptions {
  const issuers = list(options.issuer, "issuer");
  for (const issuer of issuers) checkIssuer(issuer);
  const source = options.tokens ?? new JwtTokens({});
  const jwt = source instanceof JwtTokens ? source.options : undefined;
  if (jwt !== undefined) checkTokens(jwt);
  const constraint = options.proofOfPossession ?? {};
  if ("requiredFor" in constraint || "clientType" in constraint) {
    throw new TypeError("proofOfPossession.requiredFor and clientType are not available in this version");
  }
  const mechanism = constraint.mechanism ?? "either";
  if (!["dpop", "mtls", "either"].includes(mechanism)) {
    throw new TypeError(`proofOfPossession.mechanism: ${JSON.stringify(mechanism)} is none of "dpop", "mtls" and "either"`);
  }
  checkCommon(options);
  if (options.resourceMetadata !== undefined) checkMetadataUrl(options.resourceMetadata);
  if (options.onDecision !== undefined && typeof options.onDecision !== "function") {
    throw new TypeError("onDecision: give a function that takes a decision");
  }
  if (typeof source.resolve !== "function") throw new TypeError("tokens: give jwtTokens() or a source with a resolve method");
  return {
    issuers,
    audiences: list(options.audience, "audience"),
    mechanism,
    required: constraint.required ?? true,
    proof: readProofPolicy(options.proof),
    tokens:
      source instanceof JwtTokens
        ? {
            profile: jwt?.profile ?? "rfc9068",
            algorithms: jwt?.algorithms?.slice(),
            types: [...(jwt?.types ?? [])],
          }
        : undefined,
    nonce: options.nonce === undefined ? undefined : readNonce(options.nonce),
    resourceMetadata: options.resourceMetadata,
    tokenCache: whole(options.cache?.tokens ?? 5_000, "cache.tokens"),
    keyCache: whole(options.cache?.keys ?? 10_000, "cache.keys"),
  };
}

/** Checks a token endpoint's options. */
export function readTokenEndpointOptions(options: TokenEndpointOptions): Pick<EngineOptions, "proof" | "nonce" | "keyCache"> {
  checkCommon(options);
  return {
    proof: readProofPolicy(options.proof),
    nonce: options.nonce === undefined ? undefined : readNonce(options.nonce),
    keyCache: 10_000,
  };
}

/** What both roles have. */
function checkCommon(options: ResourceServerOptions | TokenEndpointOptions): void {
  for (const source of options.certificates ?? []) {
    if (typeof source?.read !== "function") {
      throw new TypeError("certificates: give sources with a read method, such as certificates.cloudflare()");
    }
  }
  if (options.cors !== undefined) checkCors(options.cors);
  if (options.now !== undefined && typeof options.now !== "function") {
    throw new TypeError("now: give a function that returns the seconds since the epoch");
  }
  if (options.crypto !== undefined && options.crypto !== "webcrypto") {
    throw new TypeError('crypto: only "webcrypto" is available in this version');
  }
  if (options.replay !== undefined && options.replay !== "external" && typeof options.replay.claim !== "function") {
    throw new TypeError('replay: give a store with a claim method, or "external"');
  }
}

function checkCors({ origins, maxAge }: CorsPolicy): void {
  if (maxAge !== undefined) whole(maxAge, "cors.maxAge");
  if (origins === "*") return;
  if (!Array.isArray(origins)) throw new TypeError('cors.origins: give "*" or a list of origins');
  for (const origin of origins as unknown[]) {
    if (typeof origin !== "string" || !isOrigin(origin)) {
      throw new TypeError(`cors.origins: ${JSON.stringify(origin)} is no origin as browsers send it, such as "https://app.example"`);
    }
  }
}

/** Whether a browser would send this in `Origin`: lower case, no default port, nothing after the host. Apps have schemes of their own. */
function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#\s,A-Z]+$/.test(text)) return false;
  return !/^https?:/.test(text) || (URL.canParse(text) && new URL(text).origin === text);
}

/** Checks options of `jwtTokens`. */
function checkTokens({ algorithms: names, jwks, profile, types }: JwtOptions): void {
  algorithms(names, "tokens.algorithms");
  if (profile !== undefined && !PROFILES.includes(profile)) {
    throw new TypeError(`tokens.profile: ${JSON.stringify(profile)} is not known; there are ${PROFILES.join(", ")}`);
  }
  if (types !== undefined && !Array.isArray(types)) throw new TypeError("tokens.types: give a list");
  if (jwks instanceof URL) {
    if (!isSecure(jwks)) throw new TypeError(`tokens.jwks: ${JSON.stringify(jwks.href)} must be an https URL`);
  } else if (jwks !== undefined && !Array.isArray(jwks?.keys)) {
    throw new TypeError("tokens.jwks: give a key set ({ keys: [...] }) or a URL object");
  }
}

/** Checks a proof policy. What is left out stays out: the module has the defaults. */
export function readProofPolicy(policy: ResourceServerOptions["proof"] = {}): object {
  algorithms(policy.algorithms, "proof.algorithms");
  const out: Record<string, unknown> = {};
  if (policy.algorithms !== undefined) out["algorithms"] = [...policy.algorithms];
  for (const name of ["maxAge", "maxFuture", "maxProofBytes", "maxJtiBytes"] as const) {
    if (policy[name] !== undefined) out[name] = whole(policy[name], `proof.${name}`);
  }
  return out;
}

function readNonce(nonce: NoncePolicy | NonceChecker): EngineOptions["nonce"] {
  if (isChecker(nonce)) return { required: nonce.required, secrets: undefined, window: 1 };
  if (!Array.isArray(nonce.secrets) || nonce.secrets.length === 0) throw new TypeError("nonce.secrets: at least one is needed");
  const secrets = nonce.secrets.map((secret) => {
    const octets = typeof secret === "string" ? new TextEncoder().encode(secret) : secret;
    if (!(octets instanceof Uint8Array) || octets.length < MIN_SECRET_BYTES) {
      throw new TypeError(`nonce.secrets: each needs ${MIN_SECRET_BYTES} bytes or more, of a good random source`);
    }
    return base64url(octets);
  });
  const window = whole(nonce.window ?? 60, "nonce.window");
  if (window === 0) throw new RangeError("nonce.window: at least one second");
  return { required: nonce.required ?? true, secrets, window };
}

function base64url(octets: Uint8Array): string {
  const text = Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Whether the nonces are the caller's. */
export function isChecker(nonce: NoncePolicy | NonceChecker | undefined): nonce is NonceChecker {
  return nonce !== undefined && "check" in nonce;
}

function list(value: string | readonly string[], name: string): string[] {
  const values = typeof value === "string" ? [value] : Array.isArray(value) ? [...value] : [];
  if (values.length === 0 || values.some((one) => typeof one !== "string" || one === "")) {
    throw new TypeError(`${name}: at least one is needed, and none may be empty`);
  }
  return values as string[];
}

function algorithms(names: readonly string[] | undefined, option: string): void {
  if (names === undefined) return;
  if (names.length === 0) throw new TypeError(`${option}: the list is empty, so nothing would be accepted`);
  for (const name of names) {
    if (!ALGORITHMS.includes(name)) {
      throw new TypeError(`${option}: ${JSON.stringify(name)} is not known; there are ${ALGORITHMS.join(", ")}`);
    }
  }
}

function whole(value: number, name: string): number {
  if (!Number.isInteger(value) || value < 0 || value > 0x7fff_ffff) {
    throw new RangeError(`${name}: must be a whole number that is not negative`);
  }
  return value;
}

function checkUrl(text: string, name: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new TypeError(`${name}: ${JSON.stringify(text)} is no absolute URL`, { cause });
  }
}

/** It stands in a quoted string of challenges. */
function checkMetadataUrl(text: string): void {
  checkUrl(text, "resourceMetadata");
  if (!/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)) throw new TypeError(`resourceMetadata: ${JSON.stringify(text)} must be percent-encoded`);
}

/** Whether it is an https URL. A developer's own machine may use http. */
export function isSecure(url: URL): boolean {
  const loopback = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && loopback);
}

/** RFC 8414 §2: an https URL without query and fragment. */
function checkIssuer(issuer: string): void {
  const url = checkUrl(issuer, "issuer");
  if (!isSecure(url)) throw new TypeError(`issuer: ${JSON.stringify(issuer)} must be an https URL`);
  if (url.search !== "" || url.hash !== "") throw new TypeError(`issuer: ${JSON.stringify(issuer)} has a query or fragment`);
}
