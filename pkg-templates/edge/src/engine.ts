// The block of numbers in which the module says what a step needs, read without a call into it; and what both roles ask of it.

import { HASH, type Module } from "./module.js";

const LENGTH = 24;

/** What the module made of options that were checked before. */
export function known(address: number): number {
  if (address === 0) throw new Error("the WebAssembly module of @keybound/edge is of another version than its JavaScript");
  return address;
}

/** What the steps of both roles have in common. */
export interface Engine {
  readonly slots: Slots;
  answer(step: number, handle: number, answer: number): number;
  certificate(handle: number, reading: string): number;
  /** Of the proof, if it is not said whose. Empty: there is none. */
  jwk(handle: number, token?: boolean): string;
  abandon(handle: number): void;
  /** Ids of tokens, 0, ids of keys. */
  gone(): number[];
  currentNonce(now: number): string | undefined;
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
  readonly #module: Module;
  readonly #address: number;
  #numbers: Uint32Array;

  constructor(module: Module, address: number) {
    this.#module = module;
    this.#address = address;
    this.#numbers = new Uint32Array(module.exports.memory.buffer, address, LENGTH);
  }

  get(slot: number): number {
    // When the memory grows its old buffer is detached.
    if (this.#numbers.length === 0) this.#numbers = new Uint32Array(this.#module.exports.memory.buffer, this.#address, LENGTH);
    return this.#numbers[slot] ?? 0;
  }

  text(slot: number): string {
    return this.#module.text(this.get(slot), this.get(slot + 1));
  }

  /** The SHA-256 that stands at the address in a slot. */
  hash(slot: number): Uint8Array {
    return new Uint8Array(this.#module.exports.memory.buffer, this.get(slot), HASH).slice();
  }

  /** Its views are valid until the next call into the module. */
  signature(slot: number): SignatureSpan | null {
    const algorithm = this.get(slot);
    if (algorithm === 0) return null;
    return { algorithm: algorithm - 1, message: this.#view(slot + 1), signature: this.#view(slot + 3) };
  }

  #view(slot: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#module.exports.memory.buffer as ArrayBuffer, this.get(slot), this.get(slot + 1));
  }
}

/** Takes a signature out of the module's memory, to keep it over a call into it or an await. */
export function copySpan<T extends SignatureSpan | null>(span: T): T {
  return span === null ? span : { ...span, message: span.message.slice(), signature: span.signature.slice() };
}
