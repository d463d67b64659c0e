// crypto: wasmSignatures. Signatures in software decide as those of SubtleCrypto do, in both roles.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { dist, root } from "../support/paths.mjs";
import { flipped, resigned } from "../support/altered.mjs";
import { AUDIENCE, ISSUER, RESOURCE, START, challengesByScheme, edge, makeClient, makeIssuer, makeRequest, makeWorld } from "./support.mjs";

const { wasmSignatures } = await import(pathToFileURL(join(dist.edge, "wasm-signatures.js")).href);
const ALGORITHMS = ["ES256", "EdDSA", "Ed25519"];
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** A server with software signatures, an issuer and a client that sign with the given algorithms. */
async function makeSigned(issuerAlg, clientAlg, options = {}) {
  const issuer = await makeIssuer({ alg: issuerAlg });
  const client = await makeClient(clientAlg);
  const server = edge.createResourceServer({
    issuer: ISSUER, audience: AUDIENCE, tokens: edge.jwtTokens({ jwks: issuer.jwks }), now: () => START, crypto: wasmSignatures, ...options,
  });
  const token = await issuer.token({ cnf: client.cnf });
  return { issuer, client, server, token };
}

describe("a resource server with a token and a proof", () => {
  for (const issuerAlg of ALGORITHMS) {
    for (const clientAlg of ALGORITHMS) {
      test(`signed with ${issuerAlg} and ${clientAlg} lets the holder in, once and again`, async () => {
        const { server, client, token } = await makeSigned(issuerAlg, clientAlg);
        for (let time = 0; time < 3; time++) {
          const decision = await server.authenticate(makeRequest({ token, proof: await client.proof({ token }) }));
          assert.deepEqual([decision.ok, decision.binding], [true, { jkt: client.jkt }], decision.reason);
        }
      });
    }
  }

  for (const alg of ALGORITHMS) {
    test(`signed with ${alg} refuses a token whose signature was altered, and then a proof's`, async () => {
      const { server, client, token } = await makeSigned(alg, alg);
      const reasonOf = async (presented, proof) => (await server.authenticate(makeRequest({ token: presented, proof }))).reason;
      const altered = flipped(token);
      assert.equal(await reasonOf(altered, await client.proof({ token: altered })), "token_signature_invalid");
      assert.equal(await reasonOf(token, flipped(await client.proof({ token }))), "proof_signature_invalid");
      assert.equal(await reasonOf(token, await client.proof({ token })), undefined);
      // Now that token and key are remembered.
      assert.equal(await reasonOf(token, flipped(await client.proof({ token }))), "proof_signature_invalid");
      assert.equal(await reasonOf(altered, await client.proof({ token: altered })), "token_signature_invalid");
    });
  }

  test("of another key of the issuer's kind refuses it", async () => {
    const { server, client } = await makeSigned("ES256", "ES256");
    const stranger = await makeIssuer();
    const token = await stranger.token({ cnf: client.cnf });
    assert.equal((await server.authenticate(makeRequest({ token, proof: await client.proof({ token }) }))).reason, "token_signature_invalid");
  });
});

test("a token endpoint binds to the key of a good proof, and refuses an altered one", async () => {
  const endpoint = edge.createTokenEndpoint({ now: () => START, crypto: wasmSignatures });
  const url = "https://as.example/token";
  const ask = (proof) => endpoint.bind(new Request(url, { method: "POST", headers: { dpop: proof } }));
  for (const alg of ALGORITHMS) {
    const client = await makeClient(alg);
    const proof = await client.proof({ method: "POST", url });
    assert.equal((await ask(flipped(proof))).reason, "proof_signature_invalid");
    assert.deepEqual((await ask(proof)).cnf, { jkt: client.jkt });
    assert.equal((await ask(proof)).reason, "proof_replayed");
  }
});

describe("algorithms", () => {
  const options = { issuer: ISSUER, audience: AUDIENCE, crypto: wasmSignatures };

  test("that are left out are those of the provider, in metadata and challenges too", async () => {
    const { server } = await makeSigned("ES256", "ES256");
    assert.deepEqual(server.metadata(AUDIENCE).dpop_signing_alg_values_supported, ALGORITHMS);
    const refused = await server.authenticate(makeRequest());
    assert.equal(challengesByScheme(refused.response()).DPoP.algs, ALGORITHMS.join(" "));
  });

  test("that it does not have are refused at construction, and the message says what to change", () => {
    const said = /: RS256 is none of ES256, EdDSA, Ed25519, which crypto can check; leave it out, or use "webcrypto"$/;
    const proof = { algorithms: ["ES256", "RS256"] };
    const names = (option) => (error) => error instanceof TypeError && error.message.startsWith(option) && said.test(error.message);
    assert.throws(() => edge.createResourceServer({ ...options, proof }), names("proof.algorithms"));
    assert.throws(() => edge.createTokenEndpoint({ crypto: wasmSignatures, proof }), names("proof.algorithms"));
    assert.throws(() => edge.createResourceServer({ ...options, tokens: edge.jwtTokens({ algorithms: ["RS256"] }) }), names("tokens.algorithms"));
    edge.createResourceServer({ ...options, proof: { algorithms: ["Ed25519"] }, tokens: edge.jwtTokens({ algorithms: ["ES256"] }) });
  });

  for (const alg of ["RS256", "PS256", "ES384", "ES512"]) {
    test(`a token and a proof with ${alg} are refused for it`, async () => {
      const other = await makeSigned(alg, "ES256");
      const token = await other.server.authenticate(makeRequest({ token: other.token, proof: await other.client.proof({ token: other.token }) }));
      assert.equal(token.reason, "token_alg_not_allowed");
      const { server, client, token: good } = await makeSigned("ES256", alg);
      const proof = await server.authenticate(makeRequest({ token: good, proof: await client.proof({ token: good }) }));
      assert.equal(proof.reason, "alg_not_allowed");
    });
  }

  test("an object that is no provider is refused", () => {
    for (const crypto of ["node", {}, { name: "wasm" }, null, 1]) assert.throws(() => edge.createResourceServer({ ...options, crypto }), /^TypeError: crypto: give "webcrypto"/);
  });

  test("a platform that lacks the token's algorithm, or the proof's, says which", async (t) => {
    const importKey = crypto.subtle.importKey.bind(crypto.subtle);
    t.mock.method(crypto.subtle, "importKey", async (format, key, algorithm, ...rest) => {
      if (algorithm.name === "Ed25519") throw new DOMException("Unrecognized name.", "NotSupportedError");
      return importKey(format, key, algorithm, ...rest);
    });
    for (const [issuerAlg, clientAlg, reason] of [
      ["Ed25519", "ES256", "token_alg_unavailable"],
      ["ES256", "Ed25519", "proof_alg_unavailable"],
      ["Ed25519", "Ed25519", "token_alg_unavailable"],
      ["ES256", "ES256", undefined],
    ]) {
      const { server, client, token } = await makeSigned(issuerAlg, clientAlg, { crypto: "webcrypto" });
      assert.equal((await server.authenticate(makeRequest({ token, proof: await client.proof({ token }) }))).reason, reason);
    }
    const client = await makeClient("EdDSA");
    const expected = { method: "GET", url: RESOURCE, now: START };
    assert.equal((await edge.verifyProof(await client.proof(), expected)).reason, "proof_alg_unavailable");
    assert.equal((await edge.verifyProof(await client.proof(), { ...expected, crypto: wasmSignatures })).ok, true);
    const endpoint = edge.createTokenEndpoint({ now: () => START });
    const request = new Request(RESOURCE, { headers: { dpop: await client.proof() } });
    assert.equal((await endpoint.bind(request)).reason, "proof_alg_unavailable");
  });
});

describe("verifyProof", () => {
  const expected = { method: "GET", url: RESOURCE, now: START, crypto: wasmSignatures };
  const verdict = async (proof, about = {}) => {
    const { ok, reason } = await edge.verifyProof(proof, { ...expected, ...about });
    return ok ? "ok" : reason;
  };

  test("accepts the proofs of RFC 9449, and none of them altered", async () => {
    const { proofs } = JSON.parse(await readFile(join(root, "tests/vectors/rfc9449.json"), "utf8"));
    assert.ok(proofs.length > 0);
    for (const { compact: proof, payload } of proofs) {
      const about = { method: payload.htm, url: payload.htu, now: payload.iat };
      assert.equal(await verdict(proof, about), "ok");
      assert.equal(await verdict(flipped(proof), about), "proof_signature_invalid");
    }
  });

  test("with an algorithm outside refuses for the algorithm", async () => {
    assert.equal(await verdict(await (await makeClient("PS256")).proof()), "alg_not_allowed");
    await assert.rejects(edge.verifyProof("x", { ...expected, policy: { algorithms: ["PS256"] } }), /^TypeError: proof\.algorithms: PS256/);
  });

  const toNumber = (octets) => BigInt(`0x${Buffer.from(octets).toString("hex")}`);
  const toOctets = (number, length = 32) => Buffer.from(number.toString(16).padStart(2 * length, "0"), "hex");
  const half = (octets, which) => octets.subarray(32 * which, 32 * which + 32);
  const INVALID = "proof_signature_invalid";

  /** Signatures that libraries were fooled with: what becomes of a good one, and the verdict. */
  const ES256 = {
    "s replaced by n - s, which is as valid": [(octets) => [...half(octets, 0), ...toOctets(N - toNumber(half(octets, 1)))], "ok"],
    "all zeros": [() => new Uint8Array(64), INVALID],
    "r = 0": [(octets) => { octets.fill(0, 0, 32); }, INVALID],
    "s = 0": [(octets) => { octets.fill(0, 32); }, INVALID],
    "r = n": [(octets) => { toOctets(N).copy(octets, 0); }, INVALID],
    "s = n": [(octets) => { toOctets(N).copy(octets, 32); }, INVALID],
    "r = s = 1": [() => [...toOctets(1n), ...toOctets(1n)], INVALID],
    "all ones": [() => new Uint8Array(64).fill(0xff), INVALID],
    "r and s exchanged": [(octets) => [...half(octets, 1), ...half(octets, 0)], INVALID],
    "of somebody else": [() => randomBytes(64), INVALID],
    "one octet short": [(octets) => octets.subarray(0, 63), INVALID],
    "one octet long": [(octets) => [...octets, 0], INVALID],
    "empty": [() => [], INVALID],
    "in DER": [(octets) => [0x30, 68, 2, 32, ...half(octets, 0), 2, 32, ...half(octets, 1)], INVALID],
  };
  const little = (octets) => Buffer.from(octets).reverse();
  const ED25519 = {
    "S + L": [(octets) => [...half(octets, 0), ...little(toOctets(toNumber(little(half(octets, 1))) + L))], INVALID],
    "S = 0": [(octets) => { octets.fill(0, 32); }, INVALID],
    "R the neutral point": [(octets) => { octets.fill(0, 0, 32); octets[0] = 1; }, INVALID],
    "R of small order and S = 0": [() => [1, ...new Uint8Array(63)], INVALID],
    "all zeros": [() => new Uint8Array(64), INVALID],
    "all ones": [() => new Uint8Array(64).fill(0xff), INVALID],
    "of somebody else": [() => randomBytes(64), INVALID],
    "one octet short": [(octets) => octets.subarray(0, 63), INVALID],
    "one octet long": [(octets) => [...octets, 0], INVALID],
    "empty": [() => [], INVALID],
  };
  for (const [alg, forms] of [["ES256", ES256], ["EdDSA", ED25519], ["Ed25519", ED25519]]) {
    for (const [what, [change, outcome]] of Object.entries(forms)) {
      test(`${alg} with a signature ${what}: ${outcome}, as SubtleCrypto says`, async () => {
        const proof = resigned(await (await makeClient(alg)).proof(), change);
        assert.equal(await verdict(proof), outcome);
        assert.equal(await verdict(proof, { crypto: "webcrypto" }), outcome);
      });
    }
  }

  test("refuses a point that is not on its curve", async () => {
    const client = await makeClient();
    const x = Buffer.from(client.jwk.x, "base64url");
    x[31] ^= 1;
    assert.equal(await verdict(await client.proof({ header: { jwk: { ...client.jwk, x: x.toString("base64url") } } })), INVALID);
  });
});

describe("the module itself", async () => {
  // Beside the checks of the first module, through which no such key comes.
  const { Signatures } = await import(pathToFileURL(join(dist.edge, "wasm/keybound_rustcrypto.js")).href);
  const { initSignatures } = await import(pathToFileURL(join(dist.edge, "wasm-signatures.js")).href);
  await initSignatures();
  const engine = new Signatures();
  const octets = (text) => Buffer.from(text, "base64url");

  test("imports no point off the curve, out of range, or of another length", () => {
    const { x, y } = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
    const [goodX, goodY] = [octets(x), octets(y)];
    assert.notEqual(engine.import_p256(goodX, goodY), 0n);
    const off = Buffer.from(goodY);
    off[31] ^= 1;
    const p = Buffer.from("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", "hex");
    for (const [badX, badY] of [[goodX, off], [goodY, goodX], [p, goodY], [Buffer.alloc(32), Buffer.alloc(32)], [goodX, goodY.subarray(1)], [goodX, []], [[], []]]) {
      assert.equal(engine.import_p256(badX, badY), 0n);
    }
  });

  test("imports no Ed25519 point of small order, in no spelling, and none that is not canonical", () => {
    // RFC 8032 §5.1.3; the points of order 1, 2, 4 and 8, and their spellings with y not below p.
    const small = [
      "0100000000000000000000000000000000000000000000000000000000000000", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "0000000000000000000000000000000000000000000000000000000000000000", "0000000000000000000000000000000000000000000000000000000000000080",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      "0100000000000000000000000000000000000000000000000000000000000080", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for (const point of small) assert.equal(engine.import_ed25519(Buffer.from(point, "hex")), 0n, point);
    assert.equal(engine.import_ed25519(Buffer.alloc(31)), 0n);
    const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
    assert.notEqual(engine.import_ed25519(octets(x)), 0n);
  });

  test("has no verdict without a key, and none by another kind of algorithm", async () => {
    const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
    const key = engine.import_ed25519(octets(x));
    for (const algorithm of [0, 1, 3, 7, 99]) assert.equal(engine.verify(key, algorithm, [1], new Uint8Array(64)), 0);
    assert.equal(engine.verify(key + 1n, 6, [1], new Uint8Array(64)), 2);
    assert.equal(engine.verify(0n, 6, [1], new Uint8Array(64)), 2);
  });
});

test("a key that the module forgot among thousands of others is imported again", async () => {
  const world = await makeWorld({ crypto: wasmSignatures });
  assert.equal((await world.ask()).ok, true);
  const stranger = await makeClient("Ed25519");
  const proof = await stranger.proof();
  const [, payload, signature] = proof.split(".");
  for (let imported = 0; imported < 4200; ) {
    // Half of all numbers below 2^255 are a point of the curve.
    const x = randomBytes(32);
    x[31] &= 0x7f;
    const header = { alg: "Ed25519", typ: "dpop+jwt", jwk: { kty: "OKP", crv: "Ed25519", x: x.toString("base64url") } };
    const forged = [Buffer.from(JSON.stringify(header)).toString("base64url"), payload, signature].join(".");
    const { reason } = await edge.verifyProof(forged, { method: "GET", url: RESOURCE, now: START, crypto: wasmSignatures });
    if (reason === "proof_signature_invalid") imported++;
    else assert.equal(reason, "proof_jwk_invalid");
  }
  const request = await world.request();
  const bad = new Request(request, { headers: { authorization: request.headers.get("authorization"), dpop: flipped(request.headers.get("dpop")) } });
  assert.equal((await world.server.authenticate(bad)).reason, "proof_signature_invalid");
  assert.equal((await world.server.authenticate(request)).ok, true);
});
