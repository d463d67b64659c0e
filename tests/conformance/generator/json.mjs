// JSON that one reader takes and another does not.

import { key } from "./keys.mjs";
import { subject } from "./cases.mjs";

const json = subject({ group: "json", section: "RFC8259, RFC7519 7.2, RFC7515 5.2", requirement: "D09 A16" });
const text = JSON.stringify;
const IN_HEADER = new Set(["array", "null", "empty-object", "two-objects", "truncated", "byte-order-mark", "invalid-utf8", "single-quotes"]);

for (const [name, header] of [["header", true], ["payload", false]]) {
  // What a reader does with one part it does with the other: most faults stand in the payload only.
  const over = (id, why, change, more = {}) =>
    (!header || IN_HEADER.has(id)) &&
    json.refuse(`json-${name}-${id}`, `${name}: ${why}`, { ...more, proof: header ? { header: change } : { payload: change } });
  over("array", "an array", (members) => text([members]), { at: header ? "rs" : "both" });
  over("string", "a string", (members) => text(text(members)));
  over("null", "null", () => "null");
  over("empty-object", "an empty object", () => "{}", { requirement: "A17" });
  over("trailing", "something after the object", (members) => `${text(members)}x`);
  over("two-objects", "two objects", (members) => `${text(members)}${text(members)}`);
  over("truncated", "cut off", (members) => text(members).slice(0, -1), { at: header ? "rs" : "both" });
  over("byte-order-mark", "a byte order mark", (members) => `\ufeff${text(members)}`, { section: "RFC8259 8.1" });
  over("nul-after", "a NUL after the object", (members) => `${text(members)}\0`);
  over("invalid-utf8", "an octet that is no UTF-8", (members) => Buffer.concat([Buffer.from(text({ ...members, note: "" }).slice(0, -2)), Buffer.from([0xff]), Buffer.from('"}')]), { at: header ? "rs" : "both", requirement: "D09 F05" });
  over("overlong-utf8", "an overlong encoding", (members) => Buffer.concat([Buffer.from(text({ ...members, note: "" }).slice(0, -2)), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]), { requirement: "D09 F05" });
  over("utf16", "UTF-16", (members) => Buffer.from(text(members), "utf16le"), { requirement: "D09 F05" });
  over("latin1", "Latin-1", (members) => Buffer.from(text({ ...members, note: "é" }), "latin1"), { requirement: "D09 F05" });
  over("trailing-comma", "a comma after the last member", (members) => text(members).replace(/}$/, ",}"));
  over("single-quotes", "single quotes", (members) => text(members).replaceAll('"', "'"));
  over("comment", "a comment", (members) => `/* x */${text(members)}`);
  over("unquoted", "a name without quotes", (members) => text({ ...members, n: 1 }).replace('"n"', "n"));
  over("control", "a line break within a string", (members) => text({ ...members, n: "ab" }).replace('"ab"', '"a\nb"'));
  over("bad-escape", "an escape that is none", (members) => text({ ...members, n: "ab" }).replace('"ab"', '"\\x41"'));
  over("leading-zero", "a number with a leading zero", (members) => text({ ...members, n: 1 }).replace('"n":1', '"n":01'));
  over("nan", "NaN", (members) => text({ ...members, n: 1 }).replace('"n":1', '"n":NaN'));
  over("nbsp", "a no-break space as white space", (members) => `\u00a0${text(members)}`);
  over("missing-colon", "no colon after a name", (members) => text({ ...members, n: 1 }).replace('"n":', '"n" '));
}

const taken = subject({ group: "json", section: "RFC8259", requirement: "D09 A14" });
taken.accept("json-proto", "a __proto__ claim is an unknown claim and changes nothing", { proof: { payload: (p) => text(p).replace(/}$/, ',"__proto__":{"htm":"POST","htu":"https://evil.example/"}}') }, also: ["invalid_dpop_proof"], level: "SHOULD" });
taken.refuse("json-proto-only", "claims within __proto__ are not claims", { proof: { payload: (p) => `{"__proto__":${text(p)}}` }, requirement: "A17" });
taken.refuse("json-header-proto-only", "header parameters within __proto__ are not the header's", { proof: { header: (h) => `{"__proto__":${text(h)}}` }, requirement: "A17" });
taken.accept("json-constructor", "claims named constructor, toString and hasOwnProperty", { proof: { payload: (p) => ({ ...p, constructor: null, toString: 1, hasOwnProperty: false }) }, also: ["invalid_dpop_proof"], level: "SHOULD" });
taken.accept("json-unicode", "unknown claims in any script", { proof: { payload: { name: "Zoë 東京 𝒳 \u2028", "ключ": "значение" } }, requirement: "D09 F05 A14" });
taken.accept("json-surrogate-pair", "an escaped surrogate pair", { proof: { payload: (p) => text({ ...p, n: "x" }).replace('"x"', '"\\ud835\\udcb3"') } });
taken.open("json-lone-surrogate", "an escaped lone surrogate: RFC 8259 §8.2 calls what happens unpredictable", ["invalid_dpop_proof", "accept"], { proof: { payload: (p) => text({ ...p, n: "x" }).replace('"x"', '"\\ud800"') } });
taken.open("json-reversed-surrogates", "an escaped surrogate pair in the wrong order", ["invalid_dpop_proof", "accept"], { proof: { payload: (p) => text({ ...p, n: "x" }).replace('"x"', '"\\udcb3\\ud835"') } });
taken.open("json-escaped-nul", "an escaped NUL in an unknown claim", ["accept", "invalid_dpop_proof"], { proof: { payload: { n: "a\0b" } } });
taken.accept("json-empty-name", "a member whose name is empty", { proof: { payload: { "": 1 } }, also: ["invalid_dpop_proof"], level: "SHOULD" });
taken.accept("json-numbers", "numbers of every form in unknown claims", { proof: { payload: (p) => text({ ...p, n: 1 }).replace('"n":1', '"n":[0,-0,1e5,1E-5,-1.5e+3,123456789012345678901234567890,1e400]') }, also: ["invalid_dpop_proof"], level: "SHOULD" });
taken.accept("json-nested-some", "an unknown claim nested eight deep", { proof: { payload: { n: [[[[[[[[1]]]]]]]] } } });
taken.open("json-nested-100", "nested a hundred deep: a reader may set a limit (RFC 8259 §9)", ["invalid_dpop_proof", "accept"], { proof: { payload: (p) => text({ ...p, n: 1 }).replace('"n":1', `"n":${"[".repeat(100)}${"]".repeat(100)}`) } });
taken.open("json-nested-700", "nested seven hundred deep", ["invalid_dpop_proof", "accept"], { proof: { payload: (p) => text({ ...p, n: 1 }).replace('"n":1', `"n":${"[".repeat(700)}${"]".repeat(700)}`) } });
taken.refuse("json-nested-open", "a hundred objects that nobody closes", { proof: { payload: () => '{"a":'.repeat(100) }, requirement: "D09" });
taken.accept("json-big", "large, but within the limit: a hundred and twenty unknown claims", { proof: { payload: Object.fromEntries([...Array(120).keys()].map((index) => [`claim${index}`, index])) } });
taken.accept("json-name-case", "HTM and Jti are unknown claims", { proof: { payload: { HTM: "POST", Jti: 1, IAT: 0, HTU: "x" } } });
taken.refuse("json-name-case-only", "claim names are compared with case", { proof: { payload: ({ htm, ...rest }) => ({ ...rest, HTM: htm }) }, section: "RFC7519 4", requirement: "A17" });
taken.refuse("json-header-name-case", "header names are compared with case", { proof: { header: ({ typ, ...rest }) => ({ ...rest, Typ: typ }) }, section: "RFC7515 4", requirement: "A17 A18" });

// Names that stand twice: refuse, or let the last one win

const twice = subject({ group: "duplicate-member", section: "RFC7515 4, RFC7519 4, RFC8725 2.4", requirement: "D03 I23" });
const after = (member) => (members) => text(members).replace(/}$/, `,${member}}`);
const before = (member) => (members) => text(members).replace(/^{/, `{${member},`);
const wrong = {
  typ: '"typ":"JWT"', alg: '"alg":"none"', jwk: `"jwk":${text(key("attacker").jwk)}`,
  htm: '"htm":"DELETE"', htu: '"htu":"https://evil.example/"', iat: '"iat":1', jti: '"jti":""', ath: '"ath":"AAAA"',
};
for (const [name, member] of Object.entries(wrong)) {
  const at = ["typ", "alg", "jwk"].includes(name) ? "header" : "payload";
  const roles = name === "htm" ? "both" : "rs";
  twice.refuse(`dup-${name}-good-then-bad`, `${name} right, then wrong: wrong under both readings that are allowed`, { at: roles, proof: { [at]: after(member) } });
  if (["alg", "jwk", "htu", "jti"].includes(name)) continue;
  twice.open(`dup-${name}-bad-then-good`, `${name} wrong, then right: refuse, or the last wins`, ["invalid_dpop_proof", "accept"], { at: roles, proof: { [at]: before(member) } });
}
twice.open("dup-same-value", "htm twice with one value", ["invalid_dpop_proof", "accept"], { proof: { payload: after('"htm":"GET"') } });
twice.open("dup-unknown-claim", "an unknown claim twice", ["invalid_dpop_proof", "accept"], { proof: { payload: after('"a":1,"a":2') } });
twice.open("dup-nested", "a name twice in an object within an unknown claim", ["invalid_dpop_proof", "accept"], { proof: { payload: after('"a":{"b":1,"b":2}') } });
twice.refuse("dup-escaped", "htm right, then wrong and spelt with an escape: names are compared after unescaping", { proof: { payload: after('"h\\u0074m":"DELETE"') } });
twice.refuse("dup-escaped-typ", "typ right, then wrong and spelt with an escape", { proof: { header: after('"\\u0074yp":"JWT"') } });
twice.refuse("dup-escaped-upper", "an escape with upper-case digits", { proof: { payload: after('"\\u006Atm":1,"\\u006A\\u0074i":""') } });
twice.refuse("dup-three", "iat three times, the last wrong", { proof: { payload: after('"iat":1779999998,"iat":1') } });
twice.refuse("dup-among-many", "htm again after a hundred other claims", { proof: { payload: (p) => text({ ...p, ...Object.fromEntries([...Array(100).keys()].map((index) => [`claim${index}`, index])) }).replace(/}$/, ',"htm":"DELETE"}') } });
twice.accept("dup-none", "names that differ in case only are no duplicates", { proof: { payload: { JTI: "x", jTi: "y" } } });
twice.accept("dup-none-normalisation", "names that differ in Unicode normalisation only are no duplicates", { proof: { payload: { "\u00e9": 1, "e\u0301": 2 } } });

export default [json, taken, twice].flatMap(({ cases }) => cases);
