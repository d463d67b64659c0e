// `alg`: what is accepted, what is not, and that it goes with the key.

import { key, base64url } from "./keys.mjs";
import { subject } from "./cases.mjs";

const good = subject({ group: "valid", section: "4.3(5), RFC7518 3.1", requirement: "A06 A19 A20 H11" });
good.accept("valid-es256", "ES256", { at: "both" });
good.accept("valid-es384", "ES384 with P-384", { at: "both", proof: { key: "p384" }, requires: ["alg:ES384"] });
good.accept("valid-es512", "ES512 with P-521", { at: "both", proof: { key: "p521" }, requires: ["alg:ES512"] });
good.accept("valid-rs256", "RS256, 2048 bits", { at: "both", proof: { key: "rsa" }, requires: ["alg:RS256"], requirement: "A19 D11 H10" });
good.accept("valid-ps256", "PS256, 2048 bits", { proof: { key: "rsa", alg: "PS256" }, requires: ["alg:PS256"], requirement: "A19 D11 H09" });
good.accept("valid-ps256-4096", "PS256, 4096 bits", { proof: { key: "rsa-4096", alg: "PS256" }, requires: ["alg:PS256"], requirement: "D11" });
good.accept("valid-eddsa", "Ed25519 under its older name EdDSA", { at: "both", proof: { key: "ed25519" }, requires: ["alg:EdDSA"], section: "RFC8037 3.1", requirement: "A19 D19 G08" });
good.accept("valid-ed25519", "Ed25519 under its fully specified name", { proof: { key: "ed25519", alg: "Ed25519" }, requires: ["alg:Ed25519"], section: "RFC9864 2.2", requirement: "A19 G08 H09" });
good.accept("valid-other-methods", "POST with a body", { request: { method: "POST" }, requirement: "A21" });
good.accept("valid-header-order", "members of the header in another order", { proof: { header: (h) => ({ jwk: h.jwk, alg: h.alg, typ: h.typ }) }, requirement: "A16 D09" });
good.accept("valid-jwk-order", "members of the jwk in another order: the thumbprint is the same", { proof: { jwk: ({ kty, x, y, crv }) => ({ y, x, crv, kty }) }, section: "RFC7638 3.3", requirement: "E01" });
good.accept("valid-white-space", "white space around every token of the JSON", {
  section: "RFC8259 2", requirement: "D09",
  proof: { header: (h) => `\n\t ${JSON.stringify(h, null, 3)}\r\n `, payload: (p) => ` ${JSON.stringify(p, null, "\t")}\n` },
});
good.accept("valid-escapes", "member names and values written with escapes", {
  section: "RFC8259 7", requirement: "D09 A17",
  proof: {
    header: (h) => JSON.stringify(h).replace('"typ":"dpop+jwt"', '"\\u0074yp":"dpop\\u002Bjwt"'),
    payload: (p) => JSON.stringify(p).replaceAll("/", "\\/").replace('"htm":"GET"', '"h\\u0074m":"\\u0047ET"'),
  },
});

const more = subject({ group: "valid", section: "4.2", requirement: "A14 H11" });
more.accept("valid-extra-header", "other header parameters are ignored", { proof: { header: { kid: "k", cty: "x", foo: { bar: [1, null] } } } });
more.accept("valid-extra-claims", "other claims are ignored", { at: "both", proof: { payload: { iss: "https://evil.example", sub: "x", aud: ["y"], foo: { bar: [1.5e3, false] } } } });
more.accept("valid-foreign-key-hints", "kid, jku, x5u, x5c, x5t of another key beside the jwk: they name no key here", {
  at: "both", section: "4.3(6), RFC8725 3.10", requirement: "A20 F06",
  proof: { header: { kid: "as-1", jku: "https://evil.example/jwks", x5u: "https://evil.example/x5u", x5c: ["AAAA"], x5t: "AAAA", "x5t#S256": "AAAA" } },
});

const alg = subject({ group: "alg", section: "4.2, 4.3(5), 11.6", requirement: "A07 A19 F01" });
for (const [name, value] of [["none", "none"], ["none-upper", "NONE"], ["none-mixed", "nOnE"]]) {
  alg.refuse(`alg-${name}`, `alg ${value} and an empty signature`, { at: "both", proof: { alg: value, signAlg: "none" }, requirement: "A07 A19 F02 G02" });
}
alg.refuse("alg-none-signed", "alg none over a signature that verifies", { proof: { alg: "none", signAlg: "ES256" }, requirement: "A07 F02" });
alg.refuse("alg-hs256-public-key", "HS256 with the public key's JWK as the secret", {
  at: "both", proof: { alg: "HS256", signKey: Buffer.from(JSON.stringify(key("client").jwk)) }, requirement: "A07 A19 F01",
});
alg.refuse("alg-hs256-rsa-pem", "HS256 with the RSA key's PEM as the secret", {
  proof: { key: "rsa", alg: "HS256", signKey: Buffer.from(key("rsa").private.export({ format: "pem", type: "pkcs8" })) },
});
alg.refuse("alg-hs256-oct", "HS256 with an oct jwk", { proof: { alg: "HS256", jwk: () => ({ kty: "oct", k: base64url("secret-secret-secret-secret-secre") }), signKey: Buffer.from("secret-secret-secret-secret-secre") }, requirement: "A07 A08" });
for (const name of ["RS512", "PS384"]) {
  alg.refuse(`alg-${name.toLowerCase()}`, `${name}: registered, but not in the list of accepted algorithms`, { proof: { key: "rsa", alg: name } });
}
alg.refuse("alg-es256k", "ES256K: registered, but not in the list", { proof: { key: "secp256k1" } });
alg.refuse("alg-esp256", "ESP256 is a COSE name", { proof: { alg: "ESP256", signAlg: "ES256" }, section: "RFC9864 2.1", requirement: "G09" });
alg.refuse("alg-esp384", "ESP384 is a COSE name", { proof: { key: "p384", alg: "ESP384", signAlg: "ES384" }, section: "RFC9864 2.1", requirement: "G09" });
alg.refuse("alg-ed448-name", "Ed448 is not in the list", { proof: { key: "ed448", alg: "Ed448", signAlg: "EdDSA" }, section: "RFC9864 2.2", requirement: "A19 D19" });
alg.refuse("alg-ed448-name-ed25519-key", "alg Ed448 with an Ed25519 key", { proof: { key: "ed25519", alg: "Ed448", signAlg: "EdDSA" }, section: "RFC9864 2.2", requirement: "A19 D19" });
for (const [name, value] of [["missing", undefined], ["null", null], ["number", 256], ["empty", ""], ["array", ["ES256"]]]) {
  alg.refuse(`alg-${name}`, `alg ${name}`, { at: name === "missing" ? "both" : "rs", proof: { header: { alg: value } }, section: "RFC7515 4.1.1", requirement: "A17 D04" });
}
for (const [name, value] of [["lower", "es256"], ["mixed", "Es256"], ["blank-after", "ES256 "], ["nul-after", "ES256\u0000"], ["eddsa-lower", "eddsa"]]) {
  const ed = name.startsWith("ed");
  alg.refuse(`alg-${name}`, `alg is compared with case and whole: ${JSON.stringify(value)}`, { proof: { key: ed ? "ed25519" : "client", alg: value, signAlg: ed ? "EdDSA" : "ES256" }, section: "RFC7515 4.1.1", requirement: "D04" });
}
for (const [name, value] of [["dh", "ECDH-ES"]]) {
  alg.refuse(`alg-${name}`, `${value} is no signature algorithm`, { proof: { alg: value, signAlg: "ES256" } });
}

const pair = subject({ group: "alg", section: "RFC7518 3.4, RFC8725 3.1", requirement: "D13 F01" });
pair.refuse("alg-es256-p384", "ES256 with a P-384 key, signed so", { at: "both", proof: { key: "p384", alg: "ES256" } });
pair.refuse("alg-es256-p521", "ES256 with a P-521 key, signed so", { proof: { key: "p521", alg: "ES256" } });
pair.refuse("alg-es384-p256", "ES384 with a P-256 key, signed so", { proof: { alg: "ES384" } });
pair.refuse("alg-es512-p256", "ES512 with a P-256 key, signed so", { proof: { alg: "ES512" } });
pair.refuse("alg-es512-p384", "ES512 with a P-384 key, signed so", { proof: { key: "p384", alg: "ES512" } });
pair.refuse("alg-es384-p521", "ES384 with a P-521 key, signed so", { proof: { key: "p521", alg: "ES384" } });
pair.refuse("alg-es256-secp256k1", "ES256 with a secp256k1 key, signed so", { at: "both", proof: { key: "secp256k1", alg: "ES256" } });
pair.refuse("alg-es256-rsa", "ES256 with an RSA key, signed RS256", { proof: { key: "rsa", alg: "ES256", signAlg: "RS256" } });
pair.refuse("alg-rs256-ec", "RS256 with an EC key, signed ES256", { proof: { alg: "RS256", signAlg: "ES256" } });
pair.refuse("alg-eddsa-ec", "EdDSA with an EC key, signed ES256", { proof: { alg: "EdDSA", signAlg: "ES256" }, requirement: "D13 D19" });
pair.refuse("alg-es256-ed25519", "ES256 with an Ed25519 key, signed EdDSA", { proof: { key: "ed25519", alg: "ES256", signAlg: "EdDSA" }, requirement: "D13 D19" });
pair.refuse("alg-rs256-signed-ps256", "RS256 in the header, a PSS signature", { proof: { key: "rsa", alg: "RS256", signAlg: "PS256" }, requirement: "F01 A20" });
pair.refuse("alg-ps256-signed-rs256", "PS256 in the header, a PKCS#1 v1.5 signature", { proof: { key: "rsa", alg: "PS256", signAlg: "RS256" }, requirement: "F01 A20" });
pair.refuse("alg-rs256-signed-rs512", "RS256 in the header, SHA-512 in the signature", { proof: { key: "rsa", alg: "RS256", signAlg: "RS512" }, requirement: "F01 A20" });
pair.refuse("alg-ps256-no-salt", "PS256 asks for a salt as long as the hash", { proof: { key: "rsa", alg: "PS256", signAlg: "PS256-no-salt" }, section: "RFC7518 3.5", requirement: "A20 F03" });
pair.refuse("alg-ps256-signed-ps384", "PS256 in the header, SHA-384 in the signature", { proof: { key: "rsa", alg: "PS256", signAlg: "PS384" }, section: "RFC7518 3.5", requirement: "F01 A20" });

const policy = subject({ group: "policy", section: "4.3(5), 11.6", requirement: "A19 F01" });
policy.accept("policy-algs-listed", "ES256 where only ES256 is accepted", { at: "both", policy: { algs: ["ES256"] } });
policy.refuse("policy-algs-not-listed", "ES384 where only ES256 is accepted", { at: "both", policy: { algs: ["ES256"] }, proof: { key: "p384" } });
policy.refuse("policy-algs-rs256", "RS256 where FAPI 2.0's algorithms are accepted", { policy: { algs: ["PS256", "ES256", "EdDSA", "Ed25519"] }, proof: { key: "rsa" }, section: "FAPI2 5.4.1", requirement: "H09" });
policy.accept("policy-algs-ps256", "PS256 where FAPI 2.0's algorithms are accepted", { policy: { algs: ["PS256", "ES256", "EdDSA", "Ed25519"] }, proof: { key: "rsa", alg: "PS256" }, section: "FAPI2 5.4.1", requirement: "H09" });
policy.refuse("policy-algs-eddsa", "EdDSA where only ES256 and PS256 are accepted", { policy: { algs: ["ES256", "PS256"] }, proof: { key: "ed25519" } });
policy.open("policy-algs-ed25519-alias", "EdDSA where only its other name is listed: one key, one algorithm, two names", ["invalid_dpop_proof", "accept"], { policy: { algs: ["Ed25519"] }, proof: { key: "ed25519" }, section: "RFC9864 2.2", requirement: "G08" });

export default [good, more, alg, pair, policy].flatMap(({ cases }) => cases);
