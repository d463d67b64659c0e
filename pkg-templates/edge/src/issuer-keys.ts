// An issuer's published keys: found by discovery, fetched once for all who wait, refreshed at a bounded rate.

import type { JwtOptions } from "./tokens.js";

/** Seconds after which keys are fetched anew. */
const FRESH_SECONDS = 600;
/** Seconds for which old keys serve while the issuer cannot be reached. */
const STALE_SECONDS = 3600;
/** Seconds between two fetches for an unknown `kid`, or after a failure. */
const PAUSE_SECONDS = 30;
/** Milliseconds a fetch may take. */
const PATIENCE = 5_000;
/** Octets of a document that is read. */
const MAX_DOCUMENT = 1 << 20;

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
  #flight: Promise<string> | undefined;

  constructor(issuer: string, options: JwtOptions) {
    this.#issuer = issuer;
    this.#options = options;
  }

  /** Keys that were given need no fetching. */
  get given(): string | undefined {
    const { jwks } = this.#options;
    return jwks === undefined || jwks instanceof URL ? undefined : JSON.stringify(jwks);
  }

  /** Whether the keys are due to be fetched anew. */
  isDue(now: number): boolean {
    return this.#fetchedAt !== undefined && now - this.#fetchedAt > FRESH_SECONDS && this.#mayTry(now);
  }

  /** Whether the keys are too old to be used at all. */
  isTooOld(now: number): boolean {
    return this.#fetchedAt !== undefined && now - this.#fetchedAt > STALE_SECONDS;
  }

  /** Whether there are keys. */
  get isLoaded(): boolean {
    return this.#fetchedAt !== undefined;
  }

  /** Whether enough time has passed to ask the issuer again. */
  mayAsk(now: number): boolean {
    return this.given === undefined && (this.#flight !== undefined || this.#mayTry(now));
  }

  #mayTry(now: number): boolean {
    return this.#triedAt === undefined || now - this.#triedAt >= PAUSE_SECONDS || now < this.#triedAt;
  }

  /** The key set as JSON. One fetch serves all who wait; each waits for its own time only. */
  async load(now: number): Promise<string> {
    if (this.given !== undefined) {
      this.#fetchedAt = now;
      return this.given;
    }
    this.#triedAt = now;
    if (this.#flight === undefined) {
      const flight = this.#fetch().finally(() => {
        if (this.#flight === flight) this.#flight = undefined;
      });
      this.#flight = flight;
    }
    const flight = this.#flight;
    try {
      const jwks = await withPatience(flight, 2 * PATIENCE);
      this.#fetchedAt = now;
      return jwks;
    } catch (cause) {
      // The request that fetched may be gone, and its fetch with it: the next one starts anew.
      if (this.#flight === flight) this.#flight = undefined;
      throw cause;
    }
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
        return new URL(metadata.jwks_uri);
      } catch (cause) {
        failure ??= cause;
      }
    }
    throw new Error(`no metadata found for ${this.#issuer}`, { cause: failure });
  }

  async #read(url: URL): Promise<string> {
    const send = this.#options.fetch ?? fetch;
    const response = await send(url.href, {
      headers: { accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (response.status !== 200) throw new Error(`${url.href} answered ${response.status}`);
    const text = await response.text();
    if (text.length > MAX_DOCUMENT) throw new Error(`${url.href} is too large`);
    return text;
  }
}

/** Waits for a promise that may belong to another request, which may be cancelled, and then it never settles. */
async function withPatience<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the issuer's keys did not come in time")), milliseconds);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
