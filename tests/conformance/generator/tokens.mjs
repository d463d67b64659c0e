// The access token: introspection answers and JWTs (RFC 7662, RFC 9068).

import { base64url, key } from "./keys.mjs";
import { compact } from "./jws.mjs";
import { AUDIENCE, ISSUER, META, NOW, label, rsStep, sequence, subject } from "./cases.mjs";

const introspection = subject({ group: "introspection", section: "RFC7662 2.2", requirement: "G04", source: "introspection", requires: ["introspection"], expect: "invalid_token" });
const refuse = (id, why, claims, more = {}) => introspection.refuse(`introspection-${id}`, why, { expect: "invalid_token", claims, ...more });
introspection.accept("introspection-active", "active is true", { expect: "accept" });
refuse("inactive", "active is false, with a matching cnf", { active: false });
refuse("inactive-only", "active is false and there is nothing else", () => ({ active: false }));
for (const [name, value] of [["string-true", "true"], ["string-false", "false"], ["one", 1], ["null", null], ["array", [true]]]) {
  refuse(`active-${name}`, `active is ${JSON.stringify(value)}: only true counts`, { active: value });
}
refuse("active-missing", "active is missing: it is required", { active: undefined });
introspection.open("introspection-type-without-cnf", "token_type DPoP without cnf, as Bearer: the binding was lost on the way", ["invalid_token", "accept"], { claims: { token_type: "DPoP" }, proof: null, cnf: false, section: "6, 6.2", requirement: "A36 A39" });
refuse("bearer-inactive", "an inactive token as Bearer", { active: false }, { proof: null, cnf: false });

const claims = subject({ group: "token-claims", section: "RFC7519 4.1", requirement: "G02 D18" });
const wrong = (id, why, change, more = {}) => claims.refuse(`token-${id}`, why, { expect: "invalid_token", claims: change, ...more });
const right = (id, why, change, more = {}) => claims.accept(`token-${id}`, why, { expect: "accept", claims: change, ...more });
right("times", "exp to come, nbf and iat past", { exp: NOW + 60, nbf: NOW - 60, iat: NOW - 60 });
right("no-times", "no exp and no nbf in an introspection answer: both are optional", { exp: undefined }, { source: "introspection" });
right("exp-9e18", "exp in the far future: 9e18", { exp: 9e18 }, { requirement: "D17 D18" });
right("exp-fraction", "exp a fraction of a second ahead", { exp: NOW + 0.5 }, { requirement: "D17 D18" });
wrong("exp-past", "expired a second ago", { exp: NOW - 1 }, { also: [] });
wrong("exp-now", "expires now: on or after it a token is not accepted", { exp: NOW }, { section: "RFC7519 4.1.4" });
wrong("exp-hour", "expired an hour ago", { exp: NOW - 3600 });
wrong("exp-zero", "exp 0", { exp: 0 });
for (const [name, value] of [["string", String(NOW + 60)], ["null", null], ["true", true], ["array", [NOW + 60]]]) {
  wrong(`exp-${name}`, `exp is no number: ${name}`, { exp: value });
}
wrong("exp-bearer", "an expired, unbound token as Bearer", { exp: NOW - 1 }, { proof: null, cnf: false });
wrong("nbf-future", "nbf an hour ahead", { nbf: NOW + 3600 });
wrong("nbf-future-61", "nbf 61 s ahead", { nbf: NOW + 61 }, { requirement: "D18 H04" });
wrong("nbf-string", "nbf is a string", { nbf: String(NOW - 60) });
right("nbf-now", "nbf now", { nbf: NOW });
right("nbf-10", "nbf 10 s ahead: clocks differ", { nbf: NOW + 10 }, { also: ["invalid_token"], level: "SHOULD", requirement: "D18 H04" });
right("aud-array", "the audience among others", { aud: ["https://other.example", AUDIENCE] });
right("aud-iss", "audience and issuer are ours", { aud: AUDIENCE, iss: ISSUER });
right("aud-iss-absent", "neither audience nor issuer in an introspection answer", {}, { source: "introspection" });
wrong("introspection-aud", "another audience in an introspection answer", { aud: "https://other.example" }, { source: "introspection" });
wrong("introspection-iss", "another issuer in an introspection answer", { iss: "https://evil.example" }, { source: "introspection" });
wrong("introspection-exp", "an active token whose exp is past", { exp: NOW - 1 }, { source: "introspection" });
wrong("aud-other", "another audience", { aud: "https://other.example" });
wrong("aud-array-other", "other audiences only", { aud: ["https://other.example", "https://third.example"] });
wrong("aud-empty-array", "no audience in the array", { aud: [] });
wrong("aud-slash", "the audience with a slash: compared as a string", { aud: `${AUDIENCE}/` });
wrong("aud-case", "the audience in upper case", { aud: AUDIENCE.toUpperCase() });
wrong("aud-null", "aud is null", { aud: null });
wrong("aud-object", "aud is an object", { aud: { [AUDIENCE]: true } });
wrong("iss-other", "another issuer", { iss: "https://evil.example" });
wrong("iss-slash", "the issuer with a slash: compared as a string", { iss: `${ISSUER}/` });
wrong("iss-null", "iss is null", { iss: null });
wrong("iss-array", "iss is an array", { iss: [ISSUER] });

// JWTs that the verifier itself verifies

/** An access token of the authorization server: `header` and `payload` change members. */
function accessToken(id, change = {}) {
  const issuer = key(change.key ?? "issuer");
  const alg = change.alg ?? "ES256";
  const put = (base, members = {}) => {
    const all = typeof members === "function" ? members(base) : { ...base, ...members };
    return typeof all === "string" || Buffer.isBuffer(all) ? all : Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  };
  const header = put({ typ: "at+jwt", alg, kid: "as-1" }, change.header);
  const payload = put({
    iss: ISSUER, aud: AUDIENCE, sub: "u", client_id: "c", iat: NOW - 60, exp: NOW + 540, jti: label(id, 6), cnf: { jkt: key("client").jkt },
  }, change.payload);
  const text = compact({ header, payload, alg: change.signAlg ?? alg, key: change.signKey ?? issuer, signature: change.signature, spell: change.spell });
  return change.form === undefined ? text : change.form(text);
}

const jwt = (defaults) => {
  const made = subject({ group: "at-jwt", requires: ["at-jwt"], claims: null, section: "RFC9068 4", requirement: "G01 G02", ...defaults });
  const add = (verb) => (id, why, change, more = {}) =>
    made[verb](`at-${id}`, why, { jkt: key("client").jkt, expect: verb === "accept" ? "accept" : "invalid_token", token: accessToken(`rs-at-${id}`, change), ...more });
  return { cases: made.cases, good: add("accept"), bad: add("refuse"), open: (id, why, outcomes, change, more = {}) => made.open(`at-${id}`, why, outcomes, { jkt: key("client").jkt, token: accessToken(`rs-at-${id}`, change), ...more }) };
};

const typ = jwt({ section: "RFC9068 4(1), RFC8725 3.11", requirement: "G01 F07" });
typ.good("good", "typ at+jwt, all required claims", {}, { requirement: "G01 G02 G03 F07" });
typ.good("typ-application", "typ application/at+jwt", { header: { typ: "application/at+jwt" } });
typ.bad("typ-missing", "typ missing", { header: { typ: undefined } });
for (const [name, value] of [["jwt", "JWT"], ["dpop", "dpop+jwt"], ["logout", "logout+jwt"], ["empty", ""], ["null", null], ["array", ["at+jwt"]], ["blank", "at+jwt "]]) {
  typ.bad(`typ-${name}`, `typ ${JSON.stringify(value)}`, { header: { typ: value } });
}
for (const [name, value] of [["upper", "AT+JWT"], ["application-upper", "Application/AT+jwt"]]) {
  typ.open(`typ-${name}`, `typ ${value}: media types are compared without case`, ["invalid_token", "accept"], { header: { typ: value } }, { section: "RFC9068 4(1), RFC7515 4.1.9" });
}
typ.bad("proof-as-token", "the proof's kind of JWT as an access token, signed by the issuer", { header: { typ: "dpop+jwt" }, payload: { htm: "GET", htu: "x" } });
typ.bad("id-token", "an ID token", { header: { typ: "JWT" }, payload: { nonce: "n", at_hash: "x", client_id: undefined } });

const algorithm = jwt({ section: "RFC9068 4, RFC8725 3.1", requirement: "G02 F01 F02" });
algorithm.good("rs256", "RS256 with the issuer's RSA key", { key: "issuer-rsa", alg: "RS256", header: { kid: "as-rsa" } }, { requires: ["at-jwt", "alg:RS256"] });
algorithm.good("ps256", "PS256 with the issuer's RSA key", { key: "issuer-rsa", alg: "PS256", header: { kid: "as-rsa" } }, { requires: ["at-jwt", "alg:PS256"] });
algorithm.good("eddsa", "EdDSA", { key: "issuer-ed25519", alg: "EdDSA", header: { kid: "as-ed25519" } }, { requires: ["at-jwt", "alg:EdDSA"] });
algorithm.good("ed25519", "Ed25519 with a key published under the name EdDSA", { key: "issuer-ed25519", alg: "Ed25519", header: { kid: "as-ed25519" } }, { requires: ["at-jwt", "alg:Ed25519"], also: ["invalid_token"], level: "SHOULD", section: "RFC9864 2.2", requirement: "G08" });
algorithm.good("es384", "ES384 with a key without alg", { key: "issuer-p384", alg: "ES384", header: { kid: "as-p384" } }, { requires: ["at-jwt", "alg:ES384"] });
algorithm.bad("alg-none", "alg none, empty signature", { alg: "none" });
algorithm.bad("alg-none-upper", "alg NONE, empty signature", { alg: "NONE", signAlg: "none" });
algorithm.bad("alg-none-no-kid", "alg none without kid", { alg: "none", header: { kid: undefined } });
algorithm.bad("hs256-public-key", "HS256 with the public key's JWK as the secret", { alg: "HS256", signKey: Buffer.from(JSON.stringify(META.jwks.keys[0])) });
algorithm.bad("hs256-rsa-der", "HS256 with the RSA key's n as the secret", { alg: "HS256", signKey: Buffer.from(key("issuer-rsa").jwk.n, "base64url"), header: { kid: "as-rsa" } });
algorithm.bad("alg-missing", "alg missing", { header: { alg: undefined } }, { requirement: "D04 G02" });
algorithm.bad("alg-lower", "alg es256", { header: { alg: "es256" } }, { requirement: "D04 G02" });
algorithm.bad("alg-other-than-key", "PS256 where kid names an ES256 key", { key: "issuer-rsa", alg: "PS256" });
algorithm.bad("alg-es384-p256", "ES384 with the P-256 key of the kid", { alg: "ES384", signAlg: "ES384" });
algorithm.bad("alg-not-the-keys", "ES256 with the P-384 key", { key: "issuer-p384", alg: "ES256", header: { kid: "as-p384" } });

const keys = jwt({ section: "RFC9068 4(4), RFC8725 3.10", requirement: "G02 F06" });
keys.good("no-kid", "no kid, and one published key that fits", { header: { kid: undefined } }, { also: ["invalid_token"], level: "SHOULD" });
keys.bad("kid-unknown", "an unknown kid", { header: { kid: "as-2" } });
keys.bad("kid-number", "kid is a number", { header: { kid: 1 } });
keys.bad("kid-other-key", "the kid of another published key", { header: { kid: "as-p384" } });
keys.bad("kid-enc-key", "signed with the published key for encryption", { key: "issuer-enc", header: { kid: "as-enc" } }, { section: "RFC7517 4.2", requirement: "D10 G02" });
keys.bad("no-kid-enc-key", "the key for encryption, without kid", { key: "issuer-enc", header: { kid: undefined } }, { section: "RFC7517 4.2", requirement: "D10 G02" });
keys.bad("kid-future-key", "the kid of a published key of an unknown type", { header: { kid: "as-future" } });
keys.bad("unpublished", "a key that the issuer does not publish, under a published kid", { key: "issuer-unpublished" });
keys.bad("jwk-in-header", "a jwk in the header is not the issuer's", { key: "issuer-unpublished", header: { kid: undefined, jwk: key("issuer-unpublished").jwk } });
keys.bad("jwk-in-header-client", "signed with the client's key, its jwk in the header", { key: "client", header: { kid: undefined, jwk: key("client").jwk } });
keys.bad("jku-in-header", "a jku in the header is not followed", { key: "issuer-unpublished", header: { kid: "x", jku: "https://evil.example/jwks" } });
keys.bad("x5c-in-header", "an x5c in the header is not the issuer's", { key: "issuer-unpublished", header: { kid: undefined, x5c: ["MIIB"], x5u: "https://evil.example/x" } });
keys.good("hints-ignored", "jku and jwk beside a good kid are ignored", { header: { jku: "https://evil.example/jwks", jwk: key("attacker").jwk } }, { also: ["invalid_token"], level: "SHOULD" });

const signed = jwt({ section: "RFC9068 4(4), RFC7515 5.2", requirement: "G02 F03" });
const flip = (octets) => Buffer.from(octets.map((octet, index) => (index === octets.length - 1 ? octet ^ 1 : octet)));
signed.bad("signature-flipped", "one bit of the signature flipped", { signature: flip });
signed.bad("signature-empty", "an empty signature", { signature: () => Buffer.alloc(0) });
signed.bad("signature-zero", "r and s zero", { signature: () => Buffer.alloc(64) });
signed.bad("payload-changed", "the payload changed after signing", { form: (text) => { const [h, p, s] = text.split("."); return `${h}.${base64url(Buffer.from(p, "base64url").toString().replace('"sub":"u"', '"sub":"v"'))}.${s}`; } });
signed.bad("payload-jkt-swapped", "cnf.jkt swapped for the thief's, who has a valid proof", {
  form: (text) => { const [h, p, s] = text.split("."); return `${h}.${base64url(Buffer.from(p, "base64url").toString().replace(key("client").jkt, key("attacker").jkt))}.${s}`; },
}, { proof: { key: "attacker" }, requirement: "G02 A26" });
signed.bad("two-parts", "the signature part is missing", { form: (text) => text.split(".").slice(0, 2).join(".") }, { requirement: "D08" });
signed.bad("five-parts", "encrypted, it seems", { form: (text) => `${text}.AAAA.AAAA` }, { requirement: "D08" });
signed.bad("opaque", "no JWT at all", { form: () => "opaque.token~1" }, { requirement: "D08" });
signed.bad("padded", "= padding at the end", { form: (text) => `${text}==` }, { requirement: "D01" });
signed.bad("payload-standard-alphabet", "+ in the payload", { payload: (p) => JSON.stringify({ ...p, a: "~~~>>>???" }), spell: [1, (text) => text.replaceAll("-", "+").replaceAll("_", "/")] }, { requirement: "D01" });
signed.bad("header-duplicate-alg", "alg twice", { header: (h) => JSON.stringify(h).replace(/}$/, ',"alg":"none"}') }, { section: "RFC7515 4", requirement: "D03" });
signed.bad("payload-duplicate-cnf", "cnf twice, the attacker's first", { payload: (p) => JSON.stringify(p).replace(/^{/, `{"cnf":{"jkt":"${key("attacker").jkt}"},`) }, { proof: { key: "attacker" }, section: "RFC7519 4", requirement: "D03" });
signed.open("payload-duplicate-aud", "aud twice, ours last: refuse, or the last wins", ["invalid_token", "accept"], { payload: (p) => JSON.stringify(p).replace(/^{/, '{"aud":"https://other.example",') }, { section: "RFC7519 4", requirement: "D03" });
signed.bad("payload-duplicate-exp", "exp twice, the last past", { payload: (p) => JSON.stringify(p).replace(/}$/, ',"exp":1}') }, { section: "RFC7519 4", requirement: "D03" });
signed.bad("payload-array", "the payload is an array", { payload: (p) => JSON.stringify([p]) }, { requirement: "D09" });
signed.bad("payload-not-utf8", "the payload is no UTF-8", { payload: (p) => Buffer.concat([Buffer.from(JSON.stringify({ ...p, n: "" }).slice(0, -2)), Buffer.from([0xff]), Buffer.from('"}')]) }, { requirement: "D09" });
signed.bad("crit-unknown", "crit names an unknown extension", { header: { crit: ["x"], x: 1 } }, { section: "RFC7515 4.1.11", requirement: "D06" });
signed.bad("crit-empty", "crit is empty", { header: { crit: [] } }, { section: "RFC7515 4.1.11", requirement: "D06" });
signed.bad("b64-false", "b64 false and critical", { header: { b64: false, crit: ["b64"] } }, { section: "RFC7797 7", requirement: "D07" });
signed.good("white-space", "white space in header and payload", { header: (h) => ` ${JSON.stringify(h, null, 2)}`, payload: (p) => `${JSON.stringify(p, null, 2)}\n` }, { requirement: "D09" });

const claim = jwt({ section: "RFC9068 4, 2.2", requirement: "G02 G03" });
for (const name of ["iss", "aud", "exp"]) claim.bad(`${name}-missing`, `${name} missing`, { payload: { [name]: undefined } });
for (const name of ["sub", "client_id", "iat", "jti"]) {
  claim.bad(`${name}-missing`, `${name} missing: required of the issuer`, { payload: { [name]: undefined } }, { also: ["accept"], level: "POLICY", section: "RFC9068 2.2", requirement: "G03" });
}
claim.good("aud-array", "the audience among others", { payload: { aud: ["https://other.example", AUDIENCE] } });
claim.good("aud-array-one", "the audience alone in an array", { payload: { aud: [AUDIENCE] } });
claim.good("extra-claims", "other claims: roles, groups, acr, a nested object", { payload: { roles: ["a"], groups: [], acr: "1", act: { sub: "x" }, "https://claims.example/x": { y: null } } });
claim.good("exp-fraction", "exp and iat with fractions", { payload: { exp: NOW + 540.5, iat: NOW - 60.25 } }, { requirement: "D17" });
claim.good("nbf-past", "nbf past", { payload: { nbf: NOW - 60 } }, { requirement: "D18" });
for (const [name, change, why] of [
  ["iss-other", { iss: "https://evil.example" }, "another issuer"], ["iss-slash", { iss: `${ISSUER}/` }, "the issuer with a slash"], ["iss-http", { iss: "http://as.example" }, "the issuer with http"], ["iss-case", { iss: "https://AS.example" }, "the issuer in upper case"],
  ["iss-prefix", { iss: "https://as.example.evil.example" }, "the issuer as a prefix"], ["iss-array", { iss: [ISSUER] }, "iss is an array"], ["iss-null", { iss: null }, "iss is null"],
  ["aud-other", { aud: "https://other.example" }, "another audience"], ["aud-client", { aud: "client-1" }, "the client as audience, as in an ID token"], ["aud-array-other", { aud: ["https://other.example"] }, "other audiences only"], ["aud-empty-array", { aud: [] }, "an empty array"],
  ["aud-null", { aud: null }, "aud is null"], ["aud-object", { aud: {} }, "aud is an object"], ["aud-slash", { aud: `${AUDIENCE}/` }, "the audience with a slash"], ["aud-list", { aud: `${AUDIENCE} https://other.example` }, "two audiences in one string"],
  ["exp-past", { exp: NOW - 1 }, "expired"], ["exp-now", { exp: NOW }, "expires now"], ["exp-string", { exp: String(NOW + 540) }, "exp is a string"], ["exp-null", { exp: null }, "exp is null"],
  ["nbf-future", { nbf: NOW + 3600 }, "nbf an hour ahead"], ["nbf-string", { nbf: "0" }, "nbf is a string"],
  ["sub-number", { sub: 1 }, "sub is a number"], ["iat-string", { iat: String(NOW) }, "iat is a string"],
]) {
  const lax = /^(sub|iat)-/.test(name) ? { also: ["accept"], level: "POLICY" } : {};
  claim.bad(name, why, { payload: change }, { ...lax, requirement: /^(exp|nbf)/.test(name) ? "D18 G02" : "G02" });
}
claim.bad("exp-1e400", "exp beyond every number", { payload: (p) => JSON.stringify(p).replace(/"exp":\d+/, '"exp":-1e400') }, { requirement: "D17 D18" });
claim.open("iat-future", "iat an hour ahead: nothing forbids it", ["accept", "invalid_token"], { payload: { iat: NOW + 3600 } });
claim.good("bearer", "an unbound JWT as Bearer where that is allowed", { payload: { cnf: undefined } }, { proof: null, cnf: false, also: ["invalid_token"], level: "POLICY", binding: {} });
claim.bad("bearer-bound", "a bound JWT as Bearer", {}, { proof: null, section: "7.2", requirement: "A48" });
claim.bad("bearer-alg-none", "an unbound JWT as Bearer with alg none", { alg: "none", payload: { cnf: undefined } }, { proof: null });
claim.bad("bearer-expired", "an unbound, expired JWT as Bearer", { payload: { cnf: undefined, exp: NOW - 1 } }, { proof: null });
claim.bad("cnf-null", "cnf is null in a JWT, as Bearer", { payload: { cnf: null } }, { proof: null, section: "6", requirement: "A36" });
claim.bad("cnf-empty", "cnf is empty in a JWT, as Bearer", { payload: { cnf: {} } }, { proof: null, section: "6", requirement: "A36" });
claim.bad("cnf-other-key", "bound to another key", { payload: { cnf: { jkt: key("other").jkt } } }, { also: ["invalid_dpop_proof"], section: "6.1", requirement: "A26" });

// A key is used with one algorithm, of which Ed25519 has two names

const oneAlgorithm = (id, why, kid, steps, more = {}) =>
  sequence(rsStep, {
    id: `seq-rs-at-key-${id}`, section: "RFC8725 3.1", requirement: "F01 G02", why, policy: { replay: false },
    requires: ["at-jwt", ...new Set(steps.map(([alg]) => `alg:${alg}`))],
    steps: steps.map(([alg, expect, about], index) => ({
      expect, why: about, claims: null, jkt: key("client").jkt, now: NOW + index,
      token: accessToken(`seq-rs-at-key-${id}-${index}`, { key: kid.replace("as-", "issuer-"), alg, header: { kid } }),
    })),
    ...more,
  });
const sequences = [
  oneAlgorithm("rs256-first", "a key that names no algorithm, used with RS256 and then with PS256", "as-rsa", [
    ["RS256", "accept", "the first"], ["PS256", "invalid_token", "another"], ["RS256", "accept", "the first again"],
  ]),
  oneAlgorithm("ps256-first", "a key that names no algorithm, used with PS256 and then with RS256", "as-rsa", [
    ["PS256", "accept", "the first"], ["RS256", "invalid_token", "another"], ["PS256", "accept", "the first again"],
  ]),
  oneAlgorithm("ed25519-names", "one key under the two names of its one algorithm", "as-ed25519", [
    ["EdDSA", "accept", "the older name"], ["Ed25519", "accept", "the newer name"],
  ], { section: "RFC9864 2.2", requirement: "G08 F01", level: "SHOULD" }),
];

export default [introspection, claims, typ, algorithm, keys, signed, claim].flatMap(({ cases }) => cases).concat(sequences);
