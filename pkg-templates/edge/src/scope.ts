// What a token's scope permits, for adapters that ask before the handler runs.

import type { Claims } from "./types.js";

/**
 * Whether a token has every scope of a list that is separated by spaces (RFC 6749 §3.3, RFC 9068 §2.2.3). Okta and
 * Microsoft write `scp` where the standard has `scope`.
 */
export function hasScope(claims: Claims, needed: string): boolean {
  const granted = listOf(claims["scope"] ?? claims["scp"]);
  return listOf(needed).every((scope) => granted.includes(scope));
}

function listOf(value: unknown): unknown[] {
  if (typeof value === "string") return value.split(" ").filter((scope) => scope !== "");
  return Array.isArray(value) ? value : [];
}
