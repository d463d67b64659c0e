// @ts-check
// What a careful reader would remark about a decoded token.

import { privateMembers, verifies } from "./keys.js";
import { isProof } from "./view.js";

/** @typedef {{ tone: "good" | "warn" | "bad", text: string }} Finding */

const REQUIRED = { header: ["typ", "alg", "jwk"], payload: ["jti", "htm", "htu", "iat"] };

/**
 * @param {import("./decode.js").Decoded} decoded
 * @param {number} now Seconds.
 * @returns {Promise<Finding[]>}
 */
export async function findings(decoded, now) {
  const { header, payload } = decoded;
  if (!isProof(decoded)) return [{ tone: "warn", text: notAProof(header.typ) }, ...bindingOf(payload)];

  /** @type {Finding[]} */
  const found = [];
  for (const name of REQUIRED.header) if (!Object.hasOwn(header, name)) found.push({ tone: "bad", text: `The header has no ${name} (RFC 9449 §4.2).` });
  for (const name of REQUIRED.payload) if (!Object.hasOwn(payload, name)) found.push({ tone: "bad", text: `The payload has no ${name} (RFC 9449 §4.2).` });
  const leaked = privateMembers(header.jwk);
  if (leaked.length > 0) found.push({ tone: "bad", text: `The key in the header has private members (${leaked.join(", ")}): whoever saw this proof can sign like its owner. Throw the key away (RFC 9449 §4.2).` });
  if (header.alg === "none" || String(header.alg).startsWith("HS")) found.push({ tone: "bad", text: `"${header.alg}" is forbidden: a proof needs a private key (RFC 9449 §4.2).` });
  if (/[?#]/.test(String(payload.htu))) found.push({ tone: "warn", text: "htu has a query or a fragment. Clients leave them out, servers ignore them (RFC 9449 §4.2, §4.3)." });
  found.push(...ageOf(payload.iat, now));

  const good = await verifies(decoded);
  if (good === true) found.unshift({ tone: "good", text: "The signature verifies with the key in the header." });
  if (good === false) found.unshift({ tone: "bad", text: "The signature does not verify with the key in the header: the proof was changed, or made by another key." });
  if (good === null) found.unshift({ tone: "warn", text: "The signature could not be checked: the key or the algorithm makes no sense here." });
  return found;
}

/** @param {unknown} typ */
function notAProof(typ) {
  if (typ === "at+jwt" || typ === "application/at+jwt") return "This is an access token (typ at+jwt), not a proof.";
  return typ === undefined ? "This has no typ, so it is not a proof: those say dpop+jwt." : `Its typ is ${JSON.stringify(typ)}, so it is not a proof: those say dpop+jwt.`;
}

/** @param {Record<string, any>} payload @returns {Finding[]} */
function bindingOf({ cnf }) {
  if (cnf?.jkt) return [{ tone: "good", text: "It is bound to a DPoP key (cnf.jkt): it works only with a proof by that key." }];
  if (cnf?.["x5t#S256"]) return [{ tone: "good", text: "It is bound to a client certificate (cnf.x5t#S256): it works only over a connection with that certificate." }];
  return [{ tone: "warn", text: "It has no confirmation (cnf): whoever holds it can use it." }];
}

/** @param {unknown} iat @param {number} now @returns {Finding[]} */
function ageOf(iat, now) {
  if (typeof iat !== "number") return [];
  const age = Math.round(now - iat);
  if (age < -60) return [{ tone: "warn", text: `It comes from the future, by ${inWords(-age)}: servers allow seconds, for clocks that differ.` }];
  if (age > 300) return [{ tone: "warn", text: `It is ${inWords(age)} old. Servers accept minutes.` }];
  return [];
}

/** @param {number} seconds */
function inWords(seconds) {
  const units = /** @type {const} */ ([["year", 31557600], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]]);
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? units[4];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
