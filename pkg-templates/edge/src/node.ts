// @keybound/edge/node: both roles for servers of node:http, node:https and node:http2, and for frameworks on top of them.

import { behindPeer } from "./node-certificate.js";
import { WireRequest, type NodeRequest } from "./node-request.js";
import { finishOn, send, type NodeResponse } from "./node-response.js";
import { targetOf } from "./public-url.js";
import { createResourceServer } from "./resource-server.js";
import { hasScope } from "./scope.js";
import { createTokenEndpoint } from "./token-endpoint.js";
import type { Accepted, Binding, Diagnosis, Rejected, RequestContext, ResourceServerOptions, TokenEndpointOptions, TokenRequestContext } from "./types.js";

export { peerCertificate, type PeerCertificateOptions } from "./node-certificate.js";
export { finishOn, send, type NodeResponse } from "./node-response.js";
export type { NodeRequest } from "./node-request.js";

type PublicUrl = NonNullable<ResourceServerOptions["publicUrl"]>;

/** Options of {@link createNodeResourceServer}. */
export interface NodeResourceServerOptions extends ResourceServerOptions {
  /**
   * What clients see: `https://api.example`. Required, since the URL of a Node request comes from the Host field, which
   * the client writes. Several: the one of the request's host. A function sees that URL as `request.url`.
   */
  publicUrl: PublicUrl;
}

/** Options of {@link createNodeTokenEndpoint}. */
export interface NodeTokenEndpointOptions extends TokenEndpointOptions {
  /** As for a resource server. */
  publicUrl: PublicUrl;
}

/** How a request is let through. */
export interface ProtectOptions {
  /** Scopes that the token must all have, separated by spaces; otherwise 403 with an `insufficient_scope` challenge (RFC 6750 §3.1). */
  scope?: string;
  /** Beside the raw fields, which are given to the decision in any case. */
  context?: RequestContext;
}

/** A resource server's decisions about Node requests (RFC 9449 §4.3 and §7, RFC 8705 §3). */
export interface NodeResourceServer {
  /** Decides, and answers nothing: see {@link send} and {@link finishOn}. */
  authenticate(incoming: NodeRequest, context?: RequestContext): Promise<Accepted | Rejected>;
  /**
   * Decides, and answers preflights and refusals: null, and the request is done with. Otherwise the handler's answer gets
   * its nonce, caching and CORS fields when its head is written. Asked again about a request that it accepted it decides
   * about the `scope` only.
   */
  protect(incoming: NodeRequest, outgoing: NodeResponse, options?: ProtectOptions): Promise<Accepted | null>;
  /** {@link protect} for Express, Connect and others that take `(request, response, next)`; see {@link accepted}. */
  middleware(options?: ProtectOptions): (incoming: NodeRequest, outgoing: NodeResponse, next: (error?: unknown) => void) => Promise<void>;
  /** RFC 9728 document for these options. */
  metadata(resource: string): Record<string, unknown>;
  /** What about this configuration and its surroundings needs attention. */
  diagnose(): Promise<Diagnosis>;
}

/** A token endpoint's decisions about Node requests (RFC 9449 §5, RFC 8705 §3). */
export interface NodeTokenEndpoint {
  /**
   * Call it after the grant was found and before it is consumed. Refusals are answered: null, and the request is done
   * with. Otherwise the answer gets its nonce, caching and CORS fields when its head is written. Reads no body.
   */
  bind(incoming: NodeRequest, outgoing: NodeResponse, grant?: TokenRequestContext): Promise<Binding | null>;
  /** Answers a CORS preflight; false if the request is none. */
  preflight(incoming: NodeRequest, outgoing: NodeResponse): Promise<boolean>;
}

/**
 * Makes a resource server for Node requests. Does no I/O: build it once.
 *
 * Throws a `TypeError` or `RangeError` that says what to change if an option is wrong.
 *
 * ```ts
 * const api = createNodeResourceServer({ issuer, audience, publicUrl: "https://api.example" });
 * createServer(async (request, response) => {
 *   const auth = await api.protect(request, response);
 *   if (auth !== null) response.end(`hello ${auth.claims.sub}`);
 * });
 * ```
 */
export function createNodeResourceServer(options: NodeResourceServerOptions): NodeResourceServer {
  const server = createResourceServer(onNode(options));
  const decided = new WeakMap<NodeRequest, Accepted>();
  const decide = (request: WireRequest, context?: RequestContext) => server.authenticate(request, contextOf(request, context));
  const protect: NodeResourceServer["protect"] = async (incoming, outgoing, { scope, context } = {}) => {
    const request = new WireRequest(incoming);
    const answer = (response: Response): Promise<null> => send(outgoing, response).then(() => null);
    // A second look at a proof would find it used.
    const earlier = decided.get(incoming);
    const decision = earlier ?? server.preflight(request) ?? (await decide(request, context));
    if (decision instanceof Response) return answer(decision);
    if (!decision.ok) return answer(decision.response());
    if (scope !== undefined && !hasScope(decision.claims, scope)) return answer(decision.forbid(scope));
    if (earlier === undefined) finishOn(outgoing, decision);
    decided.set(incoming, decision);
    acceptances.set(incoming, decision);
    return decision;
  };
  return {
    authenticate: (incoming, context) => decide(new WireRequest(incoming), context),
    protect,
    middleware: (options) => async (incoming, outgoing, next) => {
      let decision: Accepted | null;
      try {
        decision = await protect(incoming, outgoing, options);
      } catch (error) {
        next(error);
        return;
      }
      if (decision !== null) next();
    },
    metadata: (resource) => server.metadata(resource),
    diagnose: () => server.diagnose(),
  };
}

const acceptances = new WeakMap<NodeRequest, Accepted>();

/** The acceptance of a request that went through `protect` or `middleware`. Throws where none stands before the handler. */
export function accepted(incoming: NodeRequest): Accepted {
  const found = acceptances.get(incoming);
  if (found === undefined) throw new Error("no accepted request here: put middleware() or protect() of @keybound/edge/node before this handler");
  return found;
}

/**
 * Makes a token endpoint's half of sender constraining for Node requests. Does no I/O: build it once.
 *
 * Throws a `TypeError` or `RangeError` that says what to change if an option is wrong.
 */
export function createNodeTokenEndpoint(options: NodeTokenEndpointOptions): NodeTokenEndpoint {
  const endpoint = createTokenEndpoint(onNode(options));
  return {
    async bind(incoming, outgoing, grant) {
      const request = new WireRequest(incoming);
      const decision = await endpoint.bind(request, contextOf(request, grant));
      if (!decision.ok) {
        await send(outgoing, decision.response());
        return null;
      }
      finishOn(outgoing, decision);
      return decision;
    },
    async preflight(incoming, outgoing) {
      const answer = endpoint.preflight(new WireRequest(incoming));
      if (answer !== null) await send(outgoing, answer);
      return answer !== null;
    },
  };
}

/** The options as the roles take them: a request whose request line names no resource is for none of ours. */
function onNode<Options extends ResourceServerOptions | TokenEndpointOptions>(options: Options): Options {
  if (options.publicUrl === undefined || options.publicUrl === null) {
    throw new TypeError(
      'publicUrl: give what clients see, such as "https://api.example"; the URL of a Node request comes from the Host field, which the client writes',
    );
  }
  const target = targetOf(options.publicUrl);
  const publicUrl = (request: Request): string => (request instanceof WireRequest && !request.hasTarget ? "" : (target(request) ?? ""));
  return { ...options, publicUrl, certificates: behindPeer(options.certificates ?? []) };
}

function contextOf<Context extends RequestContext>(request: WireRequest, given?: Context): RequestContext & Context {
  // This process outlives its answers.
  const waitUntil = (): void => undefined;
  return { waitUntil, headers: request.fields, ...given } as RequestContext & Context;
}
