// A resource server: may this request use its access token? (RFC 9449 §7, RFC 8705 §3)

import { Authentication } from "./authentication.js";
import { preflight } from "./answers.js";
import { Caches } from "./caches.js";
import { diagnose } from "./diagnose.js";
import { Forwarding } from "./forwarding.js";
import { core as wasm, init } from "./init.js";
import { IssuerKeys } from "./issuer-keys.js";
import { type EngineOptions, readOptions } from "./options.js";
import { targetOf, type TargetOf } from "./public-url.js";
import { ServerEngine } from "./server-engine.js";
import { signaturesOf, type Signatures } from "./signatures.js";
import { MemoryReplay } from "./replay.js";
import { JwtTokens } from "./tokens.js";
import type { Accepted, Rejected, RequestContext, ResourceServer, ResourceServerOptions } from "./types.js";

/** Everything of a server that outlives a request. Nothing here belongs to one request. */
export interface Core {
  readonly options: ResourceServerOptions;
  readonly engineOptions: EngineOptions;
  readonly replay: NonNullable<ResourceServerOptions["replay"]>;
  readonly targetOf: TargetOf;
  readonly forwarding: Forwarding;
  readonly issuers: readonly IssuerKeys[];
  readonly caches: Caches;
  readonly signatures: Signatures;
  readonly now: () => number;
}

/**
 * Makes a resource server. Does no I/O: build it once, at module scope.
 *
 * Throws a `TypeError` or `RangeError` that says what to change if an option is wrong.
 */
export function createResourceServer(options: ResourceServerOptions): ResourceServer {
  const engineOptions = readOptions(options);
  const tokens = options.tokens ?? new JwtTokens({});
  const core: Core = {
    options,
    engineOptions,
    replay: options.replay ?? new MemoryReplay(1_000_000, 10_000),
    targetOf: targetOf(options.publicUrl),
    forwarding: new Forwarding(options.publicUrl),
    issuers: tokens instanceof JwtTokens ? engineOptions.issuers.map((issuer) => new IssuerKeys(issuer, tokens.options)) : [],
    caches: new Caches(engineOptions.tokenCache, engineOptions.keyCache),
    signatures: signaturesOf(options.crypto),
    now: options.now ?? (() => Date.now() / 1000),
  };
  let running: ServerEngine | undefined;
  const start = (): ServerEngine => {
    const server = new ServerEngine(wasm(), JSON.stringify(engineOptions));
    if (core.replay instanceof MemoryReplay) server.useMemory(core.replay.memory());
    return server;
  };
  return {
    async authenticate(request: Request, context: RequestContext = {}): Promise<Accepted | Rejected> {
      if (running === undefined) {
        await Promise.all([init(), core.signatures.init()]);
        running ??= start();
      }
      core.forwarding.look(request);
      return new Authentication(core, running, request, context).run();
    },
    metadata(resource: string): Record<string, unknown> {
      return metadata(engineOptions, options, resource);
    },
    preflight(request: Request): Response | null {
      return preflight(options.cors, request);
    },
    diagnose() {
      const issuers = core.issuers.map((keys, index) => ({ name: engineOptions.issuers[index] ?? "", look: () => keys.look() }));
      return diagnose(core, issuers, core.now);
    },
  };
}

/** RFC 9728 §2, with the members of RFC 9449 and RFC 8705. */
function metadata(engine: EngineOptions, options: ResourceServerOptions, resource: string): Record<string, unknown> {
  const dpop = engine.mechanism !== "mtls";
  return {
    resource,
    authorization_servers: engine.issuers,
    bearer_methods_supported: ["header"],
    ...(dpop && {
      dpop_signing_alg_values_supported: engine.proof.algorithms,
      dpop_bound_access_tokens_required: engine.required && engine.requiredFor === "all_clients" && engine.mechanism === "dpop",
    }),
    tls_client_certificate_bound_access_tokens: engine.mechanism !== "dpop" && (options.certificates ?? []).length > 0,
  };
}
