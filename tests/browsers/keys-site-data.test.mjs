// A full disk and cleared site data, done by the browser itself. Only Chromium lets a test do that; what follows from it in
// the other engines stands in keys-obstacles.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchChromium } from "../support/chromium.mjs";
import { engines } from "./engines.mjs";
import { serveSite } from "./harness.mjs";

describe("keys and site data in chromium", { skip: !engines.some(({ name }) => name === "chromium") && "needs Chromium's protocol" }, () => {
  let browser;
  let site;
  before(async () => {
    site = await serveSite();
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await site?.close();
  });
  const openPage = async () => {
    const page = await browser.newPage();
    await page.goto(`${site.origin}/page.html`);
    await page.waitForFunction(() => globalThis.ready);
    const protocol = await page.context().newCDPSession(page);
    return { run: (work, argument) => page.evaluate(`(${work})(${JSON.stringify(argument) ?? "undefined"})`), ask: (method, more) => protocol.send(method, { origin: site.origin, ...more }) };
  };

  test("where no space is left, the key lives in memory and says why; with space again, it is stored", async () => {
    const { run, ask } = await openPage();
    await ask("Storage.overrideQuotaForOrigin", { quotaSize: 1 });
    const full = await run(async () => {
      const events = [];
      const { storage } = await kb.DpopKey.open("full", { onEvent: (event) => events.push(event) });
      return { storage, events };
    });
    assert.equal(full.storage, "memory");
    assert.deepEqual(full.events.map(({ type, name }) => [type, name]), [["storage_memory", "full"]]);
    assert.match(full.events[0].reason, /QuotaExceededError/);
    await ask("Storage.overrideQuotaForOrigin", {});
    assert.equal(await run(async () => (await kb.DpopKey.open("not full")).storage), "persistent");
  });

  test("the browser closes the connection and takes the key: the token that survived is key_lost, the next login has a stored key", async () => {
    const { run, ask } = await openPage();
    await run(async () => {
      const { open } = IDBFactory.prototype;
      window.closings = 0;
      IDBFactory.prototype.open = function (...args) {
        const request = open.apply(this, args);
        request.addEventListener("success", () => request.result.addEventListener("close", () => closings++));
        return request;
      };
      const { thumbprint } = await kb.DpopKey.open("evicted");
      // Kept elsewhere, as in localStorage: it survives.
      window.token = { accessToken: "t", tokenType: "DPoP", thumbprint };
    });
    await ask("Storage.clearDataForOrigin", { storageTypes: "indexeddb" });
    const seen = await run(async () => {
      for (let tries = 0; tries < 200 && !closings; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
      const events = [];
      const sent = [];
      const call = kb.createFetch({
        key: ({ thumbprint }) => kb.DpopKey.open("evicted", { thumbprint }),
        token: () => token, origins: ["https://api.example"], fetch: async (request) => { sent.push(request.url); return new Response(); }, onEvent: ({ type }) => events.push(type),
      });
      const code = await codeOf(call("https://api.example/"));
      const next = await kb.DpopKey.open("evicted");
      return { closings, code, events, sent, storage: next.storage, other: next.thumbprint !== token.thumbprint };
    });
    assert.deepEqual(seen, { closings: 1, code: "key_lost", events: ["key_lost"], sent: [], storage: "persistent", other: true });
  });
});
