// The preset of the FAPI 2.0 Security Profile (§5.3.2.1 item 13, §5.4.1), in both roles.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { START, edge, makeClient, makeClock, makeRequest, makeWorld } from "./support.mjs";

const TOKEN_URL = "https://as.example/token";

/** The decision of each role about a proof of this client. */
const ROLES = {
  async "resource server"(client, about) {
    const world = await makeWorld({ proof: edge.fapi2 }, { client });
    return world.ask({ proof: about });
  },
  async "token endpoint"(client, about) {
    const endpoint = edge.createTokenEndpoint({ proof: edge.fapi2, now: makeClock().now });
    return endpoint.bind(makeRequest({ url: TOKEN_URL, method: "POST", proof: await client.proof({ url: TOKEN_URL, method: "POST", ...about }) }));
  },
};

for (const [role, decide] of Object.entries(ROLES)) {
  describe(`at a ${role}`, () => {
    test("a proof from up to a minute ahead is accepted, and from more refused", async () => {
      const client = await makeClient();
      for (const ahead of [0, 1, 10, 60]) assert.equal((await decide(client, { now: START + ahead })).ok, true, `${ahead} s`);
      for (const ahead of [61, 120, 3600]) {
        const decision = await decide(client, { now: START + ahead });
        assert.deepEqual([decision.ok, decision.error, decision.reason], [false, "invalid_dpop_proof", "iat_in_future"], `${ahead} s`);
      }
    });

    test("a proof of an hour ago is refused", async () => {
      assert.equal((await decide(await makeClient(), { now: START - 3600 })).reason, "iat_too_old");
    });

    for (const alg of ["ES256", "PS256", "EdDSA", "Ed25519"]) {
      test(`${alg} is accepted`, async () => {
        const decision = await decide(await makeClient(alg), {});
        assert.equal(decision.ok, true, decision.reason);
      });
    }

    for (const alg of ["RS256", "ES384", "ES512"]) {
      test(`${alg} is refused`, async () => {
        const decision = await decide(await makeClient(alg), {});
        assert.deepEqual([decision.ok, decision.error, decision.reason], [false, "invalid_dpop_proof", "alg_not_allowed"]);
      });
    }
  });
}

test("it is constant, and a part of it may be changed in a copy", async () => {
  assert.throws(() => { edge.fapi2.maxFuture = 600; }, TypeError);
  assert.throws(() => { edge.fapi2.algorithms.push("RS256"); }, TypeError);
  const world = await makeWorld({ proof: { ...edge.fapi2, maxFuture: 10 } });
  assert.equal((await world.ask({ proof: { now: START + 10 } })).ok, true);
  assert.equal((await world.ask({ proof: { now: START + 11 } })).reason, "iat_in_future");
});
