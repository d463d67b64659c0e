// @ts-check
// A failure told to a person: what went wrong, what to do about it, and the log of the server that failed.

export class DemoFailure extends Error {
  /**
   * @param {string} message
   * @param {{ fix?: string, log?: ServerLog, cause?: unknown }} [more]
   */
  constructor(message, { fix, log, cause } = {}) {
    super(message, { cause });
    this.name = "DemoFailure";
    this.fix = fix;
    this.log = log;
  }
}

/** What one server had to say; kept quiet until the server fails. */
export class ServerLog {
  /** @type {string[]} */
  #lines = [];

  /** @param {string} server The server's name, as a person knows it. */
  constructor(server) {
    this.server = server;
  }

  /** @param {string} text One or more lines. */
  add(text) {
    this.#lines.push(...text.split("\n").filter((line) => line.trim() !== ""));
    this.#lines.splice(0, Math.max(0, this.#lines.length - 200));
  }

  /**
   * Loads a module that talks on the console meanwhile, and keeps what it says.
   * @template T
   * @param {() => Promise<T>} load
   * @returns {Promise<T>}
   */
  async keepConsole(load) {
    const { info, warn } = console;
    console.info = console.warn = (...words) => this.add(words.join(" "));
    try {
      return await load();
    } finally {
      Object.assign(console, { info, warn });
    }
  }

  get isEmpty() {
    return this.#lines.length === 0;
  }

  toString() {
    const lines = this.isEmpty ? ["(it said nothing)"] : this.#lines;
    return [`--- log of ${this.server}`, ...lines, "---"].join("\n");
  }
}

/**
 * Everything known about a failure, for stderr.
 * @param {unknown} error
 * @returns {string}
 */
export function explain(error) {
  if (!(error instanceof DemoFailure)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return [`error: ${error.message}${cause}`, error.fix && `  fix: ${error.fix}`, error.log && String(error.log)].filter(Boolean).join("\n");
}
