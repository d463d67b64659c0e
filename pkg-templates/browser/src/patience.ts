// An AbortSignal that is heeded at every await.

import { KeyboundError } from "./errors.js";

export class Patience {
  readonly #signal: AbortSignal | undefined;
  #aborted: Promise<never> | undefined;
  #onAbort: (() => void) | undefined;

  constructor(signal: AbortSignal | null | undefined) {
    this.#signal = signal ?? undefined;
    if (!signal) return;
    this.#aborted = new Promise<never>((_, reject) => {
      this.#onAbort = () => reject(new KeyboundError("aborted", signal.reason));
      signal.addEventListener("abort", this.#onAbort);
    });
    // It may be rejected when nobody waits.
    this.#aborted.catch(() => {});
  }

  /** What the work gives, or `aborted` as soon as the signal says so. */
  with<T>(work: T | PromiseLike<T>): Promise<T> {
    if (this.#signal?.aborted) this.#onAbort?.();
    return this.#aborted ? Promise.race([this.#aborted, work]) : Promise.resolve(work);
  }

  /** Leaves nothing behind at a signal that lives longer. */
  end(): void {
    if (this.#onAbort) this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}
