// What docs/threat-model.md says of keys and of the script that got into a page, as far as a browser decides it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../support/paths.mjs";
import { inEveryEngine, serveSite } from "./harness.mjs";

/** The fields that the page recommends, as it has them. */
const text = await readFile(join(root, "docs/threat-model.md"), "utf8");
const POLICY = Object.fromEntries([...text.matchAll(/^(Content-Security-Policy|Cross-Origin-Opener-Policy): (.+)$/gm)].map(([, name, value]) => [name.toLowerCase(), value]));
/** A page of somebody else, which signs with what it is given. */
const THIEF = `<!doctype html><script>
onmessage = async ({ data, source, origin }) => source.postMessage((await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, data.privateKey, new Uint8Array(4))).byteLength, origin);
</script>`;

const serveThief = async () => {
  const thief = await serveSite({ pages: { "/thief.html": THIEF }, headers: {} });
  // Another site, so that nothing is shared by accident.
  return { ...thief, page: `${thief.origin.replace("127.0.0.1", "localhost")}/thief.html` };
};
/** In the page: what came back from the frame, if it could be had. */
const handOver = async (url) => {
  const key = await kb.DpopKey.open("handed over");
  const frame = Object.assign(document.createElement("iframe"), { src: url });
  const loaded = new Promise((resolve) => { frame.onload = resolve; frame.onerror = resolve; setTimeout(resolve, 2000); });
  document.body.append(frame);
  await loaded;
  const answer = new Promise((resolve) => { onmessage = ({ data }) => resolve(data); setTimeout(() => resolve("no answer"), 2000); });
  try { frame.contentWindow.postMessage(key.pair, new URL(url).origin); } catch (error) { return error.name; }
  return answer;
};

inEveryEngine("the threat model", ({ open }) => {
  test("no call hands out a private key, in whatever form it is asked for, also not from IndexedDB", async () => {
    const page = await open();
    const seen = await page.run(async () => {
      const { pair } = await kb.DpopKey.open("kept");
      const database = await new Promise((resolve) => { indexedDB.open("keybound").onsuccess = ({ target }) => resolve(target.result); });
      const request = database.transaction("keys").objectStore("keys").get("kept");
      const stored = await new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
      const outcomes = [];
      for (const key of [pair.privateKey, stored.privateKey, structuredClone(pair.privateKey)]) {
        for (const format of ["jwk", "pkcs8", "raw"]) outcomes.push(await crypto.subtle.exportKey(format, key).then(() => "exported", () => "refused"));
      }
      return [outcomes, JSON.stringify(pair.privateKey)];
    });
    assert.deepEqual(seen, [Array(9).fill("refused"), "{}"]);
  });

  test("a script can hand the handle to a frame of another origin, which then signs: what is not prevented", async () => {
    const thief = await serveThief();
    try {
      const page = await open();
      assert.equal(await page.run(handOver, thief.page), 64);
    } finally {
      await thief.close();
    }
  });
});

inEveryEngine(
  "the threat model's policy",
  ({ open }) => {
    test("lets the package work, and keeps the handle in the page", async () => {
      assert.equal(Object.keys(POLICY).length, 2);
      const thief = await serveThief();
      try {
        const page = await open();
        assert.match(await page.run(async () => (await kb.DpopKey.open()).proof({ method: "GET", url: "https://api.example/" })), /^[\w-]+\.[\w-]+\.[\w-]+$/);
        assert.notEqual(await page.run(handOver, thief.page), 64);
        assert.ok(!thief.requests.includes("/thief.html"));
      } finally {
        await thief.close();
      }
    });
  },
  async () => ({ headers: POLICY }),
);
