// An issuer's published keys: found by discovery, fetched once for all who wait, refreshed at a bounded rate.

import { isSecure } from "./options.js";
import { PATIENCE, readDocument } from "./documents.js";
import type { JwtOptions } from "./tokens.js";

/** Seconds after which keys are fetched anew. */
const FRESH_SECONDS = 600;
/** Seconds for which old keys serve while the issuer cannot be reached. */
const STALE_SECONDS = 3600;
/** Seconds between two fetches while there are keys: for an unknown `kid`, or after a failure. */
const PAUSE_SECONDS = 30;
/** Seconds between two fetches while there are none. */
const RETRY_SECONDS = 1;
/** Milliseconds a request waits for its own fetch, and for one that another request began. */
const OWN_PATIENCE = 10_000;
const OTHERS_PATIENCE = 2_000;

/** Takes over a key set as JSON; false if it is none. */
export type UseKeys = (jwks: string) => boolean;

/** Where an issuer's metadata may be (RFC 8414 §3.1, OpenID Connect Discovery §4). */
export function metadataUrls(issuer: string): URL[] {
  const url = new URL(issuer);
  const path = url.pathname.replace(/\/$/, "");
  return [
    new URL(`${url.origin}/.well-known/oauth-authorization-server${path}`),
    new URL(`${url.origin}${path}/.well-known/openid-configuration`),
  ];
}

/** The keys of one issuer. */
export class IssuerKeys {
  readonly #issuer: string;
  readonly #options: JwtOptions;
  #fetchedAt: number | undefined;
  #triedAt: number | undefined;
  #flight: Promise<void> | undefined;
  /** Fetches are numbered, so that one that ends late does not undo a later one. */
  #flights = 0;
  #newest = 0;

  constructor(issuer: string, options: JwtOptions) {
    this.#issuer = issuer;
    this.#options = options;
  }

  /** Keys that were given need no fetching, and do not grow old. */
  get #given(): string | undefined {
    const { jwks } = this.#options;
    return jwks === undefined || jwks instanceof URL ? undefined : JSON.stringify(jwks);
  }

  /** Whether the keys are due to be fetched anew. */
  isDue(now: number): boolean {
    return this.#isOlderThan(FRESH_SECONDS, now) && this.#mayTry(now);
  }

  /** Whether the keys are too old to be used at all. */
  isTooOld(now: number): boolean {
    return this.#isOlderThan(STALE_SECONDS, now);
  }

  #isOlderThan(seconds: number, now: number): boolean {
    // A clock that was set back says nothing about their age.
    return this.#fetchedAt !== undefined && this.#given === undefined && Math.abs(now - this.#fetchedAt) > seconds;
  }

  #mayTry(now: number): boolean {
    const pause = this.#fetchedAt === undefined ? RETRY_SECONDS : PAUSE_SECONDS;
    return this.#triedAt === undefined || Math.abs(now - this.#triedAt) >= pause;
  }

  /** Forgets keys that are too old. */
  forget(): void {
    this.#fetchedAt = undefined;
  }

  /** Fetches the keys, unless that was just tried. True if there are keys that may be used, old ones too. */
  async load(now: number, use: UseKeys): Promise<boolean> {
    if (this.#given === undefined) await this.#fetchOnce(now, use);
    else if (this.#fetchedAt === undefined && use(this.#given)) this.#fetchedAt = now;
    return this.#fetchedAt !== undefined && !this.isTooOld(now);
  }

  /** The key set as JSON, for a look at it only. */
  async look(): Promise<string> {
    return this.#given ?? this.#fetch();
  }

  /** One fetch serves all who wait; each waits for its own time only. */
  async #fetchOnce(now: number, use: UseKeys): Promise<void> {
    const others = this.#flight;
    if (others === undefined) {
      if (!this.#mayTry(now)) return;
    } else if (await settles(others, OTHERS_PATIENCE)) return;
    // Nobody fetches, or nobody who will ever be done: where a request is cancelled, so is its fetch.
    if (this.#flight === others) this.#flight = this.#start(now, use);
    const flight = this.#flight;
    if (flight === undefined || (await settles(flight, OWN_PATIENCE))) return;
    if (this.#flight === flight) this.#flight = undefined;
  }

  /** A fetch that settles without an error, whatever becomes of it. */
  #start(now: number, use: UseKeys): Promise<void> {
    this.#triedAt = now;
    const number = (this.#flights += 1);
    const flight = this.#fetch()
      .then((jwks) => {
        if (number < this.#newest || !use(jwks)) return;
        this.#newest = number;
        this.#fetchedAt = now;
      })
      .catch(() => {
        // Old keys serve for a while; `load` says whether there are any.
      })
      .finally(() => {
        if (this.#flight === flight) this.#flight = undefined;
      });
    return flight;
  }

  async #fetch(): Promise<string> {
    const { jwks } = this.#options;
    return this.#read(jwks instanceof URL ? jwks : await this.#discover());
  }

  /** The `jwks_uri` of the issuer's metadata, whose `issuer` must be the very same (RFC 8414 §3.3). */
  async #discover(): Promise<URL> {
    let failure: unknown;
    for (const url of metadataUrls(this.#issuer)) {
      try {
        const metadata = JSON.parse(await this.#read(url)) as { issuer?: unknown; jwks_uri?: unknown };
        if (metadata.issuer !== this.#issuer) throw new Error(`${url.href} is the metadata of another issuer`);
        if (typeof metadata.jwks_uri !== "string") throw new Error(`${url.href} names no jwks_uri`);
        const jwksUri = new URL(metadata.jwks_uri);
        // RFC 8414 §2.
        if (!isSecure(jwksUri)) throw new Error(`${url.href} names a jwks_uri without https`);
        return jwksUri;
      } catch (cause) {
        failure ??= cause;
      }
    }
    throw new Error(`no metadata found for ${this.#issuer}`, { cause: failure });
  }

  async #read(url: URL): Promise<string> {
    return readDocument(await (this.#options.fetch ?? fetch)(url.href, {
      headers: { accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE),
    }), url);
  }
}

/** Waits for a promise that may belong to another request, which may be cancelled, and then it never settles. */
async function settles(promise: Promise<void>, milliseconds: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([promise.then(() => true as const), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
