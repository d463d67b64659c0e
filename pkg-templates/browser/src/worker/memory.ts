// A session's place in one worker's memory: nobody shares it, nothing of it is stored.

import { type Ended, isLive, type Live, type Login, type Place } from "../session/records.js";

/** Logins that nobody finished; a page that begins more forgets the oldest. */
const LOGINS = 16;

export class Memory implements Place {
  readonly storage = "memory";
  #session: Live | Ended | undefined;
  readonly #logins = new Map<string, Login>();
  #last: Promise<unknown> = Promise.resolve();

  /** One after the other, as a lock would have it. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#last.then(task, task);
    this.#last = run;
    return run;
  }

  channel(): undefined {
    return undefined;
  }

  async read(): Promise<Live | Ended | undefined> {
    return this.#session;
  }

  async start(record: Live): Promise<void> {
    this.#session = record;
    this.#logins.delete(record.login);
  }

  async replace(old: Live, next: Live | Ended): Promise<boolean> {
    if (!isLive(this.#session) || this.#session.tokens.accessToken !== old.tokens.accessToken) return false;
    this.#session = next;
    return true;
  }

  async begin(state: string, login: Login): Promise<boolean> {
    this.#logins.set(state, login);
    if (this.#logins.size > LOGINS) this.#logins.delete(this.#logins.keys().next().value as string);
    return true;
  }

  async login(state: string): Promise<Login | undefined> {
    return this.#logins.get(state);
  }

  async drop(state: string): Promise<void> {
    this.#logins.delete(state);
  }

  async sweep(): Promise<void> {}
}
