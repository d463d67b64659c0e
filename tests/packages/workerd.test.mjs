// Both packages in the Workers runtime, from the installed files: a bound token with its proof, the same again, and proofs made there.
import assert from "node:assert/strict";
import { randomUUID, webcrypto } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { generateProof } from "dpop";
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { bundleWorker } from "../support/bundle-worker.mjs";
import { installedPackages } from "../support/installed.mjs";
import { assertProof } from "../support/proof.mjs";
import { run } from "../support/run.mjs";
import { startWorkerd } from "../support/workerd.mjs";

const ISSUER = "https://issuer.example";
const AUDIENCE = "https://api.example";

const workerSource = (edge, browser, software) => `
import { createResourceServer, jwtTokens, memoryReplay, verifyProof } from ${JSON.stringify(edge)};
import { DpopKey } from ${JSON.stringify(browser)};
import { wasmSignatures } from ${JSON.stringify(software)};

/** A worker as a client: it makes a key and a proof of its own. */
async function prove(request) {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  const key = await DpopKey.from(pair);
  const proof = await key.proof(request);
  const verdicts = [await verifyProof(proof, request), await verifyProof(proof, { ...request, crypto: wasmSignatures })];
  return Response.json({ proof, thumbprint: key.thumbprint, verdicts });
}

let server;
export default {
  async fetch(request, env) {
    if (request.method === "POST") return prove(await request.json());
    server ??= createResourceServer({
      issuer: ${JSON.stringify(ISSUER)},
      audience: ${JSON.stringify(AUDIENCE)},
      tokens: jwtTokens({ jwks: env.JWKS }),
      replay: memoryReplay(),
    });
    const decision = await server.authenticate(request);
    if (!decision.ok) return decision.response({ headers: { "x-reason": decision.reason } });
    return decision.finish(Response.json({ sub: decision.claims.sub }));
  },
};
`;

const ENTRIES = ["@keybound/edge", "@keybound/browser", "@keybound/edge/wasm"];

async function bundled(project) {
  await project.write({ "worker.mjs": workerSource(...ENTRIES) });
  return bundleWorker(project, "worker.mjs");
}

/** No bundler at all: the files of the packages are the modules. */
async function unbundled(project) {
  const script = `for (const name of ${JSON.stringify(ENTRIES)}) console.log(import.meta.resolve(name))`;
  const resolved = await run("node", ["--conditions=workerd", "--input-type=module", "--eval", script], { cwd: project.folder });
  const entries = resolved.trim().split("\n").map((url) => `.${new URL(url).pathname.slice(project.folder.length)}`);
  await project.write({ "plain-worker.mjs": workerSource(...entries) });
  const folders = ["edge", "browser"].map((name) => `node_modules/@keybound/${name}`);
  const listed = await Promise.all(folders.map(async (folder) => (await readdir(project.path(folder), { recursive: true })).map((file) => join(folder, file))));
  const files = listed.flat();
  const having = (extension) => files.filter((file) => file.endsWith(extension));
  return [
    { name: "worker.mjs", esModule: project.path("plain-worker.mjs") },
    ...having(".js").map((name) => ({ name, esModule: project.path(name) })),
    ...having(".wasm").map((name) => ({ name, wasm: project.path(name) })),
  ];
}

let project;
let issuerKey;
let jwks;

before(async () => {
  project = await installedPackages();
  issuerKey = await generateKeyPair("ES256");
  jwks = { keys: [{ ...(await exportJWK(issuerKey.publicKey)), kid: "k1", alg: "ES256", use: "sig" }] };
});
after(() => project?.remove());

const newPair = () => webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);

async function boundToken(pair) {
  const jkt = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
  return new SignJWT({ client_id: "app", cnf: { jkt }, jti: randomUUID() })
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: "k1" })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject("alice")
    .setIssuedAt()
    .setExpirationTime("5 min")
    .sign(issuerKey.privateKey);
}

for (const [how, modulesOf] of [["bundled as wrangler does", bundled], ["its files as modules, unbundled", unbundled]]) {
  describe(`in workerd, ${how}`, () => {
    let worker;
    let url;
    let pair;
    let token;

    before(async () => {
      worker = await startWorkerd({ modules: await modulesOf(project), bindings: { JWKS: jwks } });
      url = `${worker.origin}/orders`;
      pair = await newPair();
      token = await boundToken(pair);
    });
    after(() => worker?.stop());

    const call = (headers) => fetch(`${url}?page=2`, { headers });
    const proofBy = (key) => generateProof(key, url, "GET", undefined, token);

    test("lets the holder of the key in, once for each proof", async () => {
      const headers = { authorization: `DPoP ${token}`, dpop: await proofBy(pair) };
      const first = await call(headers);
      assert.equal(first.status, 200, `${await first.clone().text()} ${first.headers.get("x-reason")} ${worker.log()}`);
      assert.deepEqual(await first.json(), { sub: "alice" });
      const again = await call(headers);
      assert.equal(again.status, 401);
      assert.match(again.headers.get("www-authenticate"), /DPoP.*error="invalid_dpop_proof"/);
      assert.match(again.headers.get("x-reason"), /replay/);
    });

    test("refuses the token with the proof of another key", async () => {
      const answer = await call({ authorization: `DPoP ${token}`, dpop: await proofBy(await newPair()) });
      assert.equal(answer.status, 401);
    });

    test("refuses the bound token as a bearer token", async () => {
      const answer = await call({ authorization: `Bearer ${token}` });
      assert.equal(answer.status, 401);
      assert.match(answer.headers.get("www-authenticate"), /DPoP/);
    });

    test("makes a proof as a client, which others and the verifier beside it accept, also with software signatures", async () => {
      const request = { method: "PUT", url: "https://api.example/orders/7", accessToken: "header.claims.signature", nonce: "n-1" };
      const answer = await fetch(worker.origin, { method: "POST", body: JSON.stringify(request) });
      assert.equal(answer.status, 200, `${await answer.clone().text()} ${worker.log()}`);
      const { proof, thumbprint, verdicts } = await answer.json();
      await assertProof(proof, { ...request, thumbprint });
      for (const verdict of verdicts) assert.deepEqual([verdict.ok, verdict.jkt], [true, thumbprint], verdict.reason);
    });

    test("asks for a proof where there are no credentials at all", async () => {
      const answer = await call({});
      assert.equal(answer.status, 401);
      assert.doesNotMatch(answer.headers.get("www-authenticate"), /error=/);
    });
  });
}
