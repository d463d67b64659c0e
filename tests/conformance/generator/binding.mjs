// What the token says about its key (`cnf`), and what follows.

import { createPublicKey } from "node:crypto";

import { base64url, certificate, key, sha256 } from "./keys.mjs";
import { subject } from "./cases.mjs";

const { jkt } = key("client");
const other = key("other").jkt;

const bound = subject({ group: "binding", section: "6.1, 7.1", requirement: "A26 A37 A42", expect: "invalid_token", also: ["invalid_dpop_proof"] });
bound.accept("bind-match", "the proof's key is the token's", { also: [], requirement: "A26 A37 A42 A48 H08" });
const refuse = (id, why, more) => bound.refuse(id, why, { expect: "invalid_token", ...more });
refuse("bind-other-key", "a stolen token and the thief's own valid proof", { cnf: { jkt: other }, requirement: "A26 A42 H08 H11 I12" });
refuse("bind-other-key-attacker", "the proof is by another key, and everything else holds", { proof: { key: "attacker" }, cnf: { jkt }, requirement: "A26 A42 I12" });
refuse("bind-other-type", "bound to an EC key, the proof by an Ed25519 key", { proof: { key: "ed25519" }, cnf: { jkt } });
refuse("bind-unbound-as-dpop", "an unbound token under the DPoP scheme", { cnf: false, requirement: "A26 A42" });
for (const [name, value] of [["jkt-upper", jkt.toUpperCase()], ["jkt-prefix", jkt.slice(0, 42)], ["jkt-longer", `${jkt}A`], ["jkt-padded", `${jkt}=`], ["jkt-standard", Buffer.from(jkt, "base64url").toString("base64")], ["jkt-hex", Buffer.from(jkt, "base64url").toString("hex")], ["jkt-empty", ""], ["jkt-number", 1], ["jkt-array", [jkt]]]) {
  refuse(`bind-${name}`, `cnf.jkt ${name.slice(4)}`, { cnf: { jkt: value }, requirement: "A36 A37", also: [] });
}
refuse("bind-jkt-spare-bits", "non-zero spare bits at the end of cnf.jkt", { cnf: { jkt: jkt.slice(0, -1) + String.fromCharCode(jkt.charCodeAt(42) + 1) }, requirement: "A37 D02", also: ["invalid_dpop_proof"], section: "6.1, RFC4648 3.5" });
refuse("bind-jkt-spki", "the hash of the SPKI instead of the JWK thumbprint", { cnf: { jkt: base64url(sha256(createPublicKey(key("client").private).export({ format: "der", type: "spki" }))) }, requirement: "A37 I25" });
refuse("bind-jkt-all-members", "a thumbprint over all members, kid too", { proof: { jwk: { kid: "mine" } }, cnf: { jkt: base64url(sha256(JSON.stringify({ crv: "P-256", kid: "mine", kty: "EC", x: key("client").jwk.x, y: key("client").jwk.y }))) }, section: "RFC7638 3.2", requirement: "E01 E02" });
refuse("bind-jkt-unsorted", "a thumbprint over members in another order", { cnf: { jkt: base64url(sha256(JSON.stringify(key("client").jwk))) }, section: "RFC7638 3.3", requirement: "E01" });
bound.accept("bind-jkt-with-kid", "the proof's jwk has a kid, the thumbprint does not", { proof: { jwk: { kid: "mine" } }, jkt, also: [], section: "RFC7638 3.2", requirement: "E02 I25" });
refuse("bind-jkt-sha512", "a SHA-512 thumbprint: no algorithm agility", { cnf: { jkt: base64url(Buffer.concat([sha256("a"), sha256("b")])) }, section: "11.10", requirement: "A37 A73", also: [] });
for (const name of ["p384", "rsa"]) {
  bound.accept(`bind-match-${name}`, `the thumbprint of a key of another kind: ${name}`, { proof: { key: name }, also: [], section: "RFC7638 3.2", requirement: "E01 A37" });
}

// Presented as a bearer token

const bearer = subject({ group: "binding", section: "7.2", requirement: "A48 A36", expect: "invalid_token", proof: null, cnf: { jkt } });
const asBearer = (id, why, more) => bearer.refuse(id, why, { expect: "invalid_token", ...more });
asBearer("bind-bearer-bound", "a DPoP-bound token as Bearer", { requirement: "A48 H08 H11" });
asBearer("bind-bearer-bound-with-proof", "a DPoP-bound token as Bearer, a valid proof beside it", { proof: {}, scheme: "Bearer", requirement: "A48" });
asBearer("bind-bearer-bound-nonce", "a DPoP-bound token as Bearer, where nonces are asked for", { nonce_policy: { required: true, accepted: ["n.1"], expired: [], current: "n.1" }, also: ["use_dpop_nonce", "invalid_dpop_proof"], requires: ["nonce"] });
asBearer("bind-bearer-bound-scheme-case", "a DPoP-bound token as bEARER", { scheme: "bEARER" });
asBearer("bind-bearer-bound-either", "where no constraint is required, a bound token is still no bearer token", { policy: { require_dpop: false, require_sender_constraint: false } });
bearer.accept("bind-bearer-unbound", "an unbound token where Bearer is allowed", { cnf: false, expect: "accept", also: ["invalid_token"], level: "POLICY", requirement: "A48 A36 B03" });
bearer.accept("bind-bearer-unbound-with-proof", "an unbound token as Bearer, a proof beside it that counts for nothing", { proof: {}, scheme: "Bearer", cnf: false, binding: {}, expect: "accept", also: ["invalid_token", "invalid_request", "invalid_dpop_proof"], level: "POLICY" });
bearer.accept("bind-bearer-unbound-broken-proof", "an unbound token as Bearer, garbage in the DPoP field", { cnf: false, headers: (headers) => [...headers, ["DPoP", "garbage"]], expect: "accept", also: ["invalid_token", "invalid_request", "invalid_dpop_proof"], level: "POLICY" });
asBearer("bind-bearer-unbound-required", "an unbound token where a constraint is required", { cnf: false, policy: { require_sender_constraint: true }, requirement: "H08 G06" });
asBearer("bind-bearer-unbound-dpop-required", "an unbound token where DPoP is required", { cnf: false, policy: { require_dpop: true }, requirement: "G06", also: ["invalid_dpop_proof", "invalid_request"] });
bearer.accept("policy-dpop-required", "DPoP where DPoP is required", { proof: {}, expect: "accept", policy: { require_dpop: true }, requirement: "G06" });
bearer.accept("policy-constraint-required", "DPoP where a constraint is required", { proof: {}, expect: "accept", policy: { require_sender_constraint: true }, requirement: "G06 H08" });

// Confirmations that are malformed or unknown

const tls = { client_cert_sha256_hex: certificate("client").hex };
const cnf = subject({ group: "cnf", section: "6, RFC7800 3.1", requirement: "A36 E04", expect: "invalid_token" });
const confirm = (id, why, value, more = {}) => {
  cnf.refuse(`cnf-${id}`, `${why}, under DPoP`, { expect: "invalid_token", jkt, cnf: value, also: ["invalid_dpop_proof"], ...more });
  cnf.refuse(`cnf-${id}-bearer`, `${why}, as Bearer: must not read as unbound`, { expect: "invalid_token", proof: null, cnf: value, tls, ...more });
};
confirm("null", "cnf is null", null);
confirm("empty", "cnf has no member", {});
confirm("string", "cnf is a string", jkt);
confirm("array", "cnf is an array", [{ jkt }]);
confirm("number", "cnf is a number", 1);
confirm("true", "cnf is true", true);
confirm("unknown", "cnf has an unknown member only", { "x5u#S256": jkt });
confirm("jwk", "cnf has a jwk only: another method of RFC 7800", { jwk: key("client").jwk });
confirm("kid", "cnf has a kid only", { kid: "k" });
confirm("jku", "cnf has a jku only", { jku: "https://evil.example/jwks", kid: "k" });
confirm("name-case", "cnf.JKT is an unknown member", { JKT: jkt });
confirm("jkt-suffix", "cnf has jkt#S256, which is none of RFC 9449", { "jkt#S256": jkt });
confirm("jkt-null", "cnf.jkt is null", { jkt: null });
confirm("jkt-empty", "cnf.jkt is empty", { jkt: "" });
confirm("x5t-null", "cnf[x5t#S256] is null", { "x5t#S256": null });
confirm("x5t-empty", "cnf[x5t#S256] is empty", { "x5t#S256": "" });
confirm("x5t-number", "cnf[x5t#S256] is a number", { "x5t#S256": 5 });
confirm("x5t-sha1", "cnf has x5t (SHA-1) only", { x5t: base64url(certificate("client").sha1) });
confirm("nested", "cnf within cnf", { cnf: { jkt } });
cnf.refuse("cnf-good-jkt-bad-x5t", "a good jkt beside a malformed x5t#S256", { expect: "invalid_token", jkt, cnf: { jkt, "x5t#S256": 5 }, tls, requirement: "A36 E05" });
cnf.refuse("cnf-bad-jkt-good-x5t", "a malformed jkt beside a good x5t#S256, as Bearer", { expect: "invalid_token", proof: null, cnf: { jkt: 5, "x5t#S256": certificate("client").x5t }, tls, requirement: "A36 E05" });
cnf.refuse("cnf-outside", "jkt beside cnf instead of within", { expect: "invalid_token", cnf: false, jkt, claims: { jkt }, section: "6.2", requirement: "A38", also: ["invalid_dpop_proof"] });
cnf.refuse("cnf-in-ext", "cnf within an extension member: it stands at the top", { expect: "invalid_token", cnf: false, jkt, claims: { ext: { cnf: { jkt } } }, section: "6.2", requirement: "A38", also: ["invalid_dpop_proof"] });
cnf.accept("cnf-extra-members", "jkt beside unknown members", { expect: "accept", jkt, cnf: { jkt, "kc-jkt-type": "x", foo: { bar: 1 } }, requirement: "A36 E04 I18" });
cnf.accept("cnf-jkt-and-kid", "jkt beside a kid", { expect: "accept", jkt, cnf: { jkt, kid: "k" }, requirement: "E04 I18", also: ["invalid_token"], level: "SHOULD" });
cnf.accept("cnf-introspection", "cnf at the top of an introspection answer", { expect: "accept", jkt, cnf: { jkt }, section: "6.2", requirement: "A38 B06" });
cnf.accept("cnf-token-type", "token_type DPoP in an introspection answer", { expect: "accept", claims: { token_type: "DPoP" }, section: "6.2", requirement: "A39" });
cnf.open("cnf-token-type-bearer", "token_type Bearer in an introspection answer with a jkt: the server may check it", ["invalid_token", "accept"], { claims: { token_type: "Bearer" }, section: "6.2", requirement: "A39" });
cnf.open("cnf-token-type-case", "token_type dpop: compared without case (RFC 6749 §5.1)", ["accept", "invalid_token"], { claims: { token_type: "dpop" }, section: "6.2", requirement: "A39" });

// Both constraints

const x5t = certificate("client").x5t;
const twofold = subject({ group: "cnf", section: "RFC7800 3.1", requirement: "E05 I19", requires: ["mtls"], jkt, cnf: { jkt, "x5t#S256": x5t }, expect: "invalid_token" });
twofold.accept("cnf-both-match", "key and certificate match", { tls, expect: "accept", binding: { jkt, "x5t#S256": x5t }, also: ["invalid_token"], level: "SHOULD" });
twofold.refuse("cnf-both-no-certificate", "the key matches, there is no certificate", { expect: "invalid_token", also: ["invalid_request"] });
twofold.refuse("cnf-both-other-certificate", "the key matches, the certificate does not", { expect: "invalid_token", tls: { client_cert_sha256_hex: certificate("other").hex } });
twofold.refuse("cnf-both-other-key", "the certificate matches, the key does not", { expect: "invalid_token", tls, proof: { key: "attacker" }, also: ["invalid_dpop_proof"] });
twofold.refuse("cnf-both-as-bearer", "the certificate matches, but presented as Bearer", { expect: "invalid_token", tls, proof: null });
twofold.refuse("cnf-both-as-bearer-with-proof", "key and certificate match, but presented as Bearer", { expect: "invalid_token", tls, scheme: "Bearer" });

// Valid proof, no grant

const alone = subject({ group: "binding", section: "4", requirement: "A03 A42" });
alone.refuse("proof-token-inactive", "a valid proof beside an inactive token", { expect: "invalid_token", claims: { active: false } });
alone.refuse("proof-token-expired", "a valid proof beside an expired token", { expect: "invalid_token", claims: { exp: 1779999999 } });
alone.refuse("proof-bad-token-expired", "a wrong signature beside an expired token: either may be named", { proof: { signKey: "attacker" }, claims: { exp: 1779999999 }, also: ["invalid_token"] });
alone.refuse("proof-of-token-endpoint", "a proof made for the token endpoint: no ath, other htm and htu", { proofFor: { method: "POST", url: "https://as.example/token", token: undefined }, requirement: "A03 A21 A22 A26" });
alone.refuse("proof-no-token", "a valid proof with a scheme and no token", { headers: (headers) => [["Authorization", "DPoP"], headers[1]], expect: "invalid_request", also: ["invalid_token", "no_credentials", "invalid_dpop_proof"] });
alone.accept("proof-and-token", "a valid proof beside the token that it is for", { requirement: "A03 A42 B02" });

export default [bound, bearer, cnf, twofold, alone].flatMap(({ cases }) => cases);
