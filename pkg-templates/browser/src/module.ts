// The WebAssembly module's functions, and how texts get in and out. The other side is crates/keybound-browser/src/npm.rs,
// whose comments say what each does.

import { KeyboundError } from "./errors.js";

/** Pointers are numbers. */
interface Module {
  memory: WebAssembly.Memory;
  open(): number;
  room(desk: number, octets: number): number;
  text(desk: number): number;
  length(desk: number): number;

  input(desk: number, texts: number, sameToken: boolean, now: number): number;

  begin(desk: number, texts: number, flags: number): number;
  first(exchange: number): number;
  seconds(exchange: number): number;
  token(desk: number, exchange: number, texts: number): number;
  proof(desk: number, exchange: number, texts: number, body: number, now: number): number;
  answer(desk: number, exchange: number, texts: number, status: number, flags: number, date: number, now: number): number;
  body(desk: number, exchange: number, texts: number, issued: number, now: number): number;
  done(exchange: number): number;
  end(exchange: number): void;
}

/** Set once the module is loaded, as `desk` is. */
export let wasm: Module;
/** Where texts lie for the other side. */
export let desk: number;

/** The module is there. */
export function attach(exports: WebAssembly.Exports): void {
  wasm = exports as unknown as Module;
  desk = wasm.open();
}

/** What stands before the texts: random octets of a proof's `jti`, and the hash of an access token. */
const RANDOM = 16;
const BEFORE = 48;

/** One for everybody. */
export const encoder = /* @__PURE__ */ new TextEncoder();

/**
 * Puts several texts where the next call finds them, and random octets and a hash before them; returns their length. A missing one is
 * empty there; an empty one becomes a blank, which is nowhere a value.
 */
export function put(parts: readonly (string | null | undefined)[], hash?: Uint8Array): number {
  const text = parts.map((part) => (part === "" ? " " : part?.replaceAll("\0", " "))).join("\0");
  const size = BEFORE + 3 * text.length;
  const at = wasm.room(desk, size);
  const octets = new Uint8Array(wasm.memory.buffer, at, size);
  // Many at once: each call to the platform takes longer than all else here.
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  octets.set(pool.subarray(used, (used += RANDOM)));
  if (hash) octets.set(hash, RANDOM);
  return encoder.encodeInto(text, octets.subarray(BEFORE)).written;
}

/** Random octets, of which those before `used` were used. */
const pool = /* @__PURE__ */ new Uint8Array(64 * RANDOM);
let used = 64 * RANDOM;

/** The octets of the text that the last call left, where the next one replaces them. */
export function taken(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(wasm.memory.buffer as ArrayBuffer, wasm.text(desk), wasm.length(desk));
}

/** A URL's server, as the other side knows it. `origin` would be that of its maker for a `blob:` URL. */
export function serverOf({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}

/** What is a URL, or `invalid_url`. */
export function parsed(url: string | URL): URL {
  try {
    // As fetch would write it: `htu` has the form that goes on the wire.
    return new URL(url);
  } catch (error) {
    throw new KeyboundError("invalid_url", error);
  }
}

/** Seconds since 1970 by a clock that is `offset` ahead of ours. */
export function now(offset = 0): number {
  return Date.now() / 1000 + offset;
}
