// Opaque access tokens, resolved by their issuer (RFC 7662).

import { PATIENCE, readDocument } from "./documents.js";
import { isSecure } from "./options.js";
import type { Claims, ResolvedToken, TokenSource } from "./types.js";

/** Options of {@link introspection}. */
export interface IntrospectionOptions {
  /** The issuer's introspection endpoint. */
  endpoint: URL;
  /** Adds this server's own credentials (RFC 7662 §2.1). */
  authenticate: (request: Request) => Request | Promise<Request>;
  fetch?: typeof fetch;
  /**
   * For how many seconds an active token is remembered. Default 0: each request asks, and a revoked token is
   * refused at once. Binding and proof are checked on every request in any case.
   */
  cacheSeconds?: number;
}

class Introspection implements TokenSource {
  readonly #options: IntrospectionOptions;

  constructor(options: IntrospectionOptions) {
    this.#options = options;
  }

  async resolve(token: string, { now }: { now: number }): Promise<ResolvedToken> {
    const { endpoint, authenticate, cacheSeconds = 0 } = this.#options;
    const request = await authenticate(
      new Request(endpoint, {
        method: "POST",
        headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ token, token_type_hint: "access_token" }).toString(),
        redirect: "manual",
      }),
    );
    const response = await (this.#options.fetch ?? fetch)(request, { signal: AbortSignal.timeout(PATIENCE) });
    const answer: unknown = JSON.parse(await readDocument(response, endpoint));
    if (typeof answer !== "object" || answer === null) throw new Error(`${endpoint.href} answered with no object`);
    const claims = answer as Claims;
    // Only the very `true` counts (RFC 7662 §2.2).
    if (claims["active"] !== true) return { active: false };
    return { active: true, claims, ...(cacheSeconds > 0 && { expiresAt: now + cacheSeconds }) };
  }
}

/**
 * Access tokens that their issuer resolves (RFC 7662). An endpoint that gives no answer means 503, never an acceptance.
 * The answer's `cnf` is enforced like that of a JWT (RFC 9449 §6.2, RFC 8705 §3.2).
 *
 * Throws a `TypeError` if an option is wrong.
 */
export function introspection(options: IntrospectionOptions): TokenSource {
  if (!(options.endpoint instanceof URL) || !isSecure(options.endpoint)) {
    throw new TypeError("introspection: endpoint must be an https URL object");
  }
  if (typeof options.authenticate !== "function") {
    throw new TypeError("introspection: authenticate must be a function that adds this server's credentials");
  }
  const { cacheSeconds = 0 } = options;
  if (!Number.isInteger(cacheSeconds) || cacheSeconds < 0) {
    throw new RangeError("introspection: cacheSeconds must be a whole number that is not negative");
  }
  return new Introspection(options);
}
