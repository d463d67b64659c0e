// A client that decides everything itself: which certificate it presents, which name it asks for, which session it resumes.
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";

/**
 * One request over a connection of its own. Resolves to `{ status, headers, body, isResumed, session }`, or to
 * `{ status: "handshake" }` where the connection ended in place of an answer. `identity` is presented; `name` goes into the
 * handshake (SNI) and `host` into the request.
 */
export function ask({ port, ca, name, host = name, path = "/", identity, headers = {}, session, maxVersion }) {
  return new Promise((resolve) => {
    let latest;
    const outgoing = tlsRequest(
      {
        host: "127.0.0.1", port, path, agent: false, servername: name, ca, session, maxVersion,
        // The server's name is none that resolves: it is looked at here, by its certificate.
        ...(identity && { cert: identity.cert, key: identity.key }),
        headers: { host, ...headers },
      },
      async (incoming) => {
        const body = await textOf(incoming);
        resolve({ status: incoming.statusCode, headers: incoming.headers, body, isResumed: outgoing.socket.isSessionReused(), session: latest });
      },
    );
    outgoing.on("socket", (socket) => socket.on("session", (made) => (latest = made)));
    outgoing.on("error", (error) => resolve({ status: "handshake", error }));
    outgoing.end();
  });
}

/** A request without TLS, to a port or to the path of a socket. */
export function askPlainly({ port, socketPath, host, path = "/", headers = {} }) {
  return new Promise((resolve, reject) => {
    const target = socketPath === undefined ? { host: "127.0.0.1", port } : { socketPath };
    const outgoing = plainRequest({ ...target, path, agent: false, headers: { host, ...headers } }, async (incoming) => {
      resolve({ status: incoming.statusCode, headers: incoming.headers, body: await textOf(incoming) });
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

async function textOf(incoming) {
  let text = "";
  for await (const chunk of incoming.setEncoding("utf8")) text += chunk;
  return text;
}
