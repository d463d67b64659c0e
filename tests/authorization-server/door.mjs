// A door of a server: node:http or node:https on a free loopback port.
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { listen } from "../support/loopback.mjs";

/**
 * Opens it. `serve(handler)` says who answers: the origin is known only once the door is open, and servers have it in
 * their options. With `tls`, every client is asked for a certificate, and any is let in: whose key it has was proven by
 * the handshake, and that is all that a binding needs (RFC 8705 §3, §6.2).
 */
export async function openNodeDoor({ tls } = {}) {
  let handler = (_incoming, outgoing) => outgoing.writeHead(503).end();
  const answer = async (...exchange) => handler(...exchange);
  const server = tls === undefined ? createServer(answer) : createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: false }, answer);
  const { origin, close } = await listen(server);
  return {
    origin: tls === undefined ? origin : origin.replace("http:", "https:"),
    close,
    serve(ours) {
      handler = ours;
    },
  };
}

/**
 * The same for a handler that takes a `Request` and gives a `Response`. Beside the request it gets what only Node knows of
 * it, as @keybound/edge takes it: the raw fields, so that two DPoP fields are seen as two, and the connection's certificate.
 */
export async function openDoor(options) {
  const door = await openNodeDoor(options);
  const serve = (handler) =>
    door.serve(async (incoming, outgoing) => {
      const answer = async () => handler(await requestOf(incoming), connectionOf(incoming));
      const response = await answer().catch((error) => {
        console.error(error);
        return new Response(null, { status: 500 });
      });
      outgoing.writeHead(response.status, [...response.headers].flat());
      outgoing.end(Buffer.from(await response.arrayBuffer()));
    });
  return { ...door, serve };
}

async function requestOf(incoming) {
  const { method, headers, url, socket } = incoming;
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return new Request(`${socket.encrypted ? "https" : "http"}://${headers.host}${url}`, {
    method,
    headers: fieldsOf(incoming),
    ...(method !== "GET" && method !== "HEAD" && { body: Buffer.concat(chunks) }),
  });
}

function connectionOf(incoming) {
  return { headers: fieldsOf(incoming), certificate: incoming.socket.getPeerCertificate?.().raw ?? null };
}

function fieldsOf({ rawHeaders }) {
  const fields = [];
  for (let at = 0; at < rawHeaders.length; at += 2) fields.push([rawHeaders[at], rawHeaders[at + 1]]);
  return fields;
}
