// Opaque access tokens, resolved by their issuer (RFC 7662).

import { PATIENCE, readDocument } from "./documents.js";
import { settles } from "./flight.js";
import { isSecure } from "./options.js";
import { checkOwn, INTROSPECTION } from "./shape.js";
import type { Claims, ResolvedToken, TokenSource } from "./types.js";

/** Octets of an answer that are read: it describes one token. */
const MAX_ANSWER = 1 << 18;
/** Milliseconds a request waits for an answer that another one asked for. */
const OTHERS_PATIENCE = 2_000;
/** Questions that are shared. Those of cancelled requests are never answered. */
const MAX_ASKED = 1_000;

/** Options of {@link introspection}. */
export interface IntrospectionOptions {
  /** The issuer's introspection endpoint. */
  endpoint: URL;
  /** Adds this server's own credentials (RFC 7662 §2.1). */
  authenticate: (request: Request) => Request | Promise<Request>;
  fetch?: typeof fetch;
  /**
   * For how many seconds an active token is remembered, at most until its `exp` and for five minutes. Requests with
   * one token at the same time then share one answer, too. Default 0: each request asks, and a revoked token is
   * refused at once (RFC 7662 §4). Binding and proof are checked on every request in any case.
   */
  cacheSeconds?: number;
}

class Introspection implements TokenSource {
  readonly #options: IntrospectionOptions;
  readonly #cacheSeconds: number;
  /** Questions that wait for their answers, by token. Only where answers may be shared. */
  readonly #asked = new Map<string, Promise<ResolvedToken>>();

  constructor(options: IntrospectionOptions) {
    this.#options = options;
    this.#cacheSeconds = options.cacheSeconds ?? 0;
  }

  async resolve(token: string, { now }: { now: number }): Promise<ResolvedToken> {
    if (this.#cacheSeconds === 0) return this.#ask(token, now);
    const asked = this.#asked.get(token);
    if (asked !== undefined && (await settles(asked, OTHERS_PATIENCE))) return asked;
    // Nobody asks, or nobody who will ever know: where a request is cancelled, so is its question.
    const meanwhile = this.#asked.get(token);
    return meanwhile !== undefined && meanwhile !== asked ? meanwhile : this.#askForAll(token, now);
  }

  #askForAll(token: string, now: number): Promise<ResolvedToken> {
    const answer = this.#ask(token, now);
    const done = () => void (this.#asked.get(token) === answer && this.#asked.delete(token));
    this.#asked.set(token, answer);
    answer.then(done, done);
    for (const oldest of this.#asked.keys()) {
      if (this.#asked.size <= MAX_ASKED) break;
      this.#asked.delete(oldest);
    }
    return answer;
  }

  async #ask(token: string, now: number): Promise<ResolvedToken> {
    const { endpoint, authenticate } = this.#options;
    const request = await authenticate(
      new Request(endpoint, {
        method: "POST",
        headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ token, token_type_hint: "access_token" }).toString(),
        redirect: "manual",
      }),
    );
    const response = await (this.#options.fetch ?? fetch)(request, { signal: AbortSignal.timeout(PATIENCE) });
    const answer: unknown = JSON.parse(await readDocument(response, endpoint, MAX_ANSWER));
    if (typeof answer !== "object" || answer === null || Array.isArray(answer)) throw new Error(`${endpoint.href} answered with no object`);
    const claims = answer as Claims;
    // Only the very `true` counts (RFC 7662 §2.2).
    if (claims["active"] !== true) return { active: false };
    return { active: true, claims, ...(this.#cacheSeconds > 0 && { expiresAt: now + this.#cacheSeconds }) };
  }
}

/**
 * Access tokens that their issuer resolves (RFC 7662). An endpoint that gives no answer means 503, never an acceptance.
 * The answer's `cnf` is enforced like that of a JWT (RFC 9449 §6.2, RFC 8705 §3.2); a `token_type` in it must be DPoP
 * for a token that is bound to a key, and for no other.
 *
 * Throws a `TypeError` or `RangeError` if an option is wrong.
 */
export function introspection(options: IntrospectionOptions): TokenSource {
  checkOwn(options, INTROSPECTION, "introspection");
  const { endpoint, authenticate, cacheSeconds, fetch: send } = options;
  if (!(endpoint instanceof URL) || !isSecure(endpoint)) {
    throw new TypeError("introspection: endpoint must be an https URL object");
  }
  if (typeof authenticate !== "function") {
    throw new TypeError("introspection: authenticate must be a function that adds this server's credentials");
  }
  if (send !== undefined && typeof send !== "function") throw new TypeError("introspection: fetch must be a function like the global fetch");
  if (cacheSeconds !== undefined && (!Number.isInteger(cacheSeconds) || cacheSeconds < 0)) {
    throw new RangeError("introspection: cacheSeconds must be a whole number that is not negative");
  }
  return new Introspection({ ...options, endpoint: new URL(endpoint) });
}
