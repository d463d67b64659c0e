// What wasm-bindgen makes of crates/keybound-edge/src/npm.rs. Private to this package.

export interface Exports {
  readonly memory: WebAssembly.Memory;
}
export function initSync(source: { module: WebAssembly.Module }): Exports;

export class ReplayMemory {
  constructor(maxEntries: number, maxPerKey: number, seed: Uint8Array);
  claim(key: string, jkt: string, expiresAt: number, now: number): number;
}

/** Says in a block of numbers what a step needs. */
export interface Speaking {
  slots(): number;
}

/** What the steps of both roles have in common. */
export interface Engine extends Speaking {
  answer(step: number, handle: number, answer: number): number;
  /** Of the proof, if it is not said whose. */
  jwk(handle: number, token?: boolean): string | undefined;
  abandon(handle: number): void;
  take_gone(): Uint32Array;
  current_nonce(now: number): string | undefined;
}

export class TokenEndpoint implements Engine {
  static open(options: string): TokenEndpoint | undefined;
  slots(): number;
  use_memory(memory: ReplayMemory): void;
  begin(method: string, url: string, dpop: string | undefined, grant: string, now: number): number | undefined;
  answer(step: number, handle: number, answer: number): number;
  jwk(handle: number): string | undefined;
  certificate(handle: number, reading: string): number;
  abandon(handle: number): void;
  take_gone(): Uint32Array;
  current_nonce(now: number): string | undefined;
}

export class Server implements Engine {
  static open(options: string): Server | undefined;
  slots(): number;
  use_memory(memory: ReplayMemory): void;
  begin(method: string, url: string, authorization: string | undefined, dpop: string | undefined, now: number): number;
  answer(step: number, handle: number, answer: number): number;
  set_keys(issuer: number, json: string): boolean;
  source(handle: number, active: boolean, claims: string, until: number): number;
  jwk(handle: number, token?: boolean): string | undefined;
  signatures(handle: number, token: boolean, proof: boolean, certificate: string | undefined): number;
  certificate(handle: number, reading: string): number;
  abandon(handle: number): void;
  take_gone(): Uint32Array;
  current_nonce(now: number): string | undefined;
  challenges(reason: number, scheme: number): string;
  scope_challenges(scope: string, scheme: number): string;
}

export class ProofCheck implements Speaking {
  static open(policy: string): ProofCheck | undefined;
  slots(): number;
  begin(
    proof: string,
    method: string,
    url: string,
    accessToken: string | undefined,
    jkt: string | undefined,
    nonce: string | undefined,
    now: number,
  ): number | undefined;
  jwk(): string | undefined;
  finish(valid: boolean): number;
  free(): void;
}

export function tables(): string;
export function freshness(metadata: boolean, cacheControl: string | undefined, age: string | undefined, expires: number, date: number): Uint32Array;
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
