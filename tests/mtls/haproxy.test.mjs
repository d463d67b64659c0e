// HAProxy in front of the API: `ssl_c_der` in base64, its SHA-256 in hex, and the field of RFC 9440.
import { createHash } from "node:crypto";
import { after, before, describe } from "node:test";
import { startParts } from "./parts.mjs";
import { describeCertificates, describeSocket, testResumptionControl } from "./scenarios.mjs";
import { startHaproxy } from "./terminators/haproxy.mjs";

let parts;
let haproxy;
before(async () => {
  parts = await startParts({ door: "terminator" });
  haproxy = await startHaproxy({ pki: parts.pki, socket: parts.api.socket });
});
after(async () => {
  await haproxy?.stop();
  await parts?.stop();
});

const FORMS = [
  { form: "haproxy", forge: ({ der }) => ({ "X-SSL-Client-Cert": der.toString("base64") }) },
  { form: "haproxy-hex", forge: ({ der }) => ({ "X-SSL-Client-Cert-SHA256": createHash("sha256").update(der).digest("hex") }) },
  { form: "client-cert", forge: ({ der }) => ({ "Client-Cert": `:${der.toString("base64")}:` }) },
];
// It ends the handshake with such clients.
const unheld = { expired: "handshake", revoked: "handshake", "self-signed": "handshake" };

for (const about of FORMS) {
  describe(`HAProxy, ${about.form}`, () => describeCertificates({ ...about, parts: () => parts, port: () => haproxy.port, unheld }));
}
describe("HAProxy", () => {
  const about = { ...FORMS[0], parts: () => parts };
  describeSocket(about);
  testResumptionControl({ ...about, start: startHaproxy, without: /no-tls-tickets|tune\.ssl\.cachesize/ });
});
