// The bindings that wasm-bindgen writes for crates/keybound-browser/src/npm.rs, whose comments say
// what each does. Private to this package.

/** Instantiates the module; everything below needs that first. */
export default function bind(options: {
  module_or_path: Response | BufferSource | WebAssembly.Module;
}): Promise<unknown>;

export class Key {
  constructor(texts: string);
  describe(): string;
  input(texts: string, sameToken: boolean): string;
  failure(): number;
  free(): void;
}

export class Exchange {
  constructor(texts: string, flags: number);
  command(): number;
  text(): string;
  seconds(): number;
  token(texts: string): number;
  prepared(key: Key, texts: string, body: number, heard: boolean, offset: number): number;
  answered(texts: string, status: number, flags: number, date: number, offset: number): number;
  body(texts: string): number;
  done(): number;
  free(): void;
}
