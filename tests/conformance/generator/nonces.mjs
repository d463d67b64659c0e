// Server nonces (RFC 9449 §8, §9).

import { NOW, subject } from "./cases.mjs";

const policy = (role, required = true) => ({
  required,
  accepted: [`${role}-current.2`, `${role}-previous.1`],
  expired: [`${role}-old.0`],
  current: `${role}-current.2`,
});

const all = [];
for (const role of ["rs", "as"]) {
  const section = role === "rs" ? "4.3(10), 9, 11.3" : "4.3(10), 8, 11.3";
  const nonce = subject({ at: role, group: "nonce", section, requirement: role === "rs" ? "A24 A55 A59" : "A24 A53 A55", nonce_policy: policy(role), requires: ["nonce"] });
  const claim = (value) => ({ proof: { payload: { nonce: value } } });
  const challenge = (id, why, value, more = {}) => nonce.refuse(id, why, { ...claim(value), expect: "use_dpop_nonce", ...more });
  nonce.accept("nonce-current", "the current nonce", claim(`${role}-current.2`));
  nonce.accept("nonce-previous", "the one before: a window of recent nonces is kept", { ...claim(`${role}-previous.1`), also: ["use_dpop_nonce"], level: "SHOULD" });
  challenge("nonce-missing", "none, where one was provided", undefined, { requirement: role === "rs" ? "A24 A59 A70 H05" : "A24 A53 A70 H02" });
  challenge("nonce-expired", "an expired one", `${role}-old.0`);
  challenge("nonce-unknown", "one that this server never gave out", "never-given");
  challenge("nonce-case", "compared with case", `${role}-CURRENT.2`);
  challenge("nonce-prefix", "a prefix of the current one", `${role}-current`);
  challenge("nonce-longer", "the current one and a letter more", `${role}-current.22`);
  challenge("nonce-other-role", "the other server's nonce", role === "rs" ? "as-current.2" : "rs-current.2", { requirement: "A24 A60" });
  challenge("nonce-both", "two nonces in one string", `${role}-previous.1,${role}-current.2`);
  challenge("nonce-not-nqchar", "a character that no nonce has", "a\"b", { also: ["invalid_dpop_proof"], requirement: "A56" });
  challenge("nonce-unicode", "characters outside ASCII", "näh", { also: ["invalid_dpop_proof"], requirement: "A56" });
  challenge("nonce-empty", "the empty string", "", { also: ["invalid_dpop_proof"] });
  nonce.refuse("nonce-long", "a nonce of eleven hundred octets", { ...claim("n".repeat(1100)), expect: "use_dpop_nonce", also: ["invalid_dpop_proof"], requirement: "A24 A56" });
  for (const [name, value] of [["null", null], ["number", 2], ["array", [`${role}-current.2`]], ["object", { nonce: `${role}-current.2` }]]) {
    nonce.refuse(`nonce-${name}`, `nonce is no string: ${name}`, { ...claim(value), also: ["use_dpop_nonce"], requirement: "A17 A24" });
  }
  nonce.refuse("nonce-current-in-header", "the current nonce in the header of the JWS is not a claim", { proof: { header: { nonce: `${role}-current.2` } }, expect: "use_dpop_nonce" });
  nonce.refuse("nonce-duplicate", "an unknown nonce after the current one", { proof: { payload: (p) => JSON.stringify({ ...p, nonce: `${role}-current.2` }).replace(/}$/, ',"nonce":"never-given"}') }, also: ["use_dpop_nonce"], requirement: "A24 D03" });
  nonce.refuse("nonce-good-iat-old", "a good nonce and an iat of an hour ago: the nonce may stand for the time", { proof: { payload: { nonce: `${role}-current.2`, iat: NOW - 3600 } }, also: ["accept"], level: "POLICY", section: "11.1", requirement: "A68 I14" });
  nonce.refuse("nonce-good-iat-future", "a good nonce and an iat an hour ahead", { proof: { payload: { nonce: `${role}-current.2`, iat: NOW + 3600 } }, also: ["accept"], level: "POLICY", section: "11.1", requirement: "A68 I14" });
  nonce.refuse("nonce-good-htm-wrong", "a good nonce excuses nothing else", { proof: { payload: { nonce: `${role}-current.2`, htm: "DELETE" } }, requirement: "A24 A42" });
  nonce.refuse("nonce-good-signature-wrong", "a good nonce and a wrong signature", { proof: { payload: { nonce: `${role}-current.2` }, signKey: "attacker" }, requirement: "A20 A24" });
  nonce.refuse("nonce-missing-signature-wrong", "no nonce and a wrong signature", { proof: { signKey: "attacker" }, also: ["use_dpop_nonce"], requirement: "A20 A24" });
  nonce.refuse("nonce-missing-htu-wrong", "no nonce and another target", { proof: { payload: { htu: "https://evil.example/" } }, also: ["use_dpop_nonce"], requirement: "A22 A24" });

  const optional = subject({ at: role, group: "nonce", section, requirement: "A24", nonce_policy: policy(role, false), requires: ["nonce"] });
  optional.accept("nonce-optional-missing", "none, where none is required", {});
  optional.accept("nonce-optional-current", "the current one, where none is required", { ...claim(`${role}-current.2`) });
  optional.refuse("nonce-optional-unknown", "an unknown one, where none is required: what is there must be good", { ...claim("never-given"), expect: "use_dpop_nonce", also: ["accept", "invalid_dpop_proof"], level: "POLICY", requirement: "A24 I15" });
  optional.refuse("nonce-optional-expired", "an expired one, where none is required", { ...claim(`${role}-old.0`), expect: "use_dpop_nonce", also: ["accept", "invalid_dpop_proof"], level: "POLICY", requirement: "A24 I15" });

  const none = subject({ at: role, group: "nonce", section: "4.2", requirement: "I15 A14" });
  none.open("nonce-unexpected", "a nonce, where the server gives none out", ["accept", "use_dpop_nonce", "invalid_dpop_proof"], { ...claim("whatever") });
  none.open("nonce-unexpected-number", "a nonce that is no string, where the server gives none out", ["invalid_dpop_proof", "accept", "use_dpop_nonce"], { ...claim(5) });
  if (role === "rs") none.open("nonce-unexpected-long", "a very long nonce, where the server gives none out", ["accept", "invalid_dpop_proof"], { ...claim("n".repeat(1100)) });
  all.push(...nonce.cases, ...optional.cases, ...none.cases);
}

const special = subject({ at: "rs", group: "nonce", section: "8.1", requirement: "A56 A24", requires: ["nonce"] });
special.accept("nonce-every-character", "a nonce of every character that a nonce may have", {
  nonce_policy: { required: true, accepted: [nqchars()], expired: [], current: nqchars() }, proof: { payload: { nonce: nqchars() } },
});
special.accept("nonce-bearer", "a bearer token has no proof, so no nonce", {
  nonce_policy: policy("rs"), proof: null, cnf: false, expect: "accept", also: ["invalid_token"], level: "POLICY",
});
special.refuse("nonce-no-proof", "no proof at all under the DPoP scheme", { nonce_policy: policy("rs"), proof: null, scheme: "DPoP", expect: "invalid_dpop_proof", also: ["use_dpop_nonce", "invalid_request", "invalid_token"], section: "7.1, 9", requirement: "A40 A24" });
special.refuse("nonce-no-credentials", "no credentials: nothing to challenge", { nonce_policy: policy("rs"), proof: null, headers: () => [], expect: "no_credentials", also: ["use_dpop_nonce"], section: "7.2, 9", requirement: "A49" });
special.accept("nonce-as-no-proof", "a request for a bearer token needs no nonce", { at: "as", nonce_policy: policy("as"), proof: null, requirement: "A32 A53" });

function nqchars() {
  let text = "";
  for (let code = 0x21; code <= 0x7e; code++) if (code !== 0x22 && code !== 0x5c) text += String.fromCharCode(code);
  return text;
}

export default [...all, ...special.cases];
