// The request fields that carry proof and token.

import { AS, proof, RS, subject, tokenOf } from "./cases.mjs";
import { key } from "./keys.mjs";

const rename = (from, to) => (headers) => headers.map(([name, value]) => [name === from ? to : name, value]);
const revalue = (name, change) => (headers) => headers.map(([given, value]) => [given, given === name ? change(value) : value]);

const names = subject({ group: "headers", section: "4.1, RFC9110 5.1", requirement: "A04" });
for (const name of ["dpop", "DPOP", "dPoP"]) {
  names.accept(`hdr-name-${name === "dpop" ? "lower" : name === "DPOP" ? "upper" : name}`, `field name ${name}`, { at: name === "DPOP" ? "both" : "rs", headers: rename("DPoP", name), requirement: "A04 H11" });
  names.accept(`hdr-raw-name-${name === "dpop" ? "lower" : name === "DPOP" ? "upper" : name}`, `field name ${name}, given as a raw field`, { headers: rename("DPoP", name), requires: ["raw-headers"], requirement: "A04 H11" });
}
names.refuse("hdr-value-case", "the value is compared with case", { headers: revalue("DPoP", (value) => value.toUpperCase()) });
names.refuse("hdr-name-x", "X-DPoP is another field", { headers: rename("DPoP", "X-DPoP"), also: ["invalid_request", "invalid_token"], section: "4.1", requirement: "A40 I10" });

const several = subject({ group: "headers", section: "4.3(1)", requirement: "A15 I09 H11", also: ["invalid_request"] });
const again = (value) => (headers, { proof: text }) => [...headers, ["DPoP", value ?? text]];
several.refuse("hdr-two", "the same proof twice", { at: "both", headers: again(), requires: ["raw-headers"] });
several.refuse("hdr-two-joined", "the same proof twice, joined as Headers joins them", { at: "both", headers: revalue("DPoP", (value) => `${value}, ${value}`) });
several.refuse("hdr-two-joined-no-blank", "joined without a blank", { headers: revalue("DPoP", (value) => `${value},${value}`) });
several.refuse("hdr-two-bad-first", "a bad proof before the good one", { at: "both", headers: (headers, { proof: text }) => [...headers.slice(0, -1), ["DPoP", "garbage"], ["DPoP", text]], requires: ["raw-headers"] });
several.refuse("hdr-two-bad-last", "a bad proof after the good one", { headers: again("garbage"), requires: ["raw-headers"] });
several.refuse("hdr-two-empty", "an empty DPoP field beside the good one", { headers: again(""), requires: ["raw-headers"] });
several.refuse("hdr-two-names", "DPoP and dpop", { headers: (headers, { proof: text }) => [...headers, ["dpop", text]], requires: ["raw-headers"] });
several.refuse("hdr-trailing-comma", "a comma at the end", { headers: revalue("DPoP", (value) => `${value},`) });
several.refuse("hdr-leading-comma", "a comma at the start", { headers: revalue("DPoP", (value) => `,${value}`) });
several.refuse("hdr-comma-within", "a comma within the proof", { headers: revalue("DPoP", (value) => `${value.slice(0, 9)},${value.slice(9)}`) });
several.accept("hdr-one", "one field", { at: "both", also: [] });

const missing = subject({ group: "headers", section: "7.1", requirement: "A40 I10", also: ["invalid_request", "invalid_token"] });
missing.refuse("hdr-missing", "no DPoP field under the DPoP scheme", { headers: (headers) => headers.slice(0, 1), requirement: "A40 I10 H11" });
missing.refuse("hdr-empty", "an empty DPoP field", { at: "rs", headers: revalue("DPoP", () => "") });
missing.refuse("hdr-blank", "a DPoP field of blanks", { headers: revalue("DPoP", () => "   "), requires: ["raw-headers"] });
missing.refuse("hdr-empty", "an empty DPoP field at the token endpoint: a proof that is none", { at: "as", headers: revalue("DPoP", () => ""), section: "4.3(2), 5", requirement: "A16 A28", also: ["invalid_request", "accept"], level: "POLICY" });
missing.refuse("hdr-token-as-proof", "the access token in the DPoP field", { headers: (headers, { token }) => [headers[0], ["DPoP", token]] });

const size = subject({ group: "headers", section: "11.1, 4.3(2)", requirement: "A66", also: ["invalid_request"] });
const length = { rs: proof("any", { ...RS, token: "t" }).text.length, as: proof("any", AS).text.length };
for (const at of ["rs", "as"]) {
  size.accept("hdr-size-limit", `${length[at]} octets where as many are allowed`, { at, policy: { max_proof_bytes: length[at] }, level: "SHOULD" });
  size.refuse("hdr-size-over", `${length[at]} octets where one less is allowed`, { at, policy: { max_proof_bytes: length[at] - 1 } });
}
size.refuse("hdr-dots", "a thousand dots", { headers: revalue("DPoP", () => ".".repeat(1000)) });

const scheme = subject({ group: "headers", section: "7.1, RFC9110 11.1, 11.4", requirement: "A41 I11" });
for (const [name, value] of [["lower", "dpop"], ["upper", "DPOP"], ["mixed", "dPoP"]]) {
  scheme.accept(`auth-scheme-${name}`, `scheme ${value}: compared without case`, { scheme: value, requirement: "A41 I11 H11" });
}
scheme.accept("auth-two-blanks", "two blanks after the scheme: 1*SP", { headers: revalue("Authorization", (value) => value.replace(" ", "  ")), also: ["invalid_request", "invalid_token"], level: "SHOULD" });
scheme.accept("auth-many-blanks", "ten blanks after the scheme", { headers: revalue("Authorization", (value) => value.replace(" ", " ".repeat(10))), also: ["invalid_request", "invalid_token"], level: "SHOULD" });
scheme.accept("auth-name-case", "AUTHORIZATION", { headers: rename("Authorization", "AUTHORIZATION") });
scheme.accept("auth-surrounding-blanks", "blanks around the field value are not part of it", { headers: revalue("Authorization", (value) => ` ${value}\t`), requires: ["raw-headers"], section: "RFC9110 5.5", also: ["invalid_request", "invalid_token"], level: "SHOULD" });

const malformed = subject({ group: "headers", section: "7.1, RFC9110 11.4", requirement: "A41", expect: "invalid_request", also: ["invalid_token", "no_credentials", "invalid_dpop_proof"] });
const refuse = (id, why, headers, more = {}) => malformed.refuse(id, why, { expect: "invalid_request", headers, ...more });
refuse("auth-tab", "a tab after the scheme is no blank", revalue("Authorization", (value) => value.replace(" ", "\t")));
refuse("auth-no-blank", "no blank after the scheme", revalue("Authorization", (value) => value.replace(" ", "")));
refuse("auth-scheme-only", "the scheme alone", revalue("Authorization", () => "DPoP"));
refuse("auth-scheme-and-blank", "the scheme and a blank", revalue("Authorization", () => "DPoP "), { requires: ["raw-headers"] });
refuse("auth-two-tokens", "two tokens", revalue("Authorization", (value) => `${value} second`));
refuse("auth-parameter", "a parameter instead of a token", revalue("Authorization", (value) => value.replace(" ", ' token="').concat('"')));
refuse("auth-quoted", "a quoted token", revalue("Authorization", (value) => value.replace(" ", ' "').concat('"')));
refuse("auth-comma", "a comma after the token", revalue("Authorization", (value) => `${value},`));
refuse("auth-colon", "a colon after the scheme", revalue("Authorization", (value) => value.replace(" ", ": ")));
refuse("auth-equals-within", "= within the token", revalue("Authorization", (value) => value.replace(/.$/, "=x")));
refuse("auth-non-ascii", "a letter outside ASCII in the token", revalue("Authorization", (value) => `${value}é`));
refuse("auth-pads-only", "= and nothing else", revalue("Authorization", () => "DPoP =="));

const two = subject({ group: "headers", section: "7.2 fig 19, RFC9110 11.6.2", requirement: "A51", expect: "invalid_request", also: ["invalid_token"] });
const doubled = (id, why, headers, more = {}) => two.refuse(id, why, { expect: "invalid_request", headers, ...more });
const token = ([, value]) => value.split(" ")[1];
doubled("auth-both-schemes", "Bearer and DPoP", (headers) => [["Authorization", `Bearer ${token(headers[0])}`], ...headers], { requires: ["raw-headers"] });
doubled("auth-both-schemes-reversed", "DPoP and Bearer", (headers) => [headers[0], ["Authorization", `Bearer ${token(headers[0])}`], ...headers.slice(1)], { requires: ["raw-headers"] });
doubled("auth-both-joined", "Bearer and DPoP in one field", revalue("Authorization", (value) => `Bearer ${value.split(" ")[1]}, ${value}`));
doubled("auth-both-joined-reversed", "DPoP and Bearer in one field", revalue("Authorization", (value) => `${value}, Bearer ${value.split(" ")[1]}`));
doubled("auth-twice", "the same credentials twice", (headers) => [headers[0], ...headers], { requires: ["raw-headers"] });
doubled("auth-twice-joined", "the same credentials twice in one field", revalue("Authorization", (value) => `${value}, ${value}`));
doubled("auth-basic-first", "Basic and DPoP", (headers) => [["Authorization", "Basic dXNlcjpwdw=="], ...headers], { requires: ["raw-headers"], also: ["invalid_token", "no_credentials"] });
doubled("auth-basic-last", "DPoP and Basic", (headers) => [headers[0], ["Authorization", "Basic dXNlcjpwdw=="], ...headers.slice(1)], { requires: ["raw-headers"] });
doubled("auth-other-name-case", "Authorization and authorization", (headers) => [headers[0], ["authorization", `Bearer ${token(headers[0])}`], ...headers.slice(1)], { requires: ["raw-headers"] });
two.accept("auth-one", "one set of credentials", { expect: "accept", also: [] });

const none = subject({ group: "headers", section: "7.2, RFC6750 3.1", requirement: "A49" });
const absent = (id, why, headers, more = {}) => none.refuse(id, why, { expect: "no_credentials", proof: null, cnf: { jkt: key("client").jkt }, headers, ...more });
absent("auth-none", "no credentials: no error code", () => []);
absent("auth-none-but-proof", "a DPoP field without Authorization", (headers) => headers.slice(1), { proof: {}, also: ["invalid_request", "invalid_token"], requirement: "A03 A49" });
absent("auth-basic", "Basic credentials: another scheme", () => [["Authorization", "Basic dXNlcjpwdw=="]], { also: ["invalid_request", "invalid_token"] });
absent("auth-digest", "Digest credentials, with commas and parameters", () => [["Authorization", 'Digest username="DPoP", realm="Bearer x", nonce="a"']], { also: ["invalid_request", "invalid_token"] });
absent("auth-negotiate", "Negotiate and a token", () => [["Authorization", "Negotiate YII="]], { also: ["invalid_request", "invalid_token"] });
absent("auth-empty", "an empty Authorization field", () => [["Authorization", ""]], { also: ["invalid_request", "invalid_token"] });
absent("auth-bare-token", "a token without a scheme", (headers, { token: text }) => [["Authorization", text]], { also: ["invalid_request", "invalid_token"] });
absent("auth-proxy", "Proxy-Authorization does not count", (headers) => [["Proxy-Authorization", headers[0][1]], ...headers.slice(1)], { proof: {}, also: ["invalid_request", "invalid_token"], section: "7.1", requirement: "A46 A49" });
absent("auth-dpop-name", "the token in a field named DPoP-Authorization", (headers) => [["DPoP-Authorization", headers[0][1]], ...headers.slice(1)], { proof: {}, also: ["invalid_request", "invalid_token"] });
{
  const text = tokenOf("in the query");
  absent("auth-query", "the token in the query only", () => [], { token: text, request: { url: `${RS.url}?access_token=${text}` }, also: ["invalid_request"], section: "FAPI2 5.3.4(2), RFC6750 2.3", requirement: "H07" });
  absent("auth-query-with-proof", "the token in the query, with a proof", (headers) => headers.slice(1), { token: text, proof: {}, request: { url: `${RS.url}?access_token=${text}`, htu: RS.url }, also: ["invalid_request", "invalid_token"], section: "FAPI2 5.3.4(2), RFC6750 2.3", requirement: "H07" });
  absent("auth-cookie", "the token in a cookie", () => [["Cookie", `access_token=${text}`]], { token: text, section: "FAPI2 5.3.4(1)", requirement: "H07", also: ["invalid_request"] });
  none.accept("auth-header-and-query", "the token in the header, and another in the query that does not count", { token: text, request: { url: `${RS.url}?access_token=other`, htu: RS.url }, also: ["invalid_request"], level: "POLICY", section: "FAPI2 5.3.4(1)", requirement: "H07" });
}
none.accept("auth-header", "the token in the header", { section: "7.1, FAPI2 5.3.4(1)", requirement: "A40 H07" });

export default [names, several, missing, size, scheme, malformed, two, none].flatMap(({ cases }) => cases);
