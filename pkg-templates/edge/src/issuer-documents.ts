// An issuer's published documents: where its metadata and its keys are, and how long each serves.

import { PATIENCE, readDocument } from "./documents.js";
import { core } from "./init.js";
import { isSecure } from "./options.js";
import { keysFor, type JwtOptions } from "./tokens.js";

/** A key set, as it came. */
export interface KeyDocument {
  jwks: string;
  /** Seconds for which it is fresh, and for which it then serves stale while there is no other. */
  fresh: number;
  stale: number;
}

/** What was fetched, and what its answer said about itself. */
interface Fetched {
  text: string;
  headers: Headers;
}

/** Where an issuer's metadata may be (RFC 8414 §3.1, OpenID Connect Discovery §4). */
export function metadataUrls(issuer: string): URL[] {
  const url = new URL(issuer);
  const path = url.pathname.replace(/\/$/, "");
  return [
    new URL(`${url.origin}/.well-known/oauth-authorization-server${path}`),
    new URL(`${url.origin}${path}/.well-known/openid-configuration`),
  ];
}

/** The documents of one issuer. */
export class IssuerDocuments {
  /** Keys that were given, as JSON: they need no fetching, and do not grow old. */
  readonly given: string | undefined;
  readonly #issuer: string;
  /** Where the keys are, if that was given. */
  readonly #jwksUri: URL | undefined;
  readonly #fetch: typeof fetch | undefined;
  /** Where the keys were found to be. */
  #found: { url: URL; at: number; fresh: number } | undefined;

  constructor(issuer: string, options: JwtOptions) {
    const jwks = keysFor(issuer, options.jwks);
    this.#issuer = issuer;
    this.#fetch = options.fetch;
    if (jwks instanceof URL) this.#jwksUri = jwks;
    else if (jwks !== undefined) this.given = JSON.stringify(jwks);
  }

  /** Fetches the keys. Metadata that is still fresh is not asked again. */
  async keys(now: number): Promise<KeyDocument> {
    const { text, headers } = await this.#fetchKeys(now);
    const [fresh = 0, stale = 0] = freshnessOf(headers, false, now);
    return { jwks: text, fresh, stale };
  }

  /** Forgets where the keys were, since what is there is of no use. */
  forgetPlace(): void {
    this.#found = undefined;
  }

  /** The keys for a look at them only, found anew. */
  async look(): Promise<Fetched> {
    return this.#read(this.#jwksUri ?? (await this.#discover()).url);
  }

  async #fetchKeys(now: number): Promise<Fetched> {
    if (this.#jwksUri !== undefined) return this.#read(this.#jwksUri);
    const found = this.#found;
    if (found !== undefined && Math.abs(now - found.at) < found.fresh) {
      try {
        return await this.#read(found.url);
      } catch {
        // They may have moved.
        this.#found = undefined;
      }
    }
    const { url, headers } = await this.#discover();
    const fetched = await this.#read(url);
    const [fresh = 0] = freshnessOf(headers, true, now);
    this.#found = { url, at: now, fresh };
    return fetched;
  }

  /** The `jwks_uri` of the issuer's metadata, whose `issuer` must be the very same (RFC 8414 §3.3). */
  async #discover(): Promise<{ url: URL; headers: Headers }> {
    let failure: unknown;
    for (const url of metadataUrls(this.#issuer)) {
      try {
        const { text, headers } = await this.#read(url);
        const metadata = JSON.parse(text) as { issuer?: unknown; jwks_uri?: unknown };
        if (metadata.issuer !== this.#issuer) throw new Error(`${url.href} is the metadata of another issuer`);
        if (typeof metadata.jwks_uri !== "string") throw new Error(`${url.href} names no jwks_uri`);
        const jwksUri = new URL(metadata.jwks_uri);
        // RFC 8414 §2.
        if (!isSecure(jwksUri)) throw new Error(`${url.href} names a jwks_uri without https`);
        return { url: jwksUri, headers };
      } catch (cause) {
        failure ??= cause;
      }
    }
    throw new Error(`no metadata found for ${this.#issuer}`, { cause: failure });
  }

  async #read(url: URL): Promise<Fetched> {
    const response = await (this.#fetch ?? fetch)(url.href, {
      headers: { accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE),
    });
    return { text: await readDocument(response, url), headers: response.headers };
  }
}

function freshnessOf(headers: Headers, isMetadata: boolean, now: number): number[] {
  const expires = headers.get("expires");
  // An `Expires` that is no date has passed (RFC 9111 §5.3).
  const expiresAt = expires === null ? NaN : (secondsOf(expires) ?? 0);
  const module = core();
  const length = module.putAll(headers.get("cache-control"), headers.get("age"));
  module.exports.freshness(module.desk, length, isMetadata, expiresAt, secondsOf(headers.get("date")) ?? now);
  return module.taken().split(" ").map(Number);
}

/** Seconds since the epoch of a date in a field (RFC 9110 §5.6.7); undefined if it is none. */
export function secondsOf(date: string | null): number | undefined {
  const milliseconds = date === null ? NaN : Date.parse(date);
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}
