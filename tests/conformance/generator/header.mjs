// `typ`, critical extensions and the unencoded payload.

import { subject } from "./cases.mjs";

const typ = subject({ group: "typ", section: "4.3(4), 11.5, RFC8725 3.11", requirement: "A18 F07" });
typ.refuse("typ-missing", "typ missing", { at: "both", proof: { header: { typ: undefined } }, requirement: "A17 A18 F07" });
for (const [name, value] of [["jwt", "JWT"], ["at-jwt", "at+jwt"], ["logout", "logout+jwt"], ["dpop", "dpop"]]) {
  typ.refuse(`typ-${name}`, `typ ${value}: another kind of JWT`, { at: name === "jwt" ? "both" : "rs", proof: { header: { typ: value } } });
}
for (const [name, value] of [["null", null], ["number", 1], ["empty", ""], ["array", ["dpop+jwt"]], ["blank-after", "dpop+jwt "], ["parameter", "dpop+jwt; v=1"], ["nul", "dpop+jwt\u0000"], ["prefix-text", "text/dpop+jwt"]]) {
  typ.refuse(`typ-${name}`, `typ ${JSON.stringify(value)}`, { proof: { header: { typ: value } } });
}
for (const [name, value] of [["upper", "DPOP+JWT"], ["mixed", "dpop+JWT"], ["application", "application/dpop+jwt"], ["application-upper", "APPLICATION/DPOP+JWT"]]) {
  typ.open(`typ-${name}`, `typ ${value}: RFC 7515 §4.1.9 reads media types without case and with application/ left out, RFC 9449 names one value`, ["invalid_dpop_proof", "accept"], {
    at: name === "application" || name === "upper" ? "both" : "rs", section: "4.3(4), RFC7515 4.1.9", requirement: "D05 I08", proof: { header: { typ: value } },
  });
}
typ.accept("typ-exact", "typ dpop+jwt", { at: "both", requirement: "A18 D05 F07 I08" });

const crit = subject({ group: "crit", section: "RFC7515 4.1.11", requirement: "D06" });
crit.refuse("crit-unknown", "crit names an extension that is present and unknown", { at: "both", proof: { header: { crit: ["x"], x: 1 } } });
crit.refuse("crit-unknown-among", "crit names an unknown extension beside a known one", { proof: { header: { crit: ["b64", "exp"], b64: true, exp: 1 } }, requirement: "D06" });
crit.refuse("crit-dangling", "crit names an extension that is not there", { proof: { header: { crit: ["x"] } } });
crit.refuse("crit-empty", "crit is an empty array", { proof: { header: { crit: [] } } });
for (const [name, value] of [["null", null], ["string", "b64"], ["numbers", [1]]]) {
  crit.refuse(`crit-${name}`, `crit ${JSON.stringify(value)}`, { proof: { header: { crit: value } } });
}
crit.refuse("crit-registered", "crit must not name parameters of RFC 7515 itself", { proof: { header: { crit: ["alg", "typ"] } } });
crit.refuse("crit-twice", "crit names one extension twice", { proof: { header: { crit: ["x", "x"], x: 1 } } });
crit.accept("crit-absent", "no crit; an extension that is not critical is ignored", { proof: { header: { x: 1, "urn:y": { z: [] } } }, requirement: "D06 A14" });

const b64 = subject({ group: "crit", section: "RFC7797 6, 7", requirement: "D07" });
b64.refuse("b64-false", "b64 false and critical: not in a JWT", { at: "both", proof: { header: { b64: false, crit: ["b64"] } } });
b64.refuse("b64-false-raw", "b64 false and critical, over a raw payload", {
  proof: { header: { b64: false, crit: ["b64"] }, form: (text) => { const [h, p, s] = text.split("."); return `${h}.${Buffer.from(p, "base64url")}.${s}`.replaceAll('"', "'"); } },
});
b64.refuse("b64-false-not-critical", "b64 false without crit", { proof: { header: { b64: false } }, also: ["accept"], level: "POLICY" });
b64.open("b64-true-critical", "b64 true and critical: allowed by RFC 7797 §6, but not useful in a JWT", ["invalid_dpop_proof", "accept"], { proof: { header: { b64: true, crit: ["b64"] } } });
b64.accept("b64-true", "b64 true says what is the case anyway", { proof: { header: { b64: true } }, also: ["invalid_dpop_proof"], level: "POLICY" });
b64.open("b64-string", "b64 is no boolean", ["invalid_dpop_proof", "accept"], { proof: { header: { b64: "false" } } });

const other = subject({ group: "typ", section: "RFC7515 4.1", requirement: "A14" });
other.open("header-zip", "zip belongs to JWE and is ignored in a JWS", ["accept", "invalid_dpop_proof"], { proof: { header: { zip: "DEF" } } });
other.open("header-enc", "enc belongs to JWE", ["accept", "invalid_dpop_proof"], { proof: { header: { enc: "A128GCM" } } });
other.accept("header-cty", "cty is ignored", { proof: { header: { cty: "json" } } });

export default [typ, crit, b64, other].flatMap(({ cases }) => cases);
