// The block of numbers in which the module says what a step needs: read without a call into it.

import { memory } from "./init.js";
import type { Speaking } from "./wasm/keybound_edge.js";

/** The kinds of steps, as crates/keybound-edge/src/npm.rs numbers them. */
export const Step = {
  rejected: 0,
  accepted: 1,
  needNonce: 2,
  needKeys: 3,
  needSource: 4,
  needSignatures: 5,
  needCertificate: 6,
  needReplay: 7,
  needClientType: 8,
} as const;

/** Places in the block. */
export const Slot = {
  gone: 0,
  /** Handle of the waiting request, or number of the reason. */
  value: 1,
  /** Scheme of the request, written by `begin`. */
  scheme: 2,
  issuer: 3,
  /** Of `needSignatures`. */
  key: 3,
  certificate: 4,
  tokenSignature: 5,
  proofSignature: 10,
  /** Of `accepted`. */
  token: 3,
  acceptedKey: 4,
  renewsNonce: 5,
  mechanisms: 6,
  claims: 7,
  /** At a token endpoint in the place of claims: the thumbprint of the certificate. */
  boundCertificate: 7,
  jkt: 9,
  /** The nonce, token, claims or mark that is asked about; the mark that an acceptance leaves to the caller. */
  text: 15,
} as const;

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
