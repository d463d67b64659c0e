// The WebAssembly module's functions, and how texts get in and out. The other side is crates/keybound-edge/src/npm.rs,
// whose comments say what each does.

/** Pointers are numbers, and a length is that of what was just put on the desk. */
export interface Exports {
  memory: WebAssembly.Memory;
  open(): number;
  room(desk: number, octets: number): number;
  text_at(desk: number): number;
  length(desk: number): number;

  tables(desk: number): void;
  freshness(desk: number, length: number, metadata: boolean, expires: number, date: number): void;
  certificate_from_cloudflare(desk: number, length: number, allowSelfSigned: boolean): void;
  certificate_from_field(desk: number, length: number, platform: number, fromEnd: number): void;
  certificate_from_google(desk: number, length: number): void;
  certificate_from_der(desk: number, length: number): void;
  certificate_from_text(desk: number, length: number): void;

  memory_open(desk: number, length: number, maxEntries: number, maxPerKey: number): number;
  memory_claim(memory: number, desk: number, length: number, expiresAt: number, now: number): number;
  memory_close(memory: number): void;

  server_open(desk: number, length: number): number;
  server_close(server: number): void;
  server_slots(server: number): number;
  server_use_memory(server: number, memory: number): void;
  server_begin(server: number, desk: number, length: number, known: number, now: number): number;
  server_answer(server: number, step: number, handle: number, answer: number): number;
  server_set_keys(server: number, desk: number, length: number, issuer: number): number;
  server_source(server: number, desk: number, length: number, handle: number, active: boolean, until: number): number;
  server_jwk(server: number, desk: number, handle: number, token: boolean): void;
  server_signatures(server: number, desk: number, length: number, handle: number, verdicts: number): number;
  server_certificate(server: number, desk: number, length: number, handle: number): number;
  server_abandon(server: number, handle: number): void;
  server_gone(server: number, desk: number): void;
  server_nonce(server: number, desk: number, now: number): void;
  server_challenges(server: number, desk: number, reason: number, scheme: number): void;
  server_scope_challenges(server: number, desk: number, length: number, scheme: number): void;

  endpoint_open(desk: number, length: number): number;
  endpoint_close(endpoint: number): void;
  endpoint_slots(endpoint: number): number;
  endpoint_use_memory(endpoint: number, memory: number): void;
  endpoint_begin(endpoint: number, desk: number, length: number, now: number): number;
  endpoint_answer(endpoint: number, step: number, handle: number, answer: number): number;
  endpoint_jwk(endpoint: number, desk: number, handle: number): void;
  endpoint_certificate(endpoint: number, desk: number, length: number, handle: number): number;
  endpoint_abandon(endpoint: number, handle: number): void;
  endpoint_gone(endpoint: number, desk: number): void;
  endpoint_nonce(endpoint: number, desk: number, now: number): void;

  proof_open(desk: number, length: number): number;
  proof_close(check: number): void;
  proof_slots(check: number): number;
  proof_begin(check: number, desk: number, length: number, asked: number, now: number): number;
  proof_jwk(check: number, desk: number): void;
  proof_finish(check: number, valid: boolean): number;
}

/** Octets of a SHA-256. */
export const HASH = 32;

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder();

/** A loaded module, with the desk that all calls use. */
export class Module {
  readonly exports: Exports;
  readonly desk: number;
  /** Where texts go: empty after the memory grew, when its old buffer is detached. */
  #room = new Uint8Array();

  constructor(module: WebAssembly.Module) {
    this.exports = new WebAssembly.Instance(module).exports as unknown as Exports;
    this.desk = this.exports.open();
  }

  /** Puts a text, or octets, where the next call finds it, and perhaps a hash after it. Returns its length there. */
  put(text: string | Uint8Array, hash?: Uint8Array): number {
    const room = this.#roomFor(3 * text.length + HASH);
    if (typeof text === "string") {
      const { written } = encoder.encodeInto(text, room);
      if (hash !== undefined) room.set(hash, written);
      return written;
    }
    room.set(text);
    return text.length;
  }

  /** Puts several, with U+0000 between them; none has that itself. One that is not there is empty. */
  putAll(...texts: readonly (string | null | undefined)[]): number {
    return this.put(texts.join("\0"));
  }

  /** The text that the last call left. */
  taken(): string {
    return this.text(this.exports.text_at(this.desk), this.exports.length(this.desk));
  }

  text(at: number, length: number): string {
    return length === 0 ? "" : decoder.decode(new Uint8Array(this.exports.memory.buffer, at, length));
  }

  #roomFor(octets: number): Uint8Array {
    if (this.#room.length < octets) {
      const at = this.exports.room(this.desk, octets);
      this.#room = new Uint8Array(this.exports.memory.buffer, at, octets);
    }
    return this.#room;
  }
}

/** What in the module's memory goes with objects of ours goes when they are gone. */
const closing = /* @__PURE__ */ new FinalizationRegistry<() => void>((close) => close());

/** Closes what stands at an address once its owner is collected. */
export function closeWith(owner: object, close: (address: number) => void, address: number): void {
  closing.register(owner, () => close(address));
}
