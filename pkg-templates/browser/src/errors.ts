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
  | SessionErrorCode;

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

/** The header line that an API has to add so that a page of another origin can read its nonces (RFC 9449 §7.1, §8). */
export const EXPOSE = "Access-Control-Expose-Headers: DPoP-Nonce, WWW-Authenticate";

const TEXTS: Record<Exclude<KeyboundErrorCode, SessionErrorCode>, string> = {
  extractable_key: "The private key is extractable. Make it with extractable: false, or let DpopKey.open make it.",
  unsupported_algorithm: "This browser cannot sign with this key or algorithm. ES256 works everywhere.",
  insecure_context: "There is no crypto.subtle here. Serve the page over https, or from localhost.",
  storage_failed: "The key store failed, so it is not known whether there is a key. Try again; no new key was made.",
  key_lost: "The key was deleted. Open a new one and log in again: tokens of the old one are of no use.",
  wasm_unavailable:
    "The WebAssembly module could not be loaded. Serve keybound_browser_bg.wasm as the bundler placed it (or import from @keybound/browser/inline), and allow 'wasm-unsafe-eval' in the script-src of the Content-Security-Policy.",
  aborted: "The request was aborted.",
  redirect_refused:
    "The server redirects. Its token and proof are not sent on to a place that nobody looked at: request the final URL.",
  invalid_url: "Not an absolute https URL (http is for loopback hosts only, RFC 9449 §2).",
  invalid_claim: "A claim has a registered name, or a value that is not allowed there.",
  origin_not_allowed: "The request goes to an origin that is not in `origins`.",
  body_not_replayable:
    "The server wants a nonce first, and the body is too large to keep for a second attempt. Make any small request to this server before, or raise replayableBodyBytes.",
  nonce_rejected: "The server asks for a nonce again and again, or gives none that can be one (RFC 9449 §8).",
  nonce_hidden: `The server asks for a nonce that CORS hides. It has to answer with ${EXPOSE}`,
  token_downgraded:
    "The token is not bound to the key: token_type is not DPoP, so it would work for a thief (RFC 9449 §5). Check that the client is registered for DPoP.",
  token_key_mismatch: "The token is bound to another key. Log in again, or give the key that goes with this token.",
  clock_skew: "The clock of this machine is off.",
};

/** What the numbers from 32 on of `numbers.rs` mean. */
const FAILURES: readonly (readonly [KeyboundErrorCode, string?])[] = [
  ["origin_not_allowed"],
  ["invalid_url"],
  ["redirect_refused"],
  ["body_not_replayable"],
  ["nonce_rejected"],
  ["nonce_hidden"],
  ["token_downgraded"],
  ["token_key_mismatch"],
  ["unsupported_algorithm"],
  ["invalid_claim", "The method is no HTTP token."],
  ["invalid_claim", "The access token has a character that no DPoP token may have (RFC 9449 §7.1)."],
  ["invalid_claim", "The nonce has a character that no nonce may have (RFC 9449 §8.1)."],
  ["invalid_claim", "A further claim has a registered name, or stands twice."],
];

/** The one error class; `code` is stable and documented. */
export class KeyboundError extends Error {
  override readonly name: string = "KeyboundError";
  /** What went wrong, for programs. */
  readonly code: KeyboundErrorCode;
  declare readonly cause?: unknown;

  constructor(code: KeyboundErrorCode, cause?: unknown, text: string = TEXTS[code as keyof typeof TEXTS]) {
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
  const [code, text] = FAILURES[number - 32] ?? ["invalid_claim"];
  return new KeyboundError(code, undefined, text);
}
