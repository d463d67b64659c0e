// The token and PAR endpoints (RFC 9449 §5, §10; RFC 8705 §3, §4).

import { certificate, key } from "./keys.mjs";
import { AS, subject } from "./cases.mjs";

const { jkt } = key("client");
const grant = subject({ at: "as", group: "token-endpoint", section: "5", requirement: "A27 A28 A29" });
for (const type of ["authorization_code", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer", "password"]) {
  grant.accept(`grant-${type.split(":").at(-1)}`, `${type}: a valid proof makes the token bound`, { context: { grant_type: type, client_type: "confidential" }, requirement: "A27 A29" });
}
grant.accept("public", "a public client", { context: { client_type: "public" }, requirement: "A29 A37" });
grant.accept("confidential", "a confidential client", { context: { client_type: "confidential" }, requirement: "A29 A37" });
grant.accept("basic-auth", "client authentication in Authorization beside the proof", { context: { client_type: "confidential" }, headers: (headers) => [["Authorization", "Basic Y2xpZW50OnNlY3JldA=="], ...headers] });
grant.accept("dpop-scheme", "an Authorization field of the DPoP scheme is not looked at", { headers: (headers) => [["Authorization", "DPoP abc"], ...headers], also: ["invalid_request", "invalid_client"], level: "POLICY" });
grant.accept("no-proof", "no proof: a bearer token", { proof: null, requirement: "A32 A29" });
grant.accept("no-proof-refresh", "a refresh without proof, of a token that is bound to nothing", { proof: null, context: { grant_type: "refresh_token" }, requirement: "A32 A30" });
grant.refuse("garbage", "a DPoP field that is no proof: not a bearer token", { headers: (headers) => [headers[0], ["DPoP", "garbage"]] });
grant.refuse("signature", "a proof with a wrong signature", { proof: { signKey: "attacker" } });
grant.refuse("rs-proof", "a proof made for a resource server", { proofFor: { method: "GET", url: "https://rs.example/api/items", token: "x" }, requirement: "A21 A22 A28" });
grant.refuse("get", "a GET at the token endpoint with a proof for POST", { request: { method: "GET" }, proof: { payload: { htm: "POST" } }, requirement: "A21 A28" });
grant.refuse("htu-issuer", "the issuer as htu instead of the token endpoint", { proof: { payload: { htu: "https://as.example" } }, requirement: "A22 A28" });

const required = subject({ at: "as", group: "token-endpoint", section: "5.2", requirement: "A35", context: { dpop_bound_access_tokens: true } });
required.accept("dpop-bound-proof", "dpop_bound_access_tokens, and a proof", { requirement: "A35 G06" });
required.refuse("dpop-bound-no-proof", "dpop_bound_access_tokens, and no proof: the RFC names no code", { proof: null, expect: "invalid_request", also: ["invalid_grant", "invalid_dpop_proof", "invalid_client"], requirement: "A35 H01" });
required.refuse("dpop-bound-bad-proof", "dpop_bound_access_tokens, and a bad proof", { proof: { signKey: "attacker" } });
required.refuse("dpop-bound-refresh-no-proof", "dpop_bound_access_tokens at a refresh without proof", { proof: null, context: { dpop_bound_access_tokens: true, grant_type: "refresh_token", client_type: "confidential" }, expect: "invalid_request", also: ["invalid_grant", "invalid_dpop_proof", "invalid_client"] });
required.refuse("dpop-bound-certificate", "dpop_bound_access_tokens: a certificate does not replace the proof", { proof: null, tls: { client_cert_pem: certificate("client").pem }, expect: "invalid_request", also: ["invalid_grant", "invalid_dpop_proof", "invalid_client"], requires: ["mtls"] });
required.accept("dpop-bound-par-no-proof", "dpop_bound_access_tokens at the PAR endpoint: token requests are meant", { proof: null, context: { dpop_bound_access_tokens: true, endpoint: "par" }, binding: {}, requirement: "A35 A63" });
required.accept("dpop-bound-false", "dpop_bound_access_tokens false, and no proof", { proof: null, context: { dpop_bound_access_tokens: false }, requirement: "A35 A32" });
required.accept("policy-required", "the server asks for DPoP, and there is a proof", { context: {}, policy: { require_dpop: true }, requirement: "H01" });
required.refuse("policy-required-no-proof", "the server asks for DPoP, and there is none", { context: {}, policy: { require_dpop: true }, proof: null, expect: "invalid_request", also: ["invalid_grant", "invalid_dpop_proof", "invalid_client"], requirement: "H01" });

const refresh = subject({ at: "as", group: "token-endpoint", section: "5", requirement: "A30", context: { grant_type: "refresh_token", client_type: "public", refresh_token_jkt: jkt } });
const grantFault = { expect: "invalid_grant", also: ["invalid_dpop_proof", "invalid_request"] };
refresh.accept("refresh-public", "a public client refreshes with its key", {});
refresh.accept("refresh-public-ed25519", "a public client refreshes with its Ed25519 key", { proof: { key: "ed25519" }, context: { grant_type: "refresh_token", client_type: "public", refresh_token_jkt: key("ed25519").jkt } });
refresh.refuse("refresh-public-other", "a public client refreshes with another key", { ...grantFault, proof: { key: "attacker" } });
refresh.refuse("refresh-public-none", "a public client refreshes without a proof", { ...grantFault, proof: null });
refresh.refuse("refresh-public-bad-proof", "a public client refreshes with its key and a wrong signature", { proof: { signKey: "attacker" }, also: ["invalid_grant"] });
refresh.refuse("refresh-public-certificate", "a public client refreshes with a certificate instead of a proof", { ...grantFault, proof: null, tls: { client_cert_pem: certificate("client").pem }, requires: ["mtls"] });
refresh.refuse("refresh-public-jkt-case", "the refresh token is bound to a thumbprint in other case", { ...grantFault, context: { grant_type: "refresh_token", client_type: "public", refresh_token_jkt: jkt.toLowerCase() }, also: ["invalid_dpop_proof", "invalid_request", "server_error"] });
refresh.accept("refresh-public-unbound", "a refresh token that was issued without DPoP, now with a proof", { context: { grant_type: "refresh_token", client_type: "public" }, also: ["invalid_grant"], level: "POLICY" });
refresh.accept("refresh-confidential", "a confidential client refreshes with a new key: its refresh token is bound to the client", { proof: { key: "other" }, context: { grant_type: "refresh_token", client_type: "confidential" }, requirement: "A31" });
refresh.accept("refresh-confidential-same", "a confidential client refreshes with the same key", { context: { grant_type: "refresh_token", client_type: "confidential" }, requirement: "A31" });
refresh.accept("refresh-confidential-recorded", "a confidential client refreshes with a new key, though the first one is on record", { proof: { key: "other" }, context: { grant_type: "refresh_token", client_type: "confidential", refresh_token_jkt: jkt }, also: ["invalid_grant"], level: "SHOULD", requirement: "A31" });
refresh.accept("refresh-confidential-none", "a confidential client refreshes without a proof", { proof: null, context: { grant_type: "refresh_token", client_type: "confidential" }, requirement: "A31 A32" });
refresh.refuse("refresh-confidential-bad", "a confidential client refreshes with a broken proof", { proof: { payload: { htm: "GET" } }, context: { grant_type: "refresh_token", client_type: "confidential" }, requirement: "A28 A31" });

const code = subject({ at: "as", group: "token-endpoint", section: "10", requirement: "A61 H03", context: { code_dpop_jkt: jkt } });
code.accept("code-jkt", "dpop_jkt of the authorization request is the proof's key", {});
code.accept("code-jkt-confidential", "dpop_jkt of a confidential client", { context: { code_dpop_jkt: jkt, client_type: "confidential" } });
code.accept("code-jkt-rsa", "dpop_jkt of an RSA key", { proof: { key: "rsa" }, context: { code_dpop_jkt: key("rsa").jkt }, requirement: "A61 E01" });
code.accept("code-jkt-jwk-metadata", "the proof's jwk has a kid and an alg: the thumbprint is the same", { proof: { jwk: { kid: "x", alg: "ES256" } }, headers: (headers) => headers, binding: { jkt, token_type: "DPoP" }, section: "RFC7638 3.2", requirement: "A61 E02" });
code.refuse("code-jkt-other", "a stolen code, the thief's own proof", { ...grantFault, proof: { key: "attacker" } });
code.refuse("code-jkt-confidential-other", "a confidential client's code with another key", { ...grantFault, proof: { key: "other" }, context: { code_dpop_jkt: jkt, client_type: "confidential" } });
code.refuse("code-jkt-none", "dpop_jkt, and no proof", { ...grantFault, proof: null });
code.refuse("code-jkt-bad-proof", "dpop_jkt, and the right key with a wrong signature", { proof: { signKey: "attacker" }, also: ["invalid_grant"] });
for (const [name, value] of [["lower", jkt.toLowerCase()], ["prefix", jkt.slice(0, 42)], ["padded", `${jkt}=`], ["standard", Buffer.from(jkt, "base64url").toString("base64")]]) {
  code.refuse(`code-jkt-${name}`, `dpop_jkt ${name}: compared as it is`, { ...grantFault, context: { code_dpop_jkt: value }, also: ["invalid_dpop_proof", "invalid_request", "server_error"], requirement: "A61 A37" });
}

const par = subject({ at: "as", group: "token-endpoint", section: "10.1", requirement: "A63 H03", context: { endpoint: "par" } });
const pushedFault = { expect: "invalid_dpop_proof", also: ["invalid_request", "invalid_grant"] };
par.accept("par-proof", "a proof at the PAR endpoint: the code will be bound to its key", { binding: { jkt } });
par.accept("par-none", "neither proof nor dpop_jkt at the PAR endpoint", { proof: null, binding: {} });
par.accept("par-jkt", "dpop_jkt without a proof at the PAR endpoint", { proof: null, context: { endpoint: "par", par_dpop_jkt: jkt }, binding: {} });
par.accept("par-both-agree", "proof and dpop_jkt agree", { context: { endpoint: "par", par_dpop_jkt: jkt }, binding: { jkt } });
par.refuse("par-both-disagree", "proof and dpop_jkt name different keys", { ...pushedFault, context: { endpoint: "par", par_dpop_jkt: key("other").jkt } });
par.refuse("par-both-disagree-confidential", "proof and dpop_jkt of a confidential client name different keys", { ...pushedFault, context: { endpoint: "par", par_dpop_jkt: key("other").jkt, client_type: "confidential" } });
par.refuse("par-jkt-malformed", "a dpop_jkt that is no thumbprint, and a proof", { ...pushedFault, context: { endpoint: "par", par_dpop_jkt: "abc" } });
par.refuse("par-jkt-malformed-alone", "a dpop_jkt that is no thumbprint: no key will ever match", { ...pushedFault, proof: null, context: { endpoint: "par", par_dpop_jkt: "abc" }, also: [...pushedFault.also, "accept"], level: "POLICY" });
par.refuse("par-token-htu", "the token endpoint as htu at the PAR endpoint", { proof: { payload: { htu: AS.url } }, requirement: "A22 A63" });
par.refuse("par-signature", "a wrong signature at the PAR endpoint", { proof: { signKey: "attacker" } });
par.refuse("par-iat", "an old proof at the PAR endpoint", { proof: { payload: { iat: 1779990000 } }, requirement: "A25 A63" });
par.refuse("par-two-proofs", "two proofs at the PAR endpoint", { headers: (headers, { proof }) => [...headers, ["DPoP", proof]], also: ["invalid_request"], requires: ["raw-headers"], requirement: "A15 A63" });
par.refuse("par-private", "a private key in the proof at the PAR endpoint", { proof: { jwk: { d: key("client").secret.d } }, requirement: "A08 A63" });
par.refuse("par-proof-at-token", "a proof made for the PAR endpoint at the token endpoint", { context: {}, proofFor: { url: "https://as.example/par" }, requirement: "A22 A63" });
par.accept("par-bound-code", "the code of a pushed request, with the key that it was pushed with", { context: { par_dpop_jkt: jkt }, requirement: "A61 A63" });
par.refuse("par-bound-code-other", "the code of a pushed request, with another key", { ...grantFault, context: { par_dpop_jkt: jkt }, proof: { key: "attacker" }, requirement: "A61 A63" });
par.refuse("par-bound-code-none", "the code of a pushed request that was bound, without proof", { ...grantFault, context: { par_dpop_jkt: jkt }, proof: null, requirement: "A61 A63" });
const nonce_policy = { required: true, accepted: ["as-current.2"], expired: [], current: "as-current.2" };
par.refuse("par-nonce-missing", "a nonce is asked for at the PAR endpoint", { nonce_policy, expect: "use_dpop_nonce", section: "8, 10.1", requirement: "A53 A63", requires: ["nonce"] });
par.accept("par-nonce", "the nonce at the PAR endpoint", { nonce_policy, proof: { payload: { nonce: "as-current.2" } }, binding: { jkt }, section: "8, 10.1", requirement: "A53 A63", requires: ["nonce"] });
code.refuse("code-jkt-other-nonce-missing", "another key, and no nonce: either is an answer", { nonce_policy, ...grantFault, also: ["use_dpop_nonce", "invalid_dpop_proof", "invalid_request"], proof: { key: "attacker" }, requires: ["nonce"] });
refresh.refuse("refresh-nonce-missing", "a refresh without the nonce that is asked for", { nonce_policy, expect: "use_dpop_nonce", section: "8", requirement: "A53 A70", requires: ["nonce"] });
refresh.accept("refresh-nonce", "a refresh with the nonce", { nonce_policy, proof: { payload: { nonce: "as-current.2" } }, section: "8", requirement: "A53 A30", requires: ["nonce"] });
refresh.refuse("refresh-none-nonce", "a public client refreshes without a proof where a nonce is asked for", { ...grantFault, proof: null, nonce_policy, also: ["use_dpop_nonce", "invalid_dpop_proof", "invalid_request"], requires: ["nonce"] });

const client = certificate("client");
const x5t = { "x5t#S256": client.x5t };
const mtls = subject({ at: "as", group: "mtls", section: "RFC8705 3, 3.4", requirement: "B04 B07", requires: ["mtls"], proof: null, context: { certificate_bound: true, client_type: "confidential", grant_type: "client_credentials" }, tls: { client_cert_pem: client.pem } });
const certificateFault = { expect: "invalid_request", also: ["invalid_grant", "invalid_client", "invalid_token"] };
mtls.accept("certificate-bound", "the token is bound to the certificate of the connection", { binding: { ...x5t, token_type: "Bearer" }, requirement: "B03 B04 B07 H01" });
mtls.accept("certificate-bound-hex", "the certificate reported as a fingerprint", { tls: { client_cert_sha256_hex: client.hex }, binding: { ...x5t, token_type: "Bearer" } });
mtls.accept("certificate-bound-rsa", "an RSA certificate", { tls: { client_cert_pem: certificate("rsa").pem }, binding: { "x5t#S256": certificate("rsa").x5t, token_type: "Bearer" } });
mtls.accept("certificate-bound-public", "a public client's self-signed certificate", { context: { certificate_bound: true, client_type: "public" }, binding: { ...x5t, token_type: "Bearer" }, section: "RFC8705 4" });
mtls.accept("certificate-bound-cloudflare", "the certificate as Cloudflare reports it", { tls: { cf: { certPresented: "1", certVerified: "SUCCESS", certRevoked: "0", certFingerprintSHA256: client.hex, certRFC9440: client.field } }, binding: { ...x5t, token_type: "Bearer" }, requires: ["mtls", "cf-tls"], requirement: "B12 C07" });
mtls.accept("certificate-bound-header", "the certificate in a trusted Client-Cert field", { tls: { trust_client_cert_header: true }, headers: (headers) => [...headers, ["Client-Cert", client.field]], binding: { ...x5t, token_type: "Bearer" }, requires: ["mtls", "client-cert-header"], requirement: "B12 C01" });
mtls.accept("certificate-and-proof", "certificate and proof: bound to both", { proof: {}, binding: { jkt, ...x5t, token_type: "DPoP" }, requirement: "B04 E05" });
mtls.accept("certificate-bound-par", "tokens are to be bound to a certificate, which the PAR endpoint need not see", { tls: null, context: { certificate_bound: true, client_type: "confidential", endpoint: "par" }, binding: {}, also: ["invalid_request", "invalid_client"], level: "SHOULD", section: "RFC8705 3, RFC9126 2", requirement: "B07 A63" });
mtls.accept("certificate-not-asked", "a certificate where tokens are not bound to it", { context: { certificate_bound: false, client_type: "confidential" }, binding: { token_type: "Bearer" }, requirement: "B07" });
mtls.accept("certificate-not-asked-proof", "a certificate where tokens are not bound to it, and a proof", { context: { certificate_bound: false, client_type: "confidential" }, proof: {}, binding: { jkt, token_type: "DPoP" }, requirement: "B07 A29" });
mtls.refuse("certificate-none", "tokens are to be bound to a certificate, and there is none", { ...certificateFault, tls: null, requirement: "B07 B13" });
mtls.refuse("certificate-none-proof", "a proof does not replace the certificate", { ...certificateFault, tls: null, proof: {}, also: [...certificateFault.also, "accept"], level: "POLICY" });
mtls.refuse("certificate-untrusted-header", "a Client-Cert field that no proxy is trusted for", { ...certificateFault, tls: null, headers: (headers) => [...headers, ["Client-Cert", client.field]], section: "RFC9440 4", requirement: "C06 B13" });
mtls.refuse("certificate-cloudflare-absent", 'Cloudflare: certPresented "0"', { ...certificateFault, tls: { cf: { certPresented: "0", certVerified: "NONE", certRevoked: "0", certFingerprintSHA256: "", certRFC9440: "" } }, requires: ["mtls", "cf-tls"], requirement: "C07 C08" });
mtls.refuse("certificate-cloudflare-revoked", "Cloudflare: revoked", { ...certificateFault, tls: { cf: { certPresented: "1", certVerified: "SUCCESS", certRevoked: "1", certFingerprintSHA256: client.hex, certRFC9440: client.field } }, requires: ["mtls", "cf-tls"], requirement: "C07" });
mtls.refuse("certificate-cloudflare-failed", "Cloudflare: verification failed", { ...certificateFault, tls: { cf: { certPresented: "1", certVerified: "FAILED:certificate has expired", certRevoked: "0", certFingerprintSHA256: client.hex, certRFC9440: client.field } }, requires: ["mtls", "cf-tls"], requirement: "C07" });
mtls.refuse("certificate-list", "a trusted Client-Cert field with two certificates", { ...certificateFault, tls: { trust_client_cert_header: true }, headers: (headers) => [...headers, ["Client-Cert", `${client.field}, ${certificate("other").field}`]], requires: ["mtls", "client-cert-header"], section: "RFC9440 2.2", requirement: "C02" });
mtls.refuse("certificate-sha1", "only a SHA-1 fingerprint is known", { ...certificateFault, tls: { client_cert_sha256_hex: client.sha1.toString("hex") }, requirement: "B04" });
mtls.refuse("certificate-bad-proof", "a good certificate excuses no bad proof", { expect: "invalid_dpop_proof", also: [], proof: { signKey: "attacker" }, requirement: "A28" });

export default [grant, required, refresh, code, par, mtls].flatMap(({ cases }) => cases);
