// What is remembered between requests: signatures that were checked, never a decision; and no more of it than is allowed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from "jose";
import { edge, hash, makeClient, makeRequest, makeWorld } from "./support.mjs";

test("a remembered token is refused once it has expired", async () => {
  const world = await makeWorld({}, { claims: { exp: 1_800_000_100 } });
  for (let second = 0; second < 100; second += 20) {
    assert.equal((await world.ask()).ok, true);
    world.clock.forward(20);
  }
  assert.equal((await world.ask()).reason, "token_expired");
});

test("a remembered token that is not valid yet stays refused", async () => {
  const world = await makeWorld({}, { claims: { nbf: 1_800_000_100 } });
  for (let time = 0; time < 2; time++) assert.equal((await world.ask()).reason, "token_not_yet_valid");
  world.clock.forward(100);
  assert.equal((await world.ask()).ok, true);
});

test("a remembered token still asks for its own key, a fresh proof and the right request", async () => {
  const world = await makeWorld();
  assert.equal((await world.ask()).ok, true);
  const thief = await makeClient();
  const ask = async (proof) => (await world.server.authenticate(makeRequest({ token: world.token, proof }))).reason;
  assert.equal(await ask(await thief.proof({ token: world.token })), "jkt_mismatch");
  assert.equal(await ask(await world.client.proof({ token: world.token, url: "https://api.example/other" })), "htu_path_mismatch");
  assert.equal(await ask(undefined), "proof_missing");
  assert.equal((await world.server.authenticate(makeRequest({ token: world.token, scheme: "Bearer" }))).reason, "dpop_token_as_bearer");
});

test("a remembered key still has its signatures checked", async () => {
  const world = await makeWorld();
  assert.equal((await world.ask()).ok, true);
  const [header, payload, signature] = (await world.client.proof({ token: world.token })).split(".");
  const octets = Buffer.from(signature, "base64url");
  octets[40] ^= 1;
  const forged = [header, payload, octets.toString("base64url")].join(".");
  assert.equal((await world.server.authenticate(makeRequest({ token: world.token, proof: forged }))).reason, "proof_signature_invalid");
});

test("a token that differs in its signature alone is not the remembered one", async () => {
  const world = await makeWorld();
  assert.equal((await world.ask()).ok, true);
  const [header, payload, signature] = world.token.split(".");
  const octets = Buffer.from(signature, "base64url");
  octets[0] ^= 1;
  const decision = await world.ask({ token: [header, payload, octets.toString("base64url")].join(".") });
  assert.equal(decision.reason, "token_signature_invalid");
});

for (const cache of [{ tokens: 0, keys: 0 }, { tokens: 1, keys: 1 }, { tokens: 3, keys: 2 }, { tokens: 0 }, { keys: 0 }]) {
  test(`with caches of ${JSON.stringify(cache)} many clients are still told apart`, async () => {
    const world = await makeWorld({ cache });
    const clients = await Promise.all(Array.from({ length: 8 }, () => makeClient()));
    const tokens = await Promise.all(clients.map(({ cnf }, number) => world.issuer.token({ cnf, sub: `user-${number}` })));
    for (let round = 0; round < 3; round++) {
      const decisions = await Promise.all(
        clients.map(async (client, number) => {
          const token = tokens[number];
          return world.server.authenticate(makeRequest({ token, proof: await client.proof({ token }) }));
        }),
      );
      for (const [number, decision] of decisions.entries()) {
        assert.deepEqual([decision.ok, decision.claims?.sub, decision.binding?.jkt], [true, `user-${number}`, clients[number].jkt]);
      }
    }
    const [token] = tokens;
    const stolen = await world.server.authenticate(makeRequest({ token, proof: await clients[1].proof({ token }) }));
    assert.equal(stolen.reason, "jkt_mismatch");
  });
}

test("two hundred clients at once through caches of five get their own claims, also while a store keeps them waiting", async () => {
  const waiting = [];
  const replay = { claim: () => new Promise((resolve) => waiting.push(() => resolve(true))) };
  const world = await makeWorld({ cache: { tokens: 5, keys: 5 }, replay });
  const client = world.client;
  const ask = async (number) => {
    const token = await world.issuer.token({ cnf: client.cnf, sub: `user-${number}` });
    const decision = await world.server.authenticate(makeRequest({ token, proof: await client.proof({ token }) }));
    return [decision.claims?.sub, `user-${number}`];
  };
  const decisions = Promise.all(Array.from({ length: 200 }, (_, number) => ask(number)));
  while (waiting.length < 200) await new Promise(setImmediate);
  // In another order than they came.
  for (const answer of waiting.reverse()) answer();
  for (const [got, expected] of await decisions) assert.equal(got, expected);
});

test("claims are shared between requests, and frozen all the way down", async () => {
  const world = await makeWorld({}, { claims: { roles: ["a"], address: { city: "X" } } });
  const [first, second] = [await world.ask(), await world.ask()];
  assert.throws(() => { first.claims.sub = "mallory"; }, TypeError);
  assert.throws(() => { first.claims.roles.push("admin"); }, TypeError);
  assert.throws(() => { first.claims.address.city = "Y"; }, TypeError);
  assert.deepEqual([second.claims.sub, second.claims.roles, second.claims.address], ["alice", ["a"], { city: "X" }]);
});

test("claims named like parts of objects are just claims", async () => {
  const world = await makeWorld();
  const token = await world.issuer.token(JSON.parse(`{"cnf":{"jkt":"${world.client.jkt}"},"constructor":"x","toString":1}`));
  const { claims } = await world.ask({ token });
  assert.deepEqual([claims.constructor, claims.toString], ["x", 1]);
  assert.equal({}.polluted, undefined);
});

test("a key that signs with two algorithms by turns works with both", async () => {
  // RSA is where one key has several.
  const pairs = await generateKeyPair("RS256", { extractable: true });
  const jwk = await exportJWK(pairs.publicKey);
  const privateJwk = await exportJWK(pairs.privateKey);
  const world = await makeWorld();
  const token = await world.issuer.token({ cnf: { jkt: await calculateJwkThumbprint(jwk) } });
  for (const alg of ["RS256", "PS256", "RS256", "PS256"]) {
    const claims = { jti: crypto.randomUUID(), htm: "GET", htu: "https://api.example/orders", iat: world.clock.at, ath: hash(token) };
    const key = await importJWK(privateJwk, alg);
    const proof = await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg, typ: "dpop+jwt", jwk })
      .sign(key);
    const decision = await world.server.authenticate(makeRequest({ token, proof }));
    assert.equal(decision.ok, true, `${alg}: ${decision.reason}`);
  }
});

test("sizes that are no sizes are refused", () => {
  const make = (cache) => () => edge.createResourceServer({ issuer: "https://as.example", audience: "a", cache });
  for (const cache of [{ tokens: -1 }, { keys: 1.5 }, { tokens: Infinity }, { keys: "10" }]) assert.throws(make(cache), /cache\.(tokens|keys)/);
});

test("the remembered hash of one token does not stand for another of the same client", async () => {
  const world = await makeWorld();
  const other = await world.issuer.token({ cnf: world.client.cnf, sub: "bob" });
  const ask = async (token, proven = token) => world.server.authenticate(makeRequest({ token, proof: await world.client.proof({ token: proven }) }));
  for (let time = 0; time < 2; time++) {
    for (const [token, sub] of [[world.token, "alice"], [other, "bob"]]) assert.equal((await ask(token)).claims.sub, sub);
    assert.equal((await ask(world.token, other)).reason, "ath_mismatch");
    assert.equal((await ask(other, world.token)).reason, "ath_mismatch");
  }
});

test("beside the header that is remembered of a client, any other one is read, and what is wrong with it is found", async () => {
  const world = await makeWorld();
  const client = await makeClient();
  const token = await world.issuer.token({ cnf: client.cnf });
  const ask = async (proof) => world.server.authenticate(makeRequest({ token, proof }));
  for (let time = 0; time < 3; time++) {
    assert.equal((await ask(await client.proof({ token }))).ok, true);
    const [encoded, payload, signature] = (await client.proof({ token })).split(".");
    const header = JSON.parse(Buffer.from(encoded, "base64url"));
    for (const [changed, reason] of [
      [{ ...header, typ: "jwt" }, "typ_mismatch"],
      [{ ...header, alg: "none" }, "alg_unsupported"],
      [{ ...header, crit: ["x"] }, "crit_unsupported"],
      [{ ...header, jwk: { ...header.jwk, d: "AA" } }, "jwk_private"],
      // Well-formed, and not what was signed.
      [{ ...header, more: 1 }, "proof_signature_invalid"],
    ]) {
      const text = Buffer.from(JSON.stringify(changed)).toString("base64url");
      assert.equal((await ask([text, payload, signature].join("."))).reason, reason);
    }
    // The header that is remembered, as another one spells it.
    assert.equal((await ask([`${encoded}=`, payload, signature].join("."))).reason, "proof_not_base64url");
    // Under it everything else is still looked at.
    const remembered = async (claims) => (await ask([encoded, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join("."))).reason;
    assert.equal(await remembered({ jti: "1" }), "htm_missing");
    assert.equal((await ask([encoded, "=", signature].join("."))).reason, "proof_not_base64url");
  }
});

test("an Authorization field that came before serves after its token was forgotten, and not beyond the token's own time", async () => {
  const world = await makeWorld({}, { claims: { exp: 1_800_000_700 } });
  for (const seconds of [0, 10, 301, 300]) {
    world.clock.forward(seconds);
    const decision = await world.ask();
    assert.deepEqual([decision.ok, decision.binding?.jkt], [true, world.client.jkt]);
  }
  world.clock.forward(100);
  assert.equal((await world.ask()).reason, "token_expired");
});
