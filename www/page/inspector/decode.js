// @ts-check
// Takes a compact token apart (RFC 7515 §7.1), as strictly as a server does, and says in words what is wrong with one that cannot be.

/** Longer proofs are refused before they are decoded. */
const LARGEST = 16 * 1024;
const PARTS = /** @type {const} */ (["header", "payload", "signature"]);

/**
 * @typedef {Record<string, any>} JsonObject
 * @typedef {{ compact: [string, string, string], header: JsonObject, payload: JsonObject, signature: Uint8Array<ArrayBuffer> }} Decoded
 */

/** The text is no token; the message is for the person who pasted it. */
export class Undecodable extends Error {}

/**
 * @param {string} text
 * @returns {Decoded}
 */
export function decode(text) {
  const compact = splitCompact(text.trim().replace(/^DPoP:\s*/i, ""));
  const [header, payload, signature] = compact.map((part, index) => fromBase64url(part, PARTS[index]));
  return { compact, header: toObject(header, "header"), payload: toObject(payload, "payload"), signature };
}

/** @param {string} text @returns {Decoded["compact"]} */
function splitCompact(text) {
  if (text.length > LARGEST) throw new Undecodable(`This is ${text.length} characters long. Servers refuse a proof above 16 KiB before they look inside.`);
  if (text.includes(",")) throw new Undecodable("There is a comma in it. Two DPoP headers in one request arrive joined by a comma, and must be refused (RFC 9449 §4.3).");
  const parts = text.split(".");
  if (parts.length === 5) throw new Undecodable("Five parts: this is an encrypted token (JWE). A proof is signed, and readable by anyone.");
  if (parts.length !== 3) throw new Undecodable(`A proof has three parts, separated by dots. This has ${parts.length === 1 ? "only one" : parts.length}.`);
  const empty = parts.findIndex((part) => part === "");
  if (empty >= 0) throw new Undecodable(`The ${PARTS[empty]} is empty. ${empty === 2 ? "A proof without a signature proves nothing." : ""}`.trim());
  return /** @type {Decoded["compact"]} */ (parts);
}

/**
 * Base64url without padding (RFC 7515 §2).
 * @param {string} part
 * @param {typeof PARTS[number]} name
 * @returns {Uint8Array<ArrayBuffer>}
 */
function fromBase64url(part, name) {
  const at = part.search(/[^A-Za-z0-9_-]/);
  if (at >= 0) {
    const why = part[at] === "=" ? "padding, which is left out in a token" : `"${part[at]}", which base64url does not use`;
    throw new Undecodable(`The ${name} has, at character ${at + 1}, ${why} (RFC 7515 §2).`);
  }
  if (part.length % 4 === 1) throw new Undecodable(`The ${name} is cut off: no base64url text has ${part.length} characters.`);
  const binary = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  const octets = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (toBase64url(octets) !== part) throw new Undecodable(`The last character of the ${name} has bits that mean nothing: a second spelling of the same octets, which servers refuse (RFC 4648 §3.5).`);
  return octets;
}

/** @param {Uint8Array} octets */
export function toBase64url(octets) {
  return btoa(String.fromCharCode(...octets)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * @param {Uint8Array<ArrayBuffer>} octets
 * @param {"header" | "payload"} name
 * @returns {JsonObject}
 */
function toObject(octets, name) {
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets));
  } catch (error) {
    throw new Undecodable(`The ${name} is not JSON${error instanceof SyntaxError ? "" : " in UTF-8"}. Was the whole proof copied?`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Undecodable(`The ${name} is JSON, but not an object.`);
  return value;
}
