// The package where there is no browser: Node shows redirects, and has no IndexedDB.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { dist } from "../support/paths.mjs";
import { assertProof } from "../support/proof.mjs";
import { challenge, serveApi } from "./harness.mjs";

const kb = await import(pathToFileURL(join(dist.browser, "index.js")));
const loaded = await import(pathToFileURL(join(dist.browser, "module.js")));
const inline = await import(pathToFileURL(join(dist.browser, "inline.js")));

describe("in Node", () => {
  let api;
  let key;
  before(async () => {
    key = await kb.DpopKey.open("node");
    api = await serveApi(({ path, claims }) => {
      const [, kind, rest] = /^\/(\w+)(.*)$/.exec(path);
      if (kind === "to") return { status: 302, headers: { location: rest } };
      if (kind === "away") return { status: 302, headers: { location: "http://127.0.0.1:9/" } };
      if (kind === "loop") return { status: 307, headers: { location: "/loop" } };
      return claims.nonce === "n1" ? { body: kind } : challenge("n1");
    });
  });
  after(() => api.close());

  test("keys live in memory, one per name", async () => {
    const [one, two] = await Promise.all([kb.DpopKey.open("node"), kb.DpopKey.open("node")]);
    assert.deepEqual([one.storage, one.thumbprint, two.thumbprint], ["memory", key.thumbprint, key.thumbprint]);
    await assertProof(await key.proof({ method: "GET", url: "https://api.example/a?b" }), { method: "GET", url: "https://api.example/a", thumbprint: key.thumbprint });
  });

  test("a pair made elsewhere is used as it is", async () => {
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, false, ["sign", "verify"]);
    const taken = await kb.DpopKey.from(pair);
    assert.deepEqual([taken.algorithm, taken.name, taken.pair], ["ES384", null, pair]);
    await assertProof(await taken.proof({ method: "GET", url: "https://api.example/" }), { method: "GET", url: "https://api.example/", thumbprint: taken.thumbprint });
  });

  test("a redirect within the origin is followed with a proof of its own", async () => {
    const call = kb.createFetch({ key, token: "t", origins: [api.origin] });
    const before = api.requests.length;
    const response = await call(`${api.origin}/to/there`);
    assert.deepEqual([response.status, await response.text()], [200, "there"]);
    const sent = api.requests.slice(before);
    assert.deepEqual(sent.map(({ claims }) => new URL(claims.htu).pathname), ["/to/there", "/there", "/there"]);
  });

  test("a redirect away, in circles, or of a POST is refused", async () => {
    const call = kb.createFetch({ key, token: "t", origins: [api.origin] });
    for (const [path, init] of [["/away"], ["/loop"], ["/to/there", { method: "POST", body: "x" }]]) {
      await assert.rejects(call(api.origin + path, init), { name: "KeyboundError", code: "redirect_refused" }, path);
    }
  });

  test("the inline package is the same package", async () => {
    assert.equal(inline.DpopKey, kb.DpopKey);
    assert.deepEqual(Object.keys(inline).sort(), Object.keys(kb).sort());
  });

  test("thousands of proofs leave no memory behind", async () => {
    const make = async (count) => {
      for (let made = 0; made < count; made++) await key.proof({ method: "GET", url: "https://api.example/items", accessToken: "a".repeat(800) });
    };
    // The module's memory only grows, in steps of 64 KiB: after a warm-up it must not.
    const { memory } = loaded.wasm;
    await make(200);
    const before = memory.buffer.byteLength;
    await make(2000);
    assert.equal(memory.buffer.byteLength, before);
  });
});
