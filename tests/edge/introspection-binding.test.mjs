// An authorization server's introspection answer about a bound token (RFC 9449 §6.2, RFC 8705 §3.2), and a resource server that reads it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { edge, makeClock, makeRequest, makeWorld } from "./support.mjs";
import { CERTIFICATE, OTHER } from "./certificate-support.mjs";

const TOKEN_URL = "https://as.example/token";
const authenticate = (request) => request;

/** What a token endpoint binds a token of this client to. */
async function bind(client, context, withProof = true) {
  const endpoint = edge.createTokenEndpoint({ now: makeClock().now });
  const proof = withProof ? await client.proof({ url: TOKEN_URL, method: "POST" }) : undefined;
  return endpoint.bind(makeRequest({ url: TOKEN_URL, method: "POST", proof }), context);
}

/** A resource server that asks an authorization server which answers with these members. */
async function asking(members, client) {
  const tokens = edge.introspection({
    endpoint: new URL("https://as.example/introspect"),
    authenticate,
    fetch: async () => Response.json({ active: true, sub: "ada", ...members() }),
  });
  return makeWorld({ tokens }, { client });
}

test("what the token endpoint binds the introspection answer tells, and the resource server enforces", async () => {
  let members;
  const { ask, client, server } = await asking(() => members);
  for (const [what, context, withProof, type] of [
    ["key", {}, true, "DPoP"],
    ["certificate", { bindCertificate: true, certificate: CERTIFICATE.der }, false, "Bearer"],
    ["key and certificate", { bindCertificate: true, certificate: CERTIFICATE.der }, true, "DPoP"],
  ]) {
    const binding = await bind(client, context, withProof);
    assert.equal(binding.ok, true, what);
    members = edge.introspectionBinding(binding.cnf);
    assert.deepEqual(members, { cnf: binding.cnf, token_type: type });
    assert.equal(members.token_type, binding.tokenType);
    // As it comes over the wire.
    members = JSON.parse(JSON.stringify(members));
    const present = (certificate) => (withProof ? ask({ token: "opaque~1", context: { certificate } }) : server.authenticate(makeRequest({ token: "opaque~1", scheme: "Bearer" }), { certificate }));
    const good = await present(CERTIFICATE.der);
    assert.equal(good.ok, true, `${what}: ${good.reason}`);
    assert.deepEqual(good.binding, binding.cnf);
    if (context.bindCertificate) {
      assert.equal((await present(OTHER.der)).reason, "certificate_mismatch", what);
      assert.equal((await present(null)).reason, "certificate_missing", what);
    }
    if (withProof) assert.equal((await server.authenticate(makeRequest({ token: "opaque~1", scheme: "Bearer" }))).reason, "dpop_token_as_bearer", what);
  }
});

test("a token that is bound to nothing is a Bearer token without cnf", async () => {
  const binding = await bind(undefined, {}, false);
  assert.deepEqual(edge.introspectionBinding(binding.cnf), { token_type: "Bearer" });
});

test("what is no binding is refused, and never taken for none", () => {
  const jkt = "A".repeat(43);
  for (const cnf of [undefined, {}, [], "x", 5, true, { jkt: undefined }, { jkt: "short" }, { jkt: null }, { jkt, kid: "x" }, { jkt, "x5t#S256": 5 }, { JKT: jkt }, { jkt: `${jkt}=` }, { jkt: `${jkt.slice(1)}.` }]) {
    assert.throws(() => edge.introspectionBinding(cnf), /^TypeError: introspectionBinding: cnf/, JSON.stringify(cnf));
  }
});

test("the members are the caller's own", () => {
  const cnf = { jkt: "A".repeat(43) };
  const members = edge.introspectionBinding(cnf);
  members.cnf.jkt = "changed";
  assert.equal(cnf.jkt, "A".repeat(43));
});

test("an answer whose token_type does not go with its cnf is refused (RFC 9449 §6.2)", async () => {
  let members;
  const { ask, client, server } = await asking(() => members);
  const { cnf } = client;
  for (const token_type of ["DPoP", "dpop", undefined, null]) {
    members = { cnf, token_type };
    assert.equal((await ask({ token: "opaque~1" })).ok, true, String(token_type));
  }
  for (const token_type of ["Bearer", "", "access_token", 5, ["DPoP"]]) {
    members = { cnf, token_type };
    const decision = await ask({ token: "opaque~1" });
    assert.deepEqual([decision.status, decision.error, decision.reason], [401, "invalid_token", "token_type_mismatch"], String(token_type));
  }
  // Without its cnf a DPoP token does not become one for bearers, whatever the configuration.
  members = { token_type: "DPoP" };
  assert.equal((await server.authenticate(makeRequest({ token: "opaque~1", scheme: "Bearer" }))).reason, "token_type_mismatch");
  members = { token_type: "DPoP", cnf: { "x5t#S256": CERTIFICATE.x5t } };
  const lax = edge.createResourceServer({
    issuer: "https://as.example", audience: "https://api.example", proofOfPossession: { required: false }, now: makeClock().now,
    tokens: edge.introspection({ endpoint: new URL("https://as.example/introspect"), authenticate, fetch: async () => Response.json({ active: true, ...members }) }),
  });
  for (const answer of [members, { token_type: "DPoP" }]) {
    members = answer;
    const decision = await lax.authenticate(makeRequest({ token: "opaque~1", scheme: "Bearer" }), { certificate: CERTIFICATE.der });
    assert.equal(decision.reason, "token_type_mismatch");
  }
});
