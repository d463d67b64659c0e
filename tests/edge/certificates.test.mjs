// Where a client's certificate is reported, and which report counts (RFC 8705 §3, RFC 9440).
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { challengesByScheme, edge, listOf } from "./support.mjs";
import { CERTIFICATE, OTHER, SHA1_HEX, cloudflare, makeCertificateWorld } from "./certificate-support.mjs";

const { certificates } = edge;
const accepted = (decision) => {
  assert.equal(decision.ok, true, decision.reason);
  assert.deepEqual([decision.mechanisms, decision.binding], [["mtls"], { "x5t#S256": CERTIFICATE.x5t }]);
};
const refused = (decision, reason) => {
  assert.deepEqual([decision.ok, decision.status, decision.error, decision.reason], [false, 401, "invalid_token", reason]);
  assert.equal(challengesByScheme(decision.response()).Bearer.error, "invalid_token");
};

describe("cloudflare()", () => {
  const world = (options) => makeCertificateWorld({ certificates: [certificates.cloudflare(options)] });

  test("takes the certificate that was presented and verified", async () => {
    accepted(await (await world()).present({ cf: cloudflare() }));
  });

  test("falls back to the fingerprint where the certificate was too large to be passed on", async () => {
    accepted(await (await world()).present({ cf: cloudflare({ certRFC9440: "", certRFC9440TooLarge: true }) }));
    refused(await (await world()).present({ cf: cloudflare({ certRFC9440: "", certFingerprintSHA256: OTHER.hex }) }), "certificate_mismatch");
  });

  for (const [what, fields, reason] of [
    ["another certificate", { certRFC9440: OTHER.field }, "certificate_mismatch"],
    ["none presented", { certPresented: "0", certVerified: "NONE", certRFC9440: "", certFingerprintSHA256: "" }, "certificate_missing"],
    ["one presented that is not verified", { certVerified: "NONE" }, "certificate_unverified"],
    ["one that failed", { certVerified: "FAILED:certificate has expired" }, "certificate_unverified"],
    ["a self-signed one", { certVerified: "FAILED:self signed certificate" }, "certificate_unverified"],
    ["a revoked one", { certRevoked: "1" }, "certificate_revoked"],
    ["no word of revocation", { certRevoked: undefined }, "certificate_revoked"],
    ["booleans where strings are due", { certPresented: true, certVerified: true, certRevoked: false }, "certificate_missing"],
    ["numbers where strings are due", { certPresented: 1 }, "certificate_missing"],
    ["nothing to hash", { certRFC9440: "", certFingerprintSHA256: "" }, "certificate_malformed"],
    ["a SHA-1 fingerprint alone", { certRFC9440: "", certFingerprintSHA256: SHA1_HEX }, "certificate_sha1"],
    ["a certificate that is none", { certRFC9440: ":AAAA:" }, "certificate_malformed"],
  ]) {
    test(`refuses ${what}`, async () => refused(await (await world()).present({ cf: cloudflare(fields) }), reason));
  }

  test("finds no certificate where the platform reports nothing", async () => {
    for (const cf of [undefined, null, {}, { tlsClientAuth: null }, { tlsClientAuth: {} }]) refused(await (await world()).present({ cf }), "certificate_missing");
  });

  test("lets a self-signed one pass where that is allowed, and never an expired or revoked one", async () => {
    const lenient = await world({ allowSelfSigned: true });
    accepted(await lenient.present({ cf: cloudflare({ certVerified: "FAILED:self signed certificate" }) }));
    refused(await lenient.present({ cf: cloudflare({ certVerified: "FAILED:certificate has expired" }) }), "certificate_unverified");
    refused(await lenient.present({ cf: cloudflare({ certVerified: "FAILED:self signed certificate", certRevoked: "1" }) }), "certificate_revoked");
    const careless = await world({ allowSelfSigned: "yes" });
    refused(await careless.present({ cf: cloudflare({ certVerified: "FAILED:self signed certificate" }) }), "certificate_unverified");
  });
});

describe("clientCertHeader()", () => {
  const world = () => makeCertificateWorld({ certificates: [certificates.clientCertHeader({ trusted: true })] });

  test("cannot be made without saying that the proxy is trusted", () => {
    for (const options of [undefined, {}, { trusted: false }, { trusted: "true" }, { trusted: 1 }]) {
      assert.throws(() => certificates.clientCertHeader(options), /pass \{ trusted: true \} once the proxy in front overwrites/);
    }
  });

  test("reads the field of RFC 9440, and says in Vary that the answer depends on it", async () => {
    const decision = await (await world()).present({ headers: { "client-cert": CERTIFICATE.field } });
    accepted(decision);
    const response = decision.finish(new Response("x", { headers: { vary: "Accept" } }));
    assert.deepEqual(listOf(response.headers, "vary"), ["accept", "client-cert"]);
    assert.deepEqual(listOf(decision.forbid("a").headers, "vary"), ["client-cert"]);
  });

  test("reads raw fields where they are given", async () => {
    const { present, token } = await world();
    const headers = [["Authorization", `Bearer ${token}`], ["CLIENT-CERT", CERTIFICATE.field]];
    accepted(await present({ headers: { "client-cert": OTHER.field } }, { headers }));
    refused(await present({}, { headers: [...headers, ["Client-Cert", CERTIFICATE.field]] }), "certificate_header_repeated");
  });

  for (const [what, field, reason] of [
    ["another certificate", OTHER.field, "certificate_mismatch"],
    ["a list", `${CERTIFICATE.field}, ${CERTIFICATE.field}`, "certificate_header_repeated"],
    ["base64 without colons", CERTIFICATE.base64, "certificate_malformed"],
    ["a fingerprint", CERTIFICATE.hex, "certificate_malformed"],
    ["an empty field", "", "certificate_malformed"],
  ]) {
    test(`refuses ${what}`, async () => {
      const decision = await (await world()).present({ headers: { "client-cert": field } });
      refused(decision, reason);
      assert.ok(listOf(decision.response().headers, "vary").includes("client-cert"));
    });
  }

  test("finds none where the field is missing, and reads no chain", async () => {
    const decision = await (await world()).present({ headers: { "client-cert-chain": CERTIFICATE.field } });
    refused(decision, "certificate_missing");
    assert.ok(listOf(decision.response().headers, "vary").includes("client-cert"));
  });

  test("is not looked at by servers that were not told to", async () => {
    const { present } = await makeCertificateWorld();
    refused(await present({ headers: { "client-cert": CERTIFICATE.field } }), "certificate_missing");
  });
});

describe("from()", () => {
  test("takes what the caller's TLS layer has, in any form", async () => {
    for (const form of ["der", "pem", "hex", "x5t"]) {
      const { present } = await makeCertificateWorld({ certificates: [certificates.from(() => CERTIFICATE[form])] });
      accepted(await present());
    }
    const { present } = await makeCertificateWorld({ certificates: [certificates.from(() => null)] });
    refused(await present(), "certificate_missing");
  });
});

describe("several sources", () => {
  const source = (name, reading, asked) => ({ name, read: () => (asked.push(name), reading) });
  const certificate = ({ x5t }) => ({ certificate: { "x5t#S256": x5t } });

  test("are asked in order, until one reports a certificate", async () => {
    const asked = [];
    const sources = [source("a", { absent: true }, asked), source("b", certificate(CERTIFICATE), asked), source("c", certificate(OTHER), asked)];
    const { present } = await makeCertificateWorld({ certificates: sources });
    accepted(await present());
    assert.deepEqual(asked, ["a", "b"]);
  });

  test("are asked no further once one refuses, and its own words are the reason", async () => {
    const asked = [];
    const sources = [source("a", { refused: "badge_not_ours" }, asked), source("b", certificate(CERTIFICATE), asked)];
    const { present } = await makeCertificateWorld({ certificates: sources });
    const decision = await present();
    refused(decision, "badge_not_ours");
    assert.equal(decision.detail, "The client's certificate was refused");
    assert.deepEqual(asked, ["a"]);
    const answer = await decision.response().text();
    assert.ok(!answer.includes("badge"), answer);
  });

  test("of the package end the search as well when they refuse", async () => {
    const { present } = await makeCertificateWorld({ certificates: [certificates.cloudflare(), certificates.clientCertHeader({ trusted: true })] });
    const headers = { "client-cert": CERTIFICATE.field };
    accepted(await present({ headers }));
    refused(await present({ headers, cf: cloudflare({ certRevoked: "1" }) }), "certificate_revoked");
    refused(await present({ headers, cf: cloudflare({ certRFC9440: OTHER.field }) }), "certificate_mismatch");
  });

  test("are not asked about a token that is bound to no certificate", async () => {
    const asked = [];
    const world = await makeCertificateWorld({ certificates: [source("a", certificate(CERTIFICATE), asked)] });
    const token = await world.issuer.token({ cnf: world.client.cnf });
    assert.equal((await world.ask({ token })).ok, true);
    assert.deepEqual(asked, []);
  });

  test("are asked once for each request", async () => {
    const asked = [];
    const { present } = await makeCertificateWorld({ certificates: [source("a", certificate(CERTIFICATE), asked)] });
    for (let time = 0; time < 3; time++) accepted(await present());
    assert.equal(asked.length, 3);
  });

  test("that refuse without a word are a refusal all the same", async () => {
    for (const word of ["", undefined, null]) {
      const { present } = await makeCertificateWorld({ certificates: [source("a", { refused: word }, [])] });
      const decision = await present();
      assert.deepEqual([decision.ok, decision.status], [false, 401]);
      assert.match(decision.reason, /./);
    }
  });

  test("that give a certificate that is none are refused", async () => {
    for (const x5t of ["", "x", SHA1_HEX, undefined, 5]) {
      const { present } = await makeCertificateWorld({ certificates: [source("a", { certificate: { "x5t#S256": x5t } }, [])] });
      assert.equal((await present()).ok, false, String(x5t));
    }
  });
});

test("a source that fails or answers oddly means 503", async () => {
  const reads = [
    () => { throw new Error("down"); },
    async () => ({ certificate: { "x5t#S256": CERTIFICATE.x5t } }),
    ...[undefined, null, {}, "", CERTIFICATE.x5t, true, { absent: false }, { certificate: null }, { certificate: CERTIFICATE.x5t }].map((answer) => () => answer),
  ];
  for (const read of reads) {
    const { present } = await makeCertificateWorld({ certificates: [{ name: "odd", read }] });
    const decision = await present();
    assert.deepEqual([decision.ok, decision.status, decision.reason], [false, 503, "certificate_source_unavailable"], String(read));
  }
});
