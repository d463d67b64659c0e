// One tab at a time: Web Locks, or a lease in IndexedDB where a browser has none.

import { locked, transact } from "../store.js";

/** Longer than the requests that run under it may take: a frozen tab may hold a lock for ever. */
const PATIENCE = 60_000;
/** A lease is kept up while its tab lives, and asked for this often. */
const LEASE = 6_000;
const INTERVAL = 50;

/** Runs the task while no other tab runs one of this session. */
export function exclusively<T>(name: string, task: () => Promise<T>): Promise<T> {
  const lock = `session ${name}`;
  return locked(lock, PATIENCE, globalThis.navigator?.locks ? task : () => leased(lock, task));
}

async function leased<T>(lock: string, task: () => Promise<T>): Promise<T> {
  const holder = crypto.randomUUID();
  /** Holds it for some milliseconds from now, if nobody else does. */
  const hold = (milliseconds: number): Promise<boolean> =>
    transact("readwrite", (all, settle) => {
      const found = all.get(["lease", lock]);
      found.onsuccess = () => {
        const lease = found.result as { holder: string; until: number } | undefined;
        const now = Date.now();
        // One of a clock that was ahead does not count.
        const isFree = !lease || lease.holder === holder || lease.until < now || lease.until > now + LEASE;
        if (isFree) all.put({ holder, until: now + milliseconds }, ["lease", lock]);
        settle(isFree);
      };
      return found;
    });
  try {
    while (!(await hold(LEASE))) await pause(INTERVAL);
  } catch {
    // No storage: then other tabs have nothing in common with this one.
    return task();
  }
  const keepUp = setInterval(() => void hold(LEASE).catch(() => {}), LEASE / 3);
  try {
    return await task();
  } finally {
    clearInterval(keepUp);
    await hold(0).catch(() => {});
  }
}

export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
