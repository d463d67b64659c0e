// What providers really issue, and what of theirs is no access token.
//
// The fixtures in profiles/ have the shape of what each provider's documents show (`source` says where), with values of
// our own; times, keys and signatures are made here. `reason` is why a token is refused as it is, `aimed` why it still
// is where its audience is this server.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { SignJWT } from "jose";
import { START, edge, makeClient, makeClock, makeIssuer, makeRequest } from "./support.mjs";
import { CERTIFICATE } from "./certificate-support.mjs";

const fixturesOf = (name) => JSON.parse(readFileSync(new URL(`./profiles/${name}.json`, import.meta.url), "utf8"));
const signer = await makeIssuer({ alg: "RS256" });
const thief = await makeIssuer({ alg: "RS256" });
const client = await makeClient();
const JKT = { jkt: client.jkt };
const X5T = { "x5t#S256": CERTIFICATE.x5t };

/** A token of this shape, signed; the binding is our client's. */
async function sign({ header, claims }, { key = signer.privateKey, cnf = claims.cnf, ...changes } = {}) {
  const { alg } = header;
  const ours = cnf && { ...cnf, ...("jkt" in cnf && JKT), ...("x5t#S256" in cnf && X5T) };
  return new SignJWT({ iat: START, exp: START + 300, ...claims, ...(ours && { cnf: ours }), ...changes })
    .setProtectedHeader({ kid: "k1", ...header })
    .sign(alg === "HS512" ? randomBytes(64) : key);
}

for (const name of ["auth0", "keycloak", "okta"]) {
  const { profile, issuer, audience, accepted, refused } = fixturesOf(name);
  const serverFor = (options = {}, tokens = {}) =>
    edge.createResourceServer({ issuer, audience, now: makeClock().now, tokens: edge.jwtTokens({ profile, jwks: signer.jwks, ...tokens }), ...options });

  /** Presents a token as its binding asks for. */
  const present = async (server, token, cnf) => {
    const withProof = cnf !== undefined && "jkt" in cnf;
    const proof = withProof ? await client.proof({ token }) : undefined;
    return server.authenticate(makeRequest({ token, proof, scheme: withProof ? "DPoP" : "Bearer" }), { certificate: CERTIFICATE.der });
  };

  describe(`${name}: accepted`, () => {
    for (const fixture of accepted) {
      const { what, claims, rfc9068 = false } = fixture;
      describe(what, () => {
        test("as it is", async () => {
          const server = serverFor({ proofOfPossession: { required: claims.cnf !== undefined } });
          const decision = await present(server, await sign(fixture), claims.cnf);
          assert.equal(decision.ok, true, decision.reason);
          const { cnf, iat, exp, ...rest } = decision.claims;
          const { cnf: _, ...own } = claims;
          assert.deepEqual(rest, own);
        });

        test("bound to a key, and only with it", async () => {
          const cnf = JKT;
          const token = await sign(fixture, { cnf, ...(claims.typ && { typ: "DPoP" }) });
          const decision = await present(serverFor(), token, cnf);
          assert.equal(decision.ok, true, decision.reason);
          assert.equal((await present(serverFor(), token, X5T)).reason, "dpop_token_as_bearer");
          const other = await (await makeClient()).proof({ token });
          assert.equal((await serverFor().authenticate(makeRequest({ token, proof: other }))).reason, "jkt_mismatch");
        });

        test("not with another's signature, too late, or for another server", async () => {
          const server = serverFor({ proofOfPossession: { required: false } });
          const reason = async (changes) => (await present(server, await sign(fixture, changes), claims.cnf)).reason;
          assert.equal(await reason({ key: thief.privateKey }), "token_signature_invalid");
          assert.equal(await reason({ exp: START }), "token_expired");
          assert.equal(await reason({ aud: "https://other.example" }), "token_audience_mismatch");
          assert.equal(await reason({ iss: "https://evil.example" }), "token_issuer_mismatch");
        });

        test(`${rfc9068 ? "also" : "not"} by the profile of RFC 9068`, async () => {
          const server = serverFor({ proofOfPossession: { required: false } }, { profile: "rfc9068" });
          const decision = await present(server, await sign(fixture), claims.cnf);
          assert.equal(decision.ok, rfc9068, decision.reason);
        });
      });
    }
  });

  describe(`${name}: refused`, () => {
    for (const fixture of refused) {
      const { what, reason, aimed } = fixture;
      // The laxest server there is: nothing else stands in the token's way.
      const lax = serverFor({ proofOfPossession: { required: false } });

      test(what, async () => {
        const decision = await present(lax, await sign(fixture));
        assert.deepEqual([decision.ok, decision.status, decision.error, decision.reason], [false, 401, "invalid_token", reason]);
      });

      if (aimed === undefined) continue;
      test(`${what}, also where its audience is this server, bound or not, under every profile`, async () => {
        for (const cnf of [undefined, JKT]) {
          const token = await sign(fixture, { aud: audience, ...(cnf && { cnf }) });
          assert.equal((await present(lax, token, cnf)).reason, aimed);
          for (const other of ["rfc9068", "auth0", "keycloak", "okta"]) {
            const decision = await present(serverFor({ proofOfPossession: { required: false } }, { profile: other }), token, cnf);
            assert.equal(decision.ok, false, other);
          }
        }
      });
    }
  });
}

test("a type that the caller names brings no ID token or logout token with it", async () => {
  const { issuer, refused } = fixturesOf("auth0");
  const tokens = edge.jwtTokens({ types: ["JWT", "logout+jwt"], jwks: signer.jwks });
  const server = edge.createResourceServer({ issuer, audience: "https://api.example", tokens, proofOfPossession: { required: false }, now: makeClock().now });
  const full = { client_id: "c", jti: "j", aud: "https://api.example" };
  for (const fixture of refused.filter(({ what }) => /nonce|authorization endpoint|logout/.test(what))) {
    const token = await sign(fixture, full);
    assert.equal((await server.authenticate(makeRequest({ token, scheme: "Bearer" }))).reason, "token_typ_mismatch", fixture.what);
  }
});
