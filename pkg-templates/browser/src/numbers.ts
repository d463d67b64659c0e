// The commands of an exchange, as crates/keybound-browser/src/npm/numbers.rs numbers them.

/** What the driver does next; numbers above are errors. */
export const enum Command {
  PassThrough = 0,
  Return = 1,
  AskToken = 2,
  AskOtherToken = 3,
  Prepare = 4,
  Send = 5,
  ReadBody = 6,
  StoreNonce = 7,
  AdjustClock = 8,
  Follow = 9,
  ReportNonceRetry = 10,
  ReportTokenRetry = 11,
  ReportNonceHidden = 12,
}

/**
 * Several texts as one, so that they cross into the module at once. A missing one is empty there;
 * an empty one becomes a blank, which is nowhere a value.
 */
export function texts(...parts: readonly (string | null | undefined)[]): string {
  return parts.map((part) => (part === "" ? " " : part?.replaceAll("\0", " "))).join("\0");
}
