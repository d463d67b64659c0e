// When an issuer's keys are fetched: once for all who wait, anew at a bounded rate, and old ones serve for a bounded time.

import { settles } from "./flight.js";
import { IssuerDocuments } from "./issuer-documents.js";
import type { JwtOptions } from "./tokens.js";

/** Seconds between two fetches while there are keys: for an unknown `kid`, or after a failure. */
const PAUSE_SECONDS = 30;
/** Seconds between two fetches while there are none. */
const RETRY_SECONDS = 1;
/** Milliseconds a request waits for its own fetch, and for one that another request began. */
const OWN_PATIENCE = 10_000;
const OTHERS_PATIENCE = 2_000;

/** Takes over a key set as JSON; false if it is none. */
export type UseKeys = (jwks: string) => boolean;

/** The keys of one issuer. */
export class IssuerKeys {
  readonly #documents: IssuerDocuments;
  /** When the keys were fetched, and how long they serve (crates/keybound-core/src/server/freshness.rs). */
  #fetched: { at: number; fresh: number; stale: number } | undefined;
  #triedAt: number | undefined;
  #flight: Promise<void> | undefined;
  /** Fetches are numbered, so that one that ends late does not undo a later one. */
  #flights = 0;
  #newest = 0;

  constructor(issuer: string, options: JwtOptions) {
    this.#documents = new IssuerDocuments(issuer, options);
  }

  /** Whether the keys are due to be fetched anew. */
  isDue(now: number): boolean {
    const fetched = this.#fetched;
    return fetched !== undefined && Math.abs(now - fetched.at) > fetched.fresh && this.#mayTry(now);
  }

  /** Whether the keys are too old to be used at all. */
  isTooOld(now: number): boolean {
    const fetched = this.#fetched;
    // A clock that was set back says nothing about their age.
    return fetched !== undefined && Math.abs(now - fetched.at) > fetched.fresh + fetched.stale;
  }

  #mayTry(now: number): boolean {
    const pause = this.#fetched === undefined ? RETRY_SECONDS : PAUSE_SECONDS;
    return this.#triedAt === undefined || Math.abs(now - this.#triedAt) >= pause;
  }

  /** Forgets keys that are too old. */
  forget(): void {
    this.#fetched = undefined;
  }

  /** Fetches the keys, unless that was just tried. True if there are keys that may be used, old ones too. */
  async load(now: number, use: UseKeys): Promise<boolean> {
    const { given } = this.#documents;
    if (given === undefined) await this.#fetchOnce(now, use);
    else if (this.#fetched === undefined && use(given)) this.#fetched = { at: now, fresh: Infinity, stale: 0 };
    return this.#fetched !== undefined && !this.isTooOld(now);
  }

  /** The key set as JSON, for a look at it only, and the fields of the answer that it came with. */
  async look(): Promise<{ text: string; headers?: Headers }> {
    const { given } = this.#documents;
    return given === undefined ? this.#documents.look() : { text: given };
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
    const flight = this.#documents
      .keys(now)
      .then(({ jwks, fresh, stale }) => {
        if (number < this.#newest) return;
        if (use(jwks)) {
          this.#newest = number;
          this.#fetched = { at: now, fresh, stale };
        } else this.#documents.forgetPlace();
      })
      .catch(() => {
        // Old keys serve for a while; `load` says whether there are any.
      })
      .finally(() => {
        if (this.#flight === flight) this.#flight = undefined;
      });
    return flight;
  }
}
