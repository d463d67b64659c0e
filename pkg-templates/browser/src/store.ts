// Where keys live: IndexedDB, else the memory of the page.

import { KeyboundError } from "./errors.js";
import { inTime } from "./in-time.js";

/** Where keys live; IndexedDB by default. `add` must be insert-if-absent and return what is stored. */
export interface KeyStore {
  get(name: string): Promise<CryptoKeyPair | undefined>;
  add(name: string, pair: CryptoKeyPair): Promise<CryptoKeyPair>;
  delete(name: string): Promise<void>;
}

/** `memory`: IndexedDB was refused (private mode), the key dies with the page. */
export type Tier = "persistent" | "memory";

/** How long a lock that another tab holds is waited for: a frozen tab may hold it forever. */
const LOCK_PATIENCE = 10_000;
/** How long a store may take, locks included: another tab can block IndexedDB, and a store of the application's own can hang. */
const STORE_PATIENCE = 20_000;

/** A pair; and why, if it lives in memory only. */
export type Found = readonly [pair: CryptoKeyPair, refused?: Refused];

/** What is in memory instead of IndexedDB. */
const memory = new Map<string, Found>();
/** Opens that are under way: callers at one time get one key. */
const opening = new WeakMap<KeyStore, Map<string, Promise<Found>>>();

/**
 * The pair called `name`, from `make` if there is none yet. One for all callers, tabs and workers.
 * Callers whose `make` do the same share one `purpose`.
 */
export function obtain(
  name: string,
  make: () => Promise<CryptoKeyPair>,
  store: KeyStore | undefined,
  purpose = "",
): Promise<Found> {
  const at = store ?? indexedDbStore;
  let flights = opening.get(at);
  if (!flights) opening.set(at, (flights = new Map()));
  const called = `${name} ${purpose}`;
  let flight = flights.get(called);
  if (!flight) {
    flight = answered(store ? stored(store, name, make) : tiered(name, make)).finally(() => flights.delete(called));
    flights.set(called, flight);
  }
  return flight;
}

/** Forgets the pair called `name`. */
export async function forget(name: string, store: KeyStore | undefined): Promise<void> {
  if (!store && memory.delete(name)) return;
  await answered((store ?? indexedDbStore).delete(name));
}

/** What the store gives, or `storage_failed` when it does not answer. No other key is made then: there may be one. */
function answered<T>(work: Promise<T>): Promise<T> {
  return inTime(work, STORE_PATIENCE).catch(failed);
}

async function tiered(name: string, make: () => Promise<CryptoKeyPair>): Promise<Found> {
  let found = memory.get(name);
  if (!found) {
    try {
      return await stored(indexedDbStore, name, make);
    } catch (error) {
      // An error is not an absence: only where keys cannot be stored at all is one made without.
      if (!(error instanceof Refused)) throw error;
      memory.set(name, (found = [await make(), error]));
    }
  }
  return found;
}

async function stored(store: KeyStore, name: string, make: () => Promise<CryptoKeyPair>): Promise<Found> {
  const read = (): Promise<CryptoKeyPair | undefined> => store.get(name).catch(failed);
  // The lock only saves making two: `add` alone sees to it that one stays.
  const pair = (await read()) ?? (await locked(`key ${name}`, LOCK_PATIENCE, async () => (await read()) ?? store.add(name, await make()).catch(failed)));
  if (pair?.privateKey?.type !== "private") failed(new TypeError("the store gave no key pair"));
  return [pair];
}

/** What IndexedDB says, or else what holds where it is refused. An error is not an absence. */
export function orRefused<T>(work: Promise<T>, refused: () => T): Promise<T> {
  return work.catch((error: unknown) => (error instanceof Refused ? refused() : failed(error)));
}

/** What a store's failure means to the caller. */
export function failed(cause: unknown): never {
  throw cause instanceof Refused || cause instanceof KeyboundError ? cause : new KeyboundError("storage_failed", cause);
}

/** Runs the task while no other tab runs one under this name; without the lock where there is none, or after `patience` milliseconds. */
export async function locked<T>(name: string, patience: number, task: () => Promise<T>): Promise<T> {
  let run: Promise<T> | undefined;
  try {
    await globalThis.navigator?.locks?.request(
      `keybound ${name}`,
      { signal: AbortSignal.timeout(patience) },
      () => (run = task()),
    );
  } catch {
    // No locks here (opaque origins), or one held for too long; or the task failed, which its promise says.
  }
  return run ?? task();
}

/** To the other tabs. Only where there are tabs: elsewhere an open channel would keep the process alive. */
export function channelOf(name: string): BroadcastChannel | undefined {
  return globalThis.indexedDB && globalThis.BroadcastChannel && new BroadcastChannel(name);
}

/** IndexedDB is not there or does not take keys. */
export class Refused extends Error {}

const REFUSALS = /^(Security|InvalidState|NotSupported|NotAllowed|DataClone|QuotaExceeded)Error$/;

const DATABASE = "keybound";
const KEYS = "keys";

let connection: Promise<IDBDatabase> | undefined;

const indexedDbStore: KeyStore = {
  get: (name) => transact("readonly", (keys) => keys.get(name)),
  // One transaction, so that of two tabs the second finds what the first put.
  add: (name, pair) =>
    transact("readwrite", (keys, settle) => {
      const read = keys.get(name);
      read.onsuccess = () => {
        if (read.result) return settle(read.result as CryptoKeyPair);
        try {
          keys.put({ privateKey: pair.privateKey, publicKey: pair.publicKey, at: Date.now() }, name);
          settle(pair);
        } catch (error) {
          settle(undefined, error);
        }
      };
      return read;
    }),
  delete: (name) => transact("readwrite", (keys) => keys.delete(name)),
};

type Action = (keys: IDBObjectStore, settle: (value?: unknown, error?: unknown) => void) => IDBRequest;

/**
 * Runs `action` and waits until it is stored, but not for ever. A connection that the browser closed is opened once more.
 * Keys have texts as their keys; what a session keeps stands beside them under arrays, which are never the same.
 */
export function transact<T>(mode: IDBTransactionMode, action: Action): Promise<T> {
  return answered(attempt(mode, action, true));
}

async function attempt<T>(mode: IDBTransactionMode, action: Action, again: boolean): Promise<T> {
  const database = await (connection ??= connect());
  let transaction: IDBTransaction;
  try {
    transaction = database.transaction(KEYS, mode);
  } catch (error) {
    connection = undefined;
    if (again) return attempt(mode, action, false);
    throw error;
  }
  return new Promise<T>((resolve, reject) => {
    let value: unknown;
    let error: unknown;
    let settled = false;
    let request: IDBRequest | undefined;
    transaction.oncomplete = () => resolve((settled ? value : request?.result) as T);
    // A read that fails says nothing of what is stored: no other key may be made because of it.
    transaction.onabort = () => reject(mode === "readonly" ? (error ?? transaction.error) : refusedOr(error ?? transaction.error));
    const settle = (result?: unknown, problem?: unknown): void => {
      settled = true;
      value = result;
      error = problem;
      if (problem) transaction.abort();
    };
    try {
      request = action(transaction.objectStore(KEYS), settle);
    } catch (problem) {
      settle(undefined, problem);
    }
  });
}

function connect(): Promise<IDBDatabase> {
  const opened = new Promise<IDBDatabase>((resolve, reject) => {
    const fail = (error: unknown): void => reject(refusedOr(error));
    try {
      if (!globalThis.indexedDB) throw new Refused("no IndexedDB");
      // Whatever its version: one that a newer release made still has the keys.
      const request = indexedDB.open(DATABASE);
      request.onupgradeneeded = () => request.result.createObjectStore(KEYS);
      request.onerror = () => fail(request.error);
      request.onsuccess = () => {
        const database = request.result;
        // Another tab wants to delete or upgrade: do not stand in its way. The next transaction finds it closed, as when the browser did it.
        database.onversionchange = () => database.close();
        resolve(database);
      };
    } catch (error) {
      fail(error);
    }
  });
  // Also where opening fails at once: the next call tries again.
  opened.catch(() => (connection = undefined));
  return opened;
}

function refusedOr(error: unknown): unknown {
  return REFUSALS.test((error as Error | null)?.name ?? "") ? new Refused(String(error), { cause: error }) : error;
}
