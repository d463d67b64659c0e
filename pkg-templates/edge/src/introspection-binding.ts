// What an introspection answer says of a token's binding (RFC 9449 §6.2, RFC 8705 §3.2).

import type { Binding } from "./types.js";

/** Members of an RFC 7662 answer. */
export interface IntrospectionBinding {
  cnf?: { jkt?: string; "x5t#S256"?: string };
  token_type: "DPoP" | "Bearer";
}

const MEMBERS: readonly string[] = ["jkt", "x5t#S256"];

/**
 * The members that tell resource servers what a token is bound to, to spread into an introspection answer:
 * `{ active: true, sub, ...introspectionBinding(token.cnf) }`. `cnf` is what `bind()` gave for the token, or null.
 *
 * Throws a `TypeError` for anything else: left out, a damaged `cnf` would make a bound token a bearer token.
 */
export function introspectionBinding(cnf: Binding["cnf"]): IntrospectionBinding {
  // A token that is bound to a certificate alone is a Bearer token (RFC 8705 §3).
  if (cnf === null) return { token_type: "Bearer" };
  checkConfirmation(cnf);
  return { cnf: { ...cnf }, token_type: cnf.jkt === undefined ? "Bearer" : "DPoP" };
}

function checkConfirmation(cnf: unknown): void {
  const members = typeof cnf === "object" && cnf !== null ? Object.entries(cnf) : [];
  if (members.length === 0) throw new TypeError("introspectionBinding: cnf must be what bind() gave for the token, or null");
  for (const [name, value] of members as [string, unknown][]) {
    if (!MEMBERS.includes(name)) throw new TypeError(`introspectionBinding: cnf has a member other than ${MEMBERS.join(" and ")}`);
    // 32 octets in base64url (RFC 9449 §6.1, RFC 8705 §3.1).
    if (typeof value !== "string" || !/^[A-Za-z0-9_-]{43}$/.test(value)) {
      throw new TypeError(`introspectionBinding: cnf["${name}"] is no SHA-256 thumbprint of 43 characters`);
    }
  }
}
