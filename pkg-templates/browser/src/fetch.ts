// A fetch for resource servers (RFC 9449 §7).

import type { KeyboundEvent } from "./events.js";
import { type BoundToken, connect, type TokenContext } from "./exchange.js";
import type { DpopKey } from "./key.js";
import type { NonceStore } from "./nonces.js";

export type { BoundToken, TokenContext } from "./exchange.js";

/** How a `fetch` for resource servers works. */
export interface FetchOptions {
  /** The key, or the one that goes with a token (while an old key still serves its tokens after a rotation). */
  key: DpopKey | ((token: BoundToken) => DpopKey | Promise<DpopKey>);
  /** Called before each attempt; null: nobody is logged in, the request goes out plain. `stale`: the resource server just answered `invalid_token`; another token than before earns one more attempt. */
  token: string | ((context: TokenContext) => string | BoundToken | null | Promise<string | BoundToken | null>);
  /** Where the token may go. A request to any other origin goes out without token and proof, unless `strict`, which throws `origin_not_allowed`. */
  origins: readonly (string | URL)[];
  /** Refuse requests to other origins. */
  strict?: boolean;
  /** Where nonces are kept; by default where all tabs of the origin find them (`localStorage`), else in memory. */
  nonces?: NonceStore;
  /** Injected for tests and for composition. Called with a `Request`. */
  fetch?: typeof fetch;
  /** What was signed, when a proxy rewrites the URL. */
  htu?: (url: URL) => string | URL;
  /** Bodies up to this size are kept for a retry (default 1 MiB). */
  replayableBodyBytes?: number;
  /** Told about retries, clocks and what CORS hides. */
  onEvent?: (event: KeyboundEvent) => void;
}

/** What `createFetch` returns. */
export interface BoundFetch {
  (...call: Parameters<typeof fetch>): Promise<Response>;
  /**
   * Learns whether this server wants nonces, and which one, from a HEAD request: before an upload that cannot be repeated,
   * such as a stream beyond `replayableBodyBytes`.
   */
  primeNonce(url: string | URL, init?: { signal?: AbortSignal }): Promise<void>;
}

/**
 * A `fetch` for resource servers: `Authorization: DPoP`, a fresh proof for each attempt (RFC 9449 §7.1), nonces learnt
 * from every answer (§8.2, §9); one retry on `use_dpop_nonce`, one on `invalid_token` with another token, three attempts at most.
 *
 * Redirects are not followed by the browser (it would send token and proof along, unseen): `redirect_refused`; where the
 * runtime shows Location, same-origin safe methods are followed with a new proof.
 */
export function createFetch(options: FetchOptions): BoundFetch {
  const { key, token } = options;
  const call = connect({
    ...options,
    role: "rs",
    key: (bound) => (typeof key === "function" ? key(bound!) : key),
    token: async (context) => {
      const found = typeof token === "function" ? await token(context) : token;
      return typeof found === "string" ? { accessToken: found, tokenType: "DPoP" } : found;
    },
  });
  return Object.assign(call, {
    async primeNonce(url: string | URL, init?: { signal?: AbortSignal }) {
      await call(url, { ...init, method: "HEAD" });
    },
  });
}
