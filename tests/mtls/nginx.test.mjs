// nginx in front of the API: `$ssl_client_escaped_cert`.
import { after, before, describe } from "node:test";
import { startParts } from "./parts.mjs";
import { describeCertificates, describeSocket, testResumptionControl } from "./scenarios.mjs";
import { startNginx } from "./terminators/nginx.mjs";

let parts;
let nginx;
before(async () => {
  parts = await startParts({ door: "terminator" });
  nginx = await startNginx({ pki: parts.pki, socket: parts.api.socket });
});
after(async () => {
  await nginx?.stop();
  await parts?.stop();
});

describe("nginx", () => {
  const about = { form: "nginx", forge: ({ cert }) => ({ "X-SSL-Client-Cert": encodeURIComponent(cert) }), parts: () => parts };
  // It answers such clients itself.
  describeCertificates({ ...about, port: () => nginx.port, unheld: { expired: 400, revoked: 400, "self-signed": 400 } });
  describeSocket(about);
  testResumptionControl({ ...about, start: startNginx, without: /^\s*ssl_session_(tickets|cache) off;/ });
});
