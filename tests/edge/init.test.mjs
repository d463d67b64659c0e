// Loading the module: from beside the script, or from what init() is given; a load that fails can be tried again.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { dist } from "../support/paths.mjs";
import { CORE, EMPTY_MODULE, SIGNATURES, makeCopies, octetsOf, serveModule } from "./fresh-package.mjs";
import { AUDIENCE, ISSUER, RESOURCE, makeClient, makeIssuer, makeRequest } from "./support.mjs";

const copies = await makeCopies();
const bytes = await octetsOf(CORE);
const otherModule = await octetsOf(SIGNATURES);
after(() => copies.remove());

/** The package anew, as nobody has loaded it yet. */
const freshPackage = ({ wasm = true } = {}) => copies.fresh({ without: wasm ? [] : [CORE] });

const client = await makeClient();
const works = async (edge) => {
  const result = await edge.verifyProof(await client.proof(), { method: "GET", url: RESOURCE, now: 1_800_000_000 });
  assert.equal(result.ok, true, result.reason);
};

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
    "a file's URL": () => pathToFileURL(join(dist.edge, CORE)),
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
    const url = await serveModule(t, (response) => response.setHeader("content-type", "application/wasm").end(bytes));
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
    ["another module of this package", () => otherModule],
    ["a module that needs and has nothing", () => new Uint8Array(EMPTY_MODULE)],
    ["a page instead of a module", () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } })],
  ]) {
    test(`for ${what} says so, and the next call tries again`, async () => {
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
    const url = await serveModule(t, (response, count) => {
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
  const url = await serveModule(t, (response) => {
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
