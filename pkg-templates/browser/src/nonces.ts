// The newest nonce of each server (RFC 9449 §8.2).

/** Server nonces, kept apart by role and origin. Which nonce is worth keeping is decided before `set`. */
export interface NonceStore {
  get(role: "as" | "rs", origin: string): string | undefined | Promise<string | undefined>;
  set(role: "as" | "rs", origin: string, nonce: string): void | Promise<void>;
}

/** More servers than a page speaks to. */
const CAPACITY = 64;

/** Nonces in memory, and under this name in what all tabs of the origin see; past the capacity the oldest goes. */
export function keepNonces(name?: string): NonceStore {
  // A Map keeps the order of insertion: the first is the oldest.
  let held = new Map<string, string>();
  // Nonces are no secrets (RFC 9449 §8). Workers have no localStorage, and runtimes without tabs none that is meant for this.
  let shared = name !== undefined && globalThis.document !== undefined;
  const tabs = (use: (storage: Storage, name: string) => void): void => {
    try {
      if (shared) use(localStorage, name!);
    } catch {
      // Refused, or full, or something else stands there: from now on each tab by itself.
      shared = false;
    }
  };
  /** What stands there, as it was last seen: mostly it is the same. */
  let seen: string | null = null;
  const look = (): void =>
    tabs((storage, name) => {
      const text = storage.getItem(name);
      if (text !== seen) held = new Map(JSON.parse((seen = text) ?? "[]") as [string, string][]);
    });
  return {
    get(role, origin) {
      look();
      const nonce: unknown = held.get(`${role} ${origin}`);
      return typeof nonce === "string" ? nonce : undefined;
    },
    set(role, origin, nonce) {
      look();
      held.delete(`${role} ${origin}`);
      held.set(`${role} ${origin}`, nonce);
      if (held.size > CAPACITY) held.delete(held.keys().next().value as string);
      tabs((storage, name) => storage.setItem(name, (seen = JSON.stringify([...held]))));
    },
  };
}

/** One for all tabs: what one `createFetch` learnt, another need not learn again. */
export const sharedNonces: NonceStore = /* @__PURE__ */ keepNonces("keybound nonces");
