// What tests of the adapters share: the built entries, a world with a Node resource server, and requests as they go over the wire.
import { createServer, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { AUDIENCE, ISSUER, RESOURCE, edge, makeWorld } from "../edge/support.mjs";
import { listen } from "../support/loopback.mjs";
import { dist } from "../support/paths.mjs";

const built = (file) => import(pathToFileURL(join(dist.edge, file)).href);
export const node = await built("node.js");
export const hono = await built("hono.js");

export const APP = "https://app.example";
export const SECRET = "s".repeat(32);

/** The path of the resource that proofs of `makeWorld` are for. */
export const PATH = new URL(RESOURCE).pathname;

/** A world whose `api` is a resource server for Node requests, and `fields()` the header fields of a good request. */
export async function makeNodeWorld(options = {}, rest = {}) {
  const world = await makeWorld({}, rest);
  const api = node.createNodeResourceServer({
    issuer: ISSUER,
    audience: AUDIENCE,
    tokens: edge.jwtTokens({ jwks: world.issuer.jwks }),
    now: world.clock.now,
    publicUrl: AUDIENCE,
    ...options,
  });
  return { ...world, api, fields: (about) => fieldsOf(world, about) };
}

/** `Authorization` and `DPoP` of a request with a new proof; `about` goes into the proof. */
export async function fieldsOf({ client, token, clock }, about = {}) {
  return { authorization: `DPoP ${token}`, dpop: await client.proof({ token, now: clock.at, ...about }) };
}

/** A handler of node:http on a free port. */
export const serveHandler = (handler) => listen(createServer(handler));

/** A server whose handler is let in by `api.protect()` and then does `work(request, response, accepted)`. */
export const serveProtected = (api, work = (request, response, { claims }) => response.end(claims.sub), options) =>
  serveHandler(async (request, response) => {
    const accepted = await api.protect(request, response, options);
    if (accepted !== null) await work(request, response, accepted);
  });

/** One request on a connection of its own, unless an `agent` is given. A field's value may be a list: it is sent several times. */
export function send(origin, { method = "GET", path = PATH, headers = {}, body, agent = false, ...tls } = {}) {
  const url = new URL(origin);
  const start = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = start({ host: url.hostname, port: url.port, method, path, headers, agent, ...tls }, (incoming) => {
      const chunks = [];
      incoming.on("data", (chunk) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () =>
        resolve({
          status: incoming.statusCode,
          text: Buffer.concat(chunks).toString(),
          headers: headersOf(incoming.rawHeaders),
        }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Text on a connection, as it is; resolves to all of the answer. The server must close the connection. */
export function sendText(origin, text) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(origin).port), "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

export function headersOf(raw) {
  const headers = new Headers();
  for (let at = 0; at < raw.length; at += 2) headers.append(raw[at], raw[at + 1]);
  return headers;
}

/** Fields of a request whose nonce is due to be renewed, so that `finish` has everything to add. `ask(fields)` sends a request. */
export async function fieldsToRenew(world, ask, about = {}) {
  const { url } = about;
  const { headers } = await ask(await fieldsOf(world, url && { url }));
  world.clock.forward(60);
  return { ...(await fieldsOf(world, { nonce: headers.get("dpop-nonce"), ...about })), origin: APP };
}
