// Every cell of the policy: which mechanism is asked for, whether it is required, how the token is presented, what it carries.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { challengesOf, makeRequest, makeWorld } from "./support.mjs";
import { CERTIFICATE, OTHER } from "./certificate-support.mjs";

const CARRIES = {
  nothing: () => undefined,
  "a key": ({ jkt }) => ({ jkt }),
  "a certificate": () => ({ "x5t#S256": CERTIFICATE.x5t }),
  both: ({ jkt }) => ({ jkt, "x5t#S256": CERTIFICATE.x5t }),
  "a key and something unknown": ({ jkt }) => ({ jkt, "kc-jkt-type": "x" }),
  "something unknown": () => ({ kid: "x" }),
  "nothing known": () => ({}),
  null: () => null,
  "a malformed key": () => ({ jkt: "x" }),
  "a good key and a malformed certificate": ({ jkt }) => ({ jkt, "x5t#S256": 5 }),
};

/** The rules as sentences, without a look at the table. */
function isTaken({ mechanism, required }, scheme, cnf) {
  if (cnf === undefined) return scheme === "Bearer" && !required;
  const members = cnf === null ? [] : ["jkt", "x5t#S256"].filter((name) => name in cnf);
  // A confirmation that cannot be understood is never taken for none.
  if (members.length === 0 || members.some((name) => typeof cnf[name] !== "string" || cnf[name].length !== 43)) return false;
  // The DPoP scheme is for tokens with a key, and they are for no other.
  if (members.includes("jkt") !== (scheme === "DPoP")) return false;
  if (!required || mechanism === "either") return true;
  return members.includes(mechanism === "dpop" ? "jkt" : "x5t#S256");
}

for (const mechanism of ["dpop", "mtls", "either"]) {
  for (const required of [true, false]) {
    describe(`${mechanism}, ${required ? "required" : "not required"}`, () => {
      for (const scheme of ["DPoP", "Bearer"]) {
        for (const [what, cnfOf] of Object.entries(CARRIES)) {
          test(`a token that carries ${what}, as ${scheme}`, async () => {
            const policy = { mechanism, required };
            const world = await makeWorld({ proofOfPossession: policy });
            const cnf = cnfOf(world.client);
            const token = await world.issuer.token({ cnf });
            const taken = isTaken(policy, scheme, cnf);
            const ask = async (certificate, proof) =>
              world.server.authenticate(makeRequest({ token, scheme, proof: scheme === "DPoP" ? proof : undefined }), { certificate });
            const good = async () => world.client.proof({ token });

            const decision = await ask(CERTIFICATE.der, await good());
            assert.equal(decision.ok, taken, decision.reason);
            if (!taken) {
              assert.equal(decision.error, "invalid_token");
              return;
            }
            // What the token carries is reported, and nothing else.
            assert.deepEqual(decision.binding, {
              ...(cnf?.jkt && { jkt: cnf.jkt }),
              ...(cnf?.["x5t#S256"] && { "x5t#S256": cnf["x5t#S256"] }),
            });
            // And each of it is enforced.
            if (cnf?.["x5t#S256"]) {
              assert.equal((await ask(OTHER.der, await good())).reason, "certificate_mismatch");
              assert.equal((await ask(null, await good())).reason, "certificate_missing");
            }
            if (cnf?.jkt) assert.equal((await ask(CERTIFICATE.der, undefined)).reason, "proof_missing");
          });
        }
      }

      test("challenges name the schemes under which some token is taken, and no other", async () => {
        const { server } = await makeWorld({ proofOfPossession: { mechanism, required } });
        const named = challengesOf((await server.authenticate(makeRequest())).response()).map(({ scheme }) => scheme);
        const takes = (scheme) => named.includes(scheme);
        assert.equal(takes("Bearer"), mechanism !== "dpop" || !required);
        assert.equal(takes("DPoP"), mechanism !== "mtls");
      });
    });
  }
}
