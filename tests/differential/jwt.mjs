// A JWT in the making: what mutations bend before and after it is signed.
import { createHmac, sign as signOctets } from "node:crypto";

const HASHES = { ES256: "sha256", ES384: "sha384", ES512: "sha512", RS256: "sha256", PS256: "sha256", RS384: "sha384", RS512: "sha512", PS384: "sha384", PS512: "sha512" };

export class Jwt {
  /** White space between the tokens of its JSON. */
  blank = undefined;
  /** Functions, in order, on the JSON (a text, or octets) of each part. */
  written = { header: [], payload: [] };
  /** On `{ header, payload }`, encoded; the signature covers what they give. */
  encoded = [];
  /** On the signature's octets. */
  signed = [];
  /** On the signature's text. */
  spelt = [];
  /** On the whole. */
  compact = [];

  constructor({ header, payload, key, algorithm }) {
    this.header = header;
    this.payload = payload;
    /** Who signs it (a `KeyObject`, or octets of a secret) and how, whatever the header says. */
    this.key = key;
    this.algorithm = algorithm;
  }

  render(rendering) {
    let parts = { header: this.#part("header", rendering), payload: this.#part("payload", rendering) };
    for (const change of this.encoded) parts = change(parts);
    const input = `${parts.header}.${parts.payload}`;
    let signature = signatureOf(input, this.key, this.algorithm);
    for (const change of this.signed) signature = change(signature, input);
    const spelt = this.spelt.reduce((text, change) => change(text), signature.toString("base64url"));
    return this.compact.reduce((text, change) => change(text), `${input}.${spelt}`);
  }

  #part(name, rendering) {
    let json = this[name].text(rendering, this.blank);
    for (const change of this.written[name]) json = change(json);
    return Buffer.from(json).toString("base64url");
  }
}

/**
 * Signatures of many algorithms are never the same twice. A case that is made again, with fewer mutations, keeps those that it has, so that
 * what its mutations do to them stays the same.
 */
const made = new Map();

function signatureOf(input, key, algorithm) {
  const name = `${algorithm} ${input}`;
  const known = made.get(name);
  if (known?.key === key) return known.signature;
  const signature = sign(input, key, algorithm);
  if (made.size > 1000) made.clear();
  made.set(name, { key, signature });
  return signature;
}

function sign(input, key, algorithm) {
  const octets = Buffer.from(input);
  if (algorithm === "none") return Buffer.alloc(0);
  if (algorithm === "HS256") return createHmac("sha256", key).update(octets).digest();
  if (algorithm.startsWith("Ed")) return signOctets(null, octets, key);
  if (algorithm.startsWith("ES")) return signOctets(HASHES[algorithm], octets, { key, dsaEncoding: "ieee-p1363" });
  // RSA_PKCS1_PSS_PADDING, with a salt as long as the hash (RFC 7518 §3.5).
  if (algorithm.startsWith("PS")) return signOctets(HASHES[algorithm], octets, { key, padding: 6, saltLength: -1 });
  return signOctets(HASHES[algorithm], octets, key);
}
