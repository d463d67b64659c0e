// A key for each login: found by what its token is bound to, deleted everywhere at once, swept when nobody needs it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertProof } from "../support/proof.mjs";
import { inEveryEngine, serveApi } from "./harness.mjs";

const SCRIPT = `
import * as kb from "/index.js";
import { createKeyring } from "/keyring/index.js";
const codeOf = (promise) => promise.then(() => "no error", (error) => error.code ?? String(error));
const proofOf = (key) => codeOf(key.proof({ method: "GET", url: "https://api.example/" }));
/** How a proof ends once the news of a deletion, which take a moment, are there. */
const proofAfterNews = async (key) => {
  for (let tries = 0; tries < 200 && (await proofOf(key)) === "no error"; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
  return proofOf(key);
};
/** What the store holds, and what it is made to hold. */
const withKeys = (mode, work) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("keybound");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const transaction = opening.result.transaction("keys", mode);
    const request = work(transaction.objectStore("keys"));
    transaction.oncomplete = () => { opening.result.close(); resolve(request.result); };
  };
});
const storedNames = async () => (await withKeys("readonly", (keys) => keys.getAllKeys())).map(String);
/** As if every key had been made so many hours ago. */
const age = (hours) => withKeys("readwrite", (keys) => {
  const walk = keys.openCursor();
  walk.onsuccess = () => {
    const cursor = walk.result;
    if (!cursor) return;
    if (cursor.value.privateKey) cursor.update({ ...cursor.value, at: cursor.value.at - hours * 3_600_000 });
    cursor.continue();
  };
  return walk;
});
Object.assign(globalThis, { kb, createKeyring, codeOf, proofOf, proofAfterNews, storedNames, age, ready: true });
// As a worker, it does what it is told with one key.
if (!globalThis.document) {
  let key;
  onmessage = async ({ data: [task, name] }) => {
    if (task === "open") key = await kb.DpopKey.open(name);
    if (task === "delete") await key.delete();
    postMessage(task === "proof" ? await proofAfterNews(key) : key.thumbprint);
  };
} else {
  const worker = new Worker("/ring.js", { type: "module" });
  globalThis.inWorker = (...task) => new Promise((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(task);
  });
}`;

inEveryEngine(
  "keys that change",
  ({ open, site }) => {
    const openPage = () => open(`${site().origin}/ring.html`);

    test("a new login has a new key, and the old one serves its tokens", async () => {
      const api = await serveApi(() => ({ status: 200 }));
      try {
        const page = await openPage();
        const seen = await page.run(async (origin) => {
          const keyring = createKeyring();
          const tokens = [];
          let token;
          const call = kb.createFetch({ key: keyring.keyOf, token: () => token, origins: [origin] });
          const log = async (accessToken) => {
            const { thumbprint, storage } = await keyring.create();
            tokens.push({ accessToken, tokenType: "DPoP", thumbprint });
            return storage;
          };
          const storage = [await log("first"), await log("second")];
          for (const next of [0, 1, 0]) {
            token = tokens[next];
            await call(`${origin}/${next}`);
          }
          return { tokens, storage };
        }, api.origin);
        const [first, second] = seen.tokens;
        assert.deepEqual(seen.storage, ["persistent", "persistent"]);
        assert.notEqual(first.thumbprint, second.thumbprint);
        assert.equal(api.requests.length, 3);
        for (const [at, { accessToken, thumbprint }] of [first, second, first].entries()) {
          const { authorization, proof, path } = api.requests[at];
          assert.equal(authorization, `DPoP ${accessToken}`);
          await assertProof(proof, { method: "GET", url: api.origin + path, accessToken, thumbprint });
        }
        // And so in another page, which made none of them.
        const other = await openPage();
        const found = await other.run((tokens) => Promise.all(tokens.map(async (token) => (await createKeyring().keyOf(token)).thumbprint)), seen.tokens);
        assert.deepEqual(found, [first.thumbprint, second.thumbprint]);
      } finally {
        await api.close();
      }
    });

    test("a token whose key is gone is key_lost before it is sent, and no key is made in its place", async () => {
      const api = await serveApi(() => ({ status: 200 }));
      try {
        const page = await openPage();
        const seen = await page.run(async (origin) => {
          const keyring = createKeyring({ name: "gone" });
          const { thumbprint } = await keyring.create();
          const token = { accessToken: "t", tokenType: "DPoP", thumbprint };
          const events = [];
          const call = kb.createFetch({ key: keyring.keyOf, token: () => token, origins: [origin], onEvent: ({ type }) => events.push(type) });
          await call(origin);
          await keyring.delete(token);
          // Twice is no error.
          await keyring.delete(token);
          const names = await storedNames();
          const codes = [await codeOf(call(origin)), await codeOf(createKeyring({ name: "gone" }).keyOf(token)), await codeOf(keyring.keyOf({ accessToken: "t" }))];
          return { codes, events, same: String(await storedNames()) === String(names), named: names.some((name) => name.includes(thumbprint)) };
        }, api.origin);
        assert.deepEqual(seen, { codes: ["key_lost", "key_lost", "token_key_mismatch"], events: ["key_lost"], same: true, named: false });
        assert.equal(api.requests.length, 1);
      } finally {
        await api.close();
      }
    });

    test("a sweep removes keys of abandoned logins, and no key that a token or a login under way needs", async () => {
      const [page, other] = [await openPage(), await openPage()];
      const old = await page.run(async () => {
        window.keyring = createKeyring({ name: "swept" });
        const make = async (ring = keyring) => (await ring.create()).thumbprint;
        const made = { abandoned: await make(), used: await make(), elsewhere: await make(createKeyring({ name: "swept or not" })) };
        await kb.DpopKey.open("not of a keyring");
        return made;
      });
      await other.run(async (thumbprint) => { window.key = await createKeyring({ name: "swept" }).keyOf({ thumbprint }); }, old.abandoned);
      const seen = await page.run(async (old) => {
        await age(25);
        const young = (await keyring.create()).thumbprint;
        const early = await keyring.sweep({ keep: [], olderThan: 26 * 3600 });
        const token = { accessToken: "t", tokenType: "DPoP", thumbprint: old.used };
        const swept = await keyring.sweep({ keep: [token] });
        const again = await keyring.sweep({ keep: [token] });
        const names = await storedNames();
        const left = [old.abandoned, old.used, old.elsewhere, young].map((thumbprint) => names.some((name) => name.endsWith(thumbprint)));
        const codes = await Promise.all([old.abandoned, old.used, young].map((thumbprint) => codeOf(keyring.keyOf({ thumbprint }))));
        return { early, swept, again, left, codes, plain: names.includes("not of a keyring") };
      }, old);
      assert.deepEqual(seen, {
        early: [], swept: [old.abandoned], again: [], left: [false, true, true, true], codes: ["key_lost", "no error", "no error"], plain: true,
      });
      // A tab that had it open does not go on with it.
      assert.equal(await other.run(() => proofAfterNews(key)), "key_lost");
    });

    test("where keys live in memory, each login has its own all the same, and the keyring says that they do", async () => {
      const page = await openPage();
      const seen = await page.run(async () => {
        IDBObjectStore.prototype.put = () => { throw new DOMException("for the test", "DataCloneError"); };
        const events = [];
        const keyring = createKeyring({ name: "memory", onEvent: ({ type }) => events.push(type) });
        const [one, two] = [await keyring.create(), await keyring.create()];
        const found = await keyring.keyOf({ thumbprint: one.thumbprint });
        await keyring.delete({ thumbprint: two.thumbprint });
        const codes = [await proofOf(found), await proofOf(two), await codeOf(keyring.keyOf({ thumbprint: two.thumbprint }))];
        return { storage: one.storage, same: found.thumbprint === one.thumbprint, codes, events, swept: await keyring.sweep({ keep: [], olderThan: 0 }) };
      });
      assert.deepEqual(seen, { storage: "memory", same: true, codes: ["no error", "key_lost", "key_lost"], events: ["storage_memory", "storage_memory"], swept: [] });
    });

    for (const by of ["a page", "a worker"]) {
      test(`a key that ${by} deletes signs no more in other pages and workers`, async () => {
        const name = `deleted by ${by}`;
        const pages = [await openPage(), await openPage()];
        for (const page of pages) {
          await page.run(async (name) => {
            window.key = await kb.DpopKey.open(name);
            await inWorker("open", name);
          }, name);
        }
        const alive = await pages[1].run(async () => [await proofOf(key), await inWorker("proof")]);
        assert.deepEqual(alive, ["no error", "no error"]);
        await pages[0].run((by) => (by === "a page" ? key.delete() : inWorker("delete").then(() => {})), by);
        for (const page of pages) {
          const codes = await page.run(async () => [await proofAfterNews(key), await inWorker("proof")]);
          assert.deepEqual(codes, ["key_lost", "key_lost"]);
        }
      });
    }
  },
  () => ({
    pages: {
      "/ring.html": `<!doctype html><meta charset="utf-8"><title>keyring</title><script type="module" src="/ring.js"></script>`,
      "/ring.js": SCRIPT,
    },
  }),
);
