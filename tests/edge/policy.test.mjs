// Every cell of the policy: which mechanism is asked for, whether it is required, how the token is presented, what it carries.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { challengesOf, edge, makeClient, makeRequest, makeWorld } from "./support.mjs";
import { CERTIFICATE, OTHER } from "./certificate-support.mjs";

/** A client whose key no token here is bound to. */
const stranger = await makeClient();

const CARRIES = {
  nothing: () => undefined,
  "a key": ({ jkt }) => ({ jkt }),
  "a certificate": () => ({ "x5t#S256": CERTIFICATE.x5t }),
  both: ({ jkt }) => ({ jkt, "x5t#S256": CERTIFICATE.x5t }),
  "a key and something unknown": ({ jkt }) => ({ jkt, "kc-jkt-type": "x" }),
  "a certificate and something unknown": () => ({ "x5t#S256": CERTIFICATE.x5t, kid: "x" }),
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
            if (cnf?.jkt) {
              assert.equal((await ask(CERTIFICATE.der, undefined)).reason, "proof_missing");
              assert.equal((await ask(CERTIFICATE.der, await stranger.proof({ token }))).reason, "jkt_mismatch");
            }
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

/** What a client may turn out to be, and whether it is then exempt. */
const CLIENTS = {
  "a public client": { type: "public", exempt: false },
  "a confidential client": { type: "confidential", exempt: true },
  "an unknown client": { type: undefined, exempt: false },
};

for (const mechanism of ["dpop", "mtls", "either"]) {
  describe(`${mechanism}, required of public clients`, () => {
    for (const [who, { type, exempt }] of Object.entries(CLIENTS)) {
      for (const scheme of ["DPoP", "Bearer"]) {
        for (const [what, cnfOf] of Object.entries(CARRIES)) {
          test(`${who} whose token carries ${what}, as ${scheme}`, async () => {
            const asked = [];
            const clientType = (claims) => (asked.push(claims.client_id), type);
            const world = await makeWorld({ proofOfPossession: { mechanism, requiredFor: "public_clients", clientType } });
            const cnf = cnfOf(world.client);
            const token = await world.issuer.token({ cnf });
            const ask = async (certificate, client = world.client) => {
              const proof = scheme === "DPoP" ? await client.proof({ token }) : undefined;
              return world.server.authenticate(makeRequest({ token, scheme, proof }), { certificate });
            };
            const decision = await ask(CERTIFICATE.der);
            assert.equal(decision.ok, isTaken({ mechanism, required: !exempt }, scheme, cnf), decision.reason);
            // The client is looked at only where that decides.
            const decides = isTaken({ mechanism, required: true }, scheme, cnf) !== isTaken({ mechanism, required: false }, scheme, cnf);
            assert.deepEqual(asked, decides ? ["app"] : []);
            // What a confidential client's token carries is enforced like anybody's.
            if (decision.ok && cnf?.["x5t#S256"]) {
              assert.equal((await ask(OTHER.der)).reason, "certificate_mismatch");
              assert.equal((await ask(null)).reason, "certificate_missing");
            }
            if (decision.ok && cnf?.jkt) assert.equal((await ask(CERTIFICATE.der, stranger)).reason, "jkt_mismatch");
          });
        }
      }
    }
  });
}

describe("clientType", () => {
  const world = (clientType, more = {}) => makeWorld({ proofOfPossession: { requiredFor: "public_clients", clientType }, ...more }, { claims: { cnf: undefined } });
  const present = ({ server, token }, context) => server.authenticate(makeRequest({ token, scheme: "Bearer" }), context);

  test("may take its time", async () => {
    const decision = await present(await world(async () => (await new Promise(setImmediate), "confidential")));
    assert.deepEqual([decision.ok, decision.mechanisms, decision.binding], [true, [], {}]);
    assert.equal((await present(await world(async () => undefined))).reason, "token_not_bound");
  });

  test("is asked for every request, also about a token that is remembered", async () => {
    let type = "confidential";
    const one = await world(() => type);
    assert.equal((await present(one)).ok, true);
    type = "public";
    assert.equal((await present(one)).reason, "token_not_bound");
  });

  test("that fails or says something else means 503, never an acceptance", async () => {
    const odd = [
      () => { throw new Error("down"); }, async () => { throw new Error("down"); },
      ...["Confidential", "", true, {}, 5].map((answer) => () => answer),
    ];
    for (const clientType of odd) {
      const decision = await present(await world(clientType));
      assert.deepEqual([decision.ok, decision.status, decision.error, decision.reason], [false, 503, null, "client_type_unavailable"], String(clientType));
      assert.equal(decision.response().status, 503);
    }
  });

  test("sees claims that it cannot change", async () => {
    const decision = await present(await world((claims) => {
      claims.sub = "mallory";
      return "confidential";
    }));
    assert.equal(decision.reason, "client_type_unavailable");
  });

  test("left out: every client is unknown, and so public", async () => {
    const { server, token } = await makeWorld({ proofOfPossession: { requiredFor: "public_clients" } }, { claims: { cnf: undefined } });
    assert.equal((await present({ server, token })).reason, "token_not_bound");
  });

  test("makes Bearer a scheme that challenges name, and DPoP none that the metadata requires", async () => {
    const { server } = await makeWorld({ proofOfPossession: { mechanism: "dpop", requiredFor: "public_clients", clientType: () => "public" } });
    const named = challengesOf((await server.authenticate(makeRequest())).response()).map(({ scheme }) => scheme);
    assert.deepEqual(named.sort(), ["Bearer", "DPoP"]);
    assert.equal(server.metadata("https://api.example").dpop_bound_access_tokens_required, false);
  });

  test("is explained like any other check", async () => {
    const decision = await present(await world(() => "public"), { explain: true });
    assert.deepEqual(decision.trace.filter(({ ok }) => ok === false).map(({ check }) => check), ["confirmation"]);
  });

  test("and requiredFor without a meaning are refused at once", () => {
    const make = (proofOfPossession) => () => edge.createResourceServer({ issuer: "https://as.example", audience: "a", proofOfPossession });
    assert.throws(make({ clientType: () => "public" }), /give both or neither/);
    assert.throws(make({ clientType: () => "public", requiredFor: "all_clients" }), /give both or neither/);
    assert.throws(make({ requiredFor: "public_clients", required: false }), /nothing is required of any client/);
    assert.throws(make({ requiredFor: "confidential_clients" }), /neither "all_clients" nor "public_clients"/);
    assert.throws(make({ requiredFor: "public_clients", clientType: "public" }), /give a function/);
    assert.throws(make({ required: "no" }), /required: give true or false/);
  });
});
