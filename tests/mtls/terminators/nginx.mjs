// nginx, with the configuration that the documentation quotes.
import { startProgram } from "./program.mjs";

export function startNginx({ pki, socket, without }) {
  return startProgram({
    program: "nginx",
    socket,
    without,
    configurations: { "/etc/nginx/nginx.conf": "nginx.conf" },
    files: {
      "/etc/nginx/tls/server.pem": pki.server.cert,
      "/etc/nginx/tls/server.key": pki.server.key,
      "/etc/nginx/tls/clients.pem": pki.ca,
      "/etc/nginx/tls/revoked.pem": pki.crl,
    },
    // Its workers keep the user that the server's socket belongs to; elsewhere `user` says so.
    argumentsFor: (path) => ["-c", path("/etc/nginx/nginx.conf"), ...(process.getuid() === 0 ? ["-g", "user root;"] : [])],
  });
}
