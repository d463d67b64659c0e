// What nobody came back for: keys and logins that are older than they may get.

import { transact } from "./store.js";

/** How long a login may take, in milliseconds; after that its key is removed. */
export const ABANDONED_AFTER = 24 * 3600 * 1000;

/**
 * Removes what stands between two keys of the store, was put there more than `age` milliseconds ago (its `at`), and is not to be
 * kept for another reason. Gives the keys it stood under.
 */
export async function sweep<Key extends IDBValidKey>(
  from: Key,
  to: Key,
  age = ABANDONED_AFTER,
  keep: (key: Key) => boolean = () => false,
): Promise<Key[]> {
  const removed: Key[] = [];
  await transact("readwrite", (all) => {
    const walk = all.openCursor(IDBKeyRange.bound(from, to));
    walk.onsuccess = () => {
      const cursor = walk.result;
      if (!cursor) return;
      const key = cursor.key as Key;
      if ((cursor.value as { at: number }).at < Date.now() - age && !keep(key)) {
        cursor.delete();
        removed.push(key);
      }
      cursor.continue();
    };
    return walk;
  });
  return removed;
}
