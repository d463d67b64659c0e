// What goes with the module's cache entries: imported keys and parsed claims.

import type { ImportedKey } from "./signatures.js";
import type { Engine } from "./wasm/keybound_edge.js";
import type { Claims } from "./types.js";

/** Entries go when the module says so: its caches are the bounded ones. */
export class Caches {
  /** Clients' keys, by the module's id. */
  readonly keys = new Map<number, ImportedKey>();
  /** Claims of verified tokens, by the module's id. */
  readonly claims = new Map<number, Claims>();
  /** Issuers' keys, by their JWK and algorithm. */
  readonly issuers = new Map<string, ImportedKey>();

  /** Forgets what the module forgot. */
  sweep(engine: Engine): void {
    let entries: Map<number, unknown> = this.claims;
    for (const id of engine.take_gone()) {
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

/** Makes claims that several requests share unchangeable, all the way down. */
export function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
