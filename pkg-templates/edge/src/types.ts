// The shapes of the public surface.

/** How a token is bound: to a DPoP key (RFC 9449) or to a client certificate (RFC 8705). */
export type Mechanism = "dpop" | "mtls";

/** Signature algorithms (RFC 7518 §3.1, RFC 9864). "EdDSA" and "Ed25519" are one key under two names. */
export type Alg = "ES256" | "ES384" | "ES512" | "RS256" | "PS256" | "EdDSA" | "Ed25519";

/** Error codes of answers (RFC 6749 §5.2, RFC 6750 §3.1, RFC 9449 §7.1). */
export type OAuthError =
  | "invalid_request"
  | "invalid_client"
  | "invalid_dpop_proof"
  | "use_dpop_nonce"
  | "invalid_token"
  | "insufficient_scope"
  | "invalid_grant";

/** A token's claims. */
export type Claims = Record<string, unknown>;

/** Options of {@link createResourceServer}. */
export interface ResourceServerOptions {
  /** One or several, exactly as in `iss` (RFC 9068 §4). A token is checked against its own issuer's keys only. */
  issuer: string | readonly string[];
  /** What `aud` must name: this server, under one or several names. */
  audience: string | readonly string[];
  /** How tokens become claims. Default: RFC 9068 JWTs with the issuer's JWKS found by RFC 8414/OIDC discovery. */
  tokens?: TokenSource;
  /** Which constraint is asked for; a `cnf` that is present is enforced in any case. */
  proofOfPossession?: {
    /** Default: either. */
    mechanism?: Mechanism | "either";
    /** Default true: refuse tokens without a confirmation. */
    required?: boolean;
    /** Default "all_clients". With "public_clients", `clientType` decides; an unknown client counts as public. */
    requiredFor?: "all_clients" | "public_clients";
    /** Asked only where the answer decides. One that throws, or answers anything else, means 503. */
    clientType?: (claims: Claims) => "public" | "confidential" | undefined | Promise<"public" | "confidential" | undefined>;
  };
  /** Which proofs are acceptable (RFC 9449 §4.3, §11.1). */
  proof?: ProofPolicy;
  /** Server nonces (RFC 9449 §9). Default: none. */
  nonce?: NoncePolicy | NonceChecker;
  /** Without one the verifier keeps replay marks in this isolate's memory and `diagnose()` warns. */
  replay?: ReplayStore | "external";
  /** Where a client certificate comes from. Default: none. Asked in order; the first that reports or refuses one decides. */
  certificates?: readonly CertificateSource[];
  /**
   * What clients see, where it differs from `request.url` or where `request.url` comes from the client's own Host field.
   * A string: this origin with its path prefix, whatever the request says. Several: the one of the request's host, and
   * a request for a host that is not listed is refused. A function gives the whole target URI.
   */
  publicUrl?: string | readonly string[] | ((request: Request) => string);
  /** Answers and preflights for pages of these origins (RFC 9449 §7.1 and §8, CORS notes). */
  cors?: CorsPolicy;
  /** RFC 9728 URL put into challenges. */
  resourceMetadata?: string;
  /** Default "webcrypto". `wasmSignatures` of `@keybound/edge/wasm` (ES256, Ed25519; a second .wasm) serves runtimes without SubtleCrypto. */
  crypto?: "webcrypto" | SignatureProvider;
  /** How many verified tokens and clients' keys are remembered. Default 5000 and 10000; 0 remembers none. */
  cache?: { tokens?: number; keys?: number };
  /** Seconds since the epoch. */
  now?: () => number;
  /** Called once for every decision, also an acceptance. Never sees a token or a proof. */
  onDecision?: (decision: DecisionEvent) => void;
}

/** Which proofs are acceptable. */
export interface ProofPolicy {
  /** Default: all of {@link Alg}, as far as `crypto` can check them. */
  algorithms?: readonly Alg[];
  /** Seconds. Default 300. */
  maxAge?: number;
  /** Seconds. Default 60; 10 and more is what FAPI 2.0 asks to accept. */
  maxFuture?: number;
  /** Octets. Default 16384. */
  maxProofBytes?: number;
  /** Octets. Default 512. */
  maxJtiBytes?: number;
}

/** Which pages of other origins may read answers. */
export interface CorsPolicy {
  origins: "*" | readonly string[];
  /** Default: GET, HEAD, POST, PUT, PATCH, DELETE. */
  methods?: readonly string[];
  /** Request fields beside Authorization, DPoP and Content-Type. */
  headers?: readonly string[];
  /** How many seconds a preflight's answer holds. */
  maxAge?: number;
}

/** Who checks signatures. Opaque: comes from `@keybound/edge/wasm`. */
export interface SignatureProvider {
  readonly name: string;
}

/** Stateless nonces (RFC 9449 §8, §9): any isolate with one of the secrets knows them. The MAC covers role and audience. */
export interface NoncePolicy {
  /** The first signs, all verify: rotate by putting a new one in front. At least 32 bytes each. */
  secrets: readonly (Uint8Array | string)[];
  /** Default true. False: a proof may do without a nonce, but not with a bad one. */
  required?: boolean;
  /** Seconds a nonce is current; the previous window is still accepted. Default 60. */
  window?: number;
}

/** For servers that keep nonces themselves, and for tests. */
export interface NonceChecker {
  required: boolean;
  current(): string | Promise<string>;
  check(nonce: string): NonceStatus | Promise<NonceStatus>;
}

/** `previous` is accepted and answered with the current one; `stale` was once ours; `unknown` never was. */
export type NonceStatus = "current" | "previous" | "stale" | "unknown";

/** Where replay marks are kept (RFC 9449 §11.1). */
export interface ReplayStore {
  /** Insert-if-absent, atomic. True: not seen before, now marked until `expiresAt`. A rejection or throw means 503, never an acceptance. */
  claim(mark: ReplayMark): Promise<boolean> | boolean;
}

/** One proof's mark. `key` hashes thumbprint, `jti` and target origin; `jkt` is there to shard by. Times in seconds, by the verifier's clock. */
export interface ReplayMark {
  key: string;
  jkt: string;
  expiresAt: number;
  now: number;
}

/** Where a client certificate is reported. */
export interface CertificateSource {
  readonly name: string;
  /** A refusal (present, but unverified, revoked, malformed, ...) ends the search: no later source is asked. */
  read(request: Request, fields?: RequestContext["headers"]): CertificateReading;
}

/** What a source says. */
export type CertificateReading = { certificate: ClientCertificate } | { absent: true } | { refused: string };

/** A client certificate, as far as a confirmation knows it. */
export interface ClientCertificate {
  /** base64url SHA-256 of the DER certificate (RFC 8705 §3.1). */
  "x5t#S256": string;
}

/** How access tokens become claims. */
export interface TokenSource {
  resolve(token: string, context: { now: number }): Promise<ResolvedToken>;
}

/** What a source says of a token. It is remembered only if it has `expiresAt` (seconds since the epoch). */
export type ResolvedToken = { active: true; claims: Claims; expiresAt?: number } | { active: false };

/** A resource server's decisions (RFC 9449 §4.3 and §7, RFC 8705 §3). */
export interface ResourceServer {
  /** Decides whether the request may use its access token. Never throws for what a client sends. */
  authenticate(request: Request, context?: RequestContext): Promise<Accepted | Rejected>;
  /** RFC 9728 document for these options. */
  metadata(resource: string): Record<string, unknown>;
  /** The answer to a CORS preflight, or null if the request is none. */
  preflight(request: Request): Response | null;
  /** What about this configuration and its surroundings needs attention. */
  diagnose(): Promise<Diagnosis>;
}

/** What {@link ResourceServer.diagnose} found. */
export interface Diagnosis {
  ok: boolean;
  checks: { name: string; ok: boolean; detail: string; fix?: string }[];
}

/** What the caller knows of a request beside the `Request`. */
export interface RequestContext {
  /** DER, PEM or a thumbprint from the caller's own TLS layer; null: there is none; left out: the sources are asked. */
  certificate?: ClientCertificate | Uint8Array | string | null;
  /** `ctx.waitUntil` of a worker, for refreshes that may outlive the answer. */
  waitUntil?: (promise: Promise<unknown>) => void;
  /** Raw fields, where the platform can give them; `Headers` joins repeated ones with a comma. */
  headers?: readonly (readonly [string, string])[];
  /** Fills `trace`. */
  explain?: boolean;
}

/** The request may use its token. */
export interface Accepted {
  ok: true;
  /** The token's claims, frozen: they are shared between requests. */
  claims: Claims;
  mechanisms: readonly Mechanism[];
  binding: { jkt?: string; "x5t#S256"?: string };
  /** The mark to claim, where the server was made with `replay: "external"`. */
  replay?: ReplayMark;
  /** Adds the next nonce, `Cache-Control` and CORS fields; appends to what is there, replaces nothing. */
  finish(response: Response): Response;
  /** 403 with an `insufficient_scope` challenge (RFC 6750 §3.1). */
  forbid(scope: string): Response;
  trace?: readonly TraceStep[];
}

/** The request may not use its token. */
export interface Rejected {
  ok: false;
  /** Null: nothing was presented, or the fault is this server's. */
  error: OAuthError | null;
  /** Stable, finer than `error`: "htu_path_mismatch", "iat_in_future", ... */
  reason: string;
  /** For logs. Holds no part of a token or proof. */
  detail: string;
  status: 400 | 401 | 403 | 503;
  /** Challenges for every scheme the server takes, `DPoP-Nonce` where due, never cacheable. */
  response(init?: ResponseInit): Response;
  trace?: readonly TraceStep[];
}

/** One check: passed, failed, or (null) not made. */
export interface TraceStep {
  check: string;
  rfc: string;
  ok: boolean | null;
  detail?: string;
}

/** For metrics. */
export interface DecisionEvent {
  ok: boolean;
  error?: OAuthError | null;
  reason?: string;
  mechanisms: readonly Mechanism[];
  jkt?: string;
  durationMs: number;
}

/** Options of {@link createTokenEndpoint}: the authorization server's side (RFC 9449 §5, §8, §10; RFC 8705 §3, §4). */
export interface TokenEndpointOptions {
  /** Which proofs are acceptable. Its `algorithms` are what metadata lists as `dpop_signing_alg_values_supported` (RFC 9449 §5.1). */
  proof?: ProofPolicy;
  /** Server nonces (RFC 9449 §8). Default: none. */
  nonce?: NoncePolicy | NonceChecker;
  /** Default: in this process's memory. */
  replay?: ReplayStore | "external";
  certificates?: readonly CertificateSource[];
  /** As for a resource server. */
  publicUrl?: string | readonly string[] | ((request: Request) => string);
  cors?: CorsPolicy;
  /** As for a resource server. */
  crypto?: "webcrypto" | SignatureProvider;
  /** Seconds since the epoch. */
  now?: () => number;
}

/** What the authorization server knows of the grant and its client. */
export interface TokenRequestContext extends RequestContext {
  /** Default "token". At "par" a request without proof is fine even where tokens must be bound. */
  endpoint?: "token" | "par";
  /** What the authorization code or pushed request was bound to (RFC 9449 §10). */
  dpopJkt?: string | undefined;
  /** What the refresh token is bound to. Enforced for public clients only (RFC 9449 §5, RFC 8705 §4). */
  refreshToken?: { jkt?: string; "x5t#S256"?: string } | undefined;
  /** Left out: the client counts as public. */
  clientType?: "public" | "confidential" | undefined;
  /** Client metadata `dpop_bound_access_tokens` (RFC 9449 §5.2). */
  requireDpop?: boolean | undefined;
  /** Client metadata `tls_client_certificate_bound_access_tokens` (RFC 8705 §3.4). */
  bindCertificate?: boolean | undefined;
}

/** What the token is to be bound to. */
export interface Binding {
  ok: true;
  /** The `token_type` of the answer. A token bound to a certificate alone is a Bearer token (RFC 8705 §3). */
  tokenType: "DPoP" | "Bearer";
  /** Goes into the access token, or into the introspection answer. Null: unbound. At "par": what the request is bound to. */
  cnf: { jkt?: string; "x5t#S256"?: string } | null;
  /** The mark to claim, where the endpoint was made with `replay: "external"`. */
  replay?: ReplayMark;
  /** Adds the next nonce, `Cache-Control` and CORS fields; appends to what is there, replaces nothing. */
  finish(response: Response): Response;
  trace?: readonly TraceStep[];
}

/** A token endpoint's decisions. */
export interface TokenEndpoint {
  /** Call it after the grant was found and before it is consumed: a nonce challenge must not burn a code or refresh token. */
  bind(request: Request, context?: TokenRequestContext): Promise<Binding | Rejected>;
  /** The answer to a CORS preflight, or null if the request is none. */
  preflight(request: Request): Response | null;
  /** What about this configuration and the requests so far needs attention. */
  diagnose(): Promise<Diagnosis>;
}
