// Requests that can be sent once more: bodies are kept up to a size.

import { encoder } from "./module.js";

/** A request, ready for its attempts. */
export interface Kept {
  /** 0: it can be repeated. 1: it is too large to keep, but the caller still has it. 2: a stream too large to keep. */
  kind: 0 | 1 | 2;
  /** The request for one attempt, with headers of its own; to where it was redirected, if it was. */
  next(to: URL | undefined): Request;
}

/** A `Request`, also one of another realm. */
export function isRequest(input: RequestInfo | URL): input is Request {
  return typeof input === "object" && "method" in input;
}

/** Makes the request of what fetch takes, and keeps its body if that has at most `cap` octets. */
export async function keep(input: RequestInfo | URL, init: RequestInit | undefined, cap: number): Promise<Kept> {
  const asked = isRequest(input) ? input : undefined;
  const make = (more?: RequestInit): Request =>
    new Request(input, {
      // A Request that is made anew from another forgets these two, and in Firefox the third.
      ...(asked && { referrer: asked.referrer, referrerPolicy: asked.referrerPolicy, keepalive: asked.keepalive }),
      ...init,
      ...more,
      // Left to the platform, a redirect would take the DPoP field along, across origins too.
      redirect: "manual",
    });
  const given = init?.body;
  // Only what has no body is sent on.
  if (given == null && !mayHaveBody(asked)) return { kind: 0, next: (to) => (to ? new Request(to, make()) : make()) };

  const size = sizeOf(given);
  if (size !== undefined) {
    if (size > cap) return { kind: 1, next: () => make() };
    const base = make();
    const octets = await base.arrayBuffer();
    // With the boundary of a form.
    const { headers } = base;
    return { kind: 0, next: () => make({ headers, body: octets }) };
  }

  // Only reading tells. A copy is read: what the caller gave is used up when it is sent, not before.
  const [copy, rest] = given == null ? [] : new Response(given).body!.tee();
  const octets = await atMost(copy ? new Response(copy) : asked!.clone(), cap);
  return octets ? { kind: 0, next: () => make({ body: octets }) } : { kind: 2, next: () => make(rest && { body: rest }) };
}

/** Not every engine shows `Request.body`. */
function mayHaveBody(request: Request | undefined): boolean {
  return request !== undefined && request.body !== null && !/^(GET|HEAD)$/.test(request.method);
}

/** Undefined where only reading tells. */
function sizeOf(body: BodyInit | null | undefined): number | undefined {
  if (typeof body === "string") return encoder.encode(body).length;
  if (body instanceof URLSearchParams) return body.toString().length;
  if (body instanceof Blob) return body.size;
  if (body instanceof FormData) return [...body.values()].reduce((sum, value) => sum + (typeof value === "string" ? value.length : value.size), 0);
  return (body as ArrayBuffer | ArrayBufferView | undefined)?.byteLength;
}

/** The body, if it has at most `cap` octets. `end`: then nobody waits for the rest. */
export async function atMost(request: Request | Response, cap: number, end?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!request.body) {
    const octets = new Uint8Array(await request.arrayBuffer());
    return octets.length > cap ? undefined : octets;
  }
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const reader = request.body.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  end?.addEventListener("abort", stop);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    chunks.push(value);
    size += value.length;
    if (size > cap) {
      stop();
      return undefined;
    }
  }
}
