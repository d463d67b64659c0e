// A request of node:http, node:https or node:http2 as a web Request, with the fields and the method that came over the wire.

/** `http.IncomingMessage` and `http2.Http2ServerRequest`, also as Express and Connect extend them. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** The URL before a router took its mount path off. */
  readonly originalUrl?: string | undefined;
  readonly rawHeaders: readonly string[];
  readonly socket: object;
}

/** What of a TLS connection is asked for. */
export interface Connection {
  readonly encrypted?: boolean;
  readonly authorized?: boolean;
  readonly authorizationError?: unknown;
  getPeerX509Certificate?(): { readonly raw: Uint8Array } | undefined;
}

type Field = readonly [name: string, value: string];

/** A host that nobody has (RFC 2606 §2), for requests that name none. */
const NO_HOST = "host.invalid";

/** A request as it came over a connection. Its body is left where it is. */
export class WireRequest extends Request {
  /** False: the request line names nothing that a token could be used for. */
  readonly hasTarget: boolean;
  readonly connection: Connection;
  /** Each field as it was sent: repeated ones are still several. */
  readonly fields: readonly Field[];

  constructor(incoming: NodeRequest) {
    const connection = incoming.socket as Connection;
    const all = fieldsOf(incoming.rawHeaders);
    // Without the pseudo-header fields of HTTP/2 (RFC 9113 §8.3).
    const fields = all.filter(([name]) => !name.startsWith(":"));
    const scheme = connection.encrypted === true ? "https" : "http";
    const target = targetOf(incoming.originalUrl ?? incoming.url ?? "", hostOf(all), scheme);
    super(target ?? `${scheme}://${NO_HOST}/`, { headers: fields as [string, string][] });
    this.hasTarget = target !== null;
    this.connection = connection;
    this.fields = fields;
    // `htm` is compared with the method of the wire; the constructor takes no TRACE, and writes some in upper case.
    Object.defineProperty(this, "method", { value: incoming.method ?? "", enumerable: true });
  }
}

function fieldsOf(raw: readonly string[]): Field[] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at] ?? "", raw[2 * at + 1] ?? ""]);
}

/** Null: none, or several, of which nobody knows which counts (RFC 9112 §3.2). */
function hostOf(fields: readonly Field[]): string | null {
  const named = (name: string): string[] => fields.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value);
  // RFC 9113 §8.3.1: it stands in place of Host.
  const authorities = named(":authority");
  const [host, ...others] = authorities.length > 0 ? authorities : named("host");
  return host !== undefined && others.length === 0 && /^[^\s/?#@\\]+$/.test(host) ? host : null;
}

/** The target URI of a request line (RFC 9112 §3.2), or null for one that names no resource: `*`, or an authority for CONNECT. */
function targetOf(line: string, host: string | null, scheme: string): string | null {
  // A server takes the absolute form as well, and its host goes before the Host field (§3.2.2).
  const absolute = /^https?:\/\/([^\s/?#@\\]+)([/?].*)?$/i.exec(line);
  const authority = absolute?.[1] ?? host ?? NO_HOST;
  const rest = absolute === null ? line : (absolute[2] ?? "/");
  const path = absolute !== null && rest.startsWith("?") ? `/${rest}` : rest;
  // The URL parser would read a backslash as a slash, and handlers would not.
  if (!/^\/[^\\?]*(\?.*)?$/.test(path)) return null;
  const url = `${scheme}://${authority}${path}`;
  return URL.canParse(url) ? url : null;
}
