// What is kept: a session's tokens with their key as one record, and logins that are under way.

import { KeyboundError } from "../errors.js";
import type { SigningAlgorithm } from "../key.js";
import { channelOf, orRefused, transact } from "../store.js";
import { sweep } from "../sweep.js";
import type { EndReason } from "./events.js";
import { exclusively } from "./lock.js";

/** A key pair, and which of its names it goes by. */
export interface Pair {
  pair: CryptoKeyPair;
  algorithm: SigningAlgorithm;
}

/** What the authorization server gave. Times are milliseconds since 1970, by the clock of this machine. */
export interface Tokens {
  accessToken: string;
  refreshToken: string | undefined;
  idToken: string | undefined;
  scope: string | undefined;
  /** By how many seconds the server's clock was ahead of this machine's, where it told. */
  clockOffset?: number | undefined;
  /** When to get another one, and when this one is over. */
  refreshAt: number | undefined;
  expiresAt: number | undefined;
}

/** A session. Tokens and key stand in one record, so that nothing, not even eviction, tears them apart. */
export interface Live extends Pair {
  /** The `state` of the login it came from. */
  login: string;
  appState: unknown;
  tokens: Tokens;
  thumbprint: string;
  claims: Record<string, unknown> | undefined;
}

/** A session that is over. It stays, to tell late tabs why. */
export interface Ended {
  ended: EndReason;
}

/** A login that is under way. Without a key where the browser stores none: then one is made for the tokens. */
export interface Login extends Partial<Pair> {
  verifier: string;
  appState: unknown;
  /** When it began. */
  at: number;
}

export const isLive = (record: Live | Ended | undefined): record is Live => record !== undefined && "tokens" in record;

/** Where a session is kept, and what all that have it in common share. */
export type Place = Pick<Records, keyof Records>;

/** Sessions of browsers that do not store keys. */
const memory = new Map<string, Live | Ended>();

/** The session called `name`. */
export class Records {
  readonly #name: string;
  readonly #session: IDBValidKey;

  constructor(name: string) {
    this.#name = name;
    this.#session = ["session", name];
  }

  get storage(): "persistent" | "memory" {
    return memory.has(this.#name) ? "memory" : "persistent";
  }

  /** Runs the task while no other tab runs one of this session. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    return exclusively(this.#name, task);
  }

  channel(): BroadcastChannel | undefined {
    return channelOf(`keybound session ${this.#name}`);
  }

  async read(): Promise<Live | Ended | undefined> {
    return memory.get(this.#name) ?? orRefused(transact("readonly", (all) => all.get(this.#session)), () => undefined);
  }

  /** The login is over: its session takes the place of the one before. */
  start(record: Live): Promise<void> {
    return orRefused(
      transact<void>("readwrite", (all) => {
        all.put(record, this.#session);
        return all.delete(this.#login(record.login));
      }).then(() => void memory.delete(this.#name)),
      () => void memory.set(this.#name, record),
    ).then(() => forget(this.#tabItem(record.login)));
  }

  /** Puts `next` in the place of `old`; false if another tab was first. */
  async replace(old: Live, next: Live | Ended): Promise<boolean> {
    const same = (found: Live | Ended | undefined): boolean => isLive(found) && found.tokens.accessToken === old.tokens.accessToken;
    const inMemory = memory.get(this.#name);
    if (inMemory) {
      if (!same(inMemory)) return false;
      memory.set(this.#name, next);
      return true;
    }
    return transact<boolean>("readwrite", (all, settle) => {
      const found = all.get(this.#session);
      found.onsuccess = () => {
        const replaces = same(found.result as Live | Ended | undefined);
        if (replaces) all.put(next, this.#session);
        settle(replaces);
      };
      return found;
    }).catch(() => {
      // The old one is spent: what is kept by this page alone is better than nothing.
      memory.set(this.#name, next);
      return true;
    });
  }

  /** Keeps a login until its answer comes; false if without its key. */
  begin(state: string, login: Login): Promise<boolean> {
    return orRefused(
      transact("readwrite", (all) => all.put(login, this.#login(state))).then(() => true),
      () => {
        const { pair: _pair, algorithm: _algorithm, ...rest } = login;
        try {
          sessionStorage.setItem(this.#tabItem(state), JSON.stringify(rest));
        } catch (error) {
          throw new KeyboundError("storage_failed", error, "A login has to be stored: allow site data.");
        }
        return false;
      },
    );
  }

  /** The login of that state, if it began in this browser. */
  async login(state: string): Promise<Login | undefined> {
    const found = await orRefused<Login | undefined>(transact("readonly", (all) => all.get(this.#login(state))), () => undefined);
    return found ?? (JSON.parse(inTab((storage) => storage.getItem(this.#tabItem(state))) ?? "null") as Login | null) ?? undefined;
  }

  async drop(state: string): Promise<void> {
    forget(this.#tabItem(state));
    await orRefused<void>(transact("readwrite", (all) => all.delete(this.#login(state))), () => {});
  }

  /** Removes logins that nobody finished, with their keys. */
  sweep(): Promise<void> {
    // An array sorts after every text.
    return sweep(this.#login(""), this.#login([]));
  }

  #login(state: IDBValidKey): IDBValidKey {
    return ["login", this.#name, state];
  }

  #tabItem(state: string): string {
    return `keybound login ${this.#name} ${state}`;
  }
}

const forget = (item: string): void => inTab((storage) => storage.removeItem(item));

/** What the tab's own storage says. */
function inTab<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(sessionStorage);
  } catch {
    // Refused here, as site data are, or a worker, which has none.
    return undefined;
  }
}
