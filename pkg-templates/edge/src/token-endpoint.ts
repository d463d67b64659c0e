// A token endpoint: what is this token to be bound to? (RFC 9449 §5, §8, §10; RFC 8705 §3, §4)

import { preflight } from "./answers.js";
import { Caches } from "./caches.js";
import { diagnose } from "./diagnose.js";
import { EndpointEngine } from "./endpoint-engine.js";
import { Forwarding } from "./forwarding.js";
import { core as wasm, init } from "./init.js";
import { readTokenEndpointOptions } from "./options.js";
import { targetOf, type TargetOf } from "./public-url.js";
import { MemoryReplay } from "./replay.js";
import type { Surroundings } from "./request-work.js";
import { signaturesOf } from "./signatures.js";
import { BindingRequest } from "./binding-request.js";
import type { Binding, Rejected, TokenEndpoint, TokenEndpointOptions, TokenRequestContext } from "./types.js";

/** Everything of an endpoint that outlives a request. */
export interface TokenCore extends Surroundings {
  readonly options: TokenEndpointOptions;
  readonly targetOf: TargetOf;
  readonly forwarding: Forwarding;
  readonly now: () => number;
}

/**
 * Makes a token endpoint's half of sender constraining. Does no I/O: build it once, at module scope.
 * Serves pushed authorization requests as well (RFC 9449 §10.1).
 *
 * Throws a `TypeError` or `RangeError` that says what to change if an option is wrong.
 */
export function createTokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  const engineOptions = readTokenEndpointOptions(options);
  const core: TokenCore = {
    options,
    replay: options.replay ?? new MemoryReplay(1_000_000, 10_000),
    targetOf: targetOf(options.publicUrl),
    forwarding: new Forwarding(options.publicUrl),
    caches: new Caches(0, engineOptions.keyCache),
    signatures: signaturesOf(options.crypto),
    now: options.now ?? (() => Date.now() / 1000),
  };
  let running: EndpointEngine | undefined;
  const start = (): EndpointEngine => {
    const engine = new EndpointEngine(wasm(), JSON.stringify(engineOptions));
    if (core.replay instanceof MemoryReplay) engine.useMemory(core.replay.memory());
    return engine;
  };
  return {
    async bind(request: Request, context: TokenRequestContext = {}): Promise<Binding | Rejected> {
      if (running === undefined) {
        await Promise.all([init(), core.signatures.init()]);
        running ??= start();
      }
      core.forwarding.look(request);
      return new BindingRequest(core, running, request, context).run();
    },
    preflight(request: Request): Response | null {
      return preflight(options.cors, request);
    },
    diagnose() {
      return diagnose(core, [], core.now);
    },
  };
}
