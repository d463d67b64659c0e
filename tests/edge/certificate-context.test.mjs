// A certificate that the caller hands over with the request, and tokens that are bound to a key and a certificate at once.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { edge, makeRequest } from "./support.mjs";
import { CERTIFICATE, OTHER, SHA1_HEX, cloudflare, makeCertificateWorld } from "./certificate-support.mjs";

const colons = (hex) => hex.match(/../g).join(":").toUpperCase();

for (const [form, value] of [
  ["DER", CERTIFICATE.der],
  ["DER in a Buffer", Buffer.from(CERTIFICATE.der)],
  ["PEM", CERTIFICATE.pem],
  ["PEM with other line ends", CERTIFICATE.pem.replaceAll("\n", "\r\n")],
  ["a fingerprint in hex", CERTIFICATE.hex],
  ["a fingerprint in hex as OpenSSL writes it", colons(CERTIFICATE.hex)],
  ["a thumbprint in base64url", CERTIFICATE.x5t],
  ["an object", { "x5t#S256": CERTIFICATE.x5t }],
]) {
  test(`context.certificate may be ${form}`, async () => {
    const { present } = await makeCertificateWorld();
    const decision = await present({}, { certificate: value });
    assert.equal(decision.ok, true, decision.reason);
    assert.equal(decision.binding["x5t#S256"], CERTIFICATE.x5t);
  });
}

for (const [what, value, reason] of [
  ["another one", OTHER.pem, "certificate_mismatch"],
  ["null: there is none", null, "certificate_missing"],
  ["an empty text", "", "certificate_malformed"],
  ["no octets", new Uint8Array(), "certificate_malformed"],
  ["an empty object", {}, "certificate_malformed"],
  ["half a certificate", CERTIFICATE.der.slice(0, 100), "certificate_malformed"],
  ["two certificates", `${CERTIFICATE.pem}\n${CERTIFICATE.pem}`, "certificate_malformed"],
  ["the PEM in octets", new TextEncoder().encode(CERTIFICATE.pem), "certificate_malformed"],
  ["a SHA-1 fingerprint", SHA1_HEX, "certificate_sha1"],
  ["a number", 5, "certificate_malformed"],
]) {
  test(`context.certificate is refused where it is ${what}`, async () => {
    const { present } = await makeCertificateWorld();
    const decision = await present({}, { certificate: value });
    assert.deepEqual([decision.ok, decision.status, decision.reason], [false, 401, reason]);
  });
}

test("what the caller says goes before every source, also that there is none", async () => {
  const { present } = await makeCertificateWorld({ certificates: [edge.certificates.cloudflare()] });
  assert.equal((await present({ cf: cloudflare() }, { certificate: OTHER.der })).reason, "certificate_mismatch");
  assert.equal((await present({ cf: cloudflare() }, { certificate: null })).reason, "certificate_missing");
  assert.equal((await present({ cf: cloudflare() }, { certificate: undefined })).ok, true);
});

describe("a token bound to a key and a certificate", () => {
  const both = async (options) => {
    const world = await makeCertificateWorld(options);
    const token = await world.issuer.token({ cnf: { ...world.client.cnf, "x5t#S256": CERTIFICATE.x5t } });
    return { ...world, token, askWith: (context) => world.ask({ token, context }) };
  };

  test("needs both, and both are reported", async () => {
    const { askWith, client } = await both();
    const decision = await askWith({ certificate: CERTIFICATE.der });
    assert.equal(decision.ok, true, decision.reason);
    assert.deepEqual(decision.mechanisms, ["dpop", "mtls"]);
    assert.deepEqual(decision.binding, { jkt: client.jkt, "x5t#S256": CERTIFICATE.x5t });
    // And once more, from memory.
    assert.equal((await askWith({ certificate: CERTIFICATE.der })).ok, true);
    assert.equal((await askWith({ certificate: OTHER.der })).reason, "certificate_mismatch");
    assert.equal((await askWith({ certificate: null })).reason, "certificate_missing");
  });

  test("is refused as Bearer, whatever the certificate", async () => {
    const { server, token } = await both();
    const decision = await server.authenticate(makeRequest({ token, scheme: "Bearer" }), { certificate: CERTIFICATE.der });
    assert.equal(decision.reason, "dpop_token_as_bearer");
  });

  test("keeps its jti while the certificate is wrong", async () => {
    const { server, token, client } = await both();
    const request = makeRequest({ token, proof: await client.proof({ token }) });
    assert.equal((await server.authenticate(request, { certificate: OTHER.der })).reason, "certificate_mismatch");
    assert.equal((await server.authenticate(request, { certificate: CERTIFICATE.der })).ok, true);
  });
});

describe("a token bound to a certificate alone", () => {
  test("is refused under the DPoP scheme", async () => {
    const world = await makeCertificateWorld();
    assert.equal((await world.ask({ context: { certificate: CERTIFICATE.der } })).reason, "token_not_dpop_bound");
  });

  test("is refused where DPoP is asked for, and taken where mutual TLS is", async () => {
    const dpop = await makeCertificateWorld({ proofOfPossession: { mechanism: "dpop" } });
    assert.equal((await dpop.present({}, { certificate: CERTIFICATE.der })).reason, "token_not_dpop_bound");
    const mtls = await makeCertificateWorld({ proofOfPossession: { mechanism: "mtls" } });
    assert.equal((await mtls.present({}, { certificate: CERTIFICATE.der })).ok, true);
  });

  test("is enforced also where no constraint is required", async () => {
    const { present } = await makeCertificateWorld({ proofOfPossession: { required: false } });
    assert.equal((await present({}, { certificate: null })).reason, "certificate_missing");
    assert.equal((await present({}, { certificate: CERTIFICATE.der })).ok, true);
  });
});
