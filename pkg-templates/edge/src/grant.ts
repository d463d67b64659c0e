// What an authorization server says of a grant and its client, for the module.

import type { TokenRequestContext } from "./types.js";

/**
 * The grant as crates/keybound-edge/src/npm/options.rs reads it.
 *
 * Throws a `TypeError` for a member of a wrong type: taken for nothing it would leave a token unbound.
 */
export function describeGrant(context: TokenRequestContext): string {
  const { endpoint, dpopJkt, refreshToken, clientType, requireDpop, bindCertificate } = context;
  oneOf(endpoint, ["token", "par"], "endpoint");
  oneOf(clientType, ["public", "confidential"], "clientType");
  oneOf(requireDpop, [true, false], "requireDpop");
  oneOf(bindCertificate, [true, false], "bindCertificate");
  checkRefreshToken(refreshToken);
  return JSON.stringify({
    par: endpoint === "par",
    dpopJkt: textOf(dpopJkt),
    refreshJkt: textOf(refreshToken?.jkt),
    refreshX5t: textOf(refreshToken?.["x5t#S256"]),
    // A client of which nothing is known counts as public.
    confidential: clientType === "confidential",
    requireDpop: requireDpop === true,
    bindCertificate: bindCertificate === true,
  });
}

/** A `dpop_jkt` may come straight from a client, as a list even. What is no text is no thumbprint, and not left out. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" && /^[\x20-\x7e]*$/.test(value) ? value : "";
}

function oneOf(value: unknown, values: readonly unknown[], name: string): void {
  if (value !== undefined && !values.includes(value)) {
    throw new TypeError(`${name}: give ${values.map((one) => JSON.stringify(one)).join(" or ")}, or leave it out`);
  }
}

function checkRefreshToken(value: unknown): void {
  // Null is the `cnf` of a token that is not bound.
  if (value === undefined || value === null) return;
  const strangers = typeof value === "object" ? Object.keys(value).filter((name) => name !== "jkt" && name !== "x5t#S256") : [""];
  if (strangers.length > 0) throw new TypeError('refreshToken: give what the refresh token is bound to, { jkt, "x5t#S256" }, and no other members');
}
