// What a verifier is given: an issuer's keys, clients, tokens of a size, and proofs; thousands of each, quickly made.
import { createHash, randomUUID, webcrypto } from "node:crypto";

const { subtle } = webcrypto;

export const ISSUER = "https://as.example";
export const AUDIENCE = "https://api.example";
export const RESOURCE = "https://api.example/orders";

const ECDSA = { key: { name: "ECDSA", namedCurve: "P-256" }, sign: { name: "ECDSA", hash: "SHA-256" } };
const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
const ALGORITHMS = {
  ES256: ECDSA,
  RS256: { key: RSA, sign: { name: RSA.name } },
  EdDSA: { key: { name: "Ed25519" }, sign: { name: "Ed25519" } },
  Ed25519: { key: { name: "Ed25519" }, sign: { name: "Ed25519" } },
};

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const hash = (text) => createHash("sha256").update(text).digest("base64url");

/** What `make` resolves to for each item, in bounded batches, so that a hundred thousand keys wait in no queue. */
export async function inBatches(items, make, size = 256) {
  const made = [];
  for (let from = 0; from < items.length; from += size) made.push(...(await Promise.all(items.slice(from, from + size).map(make))));
  return made;
}

async function jws(header, payload, { alg, privateKey }) {
  const input = `${encode({ ...header, alg })}.${encode(payload)}`;
  const signature = await subtle.sign(ALGORITHMS[alg].sign, privateKey, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString("base64url")}`;
}

async function makeKey(alg) {
  const { privateKey, publicKey } = await subtle.generateKey(ALGORITHMS[alg].key, true, ["sign", "verify"]);
  const { kty, crv, x, y, n, e } = await subtle.exportKey("jwk", publicKey);
  return { alg, privateKey, jwk: { kty, crv, x, y, n, e } };
}

export async function makeIssuer(alg) {
  const key = await makeKey(alg);
  const kid = "key-1";
  return { ...key, kid, jwks: { keys: [{ ...key.jwk, kid, alg, use: "sig" }] } };
}

export async function makeClient(alg = "ES256") {
  const key = await makeKey(alg);
  const { kty, crv, x, y } = key.jwk;
  // RFC 7638 §3.2, RFC 8037 §2: members in this order, and none that is not there.
  const jkt = hash(JSON.stringify({ crv, kty, x, y }));
  return { ...key, jkt };
}

/** A JWT access token (RFC 9068) of so many octets, or of what its claims need if that is more. */
export async function makeToken(issuer, client, { octets = 600, audience = AUDIENCE } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: ISSUER, aud: audience, sub: "alice", client_id: "app", jti: randomUUID(), iat: now, exp: now + 7200, scope: "orders:read", cnf: { jkt: client.jkt } };
  const sign = (padding) => jws({ typ: "at+jwt", kid: issuer.kid }, padding > 0 ? { ...claims, roles: "r".repeat(padding) } : claims, issuer);
  // Three octets of claims are four of base64url; `,"roles":""` is eleven.
  const bare = await sign(0);
  return octets - bare.length < 16 ? bare : sign(Math.floor(((octets - bare.length) * 3) / 4) - 11);
}

/** A proof for a GET of `url` with `token`, by a client. */
export function makeProof(client, token, url = RESOURCE) {
  const claims = { jti: randomUUID(), htm: "GET", htu: url, iat: Math.floor(Date.now() / 1000), ath: (token.hash ??= hash(token.text)) };
  return jws({ typ: "dpop+jwt", jwk: client.jwk }, claims, client);
}

/**
 * `count` requests of each of three kinds, as lists of `[token, proof]`: `warm` come from `clients` clients with a token each,
 * `key` from the same clients with a token that is new each time, `cold` each from a new client. `known` has one request
 * of each client.
 */
export async function makeMaterial({ tokenAlg = "ES256", proofAlg = "ES256", clients = 1, octets = 600, count, fresh = count }) {
  const issuer = await makeIssuer(tokenAlg);
  const numbers = (length) => Array.from({ length }, (_, index) => index);
  const newClient = () => makeClient(proofAlg);
  const tokenOf = async (client) => ({ text: await makeToken(issuer, client, { octets }), client });
  const request = async (token) => [token.text, await makeProof(token.client, token)];

  const all = await inBatches(numbers(clients), newClient);
  const tokens = await inBatches(all, tokenOf);
  // In an order that visits all of them and is no cache's favourite.
  const any = (index) => (index * 7919) % clients;
  const known = await inBatches(tokens, request);
  const warm = await inBatches(numbers(count), (index) => request(tokens[any(index)]));
  const key = await inBatches(numbers(fresh), async (index) => request(await tokenOf(all[any(index)])));
  const cold = await inBatches(numbers(fresh), async () => request(await tokenOf(await newClient())));
  return { jwks: issuer.jwks, proofAlg, tokenAlg, octets: tokens[0].text.length, known, warm, key, cold };
}
