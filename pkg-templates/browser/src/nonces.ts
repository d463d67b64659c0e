// The newest nonce of each server (RFC 9449 §8.2).

/** Server nonces, kept apart by role and origin. Which nonce is worth keeping is decided before `set`. */
export interface NonceStore {
  get(role: "as" | "rs", origin: string): string | undefined | Promise<string | undefined>;
  set(role: "as" | "rs", origin: string, nonce: string): void | Promise<void>;
}

/** More servers than a page speaks to. */
const CAPACITY = 64;

/** Nonces in memory; past the capacity the one that was unused for longest goes. */
export function memoryNonces(): NonceStore {
  // A Map keeps the order of insertion: the first is the oldest.
  const held = new Map<string, string>();
  const touch = (key: string, nonce: string): void => {
    held.delete(key);
    held.set(key, nonce);
    if (held.size > CAPACITY) held.delete(held.keys().next().value as string);
  };
  return {
    get(role, origin) {
      const nonce = held.get(`${role} ${origin}`);
      if (nonce !== undefined) touch(`${role} ${origin}`, nonce);
      return nonce;
    },
    set(role, origin, nonce) {
      touch(`${role} ${origin}`, nonce);
    },
  };
}

/** One for the whole page: what one `createFetch` learnt, another need not learn again. */
export const sharedNonces: NonceStore = /* @__PURE__ */ memoryNonces();
