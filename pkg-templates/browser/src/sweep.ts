// What nobody came back for: keys and logins that are older than they may get.

import { transact } from "./store.js";

/** How long a login may take, in milliseconds; after that its key is removed. */
export const ABANDONED_AFTER = 24 * 3600 * 1000;

/**
 * Removes what stands between two keys of the store and was put there more than `age` milliseconds ago (its `at`), if it `mayGo`;
 * nothing else is asked of that.
 */
export async function sweep(
  from: IDBValidKey,
  to: IDBValidKey,
  age = ABANDONED_AFTER,
  mayGo: (key: IDBValidKey) => boolean = () => true,
): Promise<void> {
  await transact("readwrite", (all) => {
    const walk = all.openCursor(IDBKeyRange.bound(from, to));
    walk.onsuccess = () => {
      const cursor = walk.result;
      if (!cursor) return;
      if ((cursor.value as { at: number }).at < Date.now() - age && mayGo(cursor.key)) cursor.delete();
      cursor.continue();
    };
    return walk;
  });
}
