// The block of numbers in which the module says what a step needs: read without a call into it.

import { memory } from "./init.js";
import type { Speaking } from "./wasm/keybound_edge.js";

const LENGTH = 24;

/** What the module made of options that were checked before. */
export function known<T>(made: T | undefined): T {
  if (made === undefined) throw new Error("the WebAssembly module of @keybound/edge is of another version than its JavaScript");
  return made;
}

/** A signature to check, still in the module's memory. */
export interface SignatureSpan {
  /** Number of the algorithm. */
  algorithm: number;
  message: Uint8Array<ArrayBuffer>;
  signature: Uint8Array<ArrayBuffer>;
}

/** Reads the block and what it points at. */
export class Slots {
  readonly #address: number;
  #numbers: Uint32Array;

  constructor(engine: Speaking) {
    this.#address = engine.slots();
    this.#numbers = new Uint32Array(memory().buffer, this.#address, LENGTH);
  }

  get(slot: number): number {
    // When the memory grows its old buffer is detached.
    if (this.#numbers.length === 0) this.#numbers = new Uint32Array(memory().buffer, this.#address, LENGTH);
    return this.#numbers[slot] ?? 0;
  }

  /** A view, valid until the next call into the module. */
  view(slot: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(memory().buffer as ArrayBuffer, this.get(slot), this.get(slot + 1));
  }

  text(slot: number): string {
    return new TextDecoder().decode(this.view(slot));
  }

  signature(slot: number): SignatureSpan | null {
    const algorithm = this.get(slot);
    if (algorithm === 0) return null;
    return { algorithm: algorithm - 1, message: this.view(slot + 1), signature: this.view(slot + 3) };
  }
}

/** Takes a signature out of the module's memory, to keep it over a call into it or an await. */
export function copySpan<T extends SignatureSpan | null>(span: T): T {
  return span === null ? span : { ...span, message: span.message.slice(), signature: span.signature.slice() };
}
