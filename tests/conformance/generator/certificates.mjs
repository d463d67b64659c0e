// Certificate-bound tokens (RFC 8705), and certificates in Cloudflare's fields and in Client-Cert (RFC 9440).

import { base64url, certificate, key, sha256 } from "./keys.mjs";
import { subject } from "./cases.mjs";

const client = certificate("client");
const renewed = certificate("client-renewed");
const other = certificate("other");
const x5t = (made = client) => ({ "x5t#S256": made.x5t });
const pem = (made = client) => ({ client_cert_pem: made.pem, client_cert_sha256_hex: made.hex });
const hex = (made = client) => ({ client_cert_sha256_hex: made.hex });

const defaults = { proof: null, cnf: x5t(), requires: ["mtls"], expect: "invalid_token" };
const section = (made) => (id, why, tls, more = {}) => made.refuse(id, why, { expect: "invalid_token", tls, ...more });
const accepts = (made) => (id, why, tls, more = {}) => made.accept(id, why, { expect: "accept", binding: more.cnf ?? x5t(), tls, ...more });

const tls = subject({ ...defaults, group: "mtls", section: "RFC8705 3, 3.1", requirement: "B02 B04" });
const refuse = section(tls);
const accept = accepts(tls);
accept("mtls-match", "the certificate is the token's", pem(), { requirement: "B02 B03 B04 B10 B11 H08" });
accept("mtls-match-rsa", "an RSA certificate", pem(certificate("rsa")), { cnf: x5t(certificate("rsa")) });
accept("mtls-match-ed25519", "an Ed25519 certificate", pem(certificate("ed25519")), { cnf: x5t(certificate("ed25519")) });
accept("mtls-match-hex", "reported as a hexadecimal fingerprint", { client_cert_sha256_hex: client.hex });
accept("mtls-match-hex-upper", "reported as a hexadecimal fingerprint in upper case", { client_cert_sha256_hex: client.hex.toUpperCase() }, { also: ["invalid_token"], level: "SHOULD" });
accept("mtls-match-pem-crlf", "a PEM file with CRLF", { client_cert_pem: client.pem.replaceAll("\n", "\r\n") });
accept("mtls-introspection", "x5t#S256 in an introspection answer", hex(), { source: "introspection", section: "RFC8705 3.2", requirement: "B06", requires: ["mtls", "introspection"] });
accept("mtls-required", "where a constraint is required", hex(), { policy: { require_sender_constraint: true }, requirement: "G06 H08" });
accept("mtls-extra-cnf", "unknown members beside x5t#S256", hex(), { cnf: { ...x5t(), foo: 1 }, binding: x5t(), requirement: "E04", section: "RFC7800 3.1" });
accept("mtls-scheme-case", "scheme bearer", hex(), { scheme: "bearer" });
refuse("mtls-other", "another certificate", pem(other), { requirement: "B02 H08" });
refuse("mtls-other-hex", "another fingerprint", hex(other), { requirement: "B02" });
tls.open("mtls-hex-colons", "a fingerprint with colons, as openssl prints it", ["accept", "invalid_token"], { binding: x5t(), tls: { client_cert_sha256_hex: client.hex.toUpperCase().match(/../g).join(":") } });
tls.open("mtls-pem-text", "text before the PEM block, which RFC 7468 §2 allows", ["invalid_token", "accept"], { binding: x5t(), tls: { client_cert_pem: `subject=CN = client-1\n${client.pem}` } });
refuse("mtls-as-dpop-no-proof", "a certificate-bound token under the DPoP scheme, without a proof", hex(), { scheme: "DPoP", section: "7.1, RFC8705 3", requirement: "A40 B03", also: ["invalid_dpop_proof", "invalid_request"] });
refuse("mtls-renewed", "a renewed certificate of the same key is another certificate", pem(renewed), { section: "RFC8705 6.3", requirement: "B11" });
refuse("mtls-none", "no certificate on the connection", null, { also: ["invalid_request"] });
refuse("mtls-none-required", "no certificate, where a constraint is required", null, { policy: { require_sender_constraint: true }, also: ["invalid_request"] });
refuse("mtls-none-null", "the TLS layer reports none", { client_cert_pem: null, client_cert_sha256_hex: null }, { also: ["invalid_request"] });
refuse("mtls-empty-pem", "an empty certificate has the thumbprint of nothing", { client_cert_pem: "" }, { cnf: { "x5t#S256": base64url(sha256("")) }, requirement: "B04 C08" });
refuse("mtls-empty-hex", "an empty fingerprint", { client_cert_sha256_hex: "" }, { cnf: { "x5t#S256": base64url(sha256("")) }, requirement: "B04 C08" });
for (const [name, value, why] of [
  ["spki", base64url(sha256(client.spki)), "the hash of the public key"], ["pem", base64url(sha256(client.pem)), "the hash of the PEM text"], ["base64", base64url(sha256(client.der.toString("base64"))), "the hash of the Base64 text"], ["hex", client.hex, "in hexadecimal"],
  ["padded", `${client.x5t}=`, "with = padding"], ["standard", Buffer.from(client.x5t, "base64url").toString("base64"), "in the standard alphabet with padding"], ["upper", client.x5t.toUpperCase(), "in upper case"], ["prefix", client.x5t.slice(0, 42), "a letter short"], ["newline", `${client.x5t}\n`, "with a line break"],
  ["sha1", base64url(client.sha1), "SHA-1"], ["example", "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2", "the example of RFC 8705 §3.1, whose spare bits are not zero"],
]) {
  refuse(`mtls-x5t-${name}`, `cnf[x5t#S256]: ${why}`, hex(), { cnf: { "x5t#S256": value }, requirement: name === "example" ? "B05" : "B04" });
}
refuse("mtls-x5t-spare-bits", "non-zero spare bits at the end of x5t#S256", pem(), { cnf: { "x5t#S256": client.x5t.slice(0, -1) + String.fromCharCode(client.x5t.charCodeAt(42) + 1) }, also: ["accept"], level: "SHOULD", requirement: "B05 D02" });
refuse("mtls-hex-sha1", "the TLS layer reports a SHA-1 fingerprint", { client_cert_sha256_hex: client.sha1.toString("hex") }, { requirement: "B04" });
refuse("mtls-hex-short", "a fingerprint of 31 octets", { client_cert_sha256_hex: client.hex.slice(2) });
refuse("mtls-hex-letters", "a fingerprint that is not hexadecimal", { client_cert_sha256_hex: client.hex.replace(/^./, "g") });
refuse("mtls-pem-key", "a PEM public key instead of a certificate", { client_cert_pem: `-----BEGIN PUBLIC KEY-----\n${client.spki.toString("base64")}\n-----END PUBLIC KEY-----\n` }, { cnf: { "x5t#S256": base64url(sha256(client.spki)) } });
refuse("mtls-pem-spki-as-certificate", "a public key under the name of a certificate", { client_cert_pem: `-----BEGIN CERTIFICATE-----\n${client.spki.toString("base64")}\n-----END CERTIFICATE-----\n` }, { cnf: { "x5t#S256": base64url(sha256(client.spki)) }, also: ["accept"], level: "POLICY" });
refuse("mtls-pem-garbage", "no PEM at all", { client_cert_pem: "garbage" });
refuse("mtls-pem-two", "two certificates, the token's second", { client_cert_pem: other.pem + client.pem });
refuse("mtls-as-dpop", "a certificate-bound token under the DPoP scheme, with a proof", pem(), { proof: {}, jkt: key("client").jkt, cnf: x5t(), section: "7.1, RFC8705 3", requirement: "A26 B03", also: ["invalid_dpop_proof"] });
refuse("mtls-dpop-required", "certificate-bound, where DPoP is required", pem(), { policy: { require_dpop: true }, requirement: "G06", also: ["invalid_request", "invalid_dpop_proof"] });
refuse("mtls-expired-token", "the certificate matches, the token has expired", pem(), { claims: { exp: 1779999999 }, requirement: "B02 D18" });
tls.accept("mtls-unbound", "an unbound token over mutual TLS, where Bearer is allowed", { expect: "accept", cnf: false, tls: pem(), also: ["invalid_token"], level: "POLICY", binding: {} });
tls.accept("mtls-dpop-token", "a DPoP-bound token over mutual TLS: the certificate is not asked for", { expect: "accept", proof: {}, cnf: undefined, tls: pem(other), requirement: "A26 B02" });

// Cloudflare

const NAMES = { certIssuerDN: "CN=client-1", certSubjectDN: "CN=client-1", certSerial: "01", certNotBefore: "Nov 22 22:21:00 2026 GMT", certNotAfter: "Oct 29 22:21:00 2126 GMT" };
const cf = (change = {}, made = client) => ({
  cf: { certPresented: "1", certVerified: "SUCCESS", certRevoked: "0", ...NAMES, certFingerprintSHA1: made.sha1.toString("hex"), certFingerprintSHA256: made.hex, certRFC9440: made.field, certRFC9440TooLarge: false, certChainRFC9440: "", certChainRFC9440TooLarge: false, ...change },
});
const placeholder = { certPresented: "0", certVerified: "NONE", certRevoked: "0", certFingerprintSHA1: "", certFingerprintSHA256: "", certRFC9440: "", certRFC9440TooLarge: false, certIssuerDN: "", certSubjectDN: "", certSerial: "", certNotBefore: "", certNotAfter: "" };
const cloudflare = subject({ ...defaults, group: "cf-tls", section: "RFC8705 6.5, Cloudflare tlsClientAuth", requirement: "C07 B12", requires: ["mtls", "cf-tls"] });
const refuseCf = section(cloudflare);
const acceptCf = accepts(cloudflare);
acceptCf("cf-match", "presented, verified, not revoked", cf());
acceptCf("cf-match-wrapped", "given as request.cf", { cf: { tlsClientAuth: cf().cf } });
acceptCf("cf-no-rfc9440", "without certRFC9440, as before March 2026: the SHA-256 fingerprint", cf({ certRFC9440: undefined, certRFC9440TooLarge: undefined, certChainRFC9440: undefined, certChainRFC9440TooLarge: undefined }), { requirement: "C07 C08" });
acceptCf("cf-too-large", "too large for certRFC9440: the SHA-256 fingerprint", cf({ certRFC9440: "", certRFC9440TooLarge: true }), { also: ["invalid_token"], level: "SHOULD", requirement: "C08" });
acceptCf("cf-fingerprint-upper", "the fingerprint in upper case", cf({ certRFC9440: "", certFingerprintSHA256: client.hex.toUpperCase() }), { also: ["invalid_token"], level: "SHOULD" });
acceptCf("cf-rfc9440-only", "certRFC9440 without fingerprints", cf({ certFingerprintSHA256: "", certFingerprintSHA1: "" }), { also: ["invalid_token"], level: "SHOULD" });
refuseCf("cf-other", "another certificate", cf({}, other));
refuseCf("cf-renewed", "a renewed certificate of the same key", cf({}, renewed), { requirement: "B11 B12" });
refuseCf("cf-placeholder", "no certificate: the placeholder's values", { cf: placeholder }, { also: ["invalid_request"] });
refuseCf("cf-not-presented", 'certPresented is "0", which is truthy', cf({ certPresented: "0" }), { also: ["invalid_request"] });
refuseCf("cf-null", "tlsClientAuth is null", { cf: { tlsClientAuth: null } }, { also: ["invalid_request"] });
refuseCf("cf-placeholder-hash-of-empty", "no certificate, and a token bound to the hash of nothing", { cf: placeholder }, { cnf: { "x5t#S256": base64url(sha256("")) }, requirement: "C08", also: ["invalid_request"] });
refuseCf("cf-too-large-hash-of-empty", "too large, and a token bound to the hash of nothing", cf({ certRFC9440: "", certRFC9440TooLarge: true }), { cnf: { "x5t#S256": base64url(sha256("")) }, requirement: "C08" });
refuseCf("cf-too-large-no-fingerprint", "too large, and no fingerprint", cf({ certRFC9440: "", certRFC9440TooLarge: true, certFingerprintSHA256: "" }), { cnf: { "x5t#S256": base64url(sha256("")) }, requirement: "C08" });
refuseCf("cf-revoked", 'certRevoked is "1"', cf({ certRevoked: "1" }));
for (const [name, value] of [["none", "NONE"], ["empty", ""], ["failed", "FAILED:unable to get local issuer certificate"], ["expired", "FAILED:certificate has expired"], ["in-failure", "FAILED:SUCCESS"], ["missing", undefined]]) {
  refuseCf(`cf-verified-${name}`, `certVerified is ${JSON.stringify(value) ?? "missing"}`, cf({ certVerified: value }));
}
refuseCf("cf-self-signed", "self-signed: RFC 8705 §6.2 leaves the chain to policy", cf({ certVerified: "FAILED:self signed certificate" }), { also: ["accept"], level: "POLICY", section: "RFC8705 6.2", requirement: "B10" });
refuseCf("cf-self-signed-revoked", "self-signed and revoked", cf({ certVerified: "FAILED:self signed certificate", certRevoked: "1" }), { requirement: "B10 C07" });
refuseCf("cf-revoked-missing", "certRevoked is missing", cf({ certRevoked: undefined }), { also: ["accept"], level: "POLICY" });
refuseCf("cf-sha1", "a SHA-1 fingerprint in the place of SHA-256", cf({ certRFC9440: "", certFingerprintSHA256: client.sha1.toString("hex") }));
refuseCf("cf-sha1-only", "the token bound to the SHA-1 fingerprint", cf(), { cnf: { "x5t#S256": base64url(client.sha1) }, requirement: "C07 B04" });
refuseCf("cf-hex-thumbprint", "the token's x5t#S256 in hexadecimal, as Cloudflare has it", cf(), { cnf: { "x5t#S256": client.hex }, requirement: "C07 B04" });
refuseCf("cf-hash-of-field", "the token bound to the hash of certRFC9440's text", cf(), { cnf: { "x5t#S256": base64url(sha256(client.field)) }, requirement: "C08 B04" });
refuseCf("cf-client-cert-header", "a Client-Cert field from the client, nothing from Cloudflare", { cf: placeholder }, { headers: (headers) => [...headers, ["Client-Cert", client.field]], also: ["invalid_request"], section: "RFC9440 4", requirement: "C06" });
refuseCf("cf-forged-headers", "Cloudflare's mTLS request fields, written by the client", null, { headers: (headers) => [...headers, ["Cf-Client-Cert-Sha256", client.hex], ["X-SSL-Client-Cert", encodeURIComponent(client.pem)], ["X-Client-Cert", client.der.toString("base64")], ["X-Forwarded-Client-Cert", `Hash=${client.hex}`]], also: ["invalid_request"], section: "RFC8705 6.5", requirement: "C06 B02" });

// Client-Cert

const trusted = { trust_client_cert_header: true };
const field = subject({ ...defaults, group: "client-cert-header", section: "RFC9440 2.1, 2.2", requirement: "C01", requires: ["mtls", "client-cert-header"] });
const put = (...values) => ({ headers: (headers) => [...headers, ...values.map((value) => ["Client-Cert", value])] });
const acceptField = (id, why, more) => accepts(field)(id, why, trusted, more);
const refuseField = (id, why, more) => section(field)(id, why, trusted, more);
acceptField("cch-match", "a byte sequence from a trusted proxy", { ...put(client.field), requirement: "C01 C06 B12" });
acceptField("cch-rsa", "an RSA certificate", { ...put(certificate("rsa").field), cnf: x5t(certificate("rsa")) });
acceptField("cch-name-case", "field name client-cert", { headers: (headers) => [...headers, ["client-cert", client.field]], section: "RFC9110 5.1" });
acceptField("cch-with-chain", "a chain beside it", { headers: (headers) => [...headers, ["Client-Cert", client.field], ["Client-Cert-Chain", `${other.field}, ${certificate("rsa").field}`]], section: "RFC9440 2.3", requirement: "C01 C03" });
acceptField("cch-blanks", "blanks around the field value", { ...put(`  ${client.field} `), requires: ["mtls", "client-cert-header", "raw-headers"], section: "RFC9110 5.5", also: ["invalid_token"], level: "SHOULD" });
field.open("cch-unpadded", "Base64 without padding: RFC 8941 §4.2.7 says that parsers should not fail", ["accept", "invalid_token"], { cnf: x5t(padded().made), headers: (headers) => [...headers, ["Client-Cert", padded().text]], binding: x5t(padded().made), tls: trusted, section: "RFC8941 4.2.7" });
refuseField("cch-other", "another certificate", put(other.field));
refuseField("cch-missing", "the proxy reports none", { also: ["invalid_request"] });
refuseField("cch-chain-only", "the certificate stands in the chain only", { headers: (headers) => [...headers, ["Client-Cert-Chain", client.field]], section: "RFC9440 2.3", requirement: "C03", also: ["invalid_request"] });
refuseField("cch-chain-member", "the token is bound to a certificate of the chain", { headers: (headers) => [...headers, ["Client-Cert", other.field], ["Client-Cert-Chain", client.field]], section: "RFC9440 2.3", requirement: "C03" });
refuseField("cch-twice", "two fields", { ...put(client.field, client.field), requires: ["mtls", "client-cert-header", "raw-headers"], section: "RFC9440 2.2", requirement: "C02" });
refuseField("cch-twice-other", "two fields of two certificates, the token's last", { ...put(other.field, client.field), requires: ["mtls", "client-cert-header", "raw-headers"], section: "RFC9440 2.2", requirement: "C02" });
refuseField("cch-list", "a list", { ...put(`${client.field}, ${other.field}`), section: "RFC9440 2.2", requirement: "C02" });
refuseField("cch-list-same", "a list of the same certificate twice", { ...put(`${client.field},${client.field}`), section: "RFC9440 2.2", requirement: "C02" });
refuseField("cch-parameters", "parameters after the byte sequence", { ...put(`${client.field};a=1`), also: ["accept"], level: "POLICY", requirement: "C01" });
for (const [name, value, why] of [
  ["bare", client.der.toString("base64"), "Base64 without colons"], ["half-open", `:${client.der.toString("base64")}`, "no colon at the end"], ["base64url", `:${client.der.toString("base64url")}:`, "base64url"],
  ["pem", encodeURIComponent(client.pem), "percent-encoded PEM, as nginx has it"], ["quoted", `"${client.der.toString("base64")}"`, "a string"], 
  ["empty-sequence", "::", "an empty byte sequence"], ["empty", "", "empty"], ["colon", ":", "a colon"], ["blank-within", `:${client.der.toString("base64").replace(/^.{8}/, "$& ")}:`, "a blank within"], ["garbage", ":!!!!:", "characters outside the alphabet"],
  ["hash", `:${Buffer.from(client.x5t, "base64url").toString("base64")}:`, "the hash instead of the certificate"], ["hex", client.hex, "the fingerprint"], ["truncated", `:${client.der.subarray(0, -8).toString("base64")}:`, "a certificate cut off"], ["trailing", `:${Buffer.concat([client.der, Buffer.from([0])]).toString("base64")}:`, "an octet after the certificate"],
]) {
  refuseField(`cch-${name}`, why, put(value));
}
refuseField("cch-empty-sequence-hash", "an empty byte sequence, and a token bound to the hash of nothing", { ...put("::"), cnf: { "x5t#S256": base64url(sha256("")) }, requirement: "C08" });
refuseField("cch-not-a-certificate", "a byte sequence that is no certificate, and a token bound to its hash", { ...put(`:${Buffer.from("hello").toString("base64")}:`), cnf: { "x5t#S256": base64url(sha256("hello")) }, also: ["accept"], level: "POLICY" });
refuseField("cch-spki", "a public key, and a token bound to its hash", { ...put(`:${client.spki.toString("base64")}:`), cnf: { "x5t#S256": base64url(sha256(client.spki)) }, also: ["accept"], level: "POLICY" });
section(field)("cch-untrusted", "a field that no proxy is trusted for", null, { ...put(client.field), also: ["invalid_request"], section: "RFC9440 4", requirement: "C06" });
section(field)("cch-untrusted-other-tls", "untrusted, and the TLS layer reports another certificate", pem(other), { ...put(client.field), section: "RFC9440 4", requirement: "C06 B02" });
accepts(field)("cch-untrusted-ignored", "untrusted and ignored: the TLS layer reports the token's certificate", pem(), { ...put(other.field), section: "RFC9440 4", requirement: "C06 B02" });
accepts(field)("cch-untrusted-garbage", "untrusted garbage is ignored as well", pem(), { ...put("garbage, garbage"), section: "RFC9440 4", requirement: "C06" });

/** A certificate whose Base64 ends with padding, its field without it. */
function padded() {
  for (const name of ["client", "client-renewed", "other", "rsa", "ed25519"]) {
    const made = certificate(name);
    if (made.field.endsWith("=:")) return { made, text: made.field.replace(/=+:$/, ":") };
  }
  throw new Error("no certificate ends with padding");
}

export default [tls, cloudflare, field].flatMap(({ cases }) => cases);
