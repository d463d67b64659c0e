// Answers on a Node response: fields that are due are added when it writes its head, whatever the handler does until then.

import { mergeFields } from "./answers.js";

/** `http.ServerResponse` and `http2.Http2ServerResponse`. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  getHeaders(): object;
  setHeader(name: string, value: string | readonly string[]): unknown;
  writeHead(status: number, ...rest: unknown[]): unknown;
  end(): unknown;
  end(body: Uint8Array): unknown;
}

/** Writes an answer of this package's, such as `accepted.forbid(scope)`. Fields that others have set stay; the body is read to its end first. */
export async function send(outgoing: NodeResponse, response: Response): Promise<void> {
  const body = response.body === null ? undefined : new Uint8Array(await response.arrayBuffer());
  if (outgoing.headersSent || outgoing.writableEnded) return;
  const there = headersOf(outgoing);
  setFields(outgoing, there, mergeFields(there, response.headers));
  outgoing.statusCode = response.status;
  if (body === undefined) outgoing.end();
  else outgoing.end(body);
}

/** Gives the answer what `finish` of a decision adds, as soon as its head is written. */
export function finishOn(outgoing: NodeResponse, decision: { finish(response: Response): Response }): void {
  const { writeHead } = outgoing;
  // Every way to an answer's head goes through this method, also where nobody calls it.
  outgoing.writeHead = (status, ...rest) => {
    const message = typeof rest[0] === "string" ? [rest[0]] : [];
    if (!outgoing.headersSent) {
      for (const [name, value] of fieldsOf(rest[1] ?? rest[0])) outgoing.setHeader(name, value);
      const there = headersOf(outgoing);
      setFields(outgoing, there, decision.finish(new Response(null, { headers: there })).headers);
    }
    return writeHead.call(outgoing, status, ...message);
  };
}

/** The fields that `writeHead` was given: an object, a list of pairs, or names and values in turn. */
function fieldsOf(given: unknown): Iterable<readonly [string, string | string[]]> {
  if (typeof given !== "object" || given === null) return [];
  if (!Array.isArray(given)) return Object.entries(given);
  const list = (given as unknown[]).flat(1) as string[];
  const fields = new Map<string, [string, string | string[]]>();
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = list[at] ?? "";
    const value = list[at + 1] ?? "";
    const known = fields.get(name.toLowerCase());
    fields.set(name.toLowerCase(), [name, known === undefined ? value : [known[1], value].flat()]);
  }
  return fields.values();
}

function headersOf(outgoing: NodeResponse): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(outgoing.getHeaders()) as [string, unknown][]) {
    if (value === undefined || name.startsWith(":")) continue;
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) headers.append(name, String(one));
  }
  return headers;
}

/** Sets what has changed, and touches nothing else. */
function setFields(outgoing: NodeResponse, before: Headers, after: Headers): void {
  for (const name of new Set(after.keys())) {
    if (after.get(name) === before.get(name)) continue;
    outgoing.setHeader(name, name === "set-cookie" ? after.getSetCookie() : (after.get(name) ?? ""));
  }
}
