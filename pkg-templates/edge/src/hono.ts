// @keybound/edge/hono: both roles as middleware for Hono 4. Nothing of Hono is loaded, only its types are used.

import type { Context, MiddlewareHandler } from "hono";
import { mergeFields } from "./answers.js";
import { hasScope } from "./scope.js";
import type { Accepted, Binding, Rejected, RequestContext, ResourceServer, TokenEndpoint, TokenRequestContext } from "./types.js";

/** What handlers behind {@link keybound} have: `c.get("keybound")`. */
export interface KeyboundEnv {
  Variables: { keybound: Accepted };
}

/** Options of {@link keybound}. */
export interface KeyboundOptions {
  /** Scopes that the token must all have, separated by spaces; otherwise 403 with an `insufficient_scope` challenge (RFC 6750 §3.1). */
  scope?: string;
  /** What the platform knows of a request beside its `Request`: a certificate, raw fields. */
  context?: (c: Context) => RequestContext;
}

/**
 * Lets requests through that may use their token (RFC 9449 §7, RFC 8705 §3). Preflights and refusals are answered here;
 * other answers get their nonce, caching and CORS fields on the way out, also those of error handlers and of `notFound`.
 *
 * Several of the same server on one path decide once, so that one for all routes and one with a `scope` go together.
 * A proof covers the URL that `request.url` has: see `publicUrl` for proxies.
 *
 * ```ts
 * const app = new Hono();
 * app.use("/orders/*", keybound(api));
 * app.get("/orders/:id", keybound(api, { scope: "orders:read" }), (c) => c.json(c.get("keybound").claims));
 * ```
 */
export function keybound(server: ResourceServer, options: KeyboundOptions = {}): MiddlewareHandler<KeyboundEnv> {
  const { scope } = options;
  return async (c, next) => {
    const request = c.req.raw;
    const decided = acceptancesOf(server);
    const earlier = decided.get(request);
    const decision = earlier ?? server.preflight(request) ?? (await server.authenticate(request, { ...contextOf(c), ...options.context?.(c) }));
    if (decision instanceof Response) return answer(c, decision);
    if (!decision.ok) return answer(c, decision.response());
    if (scope !== undefined && !hasScope(decision.claims, scope)) return answer(c, decision.forbid(scope));
    decided.set(request, decision);
    c.set("keybound", decision);
    await next();
    if (earlier === undefined) finishOn(c, decision);
    return undefined;
  };
}

/**
 * The acceptance in a handler that is written apart from its route. Throws where {@link keybound} does not stand before it.
 */
export function accepted(c: Context): Accepted {
  const found = (c as Context<KeyboundEnv>).get("keybound") as Accepted | undefined;
  if (found === undefined) throw new Error("no accepted request here: put keybound(server) of @keybound/edge/hono before this handler");
  return found;
}

/** What handlers behind {@link keyboundToken} have: `c.get("bind")`. */
export interface KeyboundTokenEnv {
  Variables: { bind: (grant?: TokenRequestContext) => Promise<Binding | Rejected> };
}

/**
 * A token endpoint's half (RFC 9449 §5, RFC 8705 §3): preflights are answered, `c.get("bind")` decides what the token is
 * bound to, and the answer gets its nonce, caching and CORS fields. Call `bind` after the grant was found and before it is consumed.
 *
 * ```ts
 * app.use("/token", keyboundToken(endpoint));
 * app.post("/token", async (c) => {
 *   const binding = await c.get("bind")({ clientType: "public", dpopJkt: code.dpopJkt });
 *   if (!binding.ok) return binding.response();
 *   return c.json(await issue(code, binding));
 * });
 * ```
 */
export function keyboundToken(endpoint: TokenEndpoint): MiddlewareHandler<KeyboundTokenEnv> {
  return async (c, next) => {
    const preflight = endpoint.preflight(c.req.raw);
    if (preflight !== null) return answer(c, preflight);
    let bound: Binding | undefined;
    c.set("bind", async (grant = {}) => {
      const decision = await endpoint.bind(c.req.raw, { ...contextOf(c), ...grant });
      if (decision.ok) bound = decision;
      return decision;
    });
    await next();
    if (bound !== undefined) finishOn(c, bound);
    return undefined;
  };
}

/** Which requests a server has accepted: a second look at a proof would find it used. */
const acceptances = new WeakMap<ResourceServer, WeakMap<Request, Accepted>>();

function acceptancesOf(server: ResourceServer): WeakMap<Request, Accepted> {
  const known = acceptances.get(server) ?? new WeakMap<Request, Accepted>();
  acceptances.set(server, known);
  return known;
}

function contextOf(c: Context): RequestContext {
  try {
    const { executionCtx } = c;
    return { waitUntil: (promise) => executionCtx.waitUntil(promise) };
  } catch {
    // There is none outside of workers, and Hono throws.
    return {};
  }
}

function finishOn(c: Context, decision: { finish(response: Response): Response }): void {
  const finished = decision.finish(c.res);
  if (finished !== c.res) replace(c, finished);
}

function answer(c: Context, response: Response): Response {
  const { status, statusText, body } = response;
  replace(c, new Response(body, { status, statusText, headers: mergeFields(c.res.headers, response.headers) }));
  return c.res;
}

/** Hono would write the fields of the answer before over those of the new one, unless there is none. */
function replace(c: Context, response: Response): void {
  c.res = undefined;
  c.res = response;
}
