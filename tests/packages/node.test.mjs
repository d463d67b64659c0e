// The installed packages in Node: imported, and used for what a server or a script does with them.
import assert from "node:assert/strict";
import { createHash, webcrypto } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { generateProof } from "dpop";
import { flipped } from "../support/altered.mjs";
import { installedPackages } from "../support/installed.mjs";
import { assertProof } from "../support/proof.mjs";
import { run } from "../support/run.mjs";

const request = { method: "POST", url: "https://api.example/orders?x=1" };
let project;
let browser;
let edge;
let software;

before(async () => {
  project = await installedPackages();
  const resolve = async (name) => (await run("node", ["--eval", `console.log(import.meta.resolve(${JSON.stringify(name)}))`, "--input-type=module"], { cwd: project.folder })).trim();
  browser = await import(await resolve("@keybound/browser"));
  edge = await import(await resolve("@keybound/edge"));
  software = await import(await resolve("@keybound/edge/wasm"));
});
after(() => project?.remove());

const keyPair = () => webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);

describe("@keybound/edge in Node", () => {
  test("accepts a proof that another library made", async () => {
    const pair = await keyPair();
    const proof = await generateProof(pair, "https://api.example/orders", "POST", undefined, "header.claims.signature");
    const verdict = await edge.verifyProof(proof, { ...request, accessToken: "header.claims.signature" });
    assert.equal(verdict.ok, true, JSON.stringify(verdict));
    const { publicKey } = pair;
    const { crv, kty, x, y } = await webcrypto.subtle.exportKey("jwk", publicKey);
    const jkt = createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
    assert.equal(verdict.jkt, jkt);
  });

  test("accepts it with software signatures as well, and refuses it altered", async () => {
    const proof = await generateProof(await keyPair(), "https://api.example/orders", "POST");
    const about = { ...request, crypto: software.wasmSignatures };
    assert.equal((await edge.verifyProof(proof, about)).ok, true);
    assert.equal((await edge.verifyProof(flipped(proof), about)).reason, "proof_signature_invalid");
  });

  test("refuses that proof for another method, and says why", async () => {
    const proof = await generateProof(await keyPair(), "https://api.example/orders", "POST");
    const verdict = await edge.verifyProof(proof, { ...request, method: "GET" });
    assert.equal(verdict.ok, false);
    assert.match(verdict.reason, /htm/);
  });

  test("refuses a proof whose signature was altered", async () => {
    const proof = await generateProof(await keyPair(), "https://api.example/orders", "POST");
    const [header, payload, signature] = proof.split(".");
    const bytes = Buffer.from(signature, "base64url");
    bytes[40] ^= 1;
    const verdict = await edge.verifyProof([header, payload, bytes.toString("base64url")].join("."), request);
    assert.equal(verdict.ok, false);
  });
});

describe("@keybound/browser in Node", () => {
  test("makes a proof that others and @keybound/edge accept", async () => {
    const key = await browser.DpopKey.from(await keyPair());
    const proof = await key.proof({ ...request, accessToken: "header.claims.signature", nonce: "n-1" });
    await assertProof(proof, { ...request, accessToken: "header.claims.signature", nonce: "n-1", thumbprint: key.thumbprint });
    const verdict = await edge.verifyProof(proof, { ...request, accessToken: "header.claims.signature", nonce: "n-1" });
    assert.equal(verdict.ok, true, JSON.stringify(verdict));
    assert.equal(verdict.jkt, key.thumbprint);
  });

  test("refuses a private key that could be taken away", async () => {
    const pair = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    await assert.rejects(browser.DpopKey.from(pair), { code: "extractable_key" });
  });
});

test("a script that imports both packages ends by itself", async () => {
  const script = 'import { DpopKey } from "@keybound/browser"; import { createResourceServer } from "@keybound/edge"; console.log(typeof DpopKey, typeof createResourceServer);';
  const said = await run("node", ["--input-type=module", "--eval", script], { cwd: project.folder, timeout: 20_000 });
  assert.equal(said.trim(), "function function");
});
