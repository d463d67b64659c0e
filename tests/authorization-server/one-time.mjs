// Things that may be used once, and for a while: pushed requests, codes, refresh tokens. Finding one does not use it up.
import { randomBytes } from "node:crypto";

export class OneTime {
  #rows = new Map();
  #seconds;
  #now;

  constructor({ seconds, now }) {
    this.#seconds = seconds;
    this.#now = now;
  }

  /** Keeps the value. Resolves to the name that it goes by. */
  add(value) {
    const name = randomBytes(24).toString("base64url");
    this.#rows.set(name, { value, isUsed: false, expiresAt: this.#now() + this.#seconds });
    return name;
  }

  /** The value and whether it was used already; undefined if there is none, or no more. */
  find(name) {
    const row = this.#rows.get(name);
    return row === undefined || row.expiresAt <= this.#now() ? undefined : { value: row.value, isUsed: row.isUsed };
  }

  /** Uses it up. True for exactly one caller, however many found it. */
  use(name) {
    const row = this.#rows.get(name);
    if (row === undefined || row.isUsed) return false;
    row.isUsed = true;
    return true;
  }
}
