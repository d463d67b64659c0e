// Replay marks in this process (RFC 9449 §11.1).

import { core, isReady } from "./init.js";
import { closeWith } from "./module.js";
import { checkOwn, MEMORY_REPLAY } from "./shape.js";
import type { ReplayMark, ReplayStore } from "./types.js";

const FRESH = 0;
const REPLAYED = 1;

/** Marks in the module's memory, where a server claims them without another call. */
export class MemoryReplay implements ReplayStore {
  readonly #maxEntries: number;
  readonly #maxPerKey: number;
  #memory: number | undefined;

  constructor(maxEntries: number, maxPerKey: number) {
    this.#maxEntries = maxEntries;
    this.#maxPerKey = maxPerKey;
  }

  /** Where the store itself stands, made when the module is there. */
  memory(): number {
    if (!isReady()) throw new Error("call and await init() of @keybound/edge before claiming a mark by hand");
    if (this.#memory === undefined) {
      const module = core();
      this.#memory = module.exports.memory_open(module.desk, module.put(seed()), this.#maxEntries, this.#maxPerKey);
      closeWith(this, module.exports.memory_close, this.#memory);
    }
    return this.#memory;
  }

  claim(mark: ReplayMark): boolean {
    const memory = this.memory();
    const module = core();
    const answer = module.exports.memory_claim(memory, module.desk, module.put(`${mark.jkt} ${mark.key}`), mark.expiresAt, mark.now);
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
  checkOwn(options, MEMORY_REPLAY, "memoryReplay");
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
