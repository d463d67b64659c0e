// The development front before the API in workerd: every way to report, with certificates of every kind, over real handshakes.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { createServer } from "node:http";
import { listen } from "../support/loopback.mjs";
import { ask } from "./https-client.mjs";
import { mtlsFront } from "./packages.mjs";
import { startParts } from "./parts.mjs";
import { ASKING } from "./pki.mjs";
import { describeCertificates } from "./scenarios.mjs";

const { REPORTS, createFront } = mtlsFront;

/** Platforms that turn such clients away themselves, that pass everything on, and that pass on what they found. */
const turnedAway = { expired: 400, revoked: 400, "self-signed": 400 };
const passed = { expired: 200, revoked: 200, "self-signed": 200 };
const told = { expired: "certificate_unverified", revoked: "certificate_revoked", "self-signed": "certificate_unverified" };
const UNHELD = {
  cloudflare: told,
  "cloudflare-self-signed": { ...told, "self-signed": 200 },
  "aws-alb-passthrough": passed,
  azure: passed,
  google: { expired: "certificate_unverified", revoked: "certificate_unverified", "self-signed": "certificate_unverified" },
};
const options = { "haproxy-hex": { header: "X-SSL-Client-Cert-SHA256" } };
/** `request.cf` is no field of the request. */
const varies = { cloudflare: [], "cloudflare-self-signed": [], google: ["X-Client-Cert-Hash", "X-Client-Cert-Present", "X-Client-Cert-Chain-Verified"] };

let parts;
const fronts = {};
before(async () => {
  parts = await startParts({ door: "front" });
  for (const [name, make] of Object.entries(REPORTS)) fronts[name] = await open(make(options[name]));
  fronts["cloudflare-self-signed"] = fronts.cloudflare;
});
after(async () => {
  for (const front of new Set(Object.values(fronts))) await front.close();
  await parts?.stop();
});

async function open(report, target = parts.api.frontOrigin, more = {}) {
  const { server, ca, crl } = parts.pki;
  const { origin, close } = await listen(createFront({ ...server, ca, crl, target, report, ...more }));
  return { port: Number(new URL(origin).port), close };
}

/** As the front itself would tell of the certificate, had it been shown. */
const forge = (report) => ({ der }) => {
  const connection = { authorized: true, getPeerCertificate: () => ({ raw: der }) };
  return report.of(connection, { headers: {} });
};

for (const [form, make] of Object.entries({ ...REPORTS, "cloudflare-self-signed": REPORTS.cloudflare })) {
  describe(form, () =>
    describeCertificates({
      form,
      forge: forge(make(options[form])),
      ...(varies[form] && { varies: varies[form] }),
      unheld: UNHELD[form] ?? turnedAway,
      parts: () => parts,
      port: () => fronts[form].port,
    }),
  );
}

describe("request.cf.tlsClientAuth", () => {
  const report = async (as) => {
    const { pki } = parts;
    const { body } = await ask({ port: fronts.cloudflare.port, ca: pki.ca, name: ASKING, path: "/cloudflare", identity: pki.clients[as] });
    return JSON.parse(body).cf.tlsClientAuth;
  };
  const plain = (colons) => colons.replaceAll(":", "").toLowerCase();
  const rfc9440 = ({ raw }) => `:${raw.toString("base64")}:`;

  test("has all fields, as Cloudflare writes them", async () => {
    const { clients, ca } = parts.pki;
    const [certificate, root] = [new X509Certificate(clients.good.cert), new X509Certificate(ca)];
    const { certSKI, certIssuerSKI, ...fields } = await report("good");
    assert.deepEqual(fields, {
      certPresented: "1", certVerified: "SUCCESS", certRevoked: "0",
      certIssuerDN: "O=Tests, CN=Root", certIssuerDNRFC2253: "O=Tests,CN=Root", certIssuerDNLegacy: "/CN=Root/O=Tests",
      certSubjectDN: "O=Tests, CN=good", certSubjectDNRFC2253: "O=Tests,CN=good", certSubjectDNLegacy: "/CN=good/O=Tests",
      certSerial: certificate.serialNumber, certIssuerSerial: root.serialNumber,
      certFingerprintSHA1: plain(certificate.fingerprint), certFingerprintSHA256: plain(certificate.fingerprint256),
      certNotBefore: certificate.validFrom, certNotAfter: certificate.validTo,
      certRFC9440: rfc9440(certificate), certRFC9440TooLarge: false, certChainRFC9440: "", certChainRFC9440TooLarge: false,
    });
    for (const identifier of [certSKI, certIssuerSKI]) assert.match(identifier, /^[0-9A-F]{2}(:[0-9A-F]{2}){19}$/);
    assert.notEqual(certSKI, certIssuerSKI);
  });

  test("has the same fields, empty, where no certificate was presented", async () => {
    const absent = await report();
    assert.deepEqual(Object.keys(absent), Object.keys(await report("good")));
    const { certPresented, certVerified, certRevoked, certRFC9440TooLarge, certChainRFC9440TooLarge, ...rest } = absent;
    assert.deepEqual([certPresented, certVerified, certRevoked, certRFC9440TooLarge, certChainRFC9440TooLarge], ["0", "NONE", "0", false, false]);
    assert.deepEqual([...new Set(Object.values(rest))], [""]);
  });

  test("says what is wrong with a certificate", async () => {
    const states = {};
    for (const name of ["expired", "self-signed", "revoked"]) {
      const { certPresented, certVerified, certRevoked, certRFC9440 } = await report(name);
      assert.deepEqual([certPresented, certRFC9440], ["1", rfc9440(new X509Certificate(parts.pki.clients[name].cert))]);
      states[name] = [certVerified, certRevoked];
    }
    assert.deepEqual(states, {
      expired: ["FAILED:certificate has expired", "0"],
      "self-signed": ["FAILED:self signed certificate", "0"],
      // A revoked certificate counts as verified.
      revoked: ["SUCCESS", "1"],
    });
  });

  test("has the chain that came along, without the root, and names in UTF-8", async () => {
    const blocks = parts.pki.clients.chained.cert.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g);
    assert.equal(blocks.length, 4);
    assert.equal((await report("chained")).certChainRFC9440, blocks.slice(1).map((pem) => rfc9440(new X509Certificate(pem))).join(", "));
    const { certSubjectDN } = await report("unicode");
    assert.ok(certSubjectDN.startsWith("O=Prüfstelle 検査 🔑, CN="), certSubjectDN);
    assert.ok(certSubjectDN.includes("Ünïcode\\, 名前"), certSubjectDN);
  });

  test("leaves out a certificate that is too large, and says so", async () => {
    const { CertificateAuthority, tlsClientAuth } = mtlsFront;
    const authority = await CertificateAuthority.create({ subject: "CN=Root" });
    const names = Array.from({ length: 300 }, (_, at) => ({ type: "dns", value: `a-rather-long-name-number-${at}.example` }));
    const { cert } = await authority.issueClient({ subject: "CN=large", names });
    const { raw } = new X509Certificate(cert);
    const report = tlsClientAuth({ authorized: true, getPeerCertificate: () => ({ raw }) });
    assert.ok(raw.length > 10_000);
    assert.deepEqual([report.certRFC9440, report.certRFC9440TooLarge, report.certFingerprintSHA256.length], ["", true, 64]);
  });
});

describe("createFront()", () => {
  const echo = async (test) => {
    const seen = [];
    const behind = await listen(createServer(async (incoming, answer) => {
      let body = "";
      for await (const chunk of incoming) body += chunk;
      seen.push({ method: incoming.method, url: incoming.url, fields: incoming.rawHeaders, body });
      answer.writeHead(207, "Odd", [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]].flat()).end("answered");
    }));
    const front = await open(REPORTS.cloudflare(), behind.origin);
    try {
      return await test({ front, seen });
    } finally {
      await front.close();
      await behind.close();
    }
  };

  test("passes requests and answers on as they are", () =>
    echo(async ({ front, seen }) => {
      const { pki } = parts;
      const headers = { "x-twice": ["1", "2"], host: "other.example:1" };
      const { status, headers: answered, body } = await ask({ port: front.port, ca: pki.ca, name: ASKING, path: "/a%2fb?c=d", headers });
      assert.deepEqual([status, answered["set-cookie"], body], [207, ["a=1", "b=2"], "answered"]);
      assert.equal(seen[0].url, "/a%2fb?c=d");
      const pairs = seen[0].fields.flatMap((name, at) => (at % 2 === 0 ? [`${name.toLowerCase()}: ${seen[0].fields[at + 1]}`] : []));
      for (const line of ["x-twice: 1", "x-twice: 2", "host: other.example:1", "x-forwarded-proto: https"]) {
        assert.ok(pairs.includes(line), `${line}\n${pairs.join("\n")}`);
      }
    }));

  test("says 502 where nobody listens, and what happened", async () => {
    const messages = [];
    const behind = await listen(createServer());
    await behind.close();
    const front = await open("cloudflare", () => behind.origin, { onError: (message) => messages.push(message) });
    const { status } = await ask({ port: front.port, ca: parts.pki.ca, name: ASKING, path: "/x" });
    await front.close();
    assert.equal(status, 502);
    assert.match(messages.join(), /^GET \/x: connect ECONNREFUSED/);
  });

  test("refuses options that cannot be meant", () => {
    const { server, ca } = parts.pki;
    const make = (more) => () => createFront({ ...server, ca, target: "http://localhost:1", ...more });
    assert.throws(make({ target: "https://localhost:1" }), /target: https:\/\/localhost:1 should be where the server behind listens/);
    for (const target of ["localhost:1", "", "http://localhost:1/path", "http://u:p@localhost", undefined]) assert.throws(make({ target }), /should be where/);
    assert.throws(make({ report: "apache" }), /report: there is none called "apache"; choose from cloudflare, /);
    assert.throws(make({ report: "toString" }), /there is none called/);
    assert.throws(make({ crl: "none" }), /crl: give revocation lists as PEM/);
  });
});
