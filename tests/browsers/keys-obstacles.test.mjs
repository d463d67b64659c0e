// Stores that do not answer, and algorithms that not every server takes: an error that says so, and never a hang.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inEveryEngine } from "./harness.mjs";

inEveryEngine("keys and obstacles", ({ open }) => {
  test("a store that never answers is given up, and the key is the same afterwards", async () => {
    const page = await open();
    const seen = await page.run(async () => {
      const { setTimeout } = window;
      // Seconds become hundredths.
      window.setTimeout = (work, milliseconds) => setTimeout(work, milliseconds / 100);
      const before = (await kb.DpopKey.open("blocked")).thumbprint;
      const never = () => new Promise(() => {});
      const storage = { get: never, add: never, delete: never };
      const own = await codeOf(kb.DpopKey.open("blocked", { storage }));
      const written = await codeOf(kb.DpopKey.open("blocked", { storage: { ...storage, get: async () => undefined } }));
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
