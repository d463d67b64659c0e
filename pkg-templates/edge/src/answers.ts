// Answers: challenges, nonces, caching and CORS (RFC 9449 §7.1, §8 and §9, RFC 6750 §3).

import type { CorsPolicy } from "./types.js";

// `Date`, which CORS hides too, tells a page by how much its clock is off.
const EXPOSED = ["WWW-Authenticate", "DPoP-Nonce", "Date"];
const ALLOWED = ["Authorization", "DPoP", "Content-Type"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** What an answer gets. */
export interface AnswerFields {
  nonce: string | undefined;
  /** The request fields that the decision depended on, as `Vary` lists them. */
  varies: string | undefined;
}

/** Adds to a list field what is not in it. */
function append(headers: Headers, name: string, ...values: string[]): void {
  const there = new Set((headers.get(name) ?? "").split(",").map((value) => value.trim().toLowerCase()));
  for (const value of values) {
    if (there.has(value.toLowerCase()) || there.has("*")) continue;
    there.add(value.toLowerCase());
    headers.append(name, value);
  }
}

/** Makes it readable for pages of the origins that the policy names. */
export function applyCors(policy: CorsPolicy | undefined, request: Request, headers: Headers): boolean {
  if (policy === undefined) return false;
  const origin = request.headers.get("origin");
  const any = policy.origins === "*";
  if (!any) append(headers, "Vary", "Origin");
  if (origin === null || !(any || policy.origins.includes(origin))) return false;
  if (!headers.has("Access-Control-Allow-Origin")) headers.set("Access-Control-Allow-Origin", any ? "*" : origin);
  append(headers, "Access-Control-Expose-Headers", ...EXPOSED);
  return true;
}

/** The answer to a preflight, or null if the request is none (Fetch standard, CORS protocol). */
export function preflight(policy: CorsPolicy | undefined, request: Request): Response | null {
  const asked = request.headers.get("access-control-request-method");
  if (policy === undefined || request.method !== "OPTIONS" || asked === null || !request.headers.has("origin")) return null;
  const headers = new Headers();
  if (applyCors(policy, request, headers)) {
    headers.delete("Access-Control-Expose-Headers");
    headers.set("Access-Control-Allow-Methods", (policy.methods ?? METHODS).join(", "));
    append(headers, "Access-Control-Allow-Headers", ...ALLOWED, ...(policy.headers ?? []));
    if (policy.maxAge !== undefined) headers.set("Access-Control-Max-Age", String(policy.maxAge));
  }
  append(headers, "Vary", "Access-Control-Request-Method", "Access-Control-Request-Headers");
  return new Response(null, { status: 204, headers });
}

/** Puts nonce and caching into an answer's fields. */
export function applyFields(fields: AnswerFields, headers: Headers): void {
  if (fields.nonce !== undefined) {
    // Exactly one (RFC 9449 §8), and never from a cache (§8.2).
    headers.set("DPoP-Nonce", fields.nonce);
    append(headers, "Cache-Control", "no-store");
  }
  if (fields.varies !== undefined) append(headers, "Vary", ...fields.varies.split(", "));
}

/**
 * An answer's fields among those that others have set before: lists are joined, an origin that others allowed stays,
 * everything else is the answer's.
 */
export function mergeFields(there: Headers, answer: Headers): Headers {
  const headers = new Headers(there);
  for (const [name, value] of answer) {
    if (name === "vary" || name === "access-control-expose-headers") append(headers, name, ...value.split(",").map((one) => one.trim()));
    else if (name === "set-cookie") headers.append(name, value);
    else if (name !== "access-control-allow-origin" || !headers.has(name)) headers.set(name, value);
  }
  return headers;
}

/** A response with more fields. Where there is nothing to add it is the same response. */
export function finish(response: Response, request: Request, policy: CorsPolicy | undefined, fields: AnswerFields): Response {
  if (policy === undefined && fields.nonce === undefined && fields.varies === undefined) return response;
  const finished = copyOf(response);
  applyFields(fields, finished.headers);
  applyCors(policy, request, finished.headers);
  return finished;
}

/** Responses that were fetched have fields that cannot be changed; those of a copy can. */
function copyOf(response: Response): Response {
  try {
    // As its own init it also hands on what a platform adds: a WebSocket, how its body is encoded.
    return new Response(response.body, response);
  } catch {
    // Statuses that no constructor takes (101): its own fields, then.
    return response;
  }
}
