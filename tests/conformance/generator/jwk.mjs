// The key in the proof: which keys are refused, even where a signature over them can be made to verify.

import { createHash, createPrivateKey, createPublicKey } from "node:crypto";

import { base64url, key, sha256 } from "./keys.mjs";
import { curve, digestNumber, inverse, joined, timesG, toNumber, toOctets } from "./jws.mjs";
import { label, proof, RS, AS, rs, as, subject, tokenOf } from "./cases.mjs";

const octets = (text) => Buffer.from(text, "base64url");
const P256 = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;

const whole = subject({ group: "jwk", section: "4.2, 4.3(3)", requirement: "A06 A17" });
whole.refuse("jwk-missing", "jwk missing", { at: "both", proof: { header: { jwk: undefined } } });
for (const [name, value] of [["null", null], ["string", JSON.stringify(key("client").jwk)], ["array", [key("client").jwk]], ["number", 1], ["empty", {}], ["kid-only", { kid: "as-1" }]]) {
  whole.refuse(`jwk-${name}`, `jwk ${name}`, { at: name === "empty" ? "both" : "rs", proof: { header: { jwk: value } } });
}
whole.refuse("jwk-missing-kid", "no jwk, but a kid of the authorization server", { proof: { header: { jwk: undefined, kid: "as-1" }, signKey: "issuer" }, requirement: "A20 F06" });
whole.refuse("jwk-missing-jku", "no jwk, but a jku", { proof: { header: { jwk: undefined, jku: "https://evil.example/jwks" } }, section: "4.3(6), RFC8725 3.10", requirement: "A20 F06" });
whole.refuse("jwk-missing-x5c", "no jwk, but an x5c", { proof: { header: { jwk: undefined, x5c: ["MIIB"] } }, section: "4.3(6)", requirement: "A20 F06" });
whole.refuse("jwk-in-payload", "the jwk stands in the payload", { proof: { header: { jwk: undefined }, payload: { jwk: key("client").jwk } } });
whole.refuse("jwk-set", "a JWK set instead of a key", { proof: { header: { jwk: { keys: [key("client").jwk] } } } });
for (const [name, kty] of [["missing", undefined], ["lower", "ec"], ["null", null], ["unknown", "PQC"], ["okp-for-ec", "OKP"], ["rsa-for-ec", "RSA"]]) {
  whole.refuse(`jwk-kty-${name}`, `kty ${name}`, { proof: { jwk: { kty } }, section: "RFC7517 4.1", requirement: "A17 D16" });
}
for (const [name, crv] of [["missing", undefined], ["lower", "p-256"], ["nist", "secp256r1"], ["wrong", "P-384"], ["secp256k1", "secp256k1"], ["ed25519", "Ed25519"]]) {
  whole.refuse(`jwk-crv-${name}`, `crv ${name} with the point of P-256`, { at: name === "wrong" ? "both" : "rs", proof: { jwk: { crv } }, section: "RFC7518 6.2.1.1", requirement: "D13 D16" });
}
for (const name of ["x", "y"]) {
  for (const [kind, value] of name === "x" ? [["missing", undefined], ["null", null], ["empty", ""], ["array", [1, 2]]] : [["missing", undefined]]) {
    whole.refuse(`jwk-${name}-${kind}`, `${name} ${kind}`, { proof: { jwk: { [name]: value } }, section: "RFC7518 6.2.1", requirement: "A17 D16" });
  }
}
whole.accept("jwk-metadata", "kid, use sig, key_ops verify, alg, x5c, ext beside the key do not count for its thumbprint", {
  at: "both", jkt: key("client").jkt, section: "RFC7638 3.2, RFC7517 4", requirement: "E02 D10",
  proof: { jwk: { kid: "mine", use: "sig", key_ops: ["verify"], alg: "ES256", ext: true, x5c: ["MIIB"], x5t: "AAAA", foo: { bar: 1 } } },
});

// Private members

const secret = subject({ group: "jwk", section: "4.2, 4.3(7)", requirement: "A08" });
secret.refuse("jwk-private-ec", "the private key d", { at: "both", jkt: key("client").jkt, proof: { jwk: { d: key("client").secret.d } } });
secret.refuse("jwk-private-okp", "the private key d of Ed25519", { jkt: key("ed25519").jkt, proof: { key: "ed25519", jwk: { d: key("ed25519").secret.d } } });
secret.refuse("jwk-private-rsa", "all private members of an RSA key", { at: "both", jkt: key("rsa").jkt, proof: { key: "rsa", jwk: () => key("rsa").secret } });
for (const name of ["d", "p", "dp", "qi"]) {
  secret.refuse(`jwk-private-rsa-${name}`, `${name} of an RSA key, and no other private member`, { jkt: key("rsa").jkt, proof: { key: "rsa", jwk: { [name]: key("rsa").secret[name].slice(0, 43) } } });
}
secret.refuse("jwk-private-rsa-oth", "oth of a multi-prime RSA key", { jkt: key("rsa").jkt, proof: { key: "rsa", jwk: { oth: [{ r: "AQ", d: "AQ", t: "AQ" }] } } });
secret.refuse("jwk-private-k", "a symmetric key k beside an EC key", { jkt: key("client").jkt, proof: { jwk: { k: "c2VjcmV0" } } });
secret.refuse("jwk-private-null", "d is null: a private member is there all the same", { jkt: key("client").jkt, also: ["accept"], level: "POLICY", proof: { jwk: { d: null } } });
secret.refuse("jwk-private-empty", "d is empty", { jkt: key("client").jkt, also: ["accept"], level: "POLICY", proof: { jwk: { d: "" } } });
secret.accept("jwk-private-look-alike", "D, K and priv are unknown members", { proof: { jwk: { D: "AQ", K: "AQ", priv: "AQ" } }, jkt: key("client").jkt, also: ["invalid_dpop_proof"], level: "POLICY" });
secret.accept("jwk-public-only", "the public members and no others", { proof: { key: "rsa" }, requirement: "A08 A06" });

// Usage

const usage = subject({ group: "jwk", section: "RFC7517 4.2-4.4", requirement: "D10", jkt: key("client").jkt });
usage.accept("jwk-use-sig", "use sig", { proof: { jwk: { use: "sig" } } });
usage.accept("jwk-key-ops-verify", "key_ops verify", { proof: { jwk: { key_ops: ["verify"] } } });
usage.accept("jwk-alg-es256", "alg ES256", { proof: { jwk: { alg: "ES256" } } });
usage.open("jwk-use-enc", "use enc: marked for encryption", ["invalid_dpop_proof", "accept"], { proof: { jwk: { use: "enc" } } });
usage.open("jwk-key-ops-encrypt", "key_ops without verify", ["invalid_dpop_proof", "accept"], { proof: { jwk: { key_ops: ["deriveBits"] } } });
usage.open("jwk-key-ops-sign", "key_ops sign: what WebCrypto writes for the private half", ["invalid_dpop_proof", "accept"], { proof: { jwk: { key_ops: ["sign"] } } });
usage.open("jwk-key-ops-empty", "key_ops is empty", ["invalid_dpop_proof", "accept"], { proof: { jwk: { key_ops: [] } } });
usage.open("jwk-key-ops-string", "key_ops is no array", ["invalid_dpop_proof", "accept"], { proof: { jwk: { key_ops: "verify" } } });
usage.open("jwk-alg-other", "the jwk's alg is ES384, the header's ES256", ["invalid_dpop_proof", "accept"], { proof: { jwk: { alg: "ES384" } }, requirement: "D10 F01" });
usage.open("jwk-alg-ecdh", "the jwk's alg is ECDH-ES", ["invalid_dpop_proof", "accept"], { proof: { jwk: { alg: "ECDH-ES" } }, requirement: "D10 F01" });
usage.accept("jwk-alg-ed25519-names", "the jwk says EdDSA and the header Ed25519: two names of one algorithm", {
  jkt: key("ed25519").jkt, proof: { key: "ed25519", alg: "Ed25519", jwk: { alg: "EdDSA" } }, section: "RFC9864 2.2", requirement: "G08", also: ["invalid_dpop_proof"], level: "POLICY",
});

// Coordinates

const spelling = subject({ group: "jwk", section: "RFC7518 6.2.1.2, 6.2.1.3", requirement: "D14 D16" });
for (const [name, member] of [["p256-x-zero", "x"], ["p256-y-zero", "y"], ["p384-x-zero", "x"], ["p521-x-zero", "x"]]) {
  const first = octets(key(name).jwk[member]);
  spelling.accept(`jwk-${name}`, `${member} starts with a zero octet, which stays`, { at: name === "p256-x-zero" ? "both" : "rs", proof: { key: name }, requirement: "D14 E01" });
  spelling.refuse(`jwk-${name}-short`, `the leading zero octet of ${member} left out: a second spelling of one key`, { at: name === "p256-x-zero" ? "both" : "rs", proof: { key: name, jwk: { [member]: base64url(first.subarray(1)) } }, requirement: "D14 E03 I22" });
  spelling.refuse(`jwk-${name}-long`, `${member} with one zero octet too many`, { proof: { key: name, jwk: { [member]: base64url(Buffer.concat([Buffer.alloc(1), first])) } }, requirement: "D14 E03 I22" });
}
for (const name of ["x"]) {
  const good = octets(key("client").jwk[name]);
  spelling.refuse(`jwk-${name}-33-octets`, `a zero octet before a full ${name}`, { proof: { jwk: { [name]: base64url(Buffer.concat([Buffer.alloc(1), good])) } }, requirement: "D14 E03 I22" });
  spelling.refuse(`jwk-${name}-trailing-octet`, `an octet after ${name}`, { proof: { jwk: { [name]: base64url(Buffer.concat([good, Buffer.alloc(1)])) } } });
  spelling.refuse(`jwk-${name}-padded`, `${name} with = padding`, { proof: { jwk: { [name]: `${key("client").jwk[name]}=` } }, section: "RFC7515 2, RFC7518 6.2.1.2", requirement: "D01 E03 I21" });
  spelling.refuse(`jwk-${name}-blank`, `a blank within ${name}`, { proof: { jwk: { [name]: key("client").jwk[name].replace(/^..../, "$& ") } }, section: "RFC7515 2", requirement: "D01 E03 I21" });
  spelling.refuse(`jwk-${name}-hex`, `${name} in hexadecimal`, { proof: { jwk: { [name]: good.toString("hex") } }, requirement: "D14" });
  spelling.refuse(`jwk-${name}-spare-bits`, `non-zero spare bits at the end of ${name}: another thumbprint for the same key`, {
    proof: { jwk: { [name]: nextLetter(key("client").jwk[name]) } }, section: "RFC4648 3.5", requirement: "D02 E03 I21", also: ["accept"], level: "SHOULD",
  });
  const standard = octets(key("client").jwk[name]).toString("base64").replace("=", "");
  if (/[+/]/.test(standard)) {
    spelling.refuse(`jwk-${name}-standard-alphabet`, `${name} in the standard alphabet`, { proof: { jwk: { [name]: standard } }, section: "RFC7515 2", requirement: "D01 E03 I21" });
  }
}

/** The same octets, written with the next letter at the end: only spare bits differ. */
function nextLetter(text) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return text.slice(0, -1) + letters[letters.indexOf(text.at(-1)) + 1];
}

// Points that are not on the curve

const point = subject({ group: "jwk", section: "RFC7518 8, RFC8725 3.4", requirement: "D16 F04" });
const coordinate = (name, change) => base64url(toOctets(change(toNumber(octets(key("client").jwk[name]))), 32));
point.refuse("jwk-off-curve", "y plus one: not on the curve", { at: "both", proof: { jwk: { y: coordinate("y", (y) => y + 1n) } } });
point.refuse("jwk-swapped", "x and y swapped", { proof: { jwk: ({ kty, crv, x, y }) => ({ kty, crv, x: y, y: x }) } });
point.refuse("jwk-negated", "the point -Q: on the curve, another key", { proof: { jwk: { y: coordinate("y", (y) => P256 - y) } }, requirement: "A20" });
point.refuse("jwk-x-is-p", "x is the prime of the field", { proof: { jwk: { x: base64url(toOctets(P256, 32)) } } });
point.refuse("jwk-y-all-ones", "y is above the prime of the field", { proof: { jwk: { y: base64url(Buffer.alloc(32, 255)) } } });
point.refuse("jwk-p521-top-bits", "a P-521 coordinate of more than 521 bits", {
  proof: { key: "p521", jwk: { x: base64url(Buffer.concat([Buffer.from([0xff]), octets(key("p521").jwk.x).subarray(1)])) } },
});
{
  // x0 + p fits 32 octets: a small x has a second spelling that lax decoders reduce.
  const small = smallPoint();
  point.refuse("jwk-x-plus-p", "x plus the prime: a second spelling of a point with a small x", { proof: { jwk: { x: base64url(toOctets(small.x + P256, 32)), y: base64url(toOctets(small.y, 32)) } }, requirement: "D16 E03 F04" });
}
for (const [at, make, request] of [["rs", rs, RS], ["as", as, AS]]) {
  // A point (x, 0) has order two on some other curve, whose formulas are the same: with an even u2 a verifier
  // that does not look whether it is on P-256 computes u1·G, which the forger chooses.
  for (const [name, x, why] of [["order-two", 5n, "a point of order two on another curve: whoever skips the curve check accepts a forgery"], ["zero", 0n, "the point (0, 0), often taken for infinity, with a forged signature"]]) {
    const id = `${at}-jwk-forged-${name}`;
    const forged = forge(id, x);
    point.cases.push(make({ id, group: "jwk", section: "RFC7518 8, RFC8725 3.4", requirement: "D16 F04", why, expect: "invalid_dpop_proof", request, jkt: undefined, proof: forged }));
  }
}

function smallPoint() {
  const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
  for (let x = 1n; ; x++) {
    const square = (((x ** 3n - 3n * x + b) % P256) + P256) % P256;
    const y = power(square, (P256 + 1n) / 4n);
    if ((y * y) % P256 === square) return { x, y };
  }
}

function power(base, exponent) {
  let result = 1n;
  for (let b = base, e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % P256;
    b = (b * b) % P256;
  }
  return result;
}

function forge(id, x) {
  const jwk = () => ({ kty: "EC", x: base64url(toOctets(x, 32)), y: base64url(Buffer.alloc(32)), crv: "P-256" });
  const { n } = curve("P-256");
  return {
    jwk,
    signature: (_, input) => {
      const z = digestNumber("P-256", "sha256", input);
      for (let counter = 0; ; counter++) {
        const u1 = toNumber(sha256(`${id} ${counter}`)) % n;
        const r = timesG("P-256", u1).x % n;
        const s = (z * inverse(u1, n)) % n;
        if ((r * inverse(s, n)) % n % 2n === 0n) return joined({ r, s, size: 32 });
      }
    },
  };
}

// RSA

const rsa = subject({ group: "jwk", section: "RFC7518 3.3, 3.5", requirement: "D11 H10" });
rsa.refuse("jwk-rsa-1024", "RSA, 1024 bits", { at: "both", proof: { key: "rsa-1024" } });
rsa.refuse("jwk-rsa-2047", "RSA, 2047 bits", { proof: { key: "rsa-2047" } });
rsa.refuse("jwk-rsa-1024-ps256", "PS256 with 1024 bits", { proof: { key: "rsa-1024", alg: "PS256" } });
rsa.open("jwk-rsa-8192", "RSA, 8192 bits", ["accept", "invalid_dpop_proof"], { proof: { key: "rsa-8192" } });
rsa.open("jwk-rsa-9000", "RSA, 9000 bits: a verifier may set an upper limit", ["invalid_dpop_proof", "accept"], { proof: { key: "rsa-9000" }, requirement: "D11 F04" });
rsa.open("jwk-rsa-e3", "exponent 3", ["accept", "invalid_dpop_proof"], { proof: { key: "rsa-e3" }, requirement: "F04" });

const numbers = subject({ group: "jwk", section: "RFC7518 6.3.1", requirement: "D15 E03" });
const n = octets(key("rsa").jwk.n);
numbers.refuse("jwk-rsa-n-leading-zero", "a leading zero octet in n: a second spelling of the key", { proof: { key: "rsa", jwk: { n: base64url(Buffer.concat([Buffer.alloc(1), n])) } } });
numbers.refuse("jwk-rsa-e-leading-zero", "a leading zero octet in e", { proof: { key: "rsa", jwk: { e: "AAEAAQ" } } });
numbers.refuse("jwk-rsa-n-padded", "n with = padding", { proof: { key: "rsa", jwk: { n: `${key("rsa").jwk.n}==` } }, requirement: "D01 E03" });
numbers.refuse("jwk-rsa-e-number", "e is a JSON number", { proof: { key: "rsa", jwk: { e: 65537 } }, requirement: "A17 D15" });
for (const name of ["n", "e"]) {
  numbers.refuse(`jwk-rsa-${name}-missing`, `${name} missing`, { proof: { key: "rsa", jwk: { [name]: undefined } }, requirement: "A17 D15" });
  if (name === "e") numbers.refuse(`jwk-rsa-${name}-empty`, `${name} empty`, { proof: { key: "rsa", jwk: { [name]: "" } }, requirement: "A17 D15" });
  if (name === "n") numbers.refuse(`jwk-rsa-${name}-zero`, `${name} is zero`, { proof: { key: "rsa", jwk: { [name]: "AA" } }, requirement: "F04 D15" });
}
numbers.accept("jwk-rsa-minimal", "n and e in minimal octets", { proof: { key: "rsa", alg: "PS256" }, requirement: "D15 F04" });
numbers.refuse("jwk-rsa-n-even", "an even modulus", { proof: { key: "rsa", jwk: { n: base64url(Buffer.concat([n.subarray(0, -1), Buffer.from([n.at(-1) ^ 1])])) } }, requirement: "F04" });
numbers.refuse("jwk-rsa-e-even", "an even exponent", { proof: { key: "rsa", jwk: { e: "AQAA" } }, section: "RFC8725 3.4", requirement: "F04" });
numbers.refuse("jwk-rsa-e-two", "exponent 2", { proof: { key: "rsa", jwk: { e: "Ag" } }, section: "RFC8725 3.4", requirement: "F04" });
numbers.refuse("jwk-rsa-e-huge", "an exponent as long as the modulus", { proof: { key: "rsa", jwk: { e: base64url(n.map((octet) => octet | 1)) } }, requirement: "F04" });
numbers.refuse("jwk-rsa-e-one", "exponent 1: the signature is the padded hash itself, which anybody can write", {
  at: "both", section: "RFC8725 3.4", requirement: "F04",
  proof: {
    key: "rsa", jwk: { e: "AQ" },
    signature: (_, input) => {
      const info = Buffer.concat([Buffer.from("3031300d060960864801650304020105000420", "hex"), createHash("sha256").update(input).digest()]);
      return Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(256 - 3 - info.length, 255), Buffer.from([0]), info]);
    },
  },
});
numbers.refuse("jwk-rsa-n-one", "modulus 1", { proof: { key: "rsa", jwk: { n: "AQ" }, signature: () => Buffer.from([0]) }, requirement: "D11 F04" });

// Octet key pairs

const okp = subject({ group: "jwk", section: "RFC8037 2, 3.1", requirement: "D19" });
okp.refuse("jwk-x25519", "X25519 never signs", { proof: { key: "ed25519", jwk: { crv: "X25519" } } });
okp.refuse("jwk-x25519-key", "a real X25519 key", { proof: { key: "ed25519", jwk: () => key("x25519").jwk } });
okp.refuse("jwk-x448", "X448 never signs", { proof: { key: "ed448", alg: "EdDSA", jwk: { crv: "X448" } } });
okp.open("jwk-ed448", "EdDSA with Ed448: registered, not supported here", ["invalid_dpop_proof", "accept"], { proof: { key: "ed448", alg: "EdDSA" } });
okp.refuse("jwk-ed25519-name-ed448-key", "alg Ed25519 with an Ed448 key", { proof: { key: "ed448", alg: "Ed25519", signAlg: "EdDSA" }, section: "RFC9864 2.2", requirement: "D19 F01" });
okp.refuse("jwk-ed25519-31-octets", "x of 31 octets", { proof: { key: "ed25519", jwk: { x: base64url(octets(key("ed25519").jwk.x).subarray(0, 31)) } } });
okp.refuse("jwk-ed25519-33-octets", "x of 33 octets", { proof: { key: "ed25519", jwk: { x: base64url(Buffer.concat([octets(key("ed25519").jwk.x), Buffer.alloc(1)])) } } });
okp.refuse("jwk-ed25519-x-missing", "x missing", { proof: { key: "ed25519", jwk: { x: undefined } }, requirement: "A17 D19" });
okp.refuse("jwk-ed25519-kty-ec", "kty EC with crv Ed25519", { proof: { key: "ed25519", jwk: { kty: "EC" } } });
okp.refuse("jwk-ed25519-not-a-point", "y without a point", { proof: { key: "ed25519", jwk: { x: base64url(Buffer.from([2, ...Buffer.alloc(31)])) } }, section: "RFC8032 5.1.3", requirement: "F04 D19" });
okp.accept("jwk-ed25519-y-member", "a y member in an OKP key is unknown and ignored", { proof: { key: "ed25519", jwk: { y: "AAAA" } }, jkt: key("ed25519").jkt, also: ["invalid_dpop_proof"], level: "POLICY" });

const SMALL = {
  "identity": "0100000000000000000000000000000000000000000000000000000000000000",
  "order-2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "order-4": "0000000000000000000000000000000000000000000000000000000000000000",
  "order-8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "order-8-negative": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "order-8-other": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "identity-negative-zero": "0100000000000000000000000000000000000000000000000000000000000080",
  "order-2-negative-zero": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "identity-non-canonical": "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "order-4-non-canonical": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const reversed = (buffer) => Buffer.from(buffer).reverse();

/** A signature that holds for a key of order 1, 2, 4 or 8 if the hash is a multiple of it: so the jti is tried out. */
function smallOrderProof(id, encoded, request) {
  const seed = sha256(`seed ${id}`);
  const scalar = createHash("sha512").update(seed).digest().subarray(0, 32);
  scalar[0] &= 248;
  scalar[31] = (scalar[31] & 127) | 64;
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const r = octets(createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })).export({ format: "jwk" }).x);
  const signature = Buffer.concat([r, reversed(toOctets(toNumber(reversed(scalar)) % L, 32))]);
  const fits = (input) => toNumber(reversed(createHash("sha512").update(Buffer.concat([r, encoded, Buffer.from(input)])).digest())) % L % 8n === 0n;
  for (let attempt = 0; ; attempt++) {
    const change = { key: "ed25519", jwk: { x: base64url(encoded) }, payload: { jti: label(`${id} ${attempt}`) }, signature: () => signature };
    const made = proof(id, request, change).text;
    if (fits(made.slice(0, made.lastIndexOf(".")))) return change;
  }
}
for (const [name, hex] of Object.entries(SMALL)) {
  const at = name === "identity" || name === "order-8" ? [["rs", rs, RS], ["as", as, AS]] : [["rs", rs, RS]];
  for (const [role, make, request] of at) {
    const id = `${role}-jwk-ed25519-${name}`;
    const token = role === "rs" ? tokenOf(id) : undefined;
    okp.cases.push(make({
      id, group: "jwk", section: "RFC8725 3.4, RFC8032 5.1.7", requirement: "F04 D19", request, expect: "invalid_dpop_proof",
      why: "a point of small order (or a second spelling of one), for which anybody can sign",
      proof: smallOrderProof(id, Buffer.from(hex, "hex"), { ...request, token }),
    }));
  }
}

// Duplicates within the jwk

const twice = subject({ group: "duplicate-member", section: "RFC7517 4", requirement: "D03 I23", jkt: key("client").jkt });
const insert = (text) => (header) => JSON.stringify(header).replace('"jwk":{', `"jwk":{${text},`);
const append = (text) => (header) => JSON.stringify(header).replace('"crv":"P-256"}', `"crv":"P-256",${text}}`);
twice.refuse("jwk-duplicate-x-last-wrong", "x twice, the attacker's last", { proof: { header: append(`"x":"${key("attacker").jwk.x}"`) } });
twice.open("jwk-duplicate-x-last-right", "x twice, the right one last: refuse or last wins", ["invalid_dpop_proof", "accept"], { proof: { header: insert(`"x":"${key("attacker").jwk.x}"`) } });
twice.refuse("jwk-duplicate-kty", "kty twice, the wrong one last", { proof: { header: append('"kty":"RSA"') } });
twice.refuse("jwk-duplicate-crv-escaped", "crv twice, the second, wrong one spelt with an escape", { proof: { header: append('"c\\u0072v":"P-384"') } });
twice.refuse("jwk-duplicate-d-escaped", "d spelt with an escape", { proof: { header: append(`"\\u0064":"${key("client").secret.d}"`) }, section: "4.3(7), RFC8259 8.3", requirement: "A08 D03" });

export default [whole, secret, usage, spelling, point, rsa, numbers, okp, twice].flatMap(({ cases }) => cases);
