// The example page in Rust (crates/keybound-browser/examples/spa), compiled to wasm, in each engine, at an API of @keybound/edge that
// wants nonces and tokens of an issuer that signs them for the key that the page shows.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeIssuer } from "../edge/support.mjs";
import { listen } from "../support/loopback.mjs";
import { root } from "../support/paths.mjs";
import { assertProof } from "../support/proof.mjs";
import { serve } from "../support/static-server.mjs";
import { AUDIENCE, startApi } from "./beside-api.mjs";
import { engines } from "./engines.mjs";

const BUILT = join(root, "target-wasm/rust-spa");
await access(join(BUILT, "spa_bg.wasm")).catch((cause) => {
  throw new Error("the example page is not built: run `cargo xtask rust-spa` first", { cause });
});

/** The example on a machine whose clock is off by `clock` seconds, or that stores nothing: what a page finds before its script runs. */
const HINDERED = {
  "/hindered.html": '<!doctype html><title>hindered</title><script type="module" src="/hinder.js"></script>',
  "/hinder.js": `
    const asked = new URLSearchParams(location.search);
    const now = Date.now.bind(Date);
    Date.now = () => now() + Number(asked.get("clock")) * 1000;
    const refuse = () => { throw new DOMException("not in this window", "SecurityError"); };
    if (asked.has("nothing-stored")) Object.defineProperty(globalThis, "indexedDB", { value: { open: refuse } });
    await import("./start.js");`,
};

/** An issuer's metadata and keys, for an API that looks them up. */
async function serveIssuer() {
  const documents = {};
  const door = await listen(
    createServer((request, response) => {
      const document = documents[request.url];
      response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(document));
    }),
  );
  const issuer = await makeIssuer({ issuer: door.origin });
  documents["/.well-known/openid-configuration"] = { issuer: door.origin, jwks_uri: `${door.origin}/keys` };
  documents["/keys"] = issuer.jwks;
  const token = (jkt) => issuer.token({ now: Math.floor(Date.now() / 1000), aud: AUDIENCE, cnf: { jkt } });
  return { ...door, token };
}

/** In the page: the text of an element, as soon as it is there. */
const appears = async (selector) => {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const found = document.querySelector(selector);
    if (found) return found.dataset.code === undefined ? found.textContent : `${found.dataset.code}: ${found.textContent}`;
  }
  return `no ${selector} in ${document.body.innerHTML}`;
};
/** In the page: what a person does who has a token. */
const typeToken = (token) => {
  const input = document.querySelector("#token");
  input.value = token;
  input.dispatchEvent(new InputEvent("input", { bubbles: true }));
};
const click = (selector) => document.querySelector(selector).click();
const clickOften = (selector) => {
  for (let left = 6; left > 0; left -= 1) document.querySelector(selector).click();
};
for (const { name, launch } of engines) {
  describe(`the example page in Rust in ${name}`, () => {
    let browser;
    let site;
    let issuer;
    let api;
    before(async () => {
      [browser, site, issuer] = await Promise.all([launch(), serve(BUILT, { pages: HINDERED }), serveIssuer()]);
      api = await startApi({ issuer: issuer.origin, pageOrigin: site.origin });
    });
    after(() => Promise.all([browser, site, issuer, api].map((opened) => opened?.close())));
    const openHindered = (how) => browser.open(`${site.origin}/hindered.html?${new URLSearchParams({ api: `${api.origin}/orders`, ...how })}`);
    const open = (url = `${api.origin}/orders`) => browser.open(`${site.origin}/?api=${encodeURIComponent(url)}`);

    test("it asks an API with a token that is bound to its key, and its key is there again after a reload", async () => {
      const page = await open();
      const thumbprint = await page.run(appears, "#thumbprint");
      assert.match(thumbprint, /^[\w-]{43}$/);
      assert.equal(await page.run(appears, "#storage"), "in this browser");

      const ask = async () => {
        await page.run(typeToken, await issuer.token(thumbprint));
        await page.run(click, "#ask");
        assert.equal(await page.run(appears, "#status"), "200", String(api.reasons));
        const { sub, jkt, method } = JSON.parse(await page.run(appears, "#answer"));
        assert.deepEqual([sub, jkt, method], ["alice", thumbprint, "GET"]);
      };
      await ask();
      assert.deepEqual(api.reasons.splice(0).map((reason) => reason !== null), [true, false], "a challenge for a nonce, and an acceptance");
      await ask();
      assert.deepEqual(api.reasons.splice(0), [null], "the nonce is known");

      await page.reload();
      assert.equal(await page.run(appears, "#thumbprint"), thumbprint);
      await ask();
    });

    test("its proof is one for the API's URL and the token", async () => {
      const page = await open();
      const thumbprint = await page.run(appears, "#thumbprint");
      const accessToken = await issuer.token(thumbprint);
      await page.run(typeToken, accessToken);
      await page.run(click, "#prove");
      await assertProof(await page.run(appears, "#proof"), { method: "GET", url: `${api.origin}/orders`, accessToken, thumbprint });
    });

    test("many calls at once of a page that was just opened cost one challenge", async () => {
      const page = await open();
      const thumbprint = await page.run(appears, "#thumbprint");
      await page.run(typeToken, await issuer.token(thumbprint));
      api.reasons.splice(0);
      await page.run(clickOften, "#ask");
      for (const deadline = Date.now() + 15_000; api.reasons.length < 7 && Date.now() < deadline; ) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(api.reasons.splice(0).map((reason) => reason !== null), [true, false, false, false, false, false, false]);
    });

    test("a clock that is off is found out by the refusal, and followed", async () => {
      const page = await openHindered({ clock: 7200 });
      const thumbprint = await page.run(appears, "#thumbprint");
      await page.run(typeToken, await issuer.token(thumbprint));
      api.reasons.splice(0);
      await page.run(click, "#ask");
      assert.equal(await page.run(appears, "#status"), "401");
      assert.deepEqual(api.reasons.splice(0), ["iat_in_future"]);
      // The refusal had the server's date.
      await page.run(click, "#ask");
      assert.equal(await page.run(appears, "#status"), "200", String(api.reasons));
      assert.equal(api.reasons.splice(0).at(-1), null);
    });

    test("a key that one tab deletes signs no more in another", async () => {
      const [one, other] = [await open(), await open()];
      const thumbprint = await one.run(appears, "#thumbprint");
      assert.equal(await other.run(appears, "#thumbprint"), thumbprint);
      await one.run(click, "#forget");
      assert.match(await one.run(appears, "#forgotten"), /in all tabs/);
      await other.run(click, "#prove");
      assert.match(await other.run(appears, "[role=alert]"), /^key_lost: the key was deleted/);
      await other.reload();
      assert.notEqual(await other.run(appears, "#thumbprint"), thumbprint);
    });

    test("where nothing is stored the key lives in memory, and the page says so", async () => {
      const page = await openHindered({ "nothing-stored": "" });
      assert.match(await page.run(appears, "#storage"), /^until this page is closed/);
      assert.match(await page.run(appears, "#thumbprint"), /^[\w-]{43}$/);
    });

    test("a token of another key is of no use to it", async () => {
      const page = await open();
      await page.run(appears, "#thumbprint");
      await page.run(typeToken, await issuer.token("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"));
      await page.run(click, "#ask");
      assert.equal(await page.run(appears, "#status"), "401");
    });

    test("what goes wrong is said with a code and in words", async () => {
      const plain = await open("http://api.example/orders");
      assert.equal(await plain.run(appears, "[role=alert]"), "invalid_url: not an absolute https URL (http is for loopback hosts only)");
      const page = await open(`${api.origin}/away`);
      const thumbprint = await page.run(appears, "#thumbprint");
      await page.run(typeToken, await issuer.token(thumbprint));
      await page.run(click, "#ask");
      assert.match(await page.run(appears, "[role=alert]"), /^redirect_refused: .*request the final URL$/);
    });
  });
}
