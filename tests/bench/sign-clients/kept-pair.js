// A key pair in IndexedDB, as the users of libraries that keep none write it.

/** The pair called `name`, from `make` if there is none. */
export async function keptPair(name, make) {
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open("pairs", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("pairs");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const within = (mode, act) =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction("pairs", mode);
      const request = act(transaction.objectStore("pairs"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
    });
  const found = await within("readonly", (store) => store.get(name));
  if (found) return found;
  const pair = await make();
  await within("readwrite", (store) => store.put(pair, name));
  return pair;
}
