// The hostile server where the runtime shows redirects: in Node.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { serveHostile } from "../support/hostile-server.mjs";
import { dist } from "../support/paths.mjs";
import { assertRedirects } from "./hostile-redirects.mjs";
import { keepsInMemory, outcome } from "./node-client.mjs";

const kb = await import(pathToFileURL(join(dist.browser, "index.js")));

describe("hostile servers in Node", () => {
  let server;
  let key;
  before(async () => {
    server = await serveHostile();
    key = await kb.DpopKey.open("hostile");
  });
  after(() => server.close());

  const client = (more) => kb.createFetch({ key, token: "token-1", origins: [server.origin], nonces: keepsInMemory(), ...more });
  /** The outcome of a request to this path, and how many the server got; the next one works. */
  const visit = async (path, init) => {
    const send = client();
    const since = server.requests.length;
    const seen = await outcome(send(`${server.origin}/${path}`, { signal: AbortSignal.timeout(10_000), ...init }));
    const count = server.requests.length - since;
    assert.deepEqual(await outcome(send(`${server.origin}/fine`)), [200, "in"], `after ${path}`);
    return [seen, count];
  };

  test("redirects are followed within the origin by safe methods only, with a proof for each place, and never beyond", () => {
    const send = client();
    return assertRedirects(server, (path, init) => outcome(send(`${server.origin}/${path}`, { signal: AbortSignal.timeout(10_000), ...init })));
  });

  test("nonces of every bad kind end after two attempts at most", async () => {
    const expected = { rotating: /^200,in$/, none: /^nonce_rejected$/, "long/8192": /^nonce_rejected$/, "long/65536": /^nonce_rejected$|^TypeError/, "illegal/high": /^nonce_rejected$|^TypeError/ };
    for (const path of ["rotating", "looping", "same", "none", "doubled", "long/8192", "long/65536", "illegal/quote", "illegal/blank", "illegal/high", "illegal/empty"]) {
      const [seen, count] = await visit(path);
      assert.match(String(seen), expected[path] ?? /^nonce_rejected$/, path);
      assert.ok(count <= 2, path);
    }
  });

  test("cut connections are errors of the network, and enormous challenges stop nobody", async () => {
    for (const path of ["cut-head", "cut-body"]) {
      const [seen, count] = await visit(path);
      assert.match(seen, /^TypeError/);
      assert.equal(count, 1);
    }
    const [seen] = await visit("cut-upload", { method: "PUT", body: new Uint8Array(4 * 1024 * 1024) });
    assert.match(seen, /^TypeError/);
    await visit("challenges/60000");
  });

  test("a stream is kept for one retry, and one too large for that is not begun without a nonce", async () => {
    const stream = (size) => new ReadableStream({ start(controller) { controller.enqueue(new Uint8Array(size)); controller.close(); } });
    const upload = (body) => ({ method: "PUT", body, duplex: "half" });
    const small = client({ replayableBodyBytes: 100 });
    assert.equal(await outcome(small(`${server.origin}/never-head`, upload(stream(101)))), "body_not_replayable");
    assert.deepEqual(await visit("rotating", upload(stream(100))), [[200, "in"], 2]);
    await small.primeNonce(`${server.origin}/fine`);
    assert.deepEqual(await outcome(small(`${server.origin}/fine`, upload(stream(1_000_000)))), [200, "in"]);
  });

  test("an endless error body of a token endpoint is read to a limit only", async () => {
    const send = kb.createTokenFetch({ key, origins: [server.origin], nonces: keepsInMemory() });
    const form = () => ({ method: "POST", body: new URLSearchParams({ grant_type: "authorization_code" }) });
    const before = process.memoryUsage().rss;
    const response = await send(`${server.origin}/token-endless/400`, form());
    assert.equal(response.status, 400);
    await response.body.cancel();
    assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024);
    await assert.rejects(send(`${server.origin}/token-endless/200`, form()), { code: "token_downgraded" });
    assert.equal((await send(`${server.origin}/token-fine`, form())).status, 200);
    assert.equal(server.elsewhere.requests.length, 0);
  });
});
