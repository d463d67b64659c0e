// What wasm-bindgen makes of crates/keybound-edge/src/npm.rs. Private to this package.

export interface Exports {
  readonly memory: WebAssembly.Memory;
}
export function initSync(source: { module: WebAssembly.Module }): Exports;

export class ReplayMemory {
  constructor(maxEntries: number, maxPerKey: number, seed: Uint8Array);
  claim(key: string, jkt: string, expiresAt: number, now: number): number;
}

/** What the steps of both roles have in common. */
export interface Engine {
  slots(): number;
  proof_jwk(handle: number): string | undefined;
  mark_of(handle: number): string | undefined;
  accepted_mark(): string | undefined;
  take_gone(): Uint32Array;
  current_nonce(now: number): string | undefined;
}

export class TokenEndpoint implements Engine {
  constructor(options: string);
  slots(): number;
  use_memory(memory: ReplayMemory): void;
  begin(method: string, url: string, dpop: string | undefined, grant: string, now: number): number;
  nonce_of(handle: number): string | undefined;
  nonce(handle: number, status: number): number;
  proof_jwk(handle: number): string | undefined;
  signature(handle: number, valid: boolean): number;
  certificate(handle: number, reading: string): number;
  mark_of(handle: number): string | undefined;
  accepted_mark(): string | undefined;
  replay(handle: number, answer: number): number;
  abandon(handle: number): void;
  take_gone(): Uint32Array;
  current_nonce(now: number): string | undefined;
  binding(): string;
}

export class Server implements Engine {
  constructor(options: string);
  slots(): number;
  use_memory(memory: ReplayMemory): void;
  begin(method: string, url: string, authorization: string | undefined, dpop: string | undefined, now: number): number;
  nonce_of(handle: number): string | undefined;
  nonce(handle: number, status: number): number;
  set_keys(issuer: number, json: string): boolean;
  resume(handle: number): number;
  claims_of(handle: number): string | undefined;
  client(handle: number, confidential: boolean): number;
  token_of(handle: number): string | undefined;
  source(handle: number, active: boolean, claims: string, until: number): number;
  token_jwk(handle: number): string | undefined;
  proof_jwk(handle: number): string | undefined;
  signatures(handle: number, token: boolean, proof: boolean, certificate: string | undefined): number;
  certificate(handle: number, reading: string): number;
  mark_of(handle: number): string | undefined;
  accepted_mark(): string | undefined;
  replay(handle: number, answer: number): number;
  abandon(handle: number): void;
  take_gone(): Uint32Array;
  current_nonce(now: number): string | undefined;
  challenges(reason: number, scheme: number): string;
  scope_challenges(scope: string, scheme: number): string;
}

export class ProofCheck {
  constructor(
    proof: string,
    method: string,
    url: string,
    accessToken: string | undefined,
    jkt: string | undefined,
    nonce: string | undefined,
    now: number,
    policy: string,
  );
  reason(): number | undefined;
  algorithm(): number;
  jwk(): string | undefined;
  message(): Uint8Array<ArrayBuffer> | undefined;
  signature(): Uint8Array<ArrayBuffer> | undefined;
  finish(valid: boolean): void;
  jkt(): string | undefined;
  claims(): string | undefined;
  free(): void;
}

export function reasons(): string;
export function checks(): string;
export function algorithms(): string;
export function freshness(metadata: boolean, cacheControl: string | undefined, age: string | undefined, expires: number, date: number): Uint32Array;
export function token_endpoint_error(reason: number): string | undefined;
export function certificate_from_cloudflare(
  presented: string,
  verified: string,
  revoked: string,
  rfc9440: string,
  fingerprintSha256: string,
  allowSelfSigned: boolean,
): string;
export function certificate_from_field(platform: number, field: string, fromEnd: number): string;
export function certificate_from_google(fingerprint: string | undefined, present: string | undefined, chainVerified: string | undefined): string;
export function certificate_from_der(der: Uint8Array): string;
export function certificate_from_text(text: string): string;
