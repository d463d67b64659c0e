// Keys: one per name, whoever asks; never readable; and what happens where they cannot be kept.
import assert from "node:assert/strict";
import { test } from "node:test";
import { calculateJwkThumbprint, importJWK, jwtVerify } from "jose";
import { assertProof } from "../support/proof.mjs";
import { inEveryEngine } from "./harness.mjs";

inEveryEngine("keys", ({ open, site }) => {
  test("a key signs and cannot be read", async () => {
    const page = await open();
    const seen = await page.run(async () => {
      const key = await kb.DpopKey.open("plain");
      const exported = {};
      for (const format of ["jwk", "pkcs8"]) exported[format] = await crypto.subtle.exportKey(format, key.pair.privateKey).then(() => "exported", (error) => error.name);
      const { name, algorithm, thumbprint, publicJwk, storage } = key;
      const proof = await key.proof({ method: "POST", url: "https://u:p@API.example:443/a b?c#d", accessToken: "t~1", nonce: "n-1", claims: { more: { x: ["ä"] } } });
      return { name, algorithm, thumbprint, publicJwk, storage, exported, proof, extractable: key.pair.privateKey.extractable };
    });
    assert.equal(seen.extractable, false);
    assert.deepEqual(seen.exported, { jwk: "InvalidAccessError", pkcs8: "InvalidAccessError" });
    assert.equal(seen.storage, "persistent");
    assert.deepEqual(Object.keys(seen.publicJwk).sort(), ["crv", "kty", "x", "y"]);
    assert.equal(await calculateJwkThumbprint(seen.publicJwk), seen.thumbprint);
    const claims = await assertProof(seen.proof, { method: "POST", url: "https://api.example/a%20b", accessToken: "t~1", nonce: "n-1", thumbprint: seen.thumbprint });
    assert.deepEqual(claims.more, { x: ["ä"] });
  });

  test("each proof has the hash of its own token", async () => {
    const page = await open();
    const proofs = await page.run(async () => {
      const key = await kb.DpopKey.open("hashes");
      const made = [];
      for (const accessToken of ["a", "a", "b", undefined, "b", "bad token", "b", "a"]) {
        made.push([accessToken, await key.proof({ method: "GET", url: "https://api.example/", accessToken }).catch(() => null)]);
        // One that fails after its token was read.
        await codeOf(key.proof({ method: "GET", url: "https://api.example/", accessToken: "c", nonce: "not one" }));
      }
      return made;
    });
    for (const [accessToken, proof] of proofs) {
      if (accessToken === "bad token") assert.equal(proof, null);
      else await assertProof(proof, { method: "GET", url: "https://api.example/", accessToken: accessToken ?? undefined });
    }
  });

  test("each algorithm that the engine knows makes proofs that others accept", async () => {
    const page = await open();
    const made = await page.run(async () => {
      const proofs = {};
      for (const algorithm of ["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519", "EdDSA"]) {
        proofs[algorithm] = await kb.DpopKey.open(`of ${algorithm}`, { algorithm }).then(
          async (key) => ({ algorithm: key.algorithm, jwk: key.publicJwk, proof: await key.proof({ method: "GET", url: "https://api.example/" }) }),
          (error) => error.code,
        );
      }
      return proofs;
    });
    for (const [algorithm, result] of Object.entries(made)) {
      if (/^E[dD]/.test(algorithm) && result === "unsupported_algorithm") continue;
      assert.equal(result.algorithm, algorithm);
      const { protectedHeader } = await jwtVerify(result.proof, await importJWK(result.jwk, algorithm), { typ: "dpop+jwt" });
      assert.equal(protectedHeader.alg, algorithm);
    }
    assert.equal(made.ES256.algorithm, "ES256");
  });

  test("the key is there again after a reload, in other pages and in workers", async () => {
    const page = await open();
    const openKey = async () => (await kb.DpopKey.open("again")).thumbprint;
    const before = await page.run(openKey);
    const other = await open();
    assert.equal(await other.run(openKey), before);
    const worker = await other.run(() => openInWorker("again"));
    assert.equal(worker.thumbprint, before);
    assert.equal(worker.storage, "persistent");
    await assertProof(worker.proof, { method: "GET", url: "https://api.example/", thumbprint: before });
  });

  test("a deleted key signs nowhere any more, and the next one is another", async () => {
    const [one, two] = [await open(), await open()];
    const before = await one.run(async () => {
      window.key = await kb.DpopKey.open("short-lived");
      return key.thumbprint;
    });
    const after = await two.run(async () => {
      const key = await kb.DpopKey.open("short-lived");
      await key.delete();
      return { here: await codeOf(key.proof({ method: "GET", url: "https://api.example/" })), next: (await kb.DpopKey.open("short-lived")).thumbprint };
    });
    assert.equal(after.here, "key_lost");
    assert.notEqual(after.next, before);
    const there = await one.run(async () => {
      // Told through a channel, which takes a moment.
      for (let tries = 0; tries < 200; tries++) {
        if ((await codeOf(key.proof({ method: "GET", url: "https://api.example/" }))) === "key_lost") return "key_lost";
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return "still signs";
    });
    assert.equal(there, "key_lost");
  });

  test("a readable key is refused, an unreadable one taken", async () => {
    const page = await open();
    const codes = await page.run(async () => {
      const make = (extractable) => crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, extractable, ["sign", "verify"]);
      const taken = await kb.DpopKey.from(await make(false));
      const stored = { get: async () => make(true), add: async (_, pair) => pair, delete: async () => {} };
      return {
        readable: await codeOf(make(true).then((pair) => kb.DpopKey.from(pair))),
        readableFromStore: await codeOf(kb.DpopKey.open("x", { storage: stored })),
        taken: [taken.name, taken.storage, taken.algorithm],
        encryption: await codeOf(crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]).then((pair) => kb.DpopKey.from(pair))),
      };
    });
    assert.deepEqual(codes, { readable: "extractable_key", readableFromStore: "extractable_key", taken: [null, "memory", "ES256"], encryption: "unsupported_algorithm" });
  });

  test("where IndexedDB takes no keys they live in memory, and the key says so", async () => {
    for (const obstacle of ["absent", "refuses to open", "cannot clone"]) {
      const page = await open();
      const seen = await page.run(async (obstacle) => {
        const throwing = (name) => () => {
          throw new DOMException("for the test", name);
        };
        if (obstacle === "absent") Object.defineProperty(window, "indexedDB", { value: undefined });
        if (obstacle === "refuses to open") IDBFactory.prototype.open = throwing("SecurityError");
        if (obstacle === "cannot clone") IDBObjectStore.prototype.put = throwing("DataCloneError");
        const name = `nowhere ${obstacle}`;
        const [one, two] = await Promise.all([kb.DpopKey.open(name), kb.DpopKey.open(name)]);
        const three = await kb.DpopKey.open(name);
        await three.delete();
        const four = await kb.DpopKey.open(name);
        return { storage: one.storage, same: one.thumbprint === two.thumbprint && two.thumbprint === three.thumbprint, anew: four.thumbprint !== one.thumbprint, extractable: one.pair.privateKey.extractable };
      }, obstacle);
      assert.deepEqual(seen, { storage: "memory", same: true, anew: true, extractable: false }, obstacle);
    }
  });

  test("an error of the store is not taken for an absent key", async () => {
    const page = await open();
    const seen = await page.run(async () => {
      const before = (await kb.DpopKey.open("kept")).thumbprint;
      const { get } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.get = () => {
        throw new DOMException("for the test", "UnknownError");
      };
      const code = await codeOf(kb.DpopKey.open("kept"));
      IDBObjectStore.prototype.get = get;
      const failing = { get: () => Promise.reject(new Error("for the test")), add: async (_, pair) => pair, delete: async () => {} };
      return { code, own: await codeOf(kb.DpopKey.open("x", { storage: failing })), same: (await kb.DpopKey.open("kept")).thumbprint === before };
    });
    assert.deepEqual(seen, { code: "storage_failed", own: "storage_failed", same: true });
  });

  test("a connection that the browser closed is opened again", async () => {
    const page = await open();
    const same = await page.run(async () => {
      const { transaction } = IDBDatabase.prototype;
      const before = (await kb.DpopKey.open("reconnect")).thumbprint;
      let closed = true;
      IDBDatabase.prototype.transaction = function (...args) {
        if (closed) {
          closed = false;
          throw new DOMException("the connection is closing", "InvalidStateError");
        }
        return transaction.apply(this, args);
      };
      return (await kb.DpopKey.open("reconnect")).thumbprint === before;
    });
    assert.equal(same, true);
  });

  test("a store of the application's own decides which of two keys stays", async () => {
    const page = await open();
    const same = await page.run(async () => {
      const winner = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
      const storage = { get: async () => undefined, add: async () => winner, delete: async () => {} };
      const key = await kb.DpopKey.open("contested", { storage });
      return key.pair === winner || key.pair.privateKey === winner.privateKey;
    });
    assert.equal(same, true);
  });

  test("what no proof can say is refused", async () => {
    const page = await open();
    const codes = await page.run(async () => {
      const key = await kb.DpopKey.open("plain");
      const proof = (request) => codeOf(key.proof({ method: "GET", url: "https://api.example/", ...request }));
      const loop = {};
      loop.loop = loop;
      return {
        relative: await proof({ url: "/items" }),
        http: await proof({ url: "http://api.example/" }),
        loopback: await proof({ url: "http://localhost:8080/" }),
        method: await proof({ method: "GE T" }),
        registered: await Promise.all(["htm", "htu", "iat", "jti", "ath", "nonce", "exp"].map((name) => proof({ claims: { [name]: 1 } }))),
        circular: await proof({ claims: { loop } }),
        nul: await proof({ claims: { "a\0b": 1 } }),
        token: await proof({ accessToken: "a b" }),
        empty: await proof({ accessToken: "" }),
        injected: await proof({ accessToken: "a\0nonce" }),
        nonce: await proof({ nonce: 'a"b' }),
      };
    });
    const invalid = "invalid_claim";
    assert.deepEqual(codes, {
      relative: "invalid_url", http: "invalid_url", loopback: "no error", method: invalid, registered: Array(7).fill(invalid),
      circular: invalid, nul: "no error", token: invalid, empty: invalid, injected: invalid, nonce: invalid,
    });
  });

  test("nothing is loaded before it is used", async () => {
    const page = await open();
    const before = site().requests.length;
    const asked = () => site().requests.slice(before).filter((path) => path.endsWith(".wasm")).length;
    assert.equal(asked(), 0);
    await page.run(() => Promise.all([kb.init(), kb.init(), kb.DpopKey.open("first use")]).then(() => {}));
    assert.equal(asked(), 1);
  });
});
