// Options are checked where they are given, and what is wrong says what to change.

import { checkOwn, checkShape, JWT_TOKENS, PROOF } from "./shape.js";
import { ALGORITHMS, signaturesOf, type Signatures } from "./signatures.js";
import { isByIssuer, JwtTokens, type JwtOptions } from "./tokens.js";
import type { Alg, CorsPolicy, NonceChecker, NoncePolicy, ResourceServerOptions, TokenEndpointOptions } from "./types.js";

const PROFILES = ["rfc9068", "auth0", "keycloak", "okta"];
const MIN_SECRET_BYTES = 32;

/** Options as the module reads them, in crates/keybound-edge/src/npm/options.rs. */
export interface EngineOptions {
  issuers: string[];
  audiences: string[];
  mechanism: string;
  required: boolean;
  requiredFor: string;
  proof: EngineProofPolicy;
  tokens: { profile: string; algorithms: string[] | undefined; types: string[] } | undefined;
  nonce: { required: boolean; /** base64url */ secrets: string[] | undefined; window: number } | undefined;
  resourceMetadata: string | undefined;
  tokenCache: number;
  keyCache: number;
}

/** Checks a server's options: their shape first, so that what follows looks at meanings only. */
export function readOptions(options: ResourceServerOptions): EngineOptions {
  checkShape(options);
  const signatures = signaturesOf(options.crypto);
  const issuers = list(options.issuer, "issuer");
  for (const issuer of issuers) checkIssuer(issuer);
  const source = options.tokens ?? new JwtTokens({});
  const jwt = source instanceof JwtTokens ? source.options : undefined;
  if (jwt !== undefined) checkTokens(jwt, issuers, signatures);
  const constraint = readConstraint(options.proofOfPossession);
  checkCommon(options);
  if (options.resourceMetadata !== undefined) checkMetadataUrl(options.resourceMetadata);
  if (typeof source.resolve !== "function") throw new TypeError("tokens: give jwtTokens() or a source with a resolve method");
  return {
    issuers,
    audiences: list(options.audience, "audience"),
    ...constraint,
    proof: readProofPolicy(options.proof, signatures),
    tokens:
      source instanceof JwtTokens
        ? {
            profile: jwt?.profile ?? "rfc9068",
            algorithms: [...(jwt?.algorithms ?? signatures.algorithms)],
            types: [...(jwt?.types ?? [])],
          }
        : undefined,
    nonce: options.nonce === undefined ? undefined : readNonce(options.nonce),
    resourceMetadata: options.resourceMetadata,
    tokenCache: whole(options.cache?.tokens ?? 5_000, "cache.tokens"),
    keyCache: whole(options.cache?.keys ?? 10_000, "cache.keys"),
  };
}

/** Which constraint is asked for, and of whom. */
function readConstraint(options: ResourceServerOptions["proofOfPossession"] = {}): Pick<EngineOptions, "mechanism" | "required" | "requiredFor"> {
  const { mechanism = "either", required = true, requiredFor = "all_clients", clientType } = options;
  if (!["dpop", "mtls", "either"].includes(mechanism)) {
    throw new TypeError(`proofOfPossession.mechanism: ${JSON.stringify(mechanism)} is none of "dpop", "mtls" and "either"`);
  }
  if (!["all_clients", "public_clients"].includes(requiredFor)) {
    throw new TypeError(`proofOfPossession.requiredFor: ${JSON.stringify(requiredFor)} is neither "all_clients" nor "public_clients"`);
  }
  if (requiredFor === "public_clients" && !required) {
    throw new TypeError('proofOfPossession: with required: false nothing is required of any client; leave out requiredFor: "public_clients", or required');
  }
  if (clientType !== undefined && requiredFor !== "public_clients") {
    throw new TypeError('proofOfPossession.clientType is asked only with requiredFor: "public_clients"; give both or neither');
  }
  // Without a function every client is unknown, and so public.
  return { mechanism, required, requiredFor: clientType === undefined ? "all_clients" : requiredFor };
}

/** Checks a token endpoint's options. */
export function readTokenEndpointOptions(options: TokenEndpointOptions): Pick<EngineOptions, "proof" | "nonce" | "keyCache"> {
  checkShape(options);
  checkCommon(options);
  return {
    proof: readProofPolicy(options.proof, signaturesOf(options.crypto)),
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
function checkTokens(options: JwtOptions, issuers: readonly string[], signatures: Signatures): void {
  checkOwn(options, JWT_TOKENS, "tokens");
  const { algorithms: names, jwks, profile } = options;
  checkAlgorithms(names, "tokens.algorithms", signatures);
  if (profile !== undefined && !PROFILES.includes(profile)) {
    throw new TypeError(`tokens.profile: ${JSON.stringify(profile)} is not known; there are ${PROFILES.join(", ")}`);
  }
  if (jwks !== undefined) checkKeys(jwks, issuers);
}

/** A token is checked with its own issuer's keys only (RFC 9068 §4), so several issuers cannot share a set. */
function checkKeys(jwks: NonNullable<JwtOptions["jwks"]>, issuers: readonly string[]): void {
  if (!isByIssuer(jwks)) {
    checkKeySet(jwks, "tokens.jwks");
    if (issuers.length === 1) return;
    throw new TypeError("tokens.jwks: with one set for several issuers each could sign for the others; give an object with a set or URL for each issuer, or leave it out");
  }
  const strangers = Object.keys(jwks).filter((name) => !issuers.includes(name));
  if (strangers.length > 0 && strangers.length === Object.keys(jwks).length) {
    throw new TypeError("tokens.jwks: give a key set ({ keys: [...] }) or a URL object, or an object with one of them for each issuer");
  }
  for (const name of strangers) throw new TypeError(`tokens.jwks: ${JSON.stringify(name)} is not among the issuers`);
  for (const issuer of issuers) checkKeySet(jwks[issuer], `tokens.jwks[${JSON.stringify(issuer)}]`);
}

function checkKeySet(jwks: unknown, name: string): void {
  if (jwks instanceof URL) {
    if (!isSecure(jwks)) throw new TypeError(`${name}: ${JSON.stringify(jwks.href)} must be an https URL`);
  } else if (!Array.isArray((jwks as { keys?: unknown } | null | undefined)?.keys)) {
    throw new TypeError(`${name}: give a key set ({ keys: [...] }) or a URL object`);
  }
}

/** A proof policy, checked. */
export interface EngineProofPolicy {
  algorithms: readonly Alg[];
  maxAge?: number;
  maxFuture?: number;
  maxProofBytes?: number;
  maxJtiBytes?: number;
}

/** Checks a proof policy. Limits that are left out stay out: the module has the defaults. */
export function readProofPolicy(policy: ResourceServerOptions["proof"] = {}, signatures: Signatures): EngineProofPolicy {
  checkOwn(policy, PROOF, "proof");
  checkAlgorithms(policy.algorithms, "proof.algorithms", signatures);
  const out: EngineProofPolicy = { algorithms: [...(policy.algorithms ?? signatures.algorithms)] };
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

function checkAlgorithms(names: readonly string[] | undefined, option: string, signatures: Signatures): void {
  if (names === undefined) return;
  if (names.length === 0) throw new TypeError(`${option}: the list is empty, so nothing would be accepted`);
  for (const name of names) {
    if (!(ALGORITHMS as readonly string[]).includes(name)) {
      throw new TypeError(`${option}: ${JSON.stringify(name)} is not known; there are ${ALGORITHMS.join(", ")}`);
    }
    if (!(signatures.algorithms as readonly string[]).includes(name)) {
      throw new TypeError(`${option}: ${name} is none of ${signatures.algorithms.join(", ")}, which crypto can check; leave it out, or use "webcrypto"`);
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
