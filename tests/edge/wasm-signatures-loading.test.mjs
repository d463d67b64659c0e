// Loading the module of wasmSignatures: at first use, once for all who wait; and a runtime that has no SubtleCrypto at all.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";
import { dist } from "../support/paths.mjs";
import { flipped } from "../support/altered.mjs";
import { CORE, EMPTY_MODULE, SIGNATURES, makeCopies, octetsOf, serveModule } from "./fresh-package.mjs";
import { AUDIENCE, ISSUER, RESOURCE, START, makeClient, makeIssuer, makeRequest } from "./support.mjs";

const copies = await makeCopies();
const bytes = await octetsOf(SIGNATURES);
const otherModule = await octetsOf(CORE);
after(() => copies.remove());

const issuer = await makeIssuer({ alg: "Ed25519" });
const client = await makeClient();
const token = await issuer.token({ cnf: client.cnf });

/** The package and its subpath anew, and a server that was given the provider. */
async function freshServer(options) {
  const { edge, entry, ...rest } = await copies.fresh(options);
  const wasm = await entry("wasm-signatures.js");
  const server = edge.createResourceServer({
    issuer: ISSUER, audience: AUDIENCE, tokens: edge.jwtTokens({ jwks: issuer.jwks }), now: () => START, crypto: wasm.wasmSignatures,
  });
  const works = async () => {
    const decision = await server.authenticate(makeRequest({ token, proof: await client.proof({ token }) }));
    assert.equal(decision.ok, true, decision.reason);
  };
  return { edge, ...wasm, ...rest, server, works };
}

test("nothing has to be called: a server that was given the provider loads it", async () => (await freshServer()).works());

test("importing the subpath and making a server loads nothing", async () => {
  // It could not: the module is not there.
  const { wasmSignatures } = await freshServer({ without: [CORE, SIGNATURES] });
  assert.equal(wasmSignatures.name, "wasm");
});

test("a server that uses the platform's signatures does not need the file", async () => {
  const { edge } = await freshServer({ without: [SIGNATURES] });
  assert.equal((await edge.verifyProof(await client.proof(), { method: "GET", url: RESOURCE, now: START })).ok, true);
});

describe("initSignatures() takes", () => {
  const sources = {
    "a compiled module": () => new WebAssembly.Module(bytes),
    "octets": () => new Uint8Array(bytes),
    "a file's URL": () => pathToFileURL(join(dist.edge, SIGNATURES)),
    "a response": () => new Response(bytes),
  };
  for (const [what, source] of Object.entries(sources)) {
    test(what, async () => {
      const { initSignatures, works } = await freshServer({ without: [SIGNATURES] });
      await initSignatures(source());
      await works();
    });
  }
});

const message = /@keybound\/edge cannot load its WebAssembly module: .*wasm\/keybound_rustcrypto_bg\.wasm .*initSignatures\(\)/;

for (const [what, source] of [
  ["the core's module", () => otherModule],
  ["a module that needs and has nothing", () => new Uint8Array(EMPTY_MODULE)],
  ["octets of something else", () => new Uint8Array([1, 2, 3])],
  ["an answer with an error", () => new Response("not found", { status: 404 })],
]) {
  test(`${what} is refused, and the next call tries again`, async () => {
    const { initSignatures, works } = await freshServer();
    await assert.rejects(initSignatures(source()), message);
    await initSignatures();
    await works();
  });
}

test("a file that is missing is named to those who need it, until it is there", async () => {
  const { server, edge, wasmSignatures, restore, works } = await freshServer({ without: [SIGNATURES] });
  await assert.rejects(server.authenticate(makeRequest()), message);
  await assert.rejects(edge.verifyProof(await client.proof(), { method: "GET", url: RESOURCE, crypto: wasmSignatures }), message);
  await restore();
  await works();
});

test("many who need it at once share one load", async (t) => {
  let asked = 0;
  const url = await serveModule(t, (response) => {
    asked += 1;
    response.end(bytes);
  });
  const { initSignatures, works } = await freshServer({ without: [SIGNATURES] });
  await Promise.all([initSignatures(url), initSignatures(url), ...Array.from({ length: 20 }, works)]);
  assert.equal(asked, 1);
});

test("many first requests at once are all decided", async () => {
  const { works } = await freshServer();
  await Promise.all(Array.from({ length: 20 }, works));
});

describe("where there is no SubtleCrypto", () => {
  const script = fileURLToPath(new URL("./without-subtle.mjs", import.meta.url));

  /** What becomes of requests in a process without it. */
  async function outcomes(crypto) {
    const ed = await makeClient("EdDSA");
    const bound = await issuer.token({ cnf: ed.cnf });
    const requests = [
      { token, proof: await client.proof({ token }) },
      { token: bound, proof: await ed.proof({ token: bound }) },
      { token, proof: flipped(await client.proof({ token })) },
      { token: flipped(token), proof: await client.proof({ token: flipped(token) }) },
      { token: bound, proof: await client.proof({ token: bound }) },
      { proof: await client.proof() },
      { proof: flipped(await client.proof()) },
      { proof: await ed.proof() },
    ];
    const input = JSON.stringify({ crypto, issuer: ISSUER, audience: AUDIENCE, jwks: issuer.jwks, now: START, url: RESOURCE, requests });
    const { stdout, stderr, status } = spawnSync(process.execPath, [script], { input, encoding: "utf8", timeout: 60_000 });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  }

  test("software signatures decide in both roles", async () => {
    const invalid = "proof_signature_invalid";
    assert.deepEqual(await outcomes("wasm"), ["ok", "ok", invalid, "token_signature_invalid", "jkt_mismatch", "ok", invalid, "ok", "ok"]);
  });

  test("a server without them accepts nothing, and says why", async () => {
    const missing = "proof_alg_unavailable";
    const token = "token_alg_unavailable";
    assert.deepEqual(await outcomes("webcrypto"), [token, token, token, token, token, missing, missing, missing, missing]);
  });
});
