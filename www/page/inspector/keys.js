// @ts-check
// What can be computed from a decoded token: its key's thumbprint, whether its signature verifies, a token's hash.

import { toBase64url } from "./decode.js";

const HASHES = /** @type {Record<string, string>} */ ({ ES256: "SHA-256", ES384: "SHA-384", ES512: "SHA-512", RS256: "SHA-256", PS256: "SHA-256" });
const REQUIRED = /** @type {Record<string, string[]>} */ ({ EC: ["crv", "kty", "x", "y"], OKP: ["crv", "kty", "x"], RSA: ["e", "kty", "n"] });
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** base64url SHA-256 of a text. @param {string} text */
export async function sha256(text) {
  return toBase64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/**
 * RFC 7638 §3: the hash of the required members, sorted.
 * @param {any} jwk
 * @returns {Promise<string | null>} Null: no such key.
 */
export async function thumbprint(jwk) {
  const required = REQUIRED[jwk?.kty];
  if (required === undefined || required.some((name) => typeof jwk[name] !== "string")) return null;
  return sha256(JSON.stringify(Object.fromEntries(required.map((name) => [name, jwk[name]]))));
}

/** The members of a private key that have no business in a proof. @param {any} jwk */
export function privateMembers(jwk) {
  return PRIVATE.filter((name) => Object.hasOwn(Object(jwk), name));
}

/**
 * Whether a proof's signature verifies with the key in its header.
 * @param {import("./decode.js").Decoded} decoded
 * @returns {Promise<boolean | null>} Null: this browser cannot tell.
 */
export async function verifies({ compact, header, signature }) {
  const algorithm = importParameters(header.alg, header.jwk);
  const required = REQUIRED[header.jwk?.kty];
  if (algorithm === null || required === undefined) return null;
  try {
    const bare = Object.fromEntries(required.map((name) => [name, header.jwk[name]]));
    const key = await crypto.subtle.importKey("jwk", /** @type {JsonWebKey} */ (bare), algorithm, false, ["verify"]);
    const parameters = { ...algorithm, ...(header.alg === "PS256" ? { saltLength: 32 } : {}) };
    return await crypto.subtle.verify(parameters, key, signature, new TextEncoder().encode(`${compact[0]}.${compact[1]}`));
  } catch {
    return null;
  }
}

/** @param {string} alg @param {any} jwk */
function importParameters(alg, jwk) {
  if (/^ES\d+$/.test(alg) && HASHES[alg]) return { name: "ECDSA", namedCurve: jwk?.crv, hash: HASHES[alg] };
  if (alg === "RS256") return { name: "RSASSA-PKCS1-v1_5", hash: HASHES[alg] };
  if (alg === "PS256") return { name: "RSA-PSS", hash: HASHES[alg] };
  if (alg === "Ed25519" || alg === "EdDSA") return { name: "Ed25519" };
  return null;
}
