// Every encoding of one certificate is one thumbprint, whatever the certificate (RFC 8705 §3.1): SHA-256 over its DER, worked out by Node.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { makeCertificateWorld } from "./certificate-support.mjs";
import { edge } from "./support.mjs";

const { certificates } = edge;
const TRUSTED = { trusted: true };

/** A DER element with a minimal definite length (X.690 §10.1). */
function element(tag, content) {
  const { length } = content;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...octets]), content]);
}

/** Certificate ::= SEQUENCE { SEQUENCE, SEQUENCE, BIT STRING }, of any content; the lengths cross the steps of DER. */
const octets = (minLength, maxLength) => fc.uint8Array({ minLength, maxLength, size: "max" }).map((array) => Buffer.from(array));
const certificateOf = ([toBeSigned, algorithm, signature]) =>
  element(0x30, Buffer.concat([element(0x30, toBeSigned), element(0x30, algorithm), element(0x03, signature)]));
const anyCertificate = fc
  .tuple(fc.oneof(octets(1, 300), octets(100, 3000)), octets(0, 20), fc.oneof(octets(0, 80), octets(200, 600)))
  .map(certificateOf);

const digest = (der) => createHash("sha256").update(der).digest();
const thumbprint = (der) => digest(der).toString("base64url");
const pem = (der, width = 64, end = "\n") =>
  ["-----BEGIN CERTIFICATE-----", ...der.toString("base64").match(new RegExp(`.{1,${width}}`, "g")), "-----END CERTIFICATE-----", ""].join(end);
const hex = (der) => digest(der).toString("hex");
const colons = (der) => hex(der).match(/../g).join(":").toUpperCase();
const awsEscaped = (text) => encodeURIComponent(text).replace(/%2B/g, "+").replace(/%2F/g, "/").replace(/%3D/g, "=");

/** How the caller's own TLS layer may hand it over. */
const FORMS = {
  DER: (der) => new Uint8Array(der),
  "a Buffer in the middle of another": (der) => Buffer.concat([Buffer.alloc(3), der, Buffer.alloc(3)]).subarray(3, 3 + der.length),
  PEM: (der) => pem(der),
  "PEM with CRLF": (der) => pem(der, 64, "\r\n"),
  "PEM in one line": (der) => pem(der, 100_000),
  "PEM in lines of 76, with space around": (der) => `\n  ${pem(der, 76)}\n`,
  "hex digits": hex,
  "hex with colons, as Node has it": colons,
  "the thumbprint itself": thumbprint,
};

/** Platform by platform: the source, and the fields in which it finds the certificate. */
const haproxy = certificates.haproxy(TRUSTED);
const traefik = certificates.traefik(TRUSTED);
const envoy = certificates.envoy(TRUSTED);
const passthrough = certificates.awsAlb({ ...TRUSTED, passthrough: true });
const FIELDS = {
  "RFC 9440": [certificates.clientCertHeader(TRUSTED), (der) => ({ "client-cert": `:${der.toString("base64")}:` })],
  "Envoy's hash": [envoy, (der) => ({ "x-forwarded-client-cert": `Hash=${hex(der)}` })],
  "Envoy's certificate": [envoy, (der) => ({ "x-forwarded-client-cert": `By=a;Cert="${encodeURIComponent(pem(der))}"` })],
  "Envoy's, both": [envoy, (der) => ({ "x-forwarded-client-cert": `Hash=${"0".repeat(64)},Hash=${hex(der)};Cert="${encodeURIComponent(pem(der))}"` })],
  nginx: [certificates.nginx(TRUSTED), (der) => ({ "x-ssl-client-cert": encodeURIComponent(pem(der)) })],
  "HAProxy, base64": [haproxy, (der) => ({ "x-ssl-client-cert": der.toString("base64") })],
  "HAProxy, hex": [haproxy, (der) => ({ "x-ssl-client-cert": hex(der).toUpperCase() })],
  Traefik: [traefik, (der) => ({ "x-forwarded-tls-client-cert": der.toString("base64") })],
  "Traefik, escaped": [traefik, (der) => ({ "x-forwarded-tls-client-cert": encodeURIComponent(der.toString("base64")) })],
  "Traefik, a chain": [traefik, (der) => ({ "x-forwarded-tls-client-cert": `${der.toString("base64")},${der.toString("base64").slice(0, 4)}` })],
  "AWS ALB": [certificates.awsAlb(TRUSTED), (der) => ({ "x-amzn-mtls-clientcert-leaf": awsEscaped(pem(der)) })],
  "AWS ALB, passthrough": [passthrough, (der) => ({ "x-amzn-mtls-clientcert": awsEscaped(pem(der) + pem(der)) })],
  CloudFront: [certificates.cloudFront(TRUSTED), (der) => ({ "cloudfront-viewer-cert-sha256": hex(der) })],
  "Azure App Service": [certificates.azureAppService(TRUSTED), (der) => ({ "x-arr-clientcert": der.toString("base64") })],
  "Google Cloud": [
    certificates.googleCloud({ ...TRUSTED, header: "X-Hash" }),
    (der) => ({ "x-hash": digest(der).toString("base64").replace(/=+$/, ""), "x-client-cert-present": "true", "x-client-cert-chain-verified": "true" }),
  ],
};

const expected = (der) => ({ certificate: { "x5t#S256": thumbprint(der) } });
const request = (headers = {}) => new Request("https://api.example/", { headers });

describe("one certificate is one thumbprint", () => {
  for (const [name, write] of Object.entries(FORMS)) {
    test(name, () => {
      fc.assert(fc.property(anyCertificate, (der) => {
        assert.deepEqual(certificates.from(() => write(der)).read(request()), expected(der));
      }));
    });
  }

  for (const [name, [source, write]] of Object.entries(FIELDS)) {
    test(name, () => {
      fc.assert(fc.property(anyCertificate, (der) => assert.deepEqual(source.read(request(write(der))), expected(der))));
    });
  }

  test("Cloudflare, from the certificate and from the fingerprint", () => {
    fc.assert(fc.property(anyCertificate, fc.boolean(), (der, isTooLarge) => {
      const certificate = { certRFC9440: isTooLarge ? "" : `:${der.toString("base64")}:`, certRFC9440TooLarge: isTooLarge, certFingerprintSHA256: hex(der) };
      const told = { certPresented: "1", certVerified: "SUCCESS", certRevoked: "0", ...certificate };
      assert.deepEqual(certificates.cloudflare().read({ cf: { tlsClientAuth: told } }), expected(der));
    }));
  });
});

test("one octet more, less or other is never the same thumbprint", () => {
  fc.assert(fc.property(anyCertificate, fc.nat(), fc.integer({ min: 1, max: 255 }), (der, place, change) => {
    const other = Buffer.from(der);
    other[place % other.length] ^= change;
    for (const wrong of [other, der.subarray(0, -1), Buffer.concat([der, Buffer.from([change])])]) {
      const reading = certificates.from(() => new Uint8Array(wrong)).read(request());
      assert.notDeepEqual(reading, expected(der));
      // Refused, or a certificate of its own.
      if (reading.refused === undefined) assert.deepEqual(reading, expected(wrong));
    }
  }));
});

describe("whatever the thumbprint begins with", () => {
  const starts = [..."-_0Az9"];
  for (const start of starts) {
    test(`such as ${start}: it is found in the whole decision, not only by the source`, async () => {
      const der = withThumbprint(start);
      const sources = [certificates.from(() => new Uint8Array(der))];
      const { present } = await makeCertificateWorld({ certificates: sources }, { cnf: { "x5t#S256": thumbprint(der) } });
      const decision = await present();
      assert.equal(decision.ok, true, decision.reason);
      assert.deepEqual(decision.binding, { "x5t#S256": thumbprint(der) });
    });
  }
});

/** One in 64 has it. */
function withThumbprint(start) {
  for (let serial = 0; ; serial += 1) {
    const der = certificateOf([Buffer.from(`serial number ${serial}`), Buffer.from("a"), Buffer.from("s")]);
    if (thumbprint(der).startsWith(start)) return der;
  }
}
