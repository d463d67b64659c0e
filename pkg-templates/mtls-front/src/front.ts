// The front: it ends TLS, asks every client for a certificate, and passes on what the handshake proved, as an edge network does.
// It refuses no handshake: whether a request needs a certificate, and which, the server behind it decides.

import { constants } from "node:crypto";
import { request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { TLSSocket } from "node:tls";
import { REPORTS, type Report, type ReportName } from "./reports.js";
import { readRevocationLists, withRevocation } from "./revocation.js";

/** Options of {@link createFront}. */
export interface FrontOptions {
  /** The server behind: an http URL with neither path nor query, or a function that gives it when a request is there. */
  target: string | URL | (() => string | URL);
  /** How to tell it about the certificate. Default "cloudflare". */
  report?: ReportName | Report;
  /** The front's own certificate and key, PEM. */
  cert: string;
  key: string;
  /** The authorities that vouch for clients, PEM. */
  ca: string;
  /** Their lists of revoked certificates, PEM. */
  crl?: string;
  /** Told of requests that the server behind did not answer. */
  onError?: (message: string) => void;
}

/** These concern one connection (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "upgrade"]);

/**
 * Makes a front. It does not listen yet: `createFront(options).listen(8443, "127.0.0.1")`. Ordinary requests pass; an
 * upgrade to WebSocket does not.
 */
export function createFront({ target, report = "cloudflare", onError, cert, key, ca, crl }: FrontOptions): Server {
  const how = typeof report === "string" ? reportNamed(report) : report;
  const origin = typeof target === "function" ? () => checkedTarget(target()) : constantly(checkedTarget(target));
  const isRevoked = crl === undefined ? () => false : readRevocationLists(crl);
  const options = {
    cert,
    key,
    ca,
    requestCert: true,
    rejectUnauthorized: false,
    // A resumed session would skip the client's proof that it has the key: each connection is a full handshake.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
  return createServer(options, (incoming, answer) => {
    const connection = withRevocation(incoming.socket as TLSSocket, isRevoked);
    const told = how.of(connection, incoming);
    if (told === null) {
      answer.writeHead(400, { "content-type": "text/plain; charset=utf-8" });
      answer.end(`This platform serves nobody with this client certificate: ${String(connection.authorizationError)}\n`);
      return;
    }
    pass(incoming, answer, origin(), fieldsOf(incoming, how, told), onError);
  });
}

/** The fields for the server behind, with none of the front's from elsewhere. */
function fieldsOf({ rawHeaders }: IncomingMessage, { fields }: Report, told: Readonly<Record<string, string>>): string[] {
  const ours = new Set([...fields, ...Object.keys(told), "x-forwarded-proto"].map(normalized));
  const passed: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = rawHeaders.slice(at, at + 2);
    if (!ours.has(normalized(name)) && !HOP_BY_HOP.has(name.toLowerCase())) passed.push(name, value);
  }
  return [...passed, ...Object.entries(told).flat(), "X-Forwarded-Proto", "https"];
}

/** Some servers take `client_cert` for `client-cert`. */
function normalized(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

function pass(incoming: IncomingMessage, answer: ServerResponse, { hostname, port }: URL, headers: string[], onError?: (message: string) => void): void {
  const onward = forward({ host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? 80 : port, method: incoming.method, path: incoming.url, headers });
  onward.on("response", (response) => {
    answer.writeHead(response.statusCode ?? 502, response.statusMessage ?? "", withoutHopByHop(response.rawHeaders));
    response.pipe(answer);
    response.on("error", () => answer.destroy());
  });
  onward.on("error", (error) => {
    onError?.(`${incoming.method} ${incoming.url}: ${error.message}`);
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(502, { "content-type": "text/plain; charset=utf-8" }).end("The server behind this front does not answer.\n");
  });
  answer.on("close", () => onward.destroy());
  incoming.pipe(onward);
}

function withoutHopByHop(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, at) => !HOP_BY_HOP.has((rawHeaders[at - (at % 2)] ?? "").toLowerCase()));
}

function reportNamed(name: string): Report {
  const make = Object.hasOwn(REPORTS, name) ? REPORTS[name as ReportName] : undefined;
  if (make === undefined) throw new TypeError(`report: there is none called "${name}"; choose from ${Object.keys(REPORTS).join(", ")}`);
  return make();
}

/**
 * Throws a TypeError that says what to change.
 *
 * @internal
 */
export function checkedTarget(target: string | URL): URL {
  const url = URL.canParse(String(target)) ? new URL(target) : undefined;
  if (url?.protocol !== "http:" || url.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw new TypeError(`target: ${String(target)} should be where the server behind listens, without TLS: http://localhost:8787`);
  }
  return url;
}

function constantly<Value>(value: Value): () => Value {
  return () => value;
}
