// Certificates in request fields, platform by platform: right, absent, empty, doubled, over-long, wrong, and forged where the platform is absent.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { edge, listOf } from "./support.mjs";
import { CERTIFICATE, OTHER, SHA1_HEX, makeCertificateWorld } from "./certificate-support.mjs";

const { certificates } = edge;
const TRUSTED = { trusted: true };

const standard = (hex) => Buffer.from(hex, "hex").toString("base64").replace(/=+$/, "");
const escaped = ({ pem }) => encodeURIComponent(pem);
/** As AWS writes it: these three stand as they are. */
const escapedByAws = (certificate) => escaped(certificate).replace(/%2B/g, "+").replace(/%2F/g, "/").replace(/%3D/g, "=");
const sha1 = standard(SHA1_HEX);

/** Each row: how the source is made, its field, how it writes a certificate, and what is wrong for it. */
const PLATFORMS = [
  { name: "envoy", header: "x-forwarded-client-cert", make: () => certificates.envoy(TRUSTED), write: ({ hex }) => `By=spiffe://a;Hash=${hex};Subject="CN=a,O=b"`, sha1: `Hash=${SHA1_HEX}`, list: true },
  { name: "envoy, by the certificate", header: "x-forwarded-client-cert", make: () => certificates.envoy(TRUSTED), write: (one) => `Cert="${escaped(one)}"`, sha1: `Hash=${SHA1_HEX}`, list: true },
  { name: "nginx", header: "x-ssl-client-cert", make: () => certificates.nginx(TRUSTED), write: escaped, sha1: SHA1_HEX },
  { name: "nginx, another field", header: "x-client", make: () => certificates.nginx({ ...TRUSTED, header: "X-Client" }), write: escaped, sha1: SHA1_HEX },
  { name: "haproxy, base64", header: "x-ssl-client-cert", make: () => certificates.haproxy(TRUSTED), write: ({ base64 }) => base64, sha1: SHA1_HEX },
  { name: "haproxy, hex", header: "x-client", make: () => certificates.haproxy({ ...TRUSTED, header: "x-client" }), write: ({ hex }) => hex.toUpperCase(), sha1: SHA1_HEX },
  { name: "traefik", header: "x-forwarded-tls-client-cert", make: () => certificates.traefik(TRUSTED), write: ({ base64 }) => `${base64},AAAA`, sha1: SHA1_HEX, chain: true },
  { name: "traefik, escaped", header: "x-forwarded-tls-client-cert", make: () => certificates.traefik(TRUSTED), write: ({ base64 }) => encodeURIComponent(base64), sha1: SHA1_HEX, chain: true },
  { name: "awsAlb", header: "x-amzn-mtls-clientcert-leaf", make: () => certificates.awsAlb(TRUSTED), write: escapedByAws, sha1: SHA1_HEX },
  { name: "awsAlb, passthrough", header: "x-amzn-mtls-clientcert", make: () => certificates.awsAlb({ ...TRUSTED, passthrough: true }), write: (one) => escapedByAws({ pem: `${one.pem}\n${OTHER.pem}` }), sha1: undefined },
  { name: "cloudFront", header: "cloudfront-viewer-cert-sha256", make: () => certificates.cloudFront(TRUSTED), write: ({ hex }) => hex, sha1: SHA1_HEX },
  { name: "azureAppService", header: "x-arr-clientcert", make: () => certificates.azureAppService(TRUSTED), write: ({ base64 }) => base64, sha1: SHA1_HEX },
  {
    name: "googleCloud", header: "x-hash", make: () => certificates.googleCloud({ ...TRUSTED, header: "X-Hash" }), write: ({ hex }) => standard(hex), sha1,
    beside: { "x-client-cert-present": "true", "x-client-cert-chain-verified": "true" },
    varies: ["x-hash", "x-client-cert-present", "x-client-cert-chain-verified"],
  },
];

for (const { name, header, make, write, beside = {}, varies = [header], list = false, chain = false, ...platform } of PLATFORMS) {
  describe(name, () => {
    const present = async (value, raw) => {
      const world = await makeCertificateWorld({ certificates: [make()] });
      if (raw === undefined) return world.present({ headers: { ...beside, ...(value !== undefined && { [header]: value }) } });
      const fields = [["authorization", `Bearer ${world.token}`], ...Object.entries(beside), ...raw.map((one) => [header.toUpperCase(), one])];
      return world.present({}, { headers: fields });
    };
    const refused = async (reason, ...given) => {
      const decision = await present(...given);
      assert.deepEqual([decision.ok, decision.status, decision.error, decision.reason], [false, 401, "invalid_token", reason]);
    };

    test("the right certificate is accepted, and the answer varies", async () => {
      for (const decision of [await present(write(CERTIFICATE)), await present(undefined, [write(CERTIFICATE)])]) {
        assert.equal(decision.ok, true, decision.reason);
        assert.deepEqual(decision.binding, { "x5t#S256": CERTIFICATE.x5t });
        assert.deepEqual(listOf(decision.finish(new Response()).headers, "vary"), varies);
      }
    });

    test("another certificate is refused", () => refused("certificate_mismatch", write(OTHER)));

    test("an absent field is no certificate", () => refused(beside["x-client-cert-present"] ? "certificate_malformed" : "certificate_missing"));

    test("an empty field is never hashed", () => refused(beside["x-client-cert-present"] ? "certificate_malformed" : "certificate_missing", ""));

    test("the field twice counts for nobody", async () => {
      const twice = [write(CERTIFICATE), write(CERTIFICATE)];
      if (list) {
        // Envoy's is a list: the nearest proxy's element is the last, however many fields there are.
        assert.equal((await present(undefined, [write(OTHER), write(CERTIFICATE)])).ok, true);
        return refused("certificate_mismatch", undefined, [write(CERTIFICATE), write(OTHER)]);
      }
      await refused("certificate_header_repeated", undefined, twice);
      if (!chain) await refused("certificate_header_repeated", twice.join(", "));
    });

    test("an over-long field is refused", () => refused("certificate_too_large", "A".repeat(120_000)));

    test("what only looks right is refused", async () => {
      if (platform.sha1 !== undefined) await refused("certificate_sha1", platform.sha1);
      for (const wrong of [CERTIFICATE.x5t, "%", "true", "SUCCESS", "-----BEGIN CERTIFICATE-----", CERTIFICATE.base64.slice(0, 200)]) {
        // Of this certificate both alphabets of base64 write the same hash.
        if (name === "googleCloud" && wrong === CERTIFICATE.x5t) continue;
        await refused("certificate_malformed", wrong);
      }
    });

    test("a client that writes the field itself gains nothing where the source is not configured", async () => {
      const { present: presentTo } = await makeCertificateWorld({ certificates: [certificates.cloudflare()] });
      const decision = await presentTo({ headers: { ...beside, [header]: write(CERTIFICATE) } });
      assert.equal(decision.reason, "certificate_missing");
    });

    test("a refusal ends the search: no later field steps in", async () => {
      const sources = [make(), certificates.clientCertHeader(TRUSTED)];
      const { present: presentTo } = await makeCertificateWorld({ certificates: sources });
      const good = { "client-cert": CERTIFICATE.field };
      const decision = await presentTo({ headers: { ...beside, ...good, [header]: "x" } });
      assert.deepEqual([decision.ok, decision.reason], [false, "certificate_malformed"]);
      if (Object.keys(beside).length > 0) return;
      const absent = await presentTo({ headers: good });
      assert.equal(absent.ok, true);
      assert.deepEqual(listOf(absent.finish(new Response()).headers, "vary"), [...varies, "client-cert"]);
    });
  });
}

describe("googleCloud()", () => {
  const source = certificates.googleCloud({ ...TRUSTED, header: "X-Hash", presentHeader: "X-Present", verifiedHeader: "X-Verified" });
  const present = async (headers) => (await makeCertificateWorld({ certificates: [source] })).present({ headers });
  const hash = standard(CERTIFICATE.hex);

  test("needs the platform's word that the chain was verified", async () => {
    assert.equal((await present({ "x-hash": hash, "x-present": "true", "x-verified": "true" })).ok, true);
    for (const [headers, reason] of [
      [{ "x-hash": hash }, "certificate_unverified"],
      [{ "x-hash": hash, "x-present": "true" }, "certificate_unverified"],
      [{ "x-hash": hash, "x-present": "true", "x-verified": "false" }, "certificate_unverified"],
      [{ "x-hash": hash, "x-verified": "true" }, "certificate_unverified"],
      [{ "x-hash": hash, "x-present": "false", "x-verified": "false" }, "certificate_missing"],
      [{}, "certificate_missing"],
    ]) {
      assert.equal((await present(headers)).reason, reason, JSON.stringify(headers));
    }
  });
});

test("a header is read only where the caller says that the platform overwrites it", () => {
  for (const name of ["clientCertHeader", "envoy", "nginx", "haproxy", "traefik", "awsAlb", "cloudFront", "azureAppService", "googleCloud"]) {
    for (const options of [undefined, null, {}, { trusted: "true" }, { trusted: 1 }, { header: "x" }]) {
      assert.throws(() => certificates[name](options), new RegExp(`certificates\\.${name}: pass \\{ trusted: true \\} once the proxy in front overwrites`), name);
    }
  }
});

test("options that cannot be meant are refused at once", () => {
  for (const fromEnd of [-1, 1.5, NaN, "0", 1000]) assert.throws(() => certificates.envoy({ ...TRUSTED, fromEnd }), /fromEnd counts proxies/);
  for (const header of ["", "a b", "x:y", 5, null]) assert.throws(() => certificates.nginx({ ...TRUSTED, header }), /must name the request field/);
  assert.throws(() => certificates.googleCloud(TRUSTED), /certificates.googleCloud: header must name the request field/);
});
