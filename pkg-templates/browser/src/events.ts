// What an application is told beside its answers.

/** Something that an application may want to know, log or show. */
export type KeyboundEvent =
  /** The request is sent once more, with a fresh proof (RFC 9449 §7.3, §9). */
  | { type: "retry"; reason: "use_dpop_nonce" | "invalid_token"; url: string }
  /** The server's clock is this many seconds ahead of ours (or behind); proofs follow it from now on. */
  | { type: "clock_skew"; seconds: number }
  /** IndexedDB refused the key (`reason` is the browser's): it lives in memory, and its tokens are of no use after this page. */
  | { type: "storage_memory"; name: string; reason: string; fix: string }
  /** The key was deleted, here or in another tab. */
  | { type: "key_lost"; name: string }
  /** CORS hides the server's nonce; `fix` is what its answers lack. */
  | { type: "nonce_hidden"; url: string; fix: string };
