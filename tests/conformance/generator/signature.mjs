// The signature itself.

import { createHash } from "node:crypto";

import { key } from "./keys.mjs";
import { curve, ecdsa, toNumber, toOctets } from "./jws.mjs";
import { subject } from "./cases.mjs";

const signature = subject({ group: "signature", section: "4.3(6), RFC7515 5.2", requirement: "A20 F03" });
signature.accept("sig-good", "a signature over exactly what was sent", { at: "both" });
signature.refuse("sig-other-key", "signed with another key than the one in the header", { at: "both", proof: { signKey: "attacker" } });
for (const [name, change] of [["ed25519", { key: "ed25519", signKey: "ed25519-other" }], ["rsa", { key: "rsa", signKey: "issuer-rsa" }], ["ps256", { key: "rsa", alg: "PS256", signKey: "issuer-rsa" }]]) {
  signature.refuse(`sig-other-key-${name}`, `signed with another key (${name})`, { proof: change });
}
const flip = (at) => (octets) => Buffer.from(octets.map((octet, index) => (index === (at + octets.length) % octets.length ? octet ^ 1 : octet)));
for (const [name, change] of [["es256", {}], ["es384", { key: "p384" }], ["es512", { key: "p521" }], ["rs256", { key: "rsa" }], ["ps256", { key: "rsa", alg: "PS256" }], ["eddsa", { key: "ed25519" }]]) {
  signature.refuse(`sig-flipped-${name}`, `one bit of the signature flipped (${name})`, { at: name === "es256" ? "both" : "rs", proof: { ...change, signature: flip(-1) } });
  if (!["es384", "es512", "ps256"].includes(name)) signature.refuse(`sig-zero-${name}`, `all octets zero (${name})`, { proof: { ...change, signature: (octets) => Buffer.alloc(octets.length) } });
}
const other = (text) => Buffer.from(text).toString("base64url");
signature.refuse("sig-payload-changed", "the payload changed after signing", {
  proof: { form: (text) => { const [h, p, s] = text.split("."); return `${h}.${other(Buffer.from(p, "base64url").toString().replace('"iat":17', '"iat" :17'))}.${s}`; } },
});
signature.refuse("sig-header-changed", "the header changed after signing", {
  proof: { form: (text) => { const [h, p, s] = text.split("."); return `${other(Buffer.from(h, "base64url").toString().replace("{", "{ "))}.${p}.${s}`; } },
});
signature.refuse("sig-payload-alone", "signed over the payload without the header", { proof: { signature: (_, input) => sigOver(input.split(".")[1]) } });
signature.refuse("sig-decoded", "signed over the decoded parts", { proof: { signature: (_, input) => sigOver(input.split(".").map((part) => Buffer.from(part, "base64url")).join(".")) } });

function sigOver(text, hash = "sha256") {
  const { r, s } = ecdsa(key("client"), hash, text);
  return Buffer.concat([toOctets(r, 32), toOctets(s, 32)]);
}

const ec = subject({ group: "signature", section: "RFC7518 3.4", requirement: "D12" });
const { n } = curve("P-256");
const split = (octets) => ({ r: toNumber(octets.subarray(0, 32)), s: toNumber(octets.subarray(32)) });
const join = (r, s) => Buffer.concat([toOctets(r, 32), toOctets(s, 32)]);
const der = (octets) => {
  const integer = (part) => { let value = Buffer.from(part); while (value.length > 1 && value[0] === 0 && value[1] < 128) value = value.subarray(1); if (value[0] > 127) value = Buffer.concat([Buffer.alloc(1), value]); return Buffer.concat([Buffer.from([2, value.length]), value]); };
  const body = Buffer.concat([integer(octets.subarray(0, octets.length / 2)), integer(octets.subarray(octets.length / 2))]);
  return Buffer.concat([Buffer.from([0x30, ...(body.length > 127 ? [0x81] : []), body.length]), body]);
};
ec.accept("sig-high-s", "a high s is as good as a low one", { at: "both", proof: { signature: (octets) => { const { r, s } = split(octets); return join(r, n - s); } } });
ec.accept("sig-low-s", "a low s", { at: "both" });
ec.refuse("sig-der", "in DER", { proof: { signature: der } });
ec.refuse("sig-der-p384", "in DER (ES384)", { proof: { key: "p384", signature: der } });
ec.refuse("sig-63-octets", "the last octet left out", { proof: { signature: (octets) => octets.subarray(0, 63) } });
ec.refuse("sig-65-octets", "an octet more", { proof: { signature: (octets) => Buffer.concat([octets, Buffer.alloc(1)]) } });
ec.refuse("sig-leading-octet", "a zero octet before each half", { proof: { signature: (octets) => Buffer.concat([Buffer.alloc(1), octets.subarray(0, 32), Buffer.alloc(1), octets.subarray(32)]) } });
ec.refuse("sig-twice", "the signature twice", { proof: { signature: (octets) => Buffer.concat([octets, octets]) } });
ec.refuse("sig-es512-128-octets", "ES512 in 128 octets instead of 132", { proof: { key: "p521", signature: (octets) => Buffer.concat([octets.subarray(2, 66), octets.subarray(68)]) } });
for (const [name, make] of [["r-zero", (r, s) => [0n, s]], ["s-zero", (r) => [r, 0n]], ["both-zero", () => [0n, 0n]], ["r-is-n", (r, s) => [n, s]], ["s-is-n", (r) => [r, n]], ["s-plus-n", (r, s) => [r, (s + n) % 2n ** 256n]], ["r-one-s-one", () => [1n, 1n]], ["negated-r", (r, s) => [n - r, s]]]) {
  ec.refuse(`sig-${name}`, `r and s: ${name}`, { at: name === "both-zero" ? "both" : "rs", proof: { signature: (octets) => { const { r, s } = split(octets); return join(...make(r, s)); } }, section: "RFC7518 3.4, FIPS186-5 6.4.2", requirement: "D12 F03" });
}
ec.refuse("sig-swapped", "r and s swapped", { proof: { signature: (octets) => Buffer.concat([octets.subarray(32), octets.subarray(0, 32)]) } });
ec.refuse("sig-little-endian", "r and s little-endian", { proof: { signature: (octets) => Buffer.concat([Buffer.from(octets.subarray(0, 32)).reverse(), Buffer.from(octets.subarray(32)).reverse()]) } });
ec.refuse("sig-sha384", "ES256 over a SHA-384 hash", { proof: { signature: (_, input) => sigOver(input, "sha384") } });
ec.refuse("sig-double-hash", "signed over the hash's hash", { proof: { signature: (_, input) => sigOver(createHash("sha256").update(input).digest()) } });
for (const [name, size, change] of [["es384", 96, { key: "p384" }], ["es512", 132, { key: "p521" }]]) {
  ec.accept(`sig-${name}`, `${size} octets`, { proof: change });
  ec.refuse(`sig-${name}-short`, `${size - 1} octets`, { proof: { ...change, signature: (octets) => octets.subarray(0, -1) } });
}

const ed = subject({ group: "signature", section: "RFC8032 5.1.7", requirement: "A20 F03" });
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
ed.accept("sig-ed25519", "64 octets", { proof: { key: "ed25519" } });
ed.refuse("sig-ed25519-s-plus-l", "S plus the order of the group: the second signature that anybody can make of the first", {
  proof: { key: "ed25519", signature: (octets) => Buffer.concat([octets.subarray(0, 32), Buffer.from(toOctets(toNumber(Buffer.from(octets.subarray(32)).reverse()) + L, 32)).reverse()]) },
});
ed.refuse("sig-ed25519-63-octets", "63 octets", { proof: { key: "ed25519", signature: (octets) => octets.subarray(0, 63) } });
ed.refuse("sig-ed25519-65-octets", "65 octets", { proof: { key: "ed25519", signature: (octets) => Buffer.concat([octets, Buffer.alloc(1)]) } });
ed.refuse("sig-ed25519-empty", "no octets", { proof: { key: "ed25519", signature: () => Buffer.alloc(0) } });

const rsa = subject({ group: "signature", section: "RFC8017 8.1.2, 8.2.2", requirement: "A20 F03" });
for (const [name, alg] of [["rs256", "RS256"], ["ps256", "PS256"]]) {
  rsa.refuse(`sig-${name}-short`, `${alg}: 255 octets`, { proof: { key: "rsa", alg, signature: (octets) => octets.subarray(1) } });
  rsa.refuse(`sig-${name}-long`, `${alg}: a zero octet in front`, { proof: { key: "rsa", alg, signature: (octets) => Buffer.concat([Buffer.alloc(1), octets]) } });
  rsa.refuse(`sig-${name}-one`, `${alg}: the number one`, { proof: { key: "rsa", alg, signature: (octets) => Buffer.concat([Buffer.alloc(octets.length - 1), Buffer.from([1])]) } });
  rsa.refuse(`sig-${name}-modulus`, `${alg}: the modulus itself`, { proof: { key: "rsa", alg, signature: () => Buffer.from(key("rsa").jwk.n, "base64url") } });
}

export default [signature, ec, ed, rsa].flatMap(({ cases }) => cases);
