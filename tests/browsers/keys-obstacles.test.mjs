// Stores that do not answer, and algorithms that not every server takes: an error that says so, and never a hang.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inEveryEngine } from "./harness.mjs";

inEveryEngine("keys and obstacles", ({ open }) => {
  test("a store that never answers is given up, and the key is the same afterwards", async () => {
    const page = await open();
    const seen = await page.run(async () => {
      const before = (await kb.DpopKey.open("blocked")).thumbprint;
      const { setTimeout } = window;
      // Seconds become hundredths.
      window.setTimeout = (work, milliseconds) => setTimeout(work, milliseconds / 100);
      const never = () => new Promise(() => {});
      const storage = { get: never, add: never, delete: never };
      const own = await codeOf(kb.DpopKey.open("blocked", { storage }));
      const written = await codeOf(kb.DpopKey.open("blocked", { storage: { ...storage, get: async () => undefined } }));
      window.setTimeout = setTimeout;
      return { own, written, same: (await kb.DpopKey.open("blocked")).thumbprint === before };
    });
    assert.deepEqual(seen, { own: "storage_failed", written: "storage_failed", same: true });
  });

  test("a database whose opening another tab blocks is waited for so long only, and used once it is free", async () => {
    const [holder, page] = [await open(), await open()];
    await holder.run(async () => {
      const opened = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
      // One that does not give way, and behind it somebody who waits to delete: who opens now waits behind both.
      window.held = await opened(indexedDB.open("keybound", 1));
      window.deleted = opened(indexedDB.deleteDatabase("keybound"));
    });
    const code = await page.run(async () => {
      const { setTimeout } = window;
      window.setTimeout = (work, milliseconds) => setTimeout(work, milliseconds / 20);
      const code = await codeOf(kb.DpopKey.open("behind"));
      window.setTimeout = setTimeout;
      return code;
    });
    assert.equal(code, "storage_failed");
    await holder.run(() => { held.close(); return deleted.then(() => {}); });
    assert.equal(await page.run(async () => (await kb.DpopKey.open("behind")).storage), "persistent");
  });

  test("a lock that a frozen tab holds is waited for so long only, and the key is the one that is there", async () => {
    const [holder, page] = [await open(), await open()];
    await holder.run(() => void navigator.locks.request("keybound key locked", () => new Promise(() => {})));
    const seen = await page.run(async () => {
      const { timeout } = AbortSignal;
      AbortSignal.timeout = (milliseconds) => timeout.call(AbortSignal, milliseconds / 50);
      const { thumbprint, storage } = await kb.DpopKey.open("locked");
      AbortSignal.timeout = timeout;
      return { storage, same: (await kb.DpopKey.open("locked")).thumbprint === thumbprint };
    });
    assert.deepEqual(seen, { storage: "persistent", same: true });
    await holder.reload();
  });

  test("a read that fails is no absence: no other key is made, and the old one is there afterwards", async () => {
    const page = await open();
    const seen = await page.run(async () => {
      const before = (await kb.DpopKey.open("unreadable")).thumbprint;
      const { get } = IDBObjectStore.prototype;
      const codes = [];
      for (const name of ["QuotaExceededError", "InvalidStateError", "UnknownError"]) {
        IDBObjectStore.prototype.get = () => { throw new DOMException("for the test", name); };
        codes.push(await codeOf(kb.DpopKey.open("unreadable")));
      }
      IDBObjectStore.prototype.get = get;
      const after = await kb.DpopKey.open("unreadable");
      return { codes, same: after.thumbprint === before, storage: after.storage };
    });
    assert.deepEqual(seen, { codes: ["storage_failed", "storage_failed", "storage_failed"], same: true, storage: "persistent" });
  });

  test("that a key lives in memory is said to each caller, with the reason and what to change", async () => {
    for (const [obstacle, reason] of [["absent", /IndexedDB/], ["SecurityError", /SecurityError/], ["QuotaExceededError", /QuotaExceededError/]]) {
      const page = await open();
      const { events, stored, keys } = await page.run(async (obstacle) => {
        const events = [];
        const stored = [];
        await kb.DpopKey.open("can be stored", { onEvent: (event) => stored.push(event) });
        const throwing = () => { throw new DOMException("for the test", obstacle); };
        if (obstacle === "SecurityError") {
          // One that is open already would still do.
          IDBDatabase.prototype.transaction = throwing;
          IDBFactory.prototype.open = throwing;
        } else if (obstacle === "absent") {
          IDBDatabase.prototype.transaction = throwing;
          Object.defineProperty(window, "indexedDB", { value: undefined });
        } else IDBObjectStore.prototype.put = throwing;
        const name = `said ${obstacle}`;
        const onEvent = (event) => events.push(event);
        const keys = await Promise.all([kb.DpopKey.open(name, { onEvent }), kb.DpopKey.open(name, { onEvent }), kb.DpopKey.open(name)]);
        keys.push(await kb.DpopKey.open(name, { onEvent }));
        return { events, stored, keys: keys.map(({ storage, thumbprint }) => `${storage} ${thumbprint}`) };
      }, obstacle);
      assert.deepEqual(stored, []);
      assert.equal(new Set(keys).size, 1);
      assert.match(keys[0], /^memory /);
      assert.equal(events.length, 3);
      for (const event of events) {
        assert.deepEqual([event.type, event.name], ["storage_memory", `said ${obstacle}`]);
        assert.match(event.reason, reason);
        assert.match(event.fix, /store data/);
      }
    }
  });

  test("a key that is asked for by its thumbprint is that one or key_lost, and none is made for it", async () => {
    const page = await open();
    const seen = await page.run(async () => {
      const { thumbprint } = await kb.DpopKey.open("bound");
      const byThumbprint = (name, thumbprint) => kb.DpopKey.open(name, { thumbprint }).then((key) => key.thumbprint, ({ code }) => code);
      const found = (await byThumbprint("bound", thumbprint)) === thumbprint;
      const other = await byThumbprint("bound", "x".repeat(43));
      const none = await byThumbprint("not bound", thumbprint);
      // One that makes it meanwhile is not disturbed, and does not disturb.
      const [lost, made] = await Promise.all([byThumbprint("at once", thumbprint), codeOf(kb.DpopKey.open("at once"))]);
      const stored = await new Promise((resolve) => {
        const opening = indexedDB.open("keybound");
        opening.onsuccess = () => {
          const names = opening.result.transaction("keys").objectStore("keys").getAllKeys();
          names.onsuccess = () => { opening.result.close(); resolve(names.result.includes("not bound")); };
        };
      });
      const { get } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.get = () => { throw new DOMException("for the test", "UnknownError"); };
      const unreadable = await byThumbprint("bound", thumbprint);
      IDBObjectStore.prototype.get = get;
      return { found, other, none, lost, made, stored, unreadable, unsaid: (await byThumbprint("bound", undefined)) === thumbprint };
    });
    assert.deepEqual(seen, {
      found: true, other: "key_lost", none: "key_lost", lost: "key_lost", made: "no error", stored: false, unreadable: "storage_failed", unsaid: true,
    });
  });

  test("a database that a newer release made still gives its keys; of one without them no key is made anew", async () => {
    const page = await open();
    const seen = await page.run(async () => {
      const settled = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
      const { thumbprint } = await kb.DpopKey.open("of an older release");
      const newer = indexedDB.open("keybound", 7);
      newer.onupgradeneeded = () => newer.result.createObjectStore("more");
      (await settled(newer)).close();
      const same = (await kb.DpopKey.open("of an older release")).thumbprint === thumbprint;
      const next = indexedDB.open("keybound", 8);
      next.onupgradeneeded = () => next.result.deleteObjectStore("keys");
      (await settled(next)).close();
      const without = await codeOf(kb.DpopKey.open("of an older release"));
      await settled(indexedDB.deleteDatabase("keybound"));
      const after = (await kb.DpopKey.open("of an older release")).storage;
      // As a browser says it that refuses the version.
      await settled(indexedDB.deleteDatabase("keybound"));
      IDBFactory.prototype.open = () => { throw new DOMException("for the test", "VersionError"); };
      return { same, without, after, refused: await codeOf(kb.DpopKey.open("of an older release")) };
    });
    assert.deepEqual(seen, { same: true, without: "storage_failed", after: "persistent", refused: "storage_failed" });
  });

  test("a connection that is closed under the page is opened once more, and one that stays closed is an error", async () => {
    const page = await open();
    const seen = await page.run(async () => {
      const { open } = IDBFactory.prototype;
      const databases = [];
      IDBFactory.prototype.open = function (...args) {
        const request = open.apply(this, args);
        request.addEventListener("success", () => databases.push(request.result));
        return request;
      };
      const { thumbprint } = await kb.DpopKey.open("reopened");
      const again = async () => (await kb.DpopKey.open("reopened")).thumbprint === thumbprint;
      const counts = [databases.length];
      const same = [await again()];
      counts.push(databases.length);
      // As a browser does it: closed, and told.
      databases[0].close();
      databases[0].dispatchEvent(new Event("close"));
      same.push(await again());
      counts.push(databases.length);
      // Closed, and not told.
      databases[1].close();
      same.push(await again());
      counts.push(databases.length);
      const { transaction } = IDBDatabase.prototype;
      IDBDatabase.prototype.transaction = () => { throw new DOMException("for the test", "InvalidStateError"); };
      const code = await codeOf(kb.DpopKey.open("reopened"));
      IDBDatabase.prototype.transaction = transaction;
      counts.push(databases.length);
      return { same, counts, code, last: await again() };
    });
    assert.deepEqual(seen, { same: [true, true, true], counts: [1, 1, 2, 3, 4], code: "storage_failed", last: true });
  });

  test("site data that somebody clears take the key, not the page: the next key is stored, and the token's is key_lost", async () => {
    const [page, other] = [await open(), await open()];
    const before = await page.run(async () => (window.before = (await kb.DpopKey.open("cleared")).thumbprint));
    // The page's connection has to give way, or this would wait for it.
    await other.run(() => new Promise((resolve, reject) => {
      const deleting = indexedDB.deleteDatabase("keybound");
      deleting.onsuccess = () => resolve();
      deleting.onerror = () => reject(deleting.error);
      deleting.onblocked = () => reject(new Error("blocked"));
    }));
    const seen = await page.run(async () => {
      const lost = await codeOf(kb.DpopKey.open("cleared", { thumbprint: before }));
      const { thumbprint, storage } = await kb.DpopKey.open("cleared");
      return { lost, storage, thumbprint };
    });
    assert.deepEqual([seen.lost, seen.storage], ["key_lost", "persistent"]);
    assert.notEqual(seen.thumbprint, before);
  });

  test("a store that gives something else than a key pair has failed", async () => {
    const page = await open();
    const codes = await page.run(async () => {
      const codes = [];
      for (const stored of ["key", 7, {}, { privateKey: "key", publicKey: "key" }]) {
        codes.push(await codeOf(kb.DpopKey.open("else", { storage: { get: async () => stored, add: async () => stored, delete: async () => {} } })));
      }
      return codes;
    });
    assert.deepEqual(codes, Array(4).fill("storage_failed"));
  });

  test("the algorithm is one that the server takes and the browser can do", async () => {
    const page = await open();
    const seen = await page.run(async () => {
      const can = async (algorithm) => crypto.subtle.generateKey({ name: algorithm }, false, ["sign", "verify"]).then(() => true, () => false);
      const chosen = {
        unsaid: await kb.chooseAlgorithm(),
        usual: await kb.chooseAlgorithm(["RS256", "Ed25519", "ES256"]),
        rsa: await kb.chooseAlgorithm(["HS256", "RS256"]),
        none: await codeOf(kb.chooseAlgorithm(["HS256", "ES256K"])),
      };
      const edwards = await kb.chooseAlgorithm(["ES384", "Ed25519"]);
      const { generateKey } = SubtleCrypto.prototype;
      SubtleCrypto.prototype.generateKey = function (wanted, ...more) {
        return wanted.name === "Ed25519" ? Promise.reject(new DOMException("for the test", "NotSupportedError")) : generateKey.call(this, wanted, ...more);
      };
      const older = await kb.chooseAlgorithm(["ES384", "Ed25519"]);
      SubtleCrypto.prototype.generateKey = generateKey;
      return { ...chosen, older, edwards, expected: (await can("Ed25519")) ? "Ed25519" : "ES384" };
    });
    const { edwards, expected, ...rest } = seen;
    assert.deepEqual(rest, { unsaid: "ES256", usual: "ES256", rsa: "RS256", none: "unsupported_algorithm", older: "ES384" });
    assert.equal(edwards, expected);
  });
});
