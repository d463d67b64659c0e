// A fetch for authorization servers (RFC 9449 §5, §8, §10.1).

import type { KeyboundEvent } from "./events.js";
import { connect } from "./exchange.js";
import type { DpopKey } from "./key.js";
import type { NonceStore } from "./nonces.js";
import { readTokenAnswer } from "./token-answer.js";

/** How a `fetch` for authorization servers works. */
export interface TokenFetchOptions {
  /** The key that tokens get bound to. */
  key: DpopKey;
  /** The authorization servers. */
  origins: readonly (string | URL)[];
  /** Where nonces are kept; by default where all tabs of the origin find them, apart from those of resource servers. */
  nonces?: NonceStore;
  /** Injected for tests and for composition. */
  fetch?: typeof fetch;
  /** Told about retries, clocks and what CORS hides. */
  onEvent?: (event: KeyboundEvent) => void;
  /** Takes a token that is not bound to the key. It works for whoever has it. */
  dangerouslyAcceptBearer?: boolean;
}

/**
 * A `fetch` for authorization servers: adds a proof without `ath` to form-encoded POSTs that carry no DPoP or Bearer credentials, to `origins`
 * (token, PAR, revocation); everything else passes untouched, so it can be the configuration-wide `customFetch` of oauth4webapi or openid-client. Nonces of its own.
 *
 * A token answer whose `token_type` is not DPoP is `token_downgraded` (RFC 9449 §5).
 */
export function createTokenFetch(options: TokenFetchOptions): typeof fetch {
  return connect({ ...options, role: "as", key: () => options.key, token: () => null, readAnswer: readTokenAnswer });
}
