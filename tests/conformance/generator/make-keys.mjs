// Adds the keys and certificates that the cases need to keys.json. What is there already stays: cases hold its signatures.
//
// They are test keys: anyone has them. Needs the openssl command for certificates.

import { execFileSync } from "node:child_process";
import { createECDH, createPrivateKey, generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const path = new URL("keys.json", import.meta.url);
const file = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { note: "Published test keys. They protect nothing.", keys: {}, certificates: {} };

const CURVES = { "P-256": ["prime256v1", 32], "P-384": ["secp384r1", 48], "P-521": ["secp521r1", 66], "secp256k1": ["secp256k1", 32] };
const ec = (crv, fits = () => true) => () => {
  const [name, size] = CURVES[crv];
  for (;;) {
    const pair = createECDH(name);
    const point = pair.generateKeys();
    const coordinates = { x: point.subarray(1, 1 + size), y: point.subarray(1 + size) };
    if (!fits(coordinates)) continue;
    const d = Buffer.concat([Buffer.alloc(size), pair.getPrivateKey()]).subarray(-size);
    const text = (octets) => octets.toString("base64url");
    return { kty: "EC", x: text(coordinates.x), y: text(coordinates.y), crv, d: text(d) };
  }
};
const rsa = (bits, exponent = 65537) => () =>
  generateKeyPairSync("rsa", { modulusLength: bits, publicExponent: exponent }).privateKey.export({ format: "jwk" });
const okp = (type) => () => generateKeyPairSync(type).privateKey.export({ format: "jwk" });
const leading = (name) => (coordinates) => coordinates[name][0] === 0;

const KEYS = {
  "client": ec("P-256"), "attacker": ec("P-256"), "other": ec("P-256"),
  "p384": ec("P-384"), "p521": ec("P-521"), "ed25519": okp("ed25519"), "ed25519-other": okp("ed25519"), "ed448": okp("ed448"), "x25519": okp("x25519"),
  "secp256k1": ec("secp256k1"),
  "p256-x-zero": ec("P-256", leading("x")), "p256-y-zero": ec("P-256", leading("y")), "p384-x-zero": ec("P-384", leading("x")),
  // A P-521 coordinate has 66 octets, of which the first is 0 or 1.
  "p521-x-zero": ec("P-521", leading("x")),
  "rsa": rsa(2048), "rsa-1024": rsa(1024), "rsa-2047": rsa(2047), "rsa-4096": rsa(4096), "rsa-8192": rsa(8192), "rsa-9000": rsa(9000),
  "rsa-e3": rsa(2048, 3), 
  "issuer": ec("P-256"), "issuer-rsa": rsa(2048), "issuer-ed25519": okp("ed25519"), "issuer-p384": ec("P-384"), "issuer-unpublished": ec("P-256"), "issuer-enc": ec("P-256"),
};

for (const [name, make] of Object.entries(KEYS)) file.keys[name] ??= make();

// `key`: the subject's; a renewed certificate has the key of the one before.
const CERTIFICATES = {
  "client": { key: ["ec", "P-256"], name: "client-1", serial: 1 },
  "client-renewed": { keyOf: "client", name: "client-1", serial: 2 },
  "other": { key: ["ec", "P-256"], name: "client-2", serial: 3 },
  "rsa": { key: ["rsa", 2048], name: "client-rsa", serial: 4 },
  "ed25519": { key: ["ed25519"], name: "client-ed25519", serial: 5 },
};

for (const [name, { key, keyOf, name: subject, serial }] of Object.entries(CERTIFICATES)) {
  if (file.certificates[name] !== undefined) continue;
  const [type, parameter] = key ?? [];
  const pem =
    keyOf !== undefined
      ? file.certificates[keyOf].key
      : generateKeyPairSync(type, type === "ec" ? { namedCurve: parameter } : { modulusLength: parameter }).privateKey.export({ format: "pem", type: "pkcs8" });
  createPrivateKey(pem);
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  const keyFile = join(folder, "key.pem");
  writeFileSync(keyFile, pem);
  const arguments_ = ["req", "-x509", "-new", "-key", keyFile, "-subj", `/CN=${subject}`, "-days", "36500", "-set_serial", String(serial)];
  file.certificates[name] = { pem: execFileSync("openssl", arguments_, { encoding: "utf8" }), key: pem };
  rmSync(folder, { recursive: true });
}

writeFileSync(path, `${JSON.stringify(file, null, 1)}\n`);
