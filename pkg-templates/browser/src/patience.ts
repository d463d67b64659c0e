// An AbortSignal that is heeded at every await.

import { KeyboundError } from "./errors.js";

export interface Patience {
  /** What the work gives, or `aborted` as soon as the signal says so. */
  wait<T>(work: T | PromiseLike<T>): Promise<T>;
  /** Leaves nothing behind at a signal that lives longer. */
  end(): void;
}

export function patienceOf(signal: AbortSignal | null | undefined): Patience {
  let onAbort: (() => void) | undefined;
  const aborted =
    signal &&
    new Promise<never>((_, reject) => {
      onAbort = () => reject(new KeyboundError("aborted", signal.reason));
      signal.addEventListener("abort", onAbort);
    });
  // It may be rejected when nobody waits.
  aborted?.catch(() => {});
  return {
    wait(work) {
      if (signal?.aborted) onAbort!();
      return aborted ? Promise.race([aborted, work]) : Promise.resolve(work);
    },
    end() {
      if (onAbort) signal!.removeEventListener("abort", onAbort);
    },
  };
}
