// Loading the module: from beside the script, or from what init() is given; a load that fails can be tried again.
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { dist } from "../support/paths.mjs";
import { AUDIENCE, ISSUER, RESOURCE, makeClient, makeIssuer, makeRequest } from "./support.mjs";

const WASM = "wasm/keybound_edge_bg.wasm";
let folder;
let bytes;
let copies = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybound-init-"));
  bytes = await readFile(join(dist.edge, WASM));
});
after(() => rm(folder, { recursive: true, force: true }));

/** The package anew, as nobody has loaded it yet. */
async function freshPackage({ wasm = true } = {}) {
  const place = join(folder, `copy-${(copies += 1)}`);
  await cp(dist.edge, place, { recursive: true });
  if (!wasm) await rename(join(place, WASM), join(place, "elsewhere.wasm"));
  const restore = () => rename(join(place, "elsewhere.wasm"), join(place, WASM));
  return { edge: await import(pathToFileURL(join(place, "index.js")).href), place, restore };
}

const client = await makeClient();
const works = async (edge) => {
  const result = await edge.verifyProof(await client.proof(), { method: "GET", url: RESOURCE, now: 1_800_000_000 });
  assert.equal(result.ok, true, result.reason);
};

/** Serves `answer(count)` on a free port, for as long as the test runs. */
async function serve(t, answer) {
  let count = 0;
  const server = createServer((request, response) => answer(response, (count += 1)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return new URL(`http://127.0.0.1:${server.address().port}/module.wasm`);
}

test("nothing has to be called: what needs the module loads it", async () => works((await freshPackage()).edge));

test("importing the package loads nothing", async () => {
  // It could not: the module is not there.
  const { edge } = await freshPackage({ wasm: false });
  assert.equal(typeof edge.createResourceServer, "function");
});

describe("init() takes", () => {
  const sources = {
    "a compiled module": () => new WebAssembly.Module(bytes),
    "octets": () => new Uint8Array(bytes),
    "a Buffer": () => bytes,
    "an ArrayBuffer": () => new Uint8Array(bytes).buffer,
    "a file's URL": () => pathToFileURL(join(dist.edge, WASM)),
    "a response": () => new Response(bytes, { headers: { "content-type": "application/wasm" } }),
  };
  for (const [what, source] of Object.entries(sources)) {
    test(what, async () => {
      const { edge } = await freshPackage({ wasm: false });
      await edge.init(source());
      await works(edge);
    });
  }

  test("a URL to fetch", async (t) => {
    const url = await serve(t, (response) => response.setHeader("content-type", "application/wasm").end(bytes));
    const { edge } = await freshPackage({ wasm: false });
    await edge.init(url);
    await works(edge);
  });
});

describe("a load that fails", () => {
  const message = /@keybound\/edge cannot load its WebAssembly module: .*wasm\/keybound_edge_bg\.wasm .*init\(\)/;

  for (const [what, source] of [
    ["octets of something else", () => new Uint8Array([1, 2, 3])],
    ["a file that is not there", () => pathToFileURL("/nowhere/x.wasm")],
    ["an answer with an error", () => new Response("not found", { status: 404 })],
    ["a page instead of a module", () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } })],
  ]) {
    test(`for ${what} says so, and the next call tries again`, async (t) => {
      // wasm-bindgen tells the console about a wrong content type.
      t.mock.method(console, "warn", () => undefined);
      const { edge } = await freshPackage();
      await assert.rejects(edge.init(source()), (error) => {
        assert.match(error.message, message);
        assert.ok(error.cause);
        return true;
      });
      await edge.init();
      await works(edge);
    });
  }

  test("says so to those who need it, until the file is there", async () => {
    const { edge, restore } = await freshPackage({ wasm: false });
    const issuer = await makeIssuer();
    const server = edge.createResourceServer({ issuer: ISSUER, audience: AUDIENCE, tokens: edge.jwtTokens({ jwks: issuer.jwks }) });
    await assert.rejects(server.authenticate(makeRequest()), message);
    await assert.rejects(edge.verifyProof("x", { method: "GET", url: RESOURCE }), message);
    assert.equal((await server.diagnose()).ok, false);
    await restore();
    assert.equal((await server.authenticate(makeRequest())).reason, "credentials_missing");
  });

  test("by an unreachable server is retried, and then works", async (t) => {
    const url = await serve(t, (response, count) => {
      if (count === 1) response.writeHead(503).end();
      else response.setHeader("content-type", "application/wasm").end(bytes);
    });
    const { edge } = await freshPackage({ wasm: false });
    await assert.rejects(edge.init(url), message);
    await edge.init(url);
    await works(edge);
  });
});

test("many who need it at once share one load", async (t) => {
  let asked = 0;
  const url = await serve(t, (response) => {
    asked += 1;
    response.setHeader("content-type", "application/wasm").end(bytes);
  });
  const { edge } = await freshPackage({ wasm: false });
  await Promise.all([edge.init(url), ...Array.from({ length: 20 }, () => edge.init()), works(edge), works(edge)]);
  assert.equal(asked, 1);
});

test("what works by hand on the module says that init() comes first", async () => {
  const { edge } = await freshPackage();
  const mark = { key: "k", jkt: "j", expiresAt: 2, now: 1 };
  const replay = edge.memoryReplay();
  const source = edge.certificates.clientCertHeader({ trusted: true });
  assert.throws(() => replay.claim(mark), /call and await init\(\)/);
  assert.throws(() => source.read(makeRequest()), /call and await init\(\)/);
  await edge.init();
  assert.equal(replay.claim(mark), true);
  assert.deepEqual(source.read(makeRequest()), { absent: true });
});
