// Replay marks in this process (RFC 9449 §11.1).

import { ReplayMemory } from "./wasm/keybound_edge.js";
import { isReady } from "./init.js";
import type { ReplayMark, ReplayStore } from "./types.js";

const FRESH = 0;
const REPLAYED = 1;

/** Marks in the module's memory, where a server claims them without another call. */
export class MemoryReplay implements ReplayStore {
  readonly #maxEntries: number;
  readonly #maxPerKey: number;
  #memory: ReplayMemory | undefined;

  constructor(maxEntries: number, maxPerKey: number) {
    this.#maxEntries = maxEntries;
    this.#maxPerKey = maxPerKey;
  }

  /** The store itself, made when the module is there. */
  memory(): ReplayMemory {
    if (!isReady()) throw new Error("call and await init() of @keybound/edge before claiming a mark by hand");
    this.#memory ??= new ReplayMemory(this.#maxEntries, this.#maxPerKey, seed());
    return this.#memory;
  }

  claim(mark: ReplayMark): boolean {
    const answer = this.memory().claim(mark.key, mark.jkt, mark.expiresAt, mark.now);
    if (answer === FRESH) return true;
    if (answer === REPLAYED) return false;
    throw new RangeError("the replay store is full");
  }
}

/**
 * Replay marks of one process: nothing for a fleet, whose isolates do not see each other's marks.
 * Bounded in total (default 1,000,000) and for each client key (default 10,000); full means refused.
 */
export function memoryReplay(options: { maxEntries?: number; maxPerKey?: number } = {}): ReplayStore {
  return new MemoryReplay(
    positive(options.maxEntries ?? 1_000_000, "maxEntries"),
    positive(options.maxPerKey ?? 10_000, "maxPerKey"),
  );
}

/** So that nobody can choose marks that are dear to keep. Made at first use: at module scope a worker has no randomness. */
function seed(): Uint8Array {
  const random = globalThis.crypto as Crypto | undefined;
  return random === undefined ? new Uint8Array() : random.getRandomValues(new Uint8Array(32));
}

function positive(value: number, name: string): number {
  if (!Number.isInteger(value) || value < 1 || value > 0xffff_ffff) {
    throw new RangeError(`memoryReplay: ${name} must be a whole number from 1`);
  }
  return value;
}
