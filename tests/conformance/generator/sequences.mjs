// Several requests against one verifier: replays (RFC 9449 §11.1), nonces that change, caches that must not decide.

import { certificate, key } from "./keys.mjs";
import { NOW, RS, asStep, rsStep, sequence } from "./cases.mjs";

const good = { expect: "accept", why: "first use" };
const replayed = { expect: "invalid_dpop_proof", why: "replayed", use: 0 };
const cases = [];
const section = "11.1";
const requirement = "A65";

const both = (id, why, steps, more = {}) => {
  cases.push(sequence(rsStep, { id: `seq-rs-${id}`, section, requirement, why, steps, ...more }));
  cases.push(sequence(asStep, { id: `seq-as-${id}`, section, requirement, why, steps, ...more }));
};
const rs = (id, why, steps, more = {}) => cases.push(sequence(rsStep, { id: `seq-rs-${id}`, section, requirement, why, steps, ...more }));
const as = (id, why, steps, more = {}) => cases.push(sequence(asStep, { id: `seq-as-${id}`, section, requirement, why, steps, ...more }));

both("replay", "the same proof twice", [good, { ...replayed, now: NOW + 1 }], { requirement: "A65 A17" });
rs("replay-thrice", "the same proof three times: a refused replay does not free it", [good, { ...replayed, now: NOW + 1 }, { ...replayed, now: NOW + 2 }]);
both("fresh", "another proof each time", [good, { ...good, now: NOW + 1, why: "another jti" }, { ...good, now: NOW + 2, why: "another jti" }]);
both("replay-at-end", "the same proof just before it gets too old", [{ ...good, proof: { payload: { iat: NOW } } }, { ...replayed, proof: { payload: { iat: NOW } }, now: NOW + 299 }], { requirement: "A65 A64" });
both("replay-of-future", "a proof from a clock that is ahead stays marked as long as it could be accepted", [
  { ...good, proof: { payload: { iat: NOW + 50 } } },
  { ...replayed, proof: { payload: { iat: NOW + 50 } }, now: NOW + 301, why: "301 s after its first use, 251 s old" },
  { ...replayed, proof: { payload: { iat: NOW + 50 } }, now: NOW + 349, why: "349 s after its first use, 299 s old" },
], { requirement: "A65 A67" });
rs("too-old-later", "after its time the proof is too old, marked or not", [good, { ...replayed, now: NOW + 3600, why: "too old" }], { requirement: "A64 A65" });
both("same-jti-later", "the same jti with a new iat, long after the first is forgotten", [
  { ...good, proof: { payload: { jti: "same" } } },
  { ...good, proof: { payload: { jti: "same", iat: NOW + 3598 } }, now: NOW + 3600, why: "an hour later; the token lives on", claims: { exp: NOW + 7200 } },
], { level: "SHOULD" });
both("replay-new-signature", "the same jti, newly signed with another iat: replay is by jti, not by the octets", [
  { ...good, proof: { payload: { jti: "same" } } },
  { expect: "invalid_dpop_proof", why: "same jti", proof: { payload: { jti: "same", iat: NOW - 1 } }, now: NOW + 1 },
]);
both("replay-jti-escaped", "the same jti spelt with an escape", [
  { ...good, proof: { payload: { jti: "same-jti" } } },
  { expect: "invalid_dpop_proof", why: "same jti", proof: { payload: (p) => JSON.stringify({ ...p, jti: "same-jti" }).replace('"same-jti"', '"\\u0073ame-jti"') }, now: NOW + 1 },
]);
both("replay-jti-long", "the same long jti: if it is hashed, all of it is", [
  { ...good, proof: { payload: { jti: `${"j".repeat(500)}a` } } },
  { ...good, why: "differs at the end only", proof: { payload: { jti: `${"j".repeat(500)}b` } }, now: NOW + 1 },
  { expect: "invalid_dpop_proof", why: "the first again", proof: { payload: { jti: `${"j".repeat(500)}a`, iat: NOW - 1 } }, now: NOW + 2 },
], { requirement: "A65 A66" });
both("jti-case", "jti that differ in case are different", [{ ...good, proof: { payload: { jti: "abc" } } }, { ...good, why: "ABC", proof: { payload: { jti: "ABC" } } }]);
rs("jti-normalisation", "jti that differ in Unicode normalisation are different", [{ ...good, proof: { payload: { jti: "\u00e9" } } }, { ...good, why: "decomposed", proof: { payload: { jti: "e\u0301" } } }]);
both("jti-other-key", "the same jti by another key is another proof", [
  { ...good, proof: { payload: { jti: "same" } } },
  { ...good, also: ["invalid_dpop_proof"], why: "another key", proof: { key: "attacker", payload: { jti: "same" } }, tokenOf: "another token" },
], { level: "SHOULD", requirement: "A65 I17" });
rs("no-replay-store", "without replay marks the same proof passes again", [good, { ...good, use: 0, why: "no marks are kept", also: ["invalid_dpop_proof"] }], { policy: { replay: false }, level: "POLICY", requires: [], requirement: "I17 H11" });

// A request that fails does not burn its jti: otherwise anybody who sees or guesses one can block it

const later = { ...good, use: 0, why: "now everything holds", level: "SHOULD" };
rs("failed-token", "the token was inactive: the proof was not used", [{ expect: "invalid_token", why: "inactive", claims: { active: false } }, { ...later, now: NOW + 1 }], { level: "SHOULD" });
rs("failed-binding", "the token was bound to another key", [{ expect: "invalid_token", also: ["invalid_dpop_proof"], why: "other key", cnf: { jkt: key("other").jkt } }, { ...later, now: NOW + 1 }], { level: "SHOULD" });
both("failed-signature", "a proof with the same jti and a wrong signature came first", [
  { expect: "invalid_dpop_proof", why: "signed by somebody else", proof: { payload: { jti: "same" }, signKey: "attacker" } },
  { ...good, why: "the real one", proof: { payload: { jti: "same" } }, now: NOW + 1 },
], { level: "SHOULD" });
rs("failed-method", "the proof came with another method first", [
  { expect: "invalid_dpop_proof", why: "PUT", request: { method: "PUT" }, proof: { payload: { htm: "X", jti: "same" } } },
  { ...good, why: "the right method", proof: { payload: { jti: "same" } }, now: NOW + 1 },
], { level: "SHOULD" });
as("failed-grant", "the code was bound to another key: the proof was not used", [
  { expect: "invalid_grant", also: ["invalid_dpop_proof", "invalid_request"], why: "another key's code", context: { code_dpop_jkt: key("other").jkt } },
  { ...later, now: NOW + 1, context: { code_dpop_jkt: key("client").jkt } },
], { level: "SHOULD", requirement: "A61 A65" });

// In the context of the target URI

rs("jti-other-path", "the same jti at another path: RFC 9449 §11.1 keeps marks for each target URI, a server may keep them wider", [
  { ...good, proof: { payload: { jti: "same" } } },
  { expect: "invalid_dpop_proof", also: ["accept"], why: "another path", request: { url: "https://rs.example/api/other" }, proof: { payload: { jti: "same" } } },
], { level: "POLICY" });
rs("jti-other-origin", "the same jti at another origin", [
  { ...good, proof: { payload: { jti: "same" } } },
  { expect: "accept", also: ["invalid_dpop_proof"], why: "another origin", request: { url: "https://rs.example:8443/api/items" }, proof: { payload: { jti: "same" } } },
], { level: "POLICY", requirement: "A65 I17" });
rs("jti-origin-spelling", "the same jti, the same target in another spelling", [
  { ...good, proof: { payload: { jti: "same" } } },
  { expect: "invalid_dpop_proof", why: "the port spelt out", request: { url: "https://rs.example:443/api/items" }, proof: { payload: { jti: "same", htu: RS.url, iat: NOW - 1 } } },
]);
rs("jti-other-method", "the same jti with another method at the same target", [
  { ...good, proof: { payload: { jti: "same" } } },
  { expect: "invalid_dpop_proof", also: ["accept"], why: "another method", request: { method: "DELETE" }, proof: { payload: { jti: "same" } } },
], { level: "SHOULD" });
rs("jti-other-token", "the same jti by the same key with another token", [
  { ...good, proof: { payload: { jti: "same" } } },
  { expect: "invalid_dpop_proof", why: "another token", tokenOf: "another token of the key", proof: { payload: { jti: "same" } } },
], { requirement: "A65 I17" });
rs("jti-other-query", "the same proof with another query", [
  good, { ...replayed, request: { url: `${RS.url}?page=2`, htu: RS.url }, why: "the query is no part of the target" },
]);
rs("proof-other-token", "the same proof with another token", [
  { ...good, token: "token-one" },
  { expect: "invalid_dpop_proof", also: ["invalid_token"], why: "ath of the first token", use: 0, proofFor: { token: "token-one" }, token: "token-two", now: NOW + 1 },
], { requirement: "A26" });

// What was remembered must not decide

const own = { tokenOf: "one token for the sequence" };
rs("cached-token-other-key", "a token that was accepted before, now with the thief's proof", [
  { ...good, ...own, cnf: { jkt: key("client").jkt } },
  { expect: "invalid_token", also: ["invalid_dpop_proof"], why: "the thief's key", ...own, proof: { key: "attacker" }, cnf: { jkt: key("client").jkt }, now: NOW + 1 },
  { ...good, ...own, why: "the owner again", cnf: { jkt: key("client").jkt }, now: NOW + 2 },
], { requirement: "G05 A26" });
rs("cached-token-no-proof", "a token that was accepted before, now as Bearer", [
  { ...good, ...own }, { expect: "invalid_token", why: "as Bearer", ...own, proof: null, cnf: { jkt: key("client").jkt }, now: NOW + 1 },
], { requirement: "G05 A48" });
rs("cached-token-expires", "a token that was accepted before, now expired", [
  { ...good, ...own, claims: { exp: NOW + 10 } },
  { ...good, ...own, why: "just before", claims: { exp: NOW + 10 }, now: NOW + 9 },
  { expect: "invalid_token", why: "expired", ...own, claims: { exp: NOW + 10 }, now: NOW + 10 },
], { requirement: "G05 D18" });
rs("cached-token-revoked", "a token that was active before, now inactive", [
  { ...good, ...own }, { expect: "invalid_token", also: ["accept"], why: "revoked: a cache may know it later", ...own, claims: { active: false }, now: NOW + 1 },
], { level: "POLICY", requirement: "G05" });
rs("cached-key-other-alg", "an Ed25519 key under both of its names", [
  { ...good, proof: { key: "ed25519" } }, { ...good, why: "its other name", proof: { key: "ed25519", alg: "Ed25519" } }, { ...good, why: "the first again", proof: { key: "ed25519" } },
], { requirement: "G08" });
rs("cached-key-rsa-algs", "an RSA key with both of its algorithms", [
  { ...good, proof: { key: "rsa" } }, { ...good, why: "PS256", proof: { key: "rsa", alg: "PS256" } },
  { expect: "invalid_dpop_proof", why: "PS256 in the header, signed RS256", proof: { key: "rsa", alg: "PS256", signAlg: "RS256" } }, { ...good, why: "RS256 again", proof: { key: "rsa" } },
], { requirement: "F01 A20" });
rs("cached-key-bad-signature", "a key that was accepted before does not vouch for its next signature", [
  good, { expect: "invalid_dpop_proof", why: "wrong signature", proof: { signKey: "attacker" } }, { ...good, why: "right again" },
], { requirement: "A20 F03" });
rs("certificate-each-time", "the certificate is asked for at every request", [
  { expect: "accept", why: "the token's", proof: null, cnf: { "x5t#S256": certificate("client").x5t }, tls: { client_cert_pem: certificate("client").pem }, binding: { "x5t#S256": certificate("client").x5t }, ...own },
  { expect: "invalid_token", why: "another", proof: null, cnf: { "x5t#S256": certificate("client").x5t }, tls: { client_cert_pem: certificate("other").pem }, ...own },
  { expect: "invalid_token", also: ["invalid_request"], why: "none", proof: null, cnf: { "x5t#S256": certificate("client").x5t }, tls: null, ...own },
  { expect: "accept", why: "the token's again: bearer requests leave no marks", proof: null, cnf: { "x5t#S256": certificate("client").x5t }, tls: { client_cert_pem: certificate("client").pem }, binding: { "x5t#S256": certificate("client").x5t }, ...own },
], { requirement: "B02 G05", section: "RFC8705 3", requires: ["mtls"] });

// Nonces

for (const [add, role] of [[rs, "rs"], [as, "as"]]) {
  const nonce = (current, accepted, expired) => ({ required: true, current, accepted, expired });
  const first = nonce(`${role}-n.1`, [`${role}-n.1`], []);
  const second = nonce(`${role}-n.2`, [`${role}-n.2`, `${role}-n.1`], []);
  const third = nonce(`${role}-n.3`, [`${role}-n.3`, `${role}-n.2`], [`${role}-n.1`]);
  const claim = (value) => ({ proof: { payload: { nonce: value } } });
  add("nonce-round", "a challenge, then the nonce, then the next windows", [
    { expect: "use_dpop_nonce", why: "no nonce yet", nonce_policy: first },
    { ...good, why: "with the nonce", ...claim(`${role}-n.1`), nonce_policy: first },
    { ...good, why: "the same nonce serves many requests", ...claim(`${role}-n.1`), nonce_policy: first, now: NOW + 1 },
    { ...good, also: ["use_dpop_nonce"], why: "in the next window it is the previous one", ...claim(`${role}-n.1`), nonce_policy: second, now: NOW + 60 },
    { ...good, why: "the new one", ...claim(`${role}-n.2`), nonce_policy: second, now: NOW + 61 },
    { expect: "use_dpop_nonce", why: "two windows later it is too old", ...claim(`${role}-n.1`), nonce_policy: third, now: NOW + 120 },
  ], { section: role === "rs" ? "9, 11.1" : "8, 11.1", requirement: "A55 A68 A24", requires: ["nonce", "replay"] });
  add("nonce-replay", "a nonce does not make a replay good", [
    { ...good, ...claim(`${role}-n.1`), nonce_policy: first },
    { ...replayed, ...claim(`${role}-n.1`), nonce_policy: first, now: NOW + 1 },
  ], { requirement: "A65 A68", requires: ["nonce", "replay"] });
  add("nonce-challenge-keeps-jti", "a proof that was answered with a challenge was not used", [
    { expect: "use_dpop_nonce", why: "unknown nonce", proof: { payload: { nonce: "never-given", jti: "same" } }, nonce_policy: first },
    { ...good, why: "the same jti with the nonce", proof: { payload: { nonce: `${role}-n.1`, jti: "same" } }, nonce_policy: first, now: NOW + 1 },
  ], { level: "SHOULD", requirement: "A52 A65", requires: ["nonce", "replay"] });
}

// The token endpoint

as("replay-other-grant", "the proof of a code grant again for a refresh", [
  { ...good, context: { code_dpop_jkt: key("client").jkt } },
  { ...replayed, now: NOW + 1, context: { grant_type: "refresh_token", refresh_token_jkt: key("client").jkt } },
]);
as("code-then-refresh", "a code, then two refreshes, each with its own proof", [
  { ...good, context: { code_dpop_jkt: key("client").jkt } },
  { ...good, why: "refresh", now: NOW + 1, context: { grant_type: "refresh_token", refresh_token_jkt: key("client").jkt } },
  { ...good, why: "refresh again", now: NOW + 2, context: { grant_type: "refresh_token", refresh_token_jkt: key("client").jkt } },
], { requirement: "A27 A30" });
as("par-then-token", "a proof at the PAR endpoint, another at the token endpoint", [
  { ...good, context: { endpoint: "par" } },
  { ...good, why: "token", now: NOW + 5, context: { code_dpop_jkt: key("client").jkt } },
], { section: "10.1", requirement: "A63 A61" });

export default cases;
