// Loading a WebAssembly module, once, wherever this runs.

/** What a module may be loaded from. */
export type Source = WebAssembly.Module | BufferSource | URL | Response;

/** How long the module's file may take, in milliseconds, before the load counts as failed. */
const PATIENCE = 30_000;

/** A module, and how it is found and bound. */
export interface ModuleDescription<E> {
  /** Its file, as messages name it. */
  file: string;
  /** The function that takes a source. */
  init: string;
  /** Names by which the module can be told from others. */
  exports: readonly string[];
  /** Where the file is, unless an entry point brings the module along. */
  beside: () => URL;
  bind: (source: { module: WebAssembly.Module }) => E;
}

/** One module's loading. */
export class ModuleLoader<E> {
  readonly #description: ModuleDescription<E>;
  #loading: Promise<void> | undefined;
  #loaded: E | undefined;
  #bundled: (() => Source) | undefined;

  constructor(description: ModuleDescription<E>) {
    this.#description = description;
  }

  /** Loads the module. Many who ask at once share one load; after one that failed the next call tries again. */
  load(source?: Source): Promise<void> {
    this.#loading ??= this.#load(source).catch((cause: unknown) => {
      this.#loading = undefined;
      const { file, init } = this.#description;
      throw new Error(
        `@keybound/edge cannot load its WebAssembly module: see that ${file} is deployed beside the script, or give it to ${init}()`,
        { cause },
      );
    });
    return this.#loading;
  }

  /** What the module exports. Undefined until `load` is done. */
  get exports(): E | undefined {
    return this.#loaded;
  }

  /** For entry points that bring the module along. */
  provide(source: () => Source): void {
    this.#bundled = source;
  }

  async #load(source: Source | undefined): Promise<void> {
    const { bind, beside, exports } = this.#description;
    const from = source ?? this.#bundled?.() ?? beside();
    const module = await compile(from instanceof URL ? await read(from) : from);
    // Checked before it is bound: the bindings never let go of a module that they were given.
    const found = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
    if (!exports.every((name) => found.has(name))) throw new TypeError("this is another module");
    this.#loaded = bind({ module });
  }
}

async function compile(source: Exclude<Source, URL>): Promise<WebAssembly.Module> {
  // In workerd every module is one already: octets are refused there.
  if (source instanceof WebAssembly.Module) return source;
  if (!(source instanceof Response)) return WebAssembly.compile(source as BufferSource);
  if (!source.ok) throw new Error(`${source.url}: ${source.status}`);
  // Whatever type the server gives it.
  return WebAssembly.compile(await source.arrayBuffer());
}

/** What Node has and others have not, found without an import that a bundler would trip over. */
interface NodeGlobals {
  process?: { getBuiltinModule?(name: "node:fs"): { readFileSync(path: URL): Uint8Array<ArrayBuffer> } | undefined };
}

async function read(url: URL): Promise<Response | BufferSource> {
  // Node's fetch reads no files.
  const fs = url.protocol === "file:" && (globalThis as NodeGlobals).process?.getBuiltinModule?.("node:fs");
  return fs ? fs.readFileSync(url) : fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
}
