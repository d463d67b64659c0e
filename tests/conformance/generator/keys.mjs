// The keys and certificates of keys.json, and thumbprints.

import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

const file = JSON.parse(readFileSync(new URL("keys.json", import.meta.url), "utf8"));

export const sha256 = (data) => createHash("sha256").update(data).digest();
export const base64url = (data) => Buffer.from(data).toString("base64url");

const REQUIRED = { EC: ["crv", "kty", "x", "y"], RSA: ["e", "kty", "n"], OKP: ["crv", "kty", "x"], oct: ["k", "kty"] };

/** RFC 7638 §3, of the members as they are spelt, also of keys that nobody should accept. */
export function thumbprint(jwk) {
  const names = REQUIRED[jwk.kty] ?? ["kty"];
  return base64url(sha256(JSON.stringify(Object.fromEntries(names.filter((name) => name in jwk).map((name) => [name, jwk[name]])))));
}

function publicPart({ kty, crv, x, y, n, e }) {
  if (kty === "EC") return { kty, x, y, crv };
  return kty === "RSA" ? { kty, n, e } : { kty, crv, x };
}

const loaded = new Map();

/** `{ jwk, secret, jkt, private }`: the public JWK, the private one, the thumbprint, Node's private key. */
export function key(name) {
  let found = loaded.get(name);
  if (found === undefined) {
    const secret = file.keys[name];
    if (secret === undefined) throw new Error(`keys.json has no key ${name}`);
    const jwk = publicPart(secret);
    found = { name, jwk, secret, jkt: thumbprint(jwk), private: createPrivateKey({ key: secret, format: "jwk" }) };
    loaded.set(name, found);
  }
  return found;
}

/** `{ pem, der, hex, x5t, sha1, field }` of a certificate; `field` as RFC 9440 writes it. */
export function certificate(name) {
  const { pem } = file.certificates[name];
  const { raw: der, publicKey } = new X509Certificate(pem);
  const digest = sha256(der);
  return {
    pem,
    der,
    hex: digest.toString("hex"),
    x5t: base64url(digest),
    sha1: createHash("sha1").update(der).digest(),
    spki: publicKey.export({ format: "der", type: "spki" }),
    field: `:${der.toString("base64")}:`,
  };
}
