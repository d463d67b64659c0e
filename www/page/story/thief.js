// @ts-check
// The thief's code. It has what went over the wire, and plain fetch; nothing here is keybound's. Proofs are made by the package dpop.

import { generateKeyPair, generateProof } from "dpop";
import { describe } from "./record.js";

/** @typedef {import("./record.js").Exchange} Exchange */

/** The token, under the scheme of tokens that are not bound. @param {Exchange} loot */
export function asBearer(loot) {
  return send("GET", loot.url, { authorization: `Bearer ${tokenOf(loot)}` });
}

/**
 * A flawless proof, by the thief's own key. The API hands out its nonce to anybody who asks.
 * @param {Exchange} loot
 */
export async function withOwnKey(loot) {
  const keys = await generateKeyPair("ES256");
  const attempt = async (/** @type {string | undefined} */ nonce) =>
    send("GET", loot.url, {
      authorization: `DPoP ${tokenOf(loot)}`,
      dpop: await generateProof(keys, loot.url, "GET", nonce, tokenOf(loot)),
    });
  const first = await attempt(loot.nonce ?? undefined);
  return first.body?.error === "use_dpop_nonce" && first.nonce !== null ? attempt(first.nonce) : first;
}

/** The captured request, sent once more. @param {Exchange} loot */
export function again(loot) {
  return send(loot.method, loot.url, { authorization: loot.authorization ?? "", dpop: loot.proof ?? "" });
}

/** The captured token and proof, at another address. @param {Exchange} loot */
export function elsewhere(loot) {
  return send(loot.method, new URL("/account", loot.url).href, { authorization: loot.authorization ?? "", dpop: loot.proof ?? "" });
}

/**
 * @param {string} method
 * @param {string} url
 * @param {Record<string, string>} headers
 * @returns {Promise<Exchange>}
 */
async function send(method, url, headers) {
  const request = new Request(url, { method, headers });
  return describe(request, await fetch(request));
}

/** @param {Exchange} loot */
function tokenOf(loot) {
  return (loot.authorization ?? "").replace(/^\S+ /, "");
}
