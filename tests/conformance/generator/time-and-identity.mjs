// `iat`, `exp`, `nbf`, `jti` and `ath`.

import { createHash } from "node:crypto";

import { base64url, sha256 } from "./keys.mjs";
import { NOW, subject, tokenOf } from "./cases.mjs";

const text = JSON.stringify;
/** A claim whose value is written as it stands. */
const raw = (name, value) => ({ proof: { payload: (p) => text({ ...p, [name]: "@" }).replace('"@"', value) } });
const ago = (seconds) => ({ proof: { payload: { iat: NOW - seconds } } });

const iat = subject({ group: "iat", section: "4.3(11), 11.1", requirement: "A25 A64 I13" });
iat.accept("iat-now", "made now", { at: "both", ...ago(0) });
iat.accept("iat-past-60", "60 s old", ago(60));
iat.accept("iat-past-299", "299 s old with a maximum age of 300 s", { ...ago(299) });
iat.open("iat-past-300", "300 s old: the end of the window", ["accept", "invalid_dpop_proof"], ago(300));
iat.refuse("iat-past-301", "301 s old", { at: "both", ...ago(301) });
iat.refuse("iat-past-hour", "an hour old", { at: "both", ...ago(3600), requirement: "A25 A64 H11" });
iat.accept("iat-future-5", "5 s ahead", { at: "both", ...ago(-5), requirement: "A67 H04" });
iat.accept("iat-future-10", "10 s ahead: must be accepted by FAPI 2.0", { at: "both", ...ago(-10), section: "FAPI2 5.3.2.1(13)", requirement: "A67 H04" });
iat.accept("iat-future-59", "59 s ahead with 60 s allowed", ago(-59));
iat.open("iat-future-60", "60 s ahead: the end of the window", ["accept", "invalid_dpop_proof"], { ...ago(-60), requirement: "A67 H04" });
iat.refuse("iat-future-61", "61 s ahead: must be refused by FAPI 2.0", { ...ago(-61), section: "11.1, FAPI2 5.3.2.1(13)", requirement: "A67 H04" });
iat.refuse("iat-future-hour", "an hour ahead", { ...ago(-3600), requirement: "A25 H04 H11" });
iat.refuse("iat-future-301", "301 s ahead: the windows of past and future differ", ago(-301));
iat.refuse("iat-milliseconds", "in milliseconds", { ...raw("iat", `${NOW - 2}000`), requirement: "A25 D17" });
iat.accept("iat-policy-age", "20 s old where 30 are allowed", { ...ago(20), policy: { iat_max_age_s: 30 } });
iat.refuse("iat-policy-age-over", "31 s old where 30 are allowed", { at: "both", ...ago(31), policy: { iat_max_age_s: 30 } });
iat.refuse("iat-policy-future", "11 s ahead where 10 are allowed", { ...ago(-11), policy: { iat_max_future_s: 10 } });
iat.accept("iat-policy-long", "an hour old where two are allowed", { ...ago(3600), policy: { iat_max_age_s: 7200 } });
iat.accept("iat-policy-zero-future", "made now where no clock may be ahead", { ...ago(0), policy: { iat_max_future_s: 0 } });
iat.refuse("iat-policy-zero-future-over", "1 s ahead where no clock may be", { ...ago(-1), policy: { iat_max_future_s: 0 } });
iat.refuse("iat-fraction-too-old", "301.5 s old, as a fraction", { ...raw("iat", `${NOW - 302}.5`), requirement: "A25 D17" });
iat.open("iat-fraction-boundary", "300.5 s old", ["invalid_dpop_proof", "accept"], { ...raw("iat", `${NOW - 301}.5`), requirement: "A25 D17" });

const number = subject({ group: "iat", section: "RFC7519 2", requirement: "D17 A17" });
for (const [name, value] of [["fraction", `${NOW - 2}.5`], ["many-decimals", `${NOW - 2}.${"123456789".repeat(10)}`], ["exponent", "1.779999998e9"], ["exponent-upper", "1779999998E0"], ["exponent-negative", "17799999980e-1"], ["exponent-long", "17799999980000000000e-10"]]) {
  number.accept(`iat-${name}`, `iat ${value.slice(0, 30)}: a JSON number`, { at: name === "fraction" || name === "exponent" ? "both" : "rs", ...raw("iat", value) });
}
for (const [name, value] of [
  ["string", `"${NOW - 2}"`], ["null", "null"], ["true", "true"], ["array", `[${NOW - 2}]`], ["object", "{}"], ["date", '"2026-05-28T20:26:38Z"'],
  ["zero", "0"], ["negative", "-1"], ["9e18", "9e18"], ["i64-max", "9223372036854775807"], ["u64-max", "18446744073709551615"],
  ["u64-wrap", `${2n ** 64n + BigInt(NOW)}`], ["u32-wrap", `${2n ** 32n + BigInt(NOW)}`], ["i64-min", "-9223372036854775808"], ["1e400", "1e400"], ["9e99999999", "9e99999999"], ["1e-99999999999999999999", "1e-99999999999999999999"], ["many-digits", "9".repeat(400)], ["many-zero-decimals", `0.${"0".repeat(400)}1`],
  ["leading-zero", `0${NOW}`], 
]) {
  number.refuse(`iat-${name}`, `iat ${value.slice(0, 30)}`, { at: ["string", "1e400"].includes(name) ? "both" : "rs", ...raw("iat", value) });
}
number.refuse("iat-missing", "iat missing", { at: "both", proof: { payload: { iat: undefined } }, section: "4.2, 4.3(3)", requirement: "A17 A06" });

const expiry = subject({ group: "iat", section: "RFC7519 4.1.4, 4.1.5", requirement: "D18" });
expiry.accept("exp-future", "exp to come, nbf past", { proof: { payload: { exp: NOW + 60, nbf: NOW - 60 } } });
expiry.refuse("exp-past", "exp past", { at: "both", proof: { payload: { exp: NOW - 1 } } });
expiry.refuse("exp-now", "exp now: on or after it a JWT is not accepted", { proof: { payload: { exp: NOW } } });
expiry.refuse("exp-long-past", "exp past by an hour", { proof: { payload: { exp: NOW - 3600 } } });
expiry.refuse("nbf-future", "nbf an hour ahead", { at: "both", proof: { payload: { nbf: NOW + 3600 } } });
expiry.accept("nbf-now", "nbf now", { proof: { payload: { nbf: NOW } } });
expiry.open("nbf-future-5", "nbf 5 s ahead: some leeway may be given", ["accept", "invalid_dpop_proof"], { proof: { payload: { nbf: NOW + 5 } } });
for (const name of ["exp", "nbf"]) {
  for (const [kind, value] of [["string", '"1790000000"'], ["null", "null"]]) {
    expiry.refuse(`${name}-${kind}`, `${name} must be a number, is ${kind}`, { ...raw(name, value) });
  }
}
expiry.accept("exp-fraction", "exp a fraction of a second ahead", { ...raw("exp", `${NOW}.25`) });
expiry.accept("exp-1e400", "exp beyond every clock: a JSON number all the same", { ...raw("exp", "1e400"), also: ["invalid_dpop_proof"], level: "POLICY" });
expiry.refuse("exp-minus-1e400", "exp before every clock", { ...raw("exp", "-1e400") });

const jti = subject({ group: "jti", section: "4.2, 4.3(3), 11.1", requirement: "A17" });
for (const [name, value] of [["missing", undefined], ["null", null], ["number", 7], ["empty", ""], ["array", ["a"]], ["object", {}]]) {
  jti.refuse(`jti-${name}`, `jti ${name}`, { at: name === "missing" || name === "number" ? "both" : "rs", proof: { payload: { jti: value } }, ...(name === "empty" && { also: ["accept"], level: "POLICY" }) });
}
jti.accept("jti-512", "a jti of 512 octets with 512 allowed", { proof: { payload: { jti: "j".repeat(512) } }, requirement: "A66" });
jti.refuse("jti-513", "a jti of 513 octets", { proof: { payload: { jti: "j".repeat(513) } }, requirement: "A66" });
jti.refuse("jti-long", "a jti of a thousand octets", { proof: { payload: { jti: "j".repeat(1000) } }, requirement: "A66" });
jti.accept("jti-octets", "256 letters of two octets each", { proof: { payload: { jti: "é".repeat(256) } }, requirement: "A66", also: ["invalid_dpop_proof"], level: "SHOULD" });
jti.refuse("jti-octets-over", "257 letters of two octets each: the limit counts octets", { proof: { payload: { jti: "é".repeat(257) } }, requirement: "A66", also: ["accept"], level: "POLICY" });
jti.refuse("jti-policy", "17 octets where 16 are allowed", { at: "both", proof: { payload: { jti: "j".repeat(17) } }, policy: { max_jti_bytes: 16 }, requirement: "A66" });
jti.accept("jti-policy-exact", "16 octets where 16 are allowed", { proof: { payload: { jti: "j".repeat(16) } }, policy: { max_jti_bytes: 16 }, requirement: "A66" });
jti.accept("jti-one-letter", "a jti of one letter: its entropy is the client's business", { proof: { payload: { jti: "a" } }, requirement: "A17", also: ["invalid_dpop_proof"], level: "POLICY" });
jti.accept("jti-uuid", "a UUID", { proof: { payload: { jti: "b2f0f5d0-9c5e-4a68-8a4e-2f6a3c1a7e10" } }, requirement: "A17 A09" });
jti.accept("jti-unicode", "a jti in any script", { proof: { payload: { jti: "Ω東\u0001 \"\\" } }, requirement: "A17" });

const ath = subject({ group: "ath", section: "4.2, 4.3(12), 7", requirement: "A12 A26", also: ["invalid_token"] });
const token = tokenOf("for ath 0");
const digest = sha256(token);
const value = (claim) => ({ token, proof: { payload: { ath: claim } } });
ath.accept("ath-good", "the hash of the token", { token, also: [] });
ath.accept("ath-token68", "a token with every character that token68 allows", { token: "-._~+/AZaz09==", also: [] });
ath.accept("ath-long-token", "a token of a thousand octets", { token: "tok.".repeat(256), also: [] });
ath.refuse("ath-missing", "ath missing", { ...value(undefined) });
ath.refuse("ath-other-token", "the hash of another token", { ...value(base64url(sha256("another"))) });
for (const [name, claim, why] of [
  ["null", null], ["number", 1], ["empty", ""], ["array", [base64url(digest)]], 
  ["padded", `${base64url(digest)}=`, "with = padding"], ["standard-alphabet", standardHash(), "in the standard alphabet"],
  ["hex", digest.toString("hex"), "in hexadecimal"], ["double-encoded", base64url(base64url(digest)), "encoded twice"],
  ["sha1", base64url(createHash("sha1").update(token).digest()), "SHA-1"], ["sha512", base64url(createHash("sha512").update(token).digest()), "SHA-512"],
  ["half", base64url(digest.subarray(0, 16)), "the left half only, as at_hash has it"], ["prefix", base64url(digest).slice(0, 42), "a letter short"], ["longer", `${base64url(digest)}A`, "a letter more"],
  ["scheme-hashed", base64url(sha256(`DPoP ${token}`)), "the hash of the field with its scheme"], ["token-itself", token, "the token itself"],
  ["trailing-newline", base64url(sha256(`${token}\n`)), "the hash of the token with a line break"], ["utf16", base64url(sha256(Buffer.from(token, "utf16le"))), "the hash of the token in UTF-16"], ["hash-of-empty", base64url(sha256("")), "the hash of nothing"],
]) {
  ath.refuse(`ath-${name}`, `ath: ${why ?? name}`, { ...value(claim), requirement: name.startsWith("sha") ? "A12 A73" : "A12 A26" });
}
function standardHash() {
  const text = digest.toString("base64").replace("=", "");
  if (!/[+/]/.test(text)) throw new Error("choose a token whose hash has + or /");
  return text;
}
ath.refuse("ath-spare-bits", "non-zero spare bits", { ...value(base64url(digest).slice(0, -1) + String.fromCharCode(base64url(digest).charCodeAt(42) + 1)) });
ath.accept("ath-token-with-padding", "a token that ends with =: it is part of what is hashed", { token: "abcd==", also: [] });
ath.refuse("ath-token-padding-dropped", "the hash of the token without its =", { token: "abcd==", proof: { payload: { ath: base64url(sha256("abcd")) } } });
ath.open("ath", "ath at the token endpoint: an unneeded claim", ["accept", "invalid_dpop_proof"], { at: "as", proof: { payload: { ath: base64url(digest) } }, section: "4.2", requirement: "I24" });
ath.open("ath-as-not-a-string", "ath at the token endpoint, and no string", ["accept", "invalid_dpop_proof"], { at: "as", proof: { payload: { ath: 5 } }, section: "4.2", requirement: "I24" });
ath.accept("ath-as-absent", "no ath at the token endpoint", { at: "as", also: [], section: "4.2", requirement: "A12 I24" });

export default [iat, number, expiry, jti, ath].flatMap(({ cases }) => cases);
