// The one error class, and what each code tells a person to do.

/** Why something did not work. Stable; new codes may be added. */
export type KeyboundErrorCode =
  | "extractable_key"
  | "unsupported_algorithm"
  | "insecure_context"
  | "storage_failed"
  | "key_lost"
  | "wasm_unavailable"
  | "aborted"
  | "redirect_refused"
  | "invalid_url"
  | "invalid_claim"
  | "origin_not_allowed"
  | "body_not_replayable"
  | "nonce_rejected"
  | "nonce_hidden"
  | "token_downgraded"
  | "token_key_mismatch"
  | "clock_skew"
  | SessionErrorCode
  | WorkerErrorCode;

/** What only a session throws; its texts stand there, so that others need not load them. */
export type SessionErrorCode =
  /** The answer belongs to no login that this browser knows. */
  | "login_unknown"
  /** The person said no (`access_denied`). */
  | "login_cancelled"
  /** The authorization server answered the login with another error. */
  | "login_refused"
  /** The answer is not one that this server may give (RFC 9207 and others). */
  | "login_invalid"
  /** The authorization server refused a request for tokens. */
  | "grant_refused"
  /** The authorization server could not be asked, or did not answer as it should. */
  | "server_failed";

/** What only the worker mode throws; its texts stand there. */
export type WorkerErrorCode =
  /** The worker does not do what it was asked. */
  | "worker_refused"
  /** The worker did not start, or is gone, and the session with it. */
  | "worker_gone"
  /** A service worker of the origin stands between the worker and the network. */
  | "worker_controlled";

/** The header line that an API has to add so that a page of another origin can read its nonces (RFC 9449 §7.1, §8). */
export const EXPOSE = "Access-Control-Expose-Headers: DPoP-Nonce, WWW-Authenticate, Date";

/** Those whose text stands here. `clock_skew` is an event only. */
type Code = Exclude<KeyboundErrorCode, SessionErrorCode | WorkerErrorCode | "clock_skew">;

const TEXTS: Record<Code, string> = {
  // In the order of `numbers.rs`, which numbers these from 32 on.
  origin_not_allowed: "The origin is not in `origins`.",
  invalid_url: "Not an absolute https URL (http is for loopback hosts).",
  redirect_refused: "Token and proof do not follow redirects. Request the final URL.",
  body_not_replayable: "The server wants a nonce first, and the body is too large to keep. Call primeNonce before, or raise replayableBodyBytes.",
  nonce_rejected: "The server wants a nonce, and takes none that it gave.",
  nonce_hidden: `CORS hides the server's nonce. It has to answer with ${EXPOSE}`,
  token_downgraded: "The token is not bound to the key: its token_type is not DPoP. Is the client registered for DPoP?",
  token_key_mismatch: "The token is bound to another key: give that one, or log in again.",
  unsupported_algorithm: "This browser cannot sign with this key or algorithm. ES256 works everywhere.",
  invalid_claim: "A proof cannot say this.",
  // Only from here.
  extractable_key: "The key is extractable. Let DpopKey.open make it.",
  insecure_context: "There is no crypto.subtle. Serve the page over https, or from localhost.",
  storage_failed: "The key store failed. No new key was made: try again.",
  key_lost: "The key was deleted. Open a new one and log in again.",
  wasm_unavailable:
    "There is no WebAssembly module. Serve keybound_browser_bg.wasm (or import @keybound/browser/inline), and allow 'wasm-unsafe-eval' in script-src of the Content-Security-Policy.",
  aborted: "The request was aborted.",
};

/** What is wrong in a proof has no code of its own, and follows those that have one: 41 is the first. */
const CLAIMS = ["value of a claim", "method", "access token", "nonce", "name of a claim"];

/** The one error class; `code` is stable and documented. */
export class KeyboundError extends Error {
  override readonly name: string = "KeyboundError";
  /** What went wrong, for programs. */
  readonly code: KeyboundErrorCode;
  declare readonly cause?: unknown;

  constructor(code: KeyboundErrorCode, cause?: unknown, text: string = TEXTS[code as Code]) {
    const reason = cause instanceof Error ? ` (${cause.message})` : "";
    super(text + reason, cause === undefined ? undefined : { cause });
    this.code = code;
    // Callers of fetch tell an abort by its name.
    if (code === "aborted") this.name = (cause as Error | undefined)?.name === "TimeoutError" ? "TimeoutError" : "AbortError";
  }
}

/** The error of a number from the module. */
export function failure(number: unknown): unknown {
  if (typeof number !== "number") return number;
  const wrong = CLAIMS[number - 41];
  const code = wrong ? "invalid_claim" : (Object.keys(TEXTS)[number - 32] as Code);
  return new KeyboundError(code, undefined, wrong && `${TEXTS[code]} (the ${wrong} is not allowed)`);
}
