// Makes JWS of every kind, good and broken. Signatures depend on key and text only, so that an unchanged case stays as it is.

import { createECDH, createHash, createHmac, privateEncrypt, constants, sign as nodeSign } from "node:crypto";

import { base64url, sha256 } from "./keys.mjs";

const CURVES = {
  "P-256": { name: "prime256v1", size: 32, n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
  "P-384": { name: "secp384r1", size: 48, n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n },
  "P-521": { name: "secp521r1", size: 66, n: 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n },
  "secp256k1": { name: "secp256k1", size: 32, n: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n },
};
const EC_HASH = { ES256: "sha256", ES384: "sha384", ES512: "sha512", ES256K: "sha256" };

export const curve = (crv) => CURVES[crv];
export const toNumber = (octets) => BigInt(`0x${Buffer.from(octets).toString("hex") || "0"}`);
export const toOctets = (number, size) => Buffer.from(number.toString(16).padStart(size * 2, "0"), "hex");

export function inverse(value, modulus) {
  let [a, b, x, y] = [((value % modulus) + modulus) % modulus, modulus, 1n, 0n];
  while (a > 1n) [a, b, x, y] = [b % a, a, y - (b / a) * x, x];
  return ((x % modulus) + modulus) % modulus;
}

/** k·G: the x coordinate of it. */
export function timesG(crv, k) {
  const { name, size } = CURVES[crv];
  const pair = createECDH(name);
  pair.setPrivateKey(toOctets(k, size));
  const point = pair.getPublicKey();
  return { x: toNumber(point.subarray(1, 1 + size)), y: toNumber(point.subarray(1 + size)) };
}

/** The number that a digest stands for (FIPS 186-5 §6.4). */
export function digestNumber(crv, hash, input) {
  const digest = createHash(hash).update(input).digest();
  const excess = digest.length * 8 - CURVES[crv].n.toString(2).length;
  return excess > 0 ? toNumber(digest) >> BigInt(excess) : toNumber(digest);
}

/** `r` and `s`, the secret number derived from key and text. */
export function ecdsa({ jwk, secret }, hash, input) {
  const { n, size } = CURVES[jwk.crv];
  const d = toNumber(Buffer.from(secret.d, "base64url"));
  const z = digestNumber(jwk.crv, hash, input);
  const seed = createHmac("sha512", toOctets(d, size)).update(input).digest();
  const k = (toNumber(Buffer.concat([seed, sha256(seed)])) % (n - 1n)) + 1n;
  const r = timesG(jwk.crv, k).x % n;
  const s = (inverse(k, n) * (z + r * d)) % n;
  // Low s, as most signers give it; the cases that need a high one ask for it.
  return { r, s: s > n / 2n ? n - s : s, n, size };
}

export const joined = ({ r, s, size }) => Buffer.concat([toOctets(r, size), toOctets(s, size)]);

/** EMSA-PSS with a salt that depends on the text (RFC 8017 §9.1.1). */
function pss(key, hash, input, saltLength) {
  const size = Buffer.from(key.jwk.n, "base64url").length;
  const bits = toNumber(Buffer.from(key.jwk.n, "base64url")).toString(2).length - 1;
  const length = Math.ceil(bits / 8);
  const digest = createHash(hash).update(input).digest();
  const salt = Buffer.concat([sha256(`${key.name} ${input}`), sha256(input)]).subarray(0, saltLength);
  const h = createHash(hash).update(Buffer.concat([Buffer.alloc(8), digest, salt])).digest();
  const block = Buffer.concat([Buffer.alloc(length - saltLength - h.length - 2), Buffer.from([1]), salt]);
  let mask = Buffer.alloc(0);
  for (let counter = 0; mask.length < block.length; counter++) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    mask = Buffer.concat([mask, createHash(hash).update(Buffer.concat([h, count])).digest()]);
  }
  const masked = Buffer.from(block.map((octet, index) => octet ^ mask[index]));
  masked[0] &= 0xff >> (8 * length - bits);
  const encoded = Buffer.concat([masked, h, Buffer.from([0xbc])]);
  const padded = Buffer.concat([Buffer.alloc(size - encoded.length), encoded]);
  return privateEncrypt({ key: key.private, padding: constants.RSA_NO_PADDING }, padded);
}

/** A signature. `alg` is what is done, which need not be what the header says. */
export function sign(alg, key, input) {
  const text = Buffer.from(input);
  switch (alg) {
    case "none": return Buffer.alloc(0);
    case "HS256": return createHmac("sha256", key).update(text).digest();
    case "ES256": case "ES384": case "ES512": case "ES256K": return joined(ecdsa(key, EC_HASH[alg], text));
    case "RS256": case "RS384": case "RS512": return nodeSign(`sha${alg.slice(2)}`, text, key.private);
    case "PS256": return pss(key, "sha256", text, 32);
    case "PS384": return pss(key, "sha384", text, 48);
    case "PS256-no-salt": return pss(key, "sha256", text, 0);
    case "PS512": return pss(key, "sha512", text, 64);
    default: return nodeSign(null, text, key.private);
  }
}

const json = (value) => (typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value));

/**
 * A compact JWS. Header and payload are values, or the very text. `signature(octets, input)` may spoil the signature,
 * `spell: [index, change]` the encoding of header or payload before it is signed.
 */
export function compact({ header, payload, alg, key, signature = (octets) => octets, spell: [at, change] = [] }) {
  const input = [header, payload].map((part, index) => (index === at ? change(base64url(json(part))) : base64url(json(part)))).join(".");
  const octets = signature(sign(alg, key, input), input);
  return `${input}.${typeof octets === "string" ? octets : base64url(octets)}`;
}
