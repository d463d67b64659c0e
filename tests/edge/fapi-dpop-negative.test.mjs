// The conditions that OpenID's conformance suite puts to a resource server for DPoP (FAPI 2.0 Security Profile, final), by name: those that must be refused, and
// those that must not be. What makes sense at a token endpoint is asked there as well.
import assert from "node:assert/strict";
import { randomUUID, sign } from "node:crypto";
import { describe, test } from "node:test";
import { exportJWK } from "jose";
import { AUDIENCE, ISSUER, START, challengesByScheme, edge, hash, makeClient, makeClock, makeIssuer } from "./support.mjs";

const RESOURCE = "https://api.example/accounts";
const TOKEN_URL = "https://as.example/token";
// RFC 9449 §11.6, FAPI 2.0 §5.4.1: RS256 is not among them.
const ALGORITHMS = ["PS256", "ES256", "EdDSA", "Ed25519"];
const HOUR = 3600;

const [issuer, client, other, rsa] = await Promise.all([makeIssuer(), makeClient(), makeClient(), makeClient("RS256")]);
const token = await issuer.token({ cnf: client.cnf });
const rsaToken = await issuer.token({ cnf: rsa.cnf });
const privateJwk = await exportJWK(client.privateKey);

/** The places that a proof is sent to. Each request is new, and so is its `jti`. */
const resourceServer = {
  name: "at the resource server",
  make() {
    const server = edge.createResourceServer({
      issuer: ISSUER,
      audience: AUDIENCE,
      tokens: edge.jwtTokens({ jwks: issuer.jwks }),
      proofOfPossession: { mechanism: "dpop", required: true },
      proof: { algorithms: ALGORITHMS },
      now: makeClock().now,
    });
    return (request) => server.authenticate(request);
  },
  method: "GET",
  url: RESOURCE,
  ath: hash(token),
  status: 401,
};
const tokenEndpoint = {
  name: "at the token endpoint",
  make() {
    const endpoint = edge.createTokenEndpoint({ proof: { algorithms: ALGORITHMS }, now: makeClock().now });
    return (request) => endpoint.bind(request, { requireDpop: true });
  },
  method: "POST",
  url: TOKEN_URL,
  status: 400,
};

/** A proof as the suite's client makes it, but for what a condition changes; `undefined` takes a member away. */
function proofFor(place, { header = {}, claims = {}, key = client, signed = (parts) => parts } = {}) {
  const members = { typ: "dpop+jwt", alg: key.alg, jwk: key.jwk, ...header };
  const payload = { jti: randomUUID(), htm: place.method, htu: place.url, iat: START, ath: place.ath, ...claims };
  const input = [members, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const keyOptions = key.alg === "RS256" ? key.privateKey : { key: key.privateKey, dsaEncoding: "ieee-p1363" };
  return signed([...input.split("."), sign("sha256", Buffer.from(input), keyOptions).toString("base64url")]).join(".");
}

const requestFor = (place, fields) => new Request(place.url, { method: place.method, headers: fields });
/** The fields of a good request, with this proof. */
const fieldsFor = (place, proof, presented = token) => [...(place === resourceServer ? [["Authorization", `DPoP ${presented}`]] : []), ["DPoP", proof]];
const altered = (part) => part.replace(/^./, (first) => (first === "A" ? "B" : "A"));

const EVERYWHERE = [resourceServer, tokenEndpoint];
const WITH_TOKEN = [resourceServer];

/** `[condition, reason, what is changed of the proof, where]`; all are answered with invalid_dpop_proof. */
const FAULTY_PROOFS = [
  ["the proof is no well-formed JWT", "proof_not_compact", { signed: ([header, payload]) => [header, payload] }],
  ["the proof's header is no JSON", "proof_header_malformed", { signed: ([, payload, signature]) => [Buffer.from("dpop").toString("base64url"), payload, signature] }],
  ["the proof has no typ", "typ_missing", { header: { typ: undefined } }],
  ["the proof has no alg", "alg_missing", { header: { alg: undefined } }],
  ["the proof has no jwk", "jwk_missing", { header: { jwk: undefined } }],
  ["the proof has no jti", "jti_missing", { claims: { jti: undefined } }],
  ["the proof has no htm", "htm_missing", { claims: { htm: undefined } }],
  ["the proof has no htu", "htu_missing", { claims: { htu: undefined } }],
  ["the proof has no iat", "iat_missing", { claims: { iat: undefined } }],
  ["the proof has no ath", "ath_missing", { claims: { ath: undefined } }, WITH_TOKEN],
  ["the proof's typ is another one", "typ_mismatch", { header: { typ: "JWT" } }],
  ["the proof is signed with RS256, which is not allowed", "alg_not_allowed", { key: rsa }, EVERYWHERE, rsaToken],
  ["the proof's alg is none", "alg_unsupported", { header: { alg: "none" }, signed: ([header, payload]) => [header, payload, ""] }],
  ["the proof's signature is wrong", "proof_signature_invalid", { signed: ([header, payload, signature]) => [header, payload, altered(signature)] }],
  ["the proof's jwk has the private key", "jwk_private", { header: { jwk: privateJwk } }],
  ["htm is another method", "htm_mismatch", { claims: { htm: "PUT" } }],
  ["htu is another path", "htu_path_mismatch", { claims: { htu: `${RESOURCE}/other` } }, WITH_TOKEN],
  ["htu is another endpoint", "htu_host_mismatch", { claims: { htu: "https://other.example/accounts" } }],
  ["iat is one hour ago", "iat_too_old", { claims: { iat: START - HOUR } }],
  ["iat is one hour ahead", "iat_in_future", { claims: { iat: START + HOUR } }],
  ["ath is that of another token", "ath_mismatch", { claims: { ath: hash("another token") } }, WITH_TOKEN],
];

for (const [condition, reason, change, where = EVERYWHERE, presented] of FAULTY_PROOFS) {
  describe(condition, () => {
    for (const place of where) {
      test(`is refused ${place.name}`, async () => {
        const withHash = presented !== undefined && place.ath ? { ...change, claims: { ath: hash(presented), ...change.claims } } : change;
        const decision = await place.make()(requestFor(place, fieldsFor(place, proofFor(place, withHash), presented)));
        await assertRefused(decision, place, "invalid_dpop_proof", reason);
      });
    }
  });
}

describe("two DPoP fields", () => {
  for (const place of EVERYWHERE) {
    test(`are refused ${place.name}, each of them good by itself`, async () => {
      const [one, two] = [proofFor(place), proofFor(place)];
      const decision = await place.make()(requestFor(place, [...fieldsFor(place, one), ["DPoP", two]]));
      await assertRefused(decision, place, "invalid_dpop_proof", "proof_multiple");
    });
  }
});

describe("the proof is of another key than the token's", () => {
  test("is refused at the resource server", async () => {
    const decision = await resourceServer.make()(requestFor(resourceServer, fieldsFor(resourceServer, proofFor(resourceServer, { key: other }))));
    await assertRefused(decision, resourceServer, "invalid_token", "jkt_mismatch");
  });

  test("is refused at the token endpoint, where the code is bound", async () => {
    const endpoint = edge.createTokenEndpoint({ now: makeClock().now });
    const decision = await endpoint.bind(requestFor(tokenEndpoint, fieldsFor(tokenEndpoint, proofFor(tokenEndpoint, { key: other }))), { dpopJkt: client.jkt });
    await assertRefused(decision, tokenEndpoint, "invalid_grant", "grant_key_mismatch");
  });
});

describe("there is no proof", () => {
  test("is refused at the resource server", async () => {
    const decision = await resourceServer.make()(requestFor(resourceServer, [["Authorization", `DPoP ${token}`]]));
    await assertRefused(decision, resourceServer, "invalid_dpop_proof", "proof_missing");
  });

  test("is refused at the resource server with the token as a Bearer token", async () => {
    const decision = await resourceServer.make()(requestFor(resourceServer, [["Authorization", `Bearer ${token}`]]));
    await assertRefused(decision, resourceServer, "invalid_token", "dpop_token_as_bearer");
  });

  test("is refused at the token endpoint, where tokens have to be bound", async () => {
    const decision = await tokenEndpoint.make()(requestFor(tokenEndpoint, []));
    await assertRefused(decision, tokenEndpoint, "invalid_request", "dpop_required");
  });
});

test("a good proof does not make a Bearer token of a bound one", async () => {
  const decision = await resourceServer.make()(requestFor(resourceServer, [["Authorization", `Bearer ${token}`], ["DPoP", proofFor(resourceServer)]]));
  await assertRefused(decision, resourceServer, "invalid_token", "dpop_token_as_bearer");
});

describe("the jti was used before", () => {
  for (const place of EVERYWHERE) {
    const fields = (jti, claims) => fieldsFor(place, proofFor(place, { claims: { jti, ...claims } }));

    test(`is refused ${place.name}: the same proof again`, async () => {
      const ask = place.make();
      const same = fields(randomUUID());
      assert.equal((await ask(requestFor(place, same))).ok, true);
      await assertRefused(await ask(requestFor(place, same)), place, "invalid_dpop_proof", "proof_replayed");
    });

    test(`is refused ${place.name}: another proof with it`, async () => {
      const ask = place.make();
      const jti = randomUUID();
      assert.equal((await ask(requestFor(place, fields(jti)))).ok, true);
      await assertRefused(await ask(requestFor(place, fields(jti, { iat: START - 1 }))), place, "invalid_dpop_proof", "proof_replayed");
    });
  }
});

/** `[condition, what is changed of the proof, the field's name]`. */
const GOOD_PROOFS = [
  ["nothing is peculiar", () => ({})],
  ["htu has a query and a fragment", ({ url }) => ({ claims: { htu: `${url}?page=2#top` } })],
  ["the header has parameters that are not known", () => ({ header: { "urn:example:parameter": { a: [1, null] }, kid: "a" } })],
  ["the payload has claims that are not known", () => ({ claims: { "urn:example:claim": ["a", 1, { b: false }], iss: "https://client.example" } })],
  ["the field is called DPOP", () => ({}), "DPOP"],
  ["scheme and host of htu are in upper case", ({ url }) => ({ claims: { htu: url.replace(/^https:\/\/[^/]*/, (front) => front.toUpperCase()) } })],
  ["htu has the default port", ({ url }) => ({ claims: { htu: url.replace(/(?<=\w)\/(?=\w)/, ":443/") } })],
  ["iat is ten seconds ahead", () => ({ claims: { iat: START + 10 } })],
];

for (const [condition, changeFor, field = "DPoP"] of GOOD_PROOFS) {
  describe(condition, () => {
    for (const place of EVERYWHERE) {
      test(`is accepted ${place.name}`, async () => {
        const fields = fieldsFor(place, proofFor(place, changeFor(place))).map(([name, value]) => [name === "DPoP" ? field : name, value]);
        // `Headers` writes names in lower case; as they came over the wire they reach a server as raw fields.
        for (const context of [undefined, { headers: fields }]) {
          const decision = place === resourceServer ? await asked(place, fields, context) : await bound(place, fields, context);
          assert.equal(decision.ok, true, decision.reason);
          const binding = decision.binding ?? decision.cnf;
          assert.deepEqual(binding, { jkt: client.jkt });
        }
      });
    }
  });
}

test("the token is taken whatever the case of the scheme", async () => {
  for (const scheme of ["dpop", "DPOP"]) {
    const decision = await asked(resourceServer, [["Authorization", `${scheme} ${token}`], ["DPoP", proofFor(resourceServer)]]);
    assert.equal(decision.ok, true, decision.reason);
  }
});

function asked(place, fields, context) {
  const server = edge.createResourceServer({ issuer: ISSUER, audience: AUDIENCE, tokens: edge.jwtTokens({ jwks: issuer.jwks }), now: makeClock().now });
  return server.authenticate(requestFor(place, fields), context);
}

function bound(place, fields, context) {
  return edge.createTokenEndpoint({ now: makeClock().now }).bind(requestFor(place, fields), { ...context, requireDpop: true });
}

/** Decision and answer say the same: RFC 9449 §7.1 at a resource server, §5 at a token endpoint. */
async function assertRefused(decision, place, error, reason) {
  assert.deepEqual([decision.ok, decision.status, decision.error, decision.reason], [false, place.status, error, reason]);
  const response = decision.response();
  assert.equal(response.status, place.status);
  assert.equal(response.headers.get("cache-control"), "no-store");
  if (place === tokenEndpoint) {
    assert.equal((await response.json()).error, error);
    return;
  }
  const { DPoP: challenge } = challengesByScheme(response);
  assert.deepEqual(challenge.algs.split(" ").sort(), [...ALGORITHMS].sort());
  // Where the other scheme was used, the error stands there, if that scheme is offered at all (§7.2).
  if (reason !== "dpop_token_as_bearer") assert.equal(challenge.error, error);
}
