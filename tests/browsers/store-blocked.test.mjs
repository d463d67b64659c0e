// A database that another tab blocks, and a session on it: an error in time, and the session afterwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inEveryEngineWithSessions } from "./session-pages.mjs";

inEveryEngineWithSessions("a blocked store", ({ openPage, withServer, logIn }) => {
  test("a session gives up a database that another tab blocks, and works once it is free", () =>
    withServer({}, async (server) => {
      await logIn(server);
      const [holder, page] = [await openPage(), await openPage()];
      await holder.run(async () => {
        const opened = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
        // One that does not give way, and behind it somebody who waits to upgrade: who opens now waits behind both.
        window.held = await opened(indexedDB.open("keybound"));
        window.upgraded = opened(indexedDB.open("keybound", held.version + 1));
      });
      const codes = await page.run(async (issuer) => {
        const { setTimeout } = window;
        window.setTimeout = (work, milliseconds) => setTimeout(work, milliseconds / 20);
        start(issuer);
        const calls = [session.current(), session.loginUrl(), api(issuer), session.finishLogin(location.href + "?state=s&code=c")];
        const codes = await Promise.all(calls.map(async (call) => (await outcome(call)).code));
        window.setTimeout = setTimeout;
        return codes;
      }, server.origin);
      assert.deepEqual(codes, Array(4).fill("storage_failed"));
      await holder.run(() => { held.close(); return upgraded.then((database) => database.close()); });
      assert.equal((await page.run((issuer) => api(issuer), server.origin)).status, 200);
    }));
});
