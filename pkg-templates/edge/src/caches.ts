// What goes with the module's cache entries: imported keys and parsed claims.

import type { Engine } from "./engine.js";
import type { ImportedKey } from "./signatures.js";
import type { Claims } from "./types.js";

/** A key that verified a proof, and its thumbprint. */
export interface ClientKey {
  key: ImportedKey;
  jkt: string;
}

/** Entries go when the module says so. */
export class Caches {
  /** Clients' keys. */
  readonly keys: Companions<ClientKey>;
  /** Claims of verified tokens. */
  readonly claims: Companions<Claims>;
  /** The `Authorization` fields of accepted requests. */
  readonly credentials: CredentialsCache;
  /** Issuers' keys, by their JWK and algorithm. */
  readonly issuers = new Map<string, ImportedKey>();

  /** For caches of the module that hold so many entries. */
  constructor(tokens: number, keys: number) {
    this.claims = new Companions(tokens);
    this.keys = new Companions(keys);
    this.credentials = new CredentialsCache(tokens);
  }

  /** Forgets what the module forgot. */
  sweep(engine: Engine): void {
    let entries: { delete(id: number): void } = this.claims;
    for (const id of engine.gone()) {
      if (id === 0) entries = this.keys;
      else entries.delete(id);
    }
  }

  /** Remembers an issuer's key. There are few; a flood of them starts over. */
  rememberIssuerKey(name: string, key: ImportedKey): void {
    if (this.issuers.size >= 256) this.issuers.clear();
    this.issuers.set(name, key);
  }
}

/** What goes with the entries of one of the module's caches, by their ids. */
export class Companions<T> {
  readonly #values = new Map<number, T>();
  readonly #bound: number;

  constructor(capacity: number) {
    this.#bound = 2 * capacity;
  }

  get(id: number): T | undefined {
    return this.#values.get(id);
  }

  /** The id 0 is that of what the module does not remember. */
  set(id: number, value: T): void {
    if (id === 0) return;
    // The module may have dropped an entry while its request still waited for an answer; it says so only
    // once, so what is set afterwards would stay for ever.
    if (this.#values.size >= this.#bound) this.#dropOldest();
    this.#values.set(id, value);
  }

  delete(id: number): void {
    this.#values.delete(id);
  }

  #dropOldest(): void {
    for (const id of this.#values.keys()) {
      this.#values.delete(id);
      return;
    }
  }
}

/** So many characters of `Authorization` fields are kept at most. */
const MAX_FIELDS = 8_000_000;

/** What was read of an `Authorization` field: its scheme, as the module numbers it, and the SHA-256 of its token. */
export interface KnownCredentials {
  scheme: number;
  hash: Uint8Array;
}

/**
 * What was read of accepted `Authorization` fields: to look for a text of some kilobytes takes a tenth of the time in
 * which the module hashes it. Of refused ones nothing is kept.
 */
class CredentialsCache {
  readonly #known = new Map<string | null, KnownCredentials>();
  readonly #capacity: number;
  #characters = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(field: string | null): KnownCredentials | undefined {
    return this.#known.get(field);
  }

  set(field: string | null, known: KnownCredentials): void {
    if (field === null || this.#capacity === 0 || this.#known.has(field)) return;
    if (this.#known.size >= this.#capacity || this.#characters > MAX_FIELDS) {
      this.#known.clear();
      this.#characters = 0;
    }
    this.#known.set(field, known);
    this.#characters += field.length;
  }
}

/** Makes claims that several requests share unchangeable, all the way down. */
export function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
