// What a session in a worker sends and gets: in pieces, in the middle of which all may end, and in sizes that do not fit at once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { digestOf, octetsOf, serveBodies } from "./worker-bodies-server.mjs";
import { inEveryEngineWithWorkers } from "./worker-pages.mjs";

/** As in an engine that hands no streams to another realm. */
const WITHOUT_STREAMS = `
const { structuredClone } = self;
self.structuredClone = (value, options) => { if (value instanceof ReadableStream) throw new DOMException("no", "DataCloneError"); return structuredClone(value, options); };`;
/** It ends by itself when it is told to. */
const MORTAL = `addEventListener("message", ({ data }) => data === "end" && close());`;

const until = async (isSo, what) => {
  for (let waited = 0; !isSo(); waited += 50) {
    assert.ok(waited < 5000, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

inEveryEngineWithWorkers("bodies through a worker", ({ name, withServers }) => {
  // WebKit hands no stream to another realm (docs/worker-mode.md): there, answers are whole, as the second test has it everywhere.
  const streams = name !== "webkit";
  const whileStreaming = streams ? test : () => {};
  let bodies;
  before(async () => (bodies = await serveBodies()));
  after(() => bodies?.close());
  /** Nobody needs to be logged in: requests go out plain then. */
  const withBodies = (work, options) =>
    withServers({ worker: ({ api }) => ({ origins: [api.origin, bodies.origin] }), ...options }, async ({ openPage, ...servers }) => {
      const page = await openPage();
      await page.run((url) => {
        window.url = url;
        window.read = async (reader) => { const { done, value } = await reader.read(); return done ? null : new TextDecoder().decode(value); };
        window.failure = (promise) => promise.then((value) => value, (error) => ({ code: error.code, name: error.name, message: error.message }));
        window.digest = async (response) => {
          const octets = await response.arrayBuffer();
          const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", octets));
          return { octets: octets.byteLength, digest: Array.from(hash, (octet) => octet.toString(16).padStart(2, "0")).join("") };
        };
        return start().then(() => null);
      }, bodies.origin);
      return work({ page, ...servers });
    });
  const last = () => bodies.answers.at(-1);
  const handsOver = (page) => page.run(() => { const stream = new ReadableStream(); try { structuredClone(stream, { transfer: [stream] }); return true; } catch { return false; } });

  /** In the page: the first piece, and what comes after it when that was asked for. */
  const pieces = async () => {
    const reader = (await session.fetch(url + "/pieces")).body.getReader();
    const first = await read(reader);
    await (await fetch(url + "/release")).text();
    return [first, await read(reader), first === "one" ? await read(reader) : null];
  };

  test("an answer comes piece by piece, and whole where the engine hands over no streams", () =>
    withBodies(async ({ page }) => {
      assert.equal(await handsOver(page), streams);
      assert.deepEqual(await page.run(pieces), streams ? ["one", "two", null] : ["onetwo", null, null]);
    }));

  test("without streams an answer is whole, up to a limit, and an abort reaches it", () =>
    withBodies(async ({ page }) => {
      assert.deepEqual(await page.run(pieces), ["onetwo", null, null]);
      const seen = await page.run(async () => {
        const stop = new AbortController();
        setTimeout(() => stop.abort(), 300);
        return {
          fits: await digest(await session.fetch(url + "/large/31")),
          tooLarge: await failure(session.fetch(url + "/large/33")),
          endless: await failure(session.fetch(url + "/drops", { signal: stop.signal })),
          then: (await session.fetch(url + "/next")).status,
        };
      });
      assert.deepEqual(seen.fits, { octets: 31 * 1024 * 1024, digest: digestOf(octetsOf(31)) });
      assert.equal(seen.tooLarge.code, "worker_refused");
      assert.deepEqual([seen.endless.code, seen.endless.name, seen.then], ["aborted", "AbortError", 200]);
      await until(() => bodies.answers.every(({ path, isOpen }) => path !== "/drops" || !isOpen()), "the server still sends");
    }, { script: WITHOUT_STREAMS }));

  test("an abort reaches the server before there is an answer, and the next request works", () =>
    withBodies(async ({ page }) => {
      const seen = await page.run(async () => {
        const stop = new AbortController();
        setTimeout(() => stop.abort(), 300);
        return [await failure(session.fetch(url + "/never", { signal: stop.signal })), (await session.fetch(url + "/next")).status];
      });
      assert.deepEqual([seen[0].code, seen[1]], ["aborted", 200]);
      await until(() => bodies.answers.every(({ path, isOpen }) => path !== "/never" || !isOpen()), "the server is still asked");
    }));

  whileStreaming("an abort in the middle of a body ends it in the page and at the server, and the next request works", () =>
    withBodies(async ({ page }) => {
      const seen = await page.run(async () => {
        const stop = new AbortController();
        const reader = (await session.fetch(url + "/drops", { signal: stop.signal })).body.getReader();
        const first = await read(reader);
        stop.abort();
        let ended;
        // What is there already may come yet.
        for (let count = 0; count < 1000 && !ended?.name; count++) ended = await failure(read(reader));
        return { first, ended, then: (await session.fetch(url + "/next")).status };
      });
      assert.match(seen.first, /^(drop)+$/);
      assert.deepEqual([seen.ended.name, seen.then], ["AbortError", 200]);
      await until(() => bodies.answers.every(({ path, isOpen }) => path !== "/drops" || !isOpen()), "the server still sends");
    }));

  whileStreaming("a body that the page gives up is given up at the server", () =>
    withBodies(async ({ page }) => {
      await page.run(async () => {
        const { body } = await session.fetch(url + "/drops");
        await body.cancel();
      });
      await until(() => !last().isOpen(), "the server still sends");
    }));

  whileStreaming("large answers come whole, and no faster than the page reads", () =>
    withBodies(async ({ page }) => {
      const whole = await page.run(async () => digest(await session.fetch(url + "/large/40")));
      assert.deepEqual(whole, { octets: 40 * 1024 * 1024, digest: digestOf(octetsOf(40)) });
      /** How much comes of an answer that nobody reads. */
      const sentUnread = async (from) => {
        await page.run(`async () => {
          window.unread = await ${from}(url + "/large/200");
          await new Promise((resolve) => setTimeout(resolve, 1500));
        }`);
        return last().sent;
      };
      const limit = 100 * 1024 * 1024;
      const sent = await sentUnread("session.fetch");
      await page.run(() => unread.body.cancel());
      await until(() => !last().isOpen(), "the server still sends");
      // Firefox's own fetch takes all of it too.
      if (sent > limit) assert.ok((await sentUnread("fetch")) > limit, `${sent} octets that nobody read`);
    }));

  test("large bodies arrive whole, and one too large is refused before anything is sent", () =>
    withBodies(async ({ page }) => {
      const before = bodies.answers.length;
      const seen = await page.run(async () => {
        const octets = new Uint8Array(33 * 1024 * 1024);
        const pattern = new TextEncoder().encode("keybound");
        for (let at = 0; at < octets.length; at += pattern.length) octets.set(pattern, at);
        const put = (body) => session.fetch(url + "/upload", { method: "PUT", body });
        return [
          await (await put(octets.subarray(0, 31 * 1024 * 1024))).json(),
          await (await put(new Blob([octets.subarray(0, 2 * 1024 * 1024)]))).json(),
          await failure(put(octets)),
          octets.length,
        ];
      });
      for (const [index, size] of [31, 2].entries()) assert.deepEqual(seen[index], { octets: size * 1024 * 1024, digest: digestOf(octetsOf(size)) });
      // The caller still has its octets.
      assert.deepEqual([seen[2].code, seen[3], bodies.answers.length - before], ["worker_refused", 33 * 1024 * 1024, 2]);
    }));

  for (const [how, script, end] of [
    ["is closed", "", () => session.close()],
    ["is ended by the application", "", () => worker.terminate()],
    ["ends by itself", MORTAL, () => worker.postMessage("end")],
  ]) {
    test(`when the worker ${how}, requests and bodies under way say so, and so does every later call`, () =>
      withBodies(async ({ page }) => {
        await page.run(`() => void (window.endIt = ${end})`);
        const seen = await page.run(async (streams) => {
          const reader = streams && (await session.fetch(url + "/drops")).body.getReader();
          const first = streams && (await read(reader));
          const going = failure(session.fetch(url + "/pieces"));
          await new Promise((resolve) => setTimeout(resolve, 100));
          endIt();
          let ended;
          for (let count = 0; streams && count < 1000 && !ended?.name; count++) ended = await failure(read(reader));
          return { first, ended, going: await Promise.race([going, new Promise((resolve) => setTimeout(resolve, 5000, { code: "none" }))]), later: await failure(session.fetch(url + "/next")) };
        }, streams);
        if (streams) assert.deepEqual([seen.first.slice(0, 4), seen.ended.code], ["drop", "worker_gone"]);
        // It may have been answered in that moment.
        if (streams && seen.going.code === undefined) assert.equal(seen.ended.code, "worker_gone");
        else assert.equal(seen.going.code, "worker_gone");
        assert.equal(seen.later.code, "worker_gone");
        assert.match(seen.later.message, /log in again/);
      }, { script }));
  }
});
