// HAProxy, with the configuration that the documentation quotes.
import { startProgram } from "./program.mjs";

export function startHaproxy({ pki, socket, without }) {
  return startProgram({
    program: "haproxy",
    socket,
    without,
    configurations: { "/etc/haproxy/haproxy.cfg": "haproxy.cfg", "/etc/haproxy/tls/crt-list.txt": "haproxy-crt-list.txt" },
    files: {
      "/etc/haproxy/tls/server.pem": pki.server.cert + pki.server.key,
      "/etc/haproxy/tls/clients.pem": pki.ca,
      "/etc/haproxy/tls/revoked.pem": pki.crl,
    },
    argumentsFor: (path) => ["-db", "-f", path("/etc/haproxy/haproxy.cfg")],
  });
}
