// @ts-check
// A TLS-terminating front that asks for a client certificate and passes on what the handshake proved, as an edge network does.
// It never refuses a handshake: whether a request needs a certificate, and which, is for the server behind it to decide.

import { constants } from "node:crypto";
import { request as forwardRequest } from "node:http";
import { createServer } from "node:https";
import { rfc9440, tlsClientAuth } from "./tls-client-auth.mjs";

/** The header whose JSON becomes `request.cf` in workerd. Only the front's own socket reads it. */
export const CF_HEADER = "x-demo-cf";

/**
 * @typedef {(socket: import("node:tls").TLSSocket) => Record<string, string>} Report What to tell the server behind, as header fields.
 * @typedef {{ authority: string, server: import("./certificates.mjs").Identity }} Trust
 */

/**
 * @param {Trust} trust
 * @param {Report} report Its fields replace whatever a client sent under their names.
 * @param {() => number} target The port of the server behind, on loopback.
 * @param {import("./failure.mjs").ServerLog} log
 */
export function createMtlsFront({ authority, server }, report, target, log) {
  const options = {
    ...server,
    ca: authority,
    requestCert: true,
    rejectUnauthorized: false,
    // A resumed session would skip the client's proof of possession: each connection does a full handshake.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
  return createServer(options, (incoming, answer) => {
    const socket = /** @type {import("node:tls").TLSSocket} */ (incoming.socket);
    const headers = { ...incoming.headers, ...report(socket), "x-forwarded-proto": "https" };
    const onward = forwardRequest({ host: "127.0.0.1", port: target(), method: incoming.method, path: incoming.url, headers });
    onward.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.rawHeaders);
      response.pipe(answer);
    });
    onward.on("error", (error) => {
      log.add(`${incoming.method} ${incoming.url}: ${error.message}`);
      if (!answer.headersSent) answer.writeHead(502, { "content-type": "text/plain" });
      answer.end("The server behind this front does not answer.\n");
    });
    incoming.pipe(onward);
  });
}

/** For workerd: the `request.cf` that Cloudflare would give. @type {Report} */
export function reportToWorker(socket) {
  return { [CF_HEADER]: asciiJson({ tlsClientAuth: tlsClientAuth(socket) }) };
}

/** For the authorization server: the certificate, if the authority vouches for it, in the field of RFC 9440; else an empty one. @type {Report} */
export function reportToAuthorizationServer(socket) {
  const { raw } = socket.getPeerCertificate();
  return { "client-cert": raw && socket.authorized ? rfc9440(raw) : "" };
}

/** JSON that fits into a header field whatever a certificate's names hold. @param {unknown} value */
function asciiJson(value) {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
