// Mistakes in the configuration are found where it is given, and what is said tells what to change.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AUDIENCE, ISSUER, edge, makeIssuer, makeWorld } from "./support.mjs";

const { jwks } = await makeIssuer();
const make = (options) => edge.createResourceServer({ issuer: ISSUER, audience: AUDIENCE, ...options });

const MISTAKES = {
  "no issuer": [{ issuer: undefined }, /^issuer: at least one is needed/],
  "an empty issuer": [{ issuer: "" }, /^issuer: at least one is needed, and none may be empty/],
  "no issuers": [{ issuer: [] }, /^issuer: at least one/],
  "one empty issuer of several": [{ issuer: [ISSUER, ""] }, /^issuer: .*none may be empty/],
  "an issuer that is no URL": [{ issuer: "as.example" }, /^issuer: "as.example" is no absolute URL/],
  "an issuer without https": [{ issuer: "http://as.example" }, /^issuer: "http:\/\/as.example" must be an https URL/],
  "an issuer that only looks like this machine": [{ issuer: "http://localhost.evil.example" }, /^issuer: .* must be an https URL/],
  "an issuer with a query": [{ issuer: "https://as.example/?a" }, /^issuer: .*query or fragment/],
  "an issuer with a fragment": [{ issuer: "https://as.example/#a" }, /^issuer: .*query or fragment/],
  "no audience": [{ audience: undefined }, /^audience: at least one/],
  "an empty audience": [{ audience: "" }, /^audience: at least one/],
  "no audiences": [{ audience: [] }, /^audience: at least one/],
  "an audience that is no text": [{ audience: [5] }, /^audience/],
  "an unknown mechanism": [{ proofOfPossession: { mechanism: "tls" } }, /^proofOfPossession\.mechanism: "tls" is none of "dpop", "mtls" and "either"/],
  "an unknown proof algorithm": [{ proof: { algorithms: ["HS256"] } }, /^proof\.algorithms: "HS256" is not known; there are ES256,/],
  "an algorithm in another case": [{ proof: { algorithms: ["es256"] } }, /^proof\.algorithms: "es256" is not known/],
  "the algorithm none": [{ proof: { algorithms: ["ES256", "none"] } }, /^proof\.algorithms: "none"/],
  "no proof algorithms": [{ proof: { algorithms: [] } }, /^proof\.algorithms: the list is empty/],
  "a maxAge that is no number": [{ proof: { maxAge: "300" } }, /^proof\.maxAge: must be a whole number/],
  "a negative maxFuture": [{ proof: { maxFuture: -1 } }, /^proof\.maxFuture/],
  "an endless maxAge": [{ proof: { maxAge: Infinity } }, /^proof\.maxAge/],
  "a fraction of an octet": [{ proof: { maxProofBytes: 0.5 } }, /^proof\.maxProofBytes/],
  "a maxJtiBytes that is none": [{ proof: { maxJtiBytes: NaN } }, /^proof\.maxJtiBytes/],
  "an unknown token algorithm": [{ tokens: edge.jwtTokens({ algorithms: ["ES256K"] }) }, /^tokens\.algorithms: "ES256K"/],
  "no token algorithms": [{ tokens: edge.jwtTokens({ algorithms: [] }) }, /^tokens\.algorithms: the list is empty/],
  "an unknown profile": [{ tokens: edge.jwtTokens({ profile: "azure" }) }, /^tokens\.profile: "azure" is not known; there are rfc9068/],
  "types that are no list": [{ tokens: edge.jwtTokens({ types: "JWT" }) }, /^tokens\.types/],
  "a key set's URL as text": [{ tokens: edge.jwtTokens({ jwks: "https://as.example/jwks" }) }, /^tokens\.jwks: give a key set .* or a URL object/],
  "a key set that is none": [{ tokens: edge.jwtTokens({ jwks: [] }) }, /^tokens\.jwks/],
  "a key set without keys": [{ tokens: edge.jwtTokens({ jwks: { keys: {} } }) }, /^tokens\.jwks/],
  "null for a key set": [{ tokens: edge.jwtTokens({ jwks: null }) }, /^tokens\.jwks/],
  "a key set's URL without https": [{ tokens: edge.jwtTokens({ jwks: new URL("http://as.example/jwks") }) }, /^tokens\.jwks: .* must be an https URL/],
  "a token source that cannot resolve": [{ tokens: {} }, /^tokens: give jwtTokens\(\) or a source with a resolve method/],
  "jwtTokens itself": [{ tokens: edge.jwtTokens }, /^tokens: give jwtTokens\(\)/],
  "a store without claim": [{ replay: {} }, /^replay: give a store with a claim method, or "external"/],
  "a word for a store": [{ replay: "memory" }, /^replay: give a store/],
  "a function for a store": [{ replay: edge.memoryReplay }, /^replay: give a store/],
  "a source that was not called": [{ certificates: [edge.certificates.cloudflare] }, /^certificates: give sources .* certificates\.cloudflare\(\)/],
  "no source in the list": [{ certificates: [undefined] }, /^certificates: give sources/],
  "one origin instead of a list": [{ cors: { origins: "https://app.example" } }, /^cors\.origins: give "\*" or a list/],
  "no origins": [{ cors: {} }, /^cors\.origins/],
  "an origin with a slash": [{ cors: { origins: ["https://app.example/"] } }, /^cors\.origins: "https:\/\/app.example\/" is no origin/],
  "an origin without a scheme": [{ cors: { origins: ["app.example"] } }, /^cors\.origins/],
  "an origin in capitals": [{ cors: { origins: ["https://App.example"] } }, /^cors\.origins/],
  "an origin with its default port": [{ cors: { origins: ["https://app.example:443"] } }, /^cors\.origins/],
  "a star among origins": [{ cors: { origins: ["*"] } }, /^cors\.origins/],
  "a pattern for origins": [{ cors: { origins: [/app/] } }, /^cors\.origins/],
  "a cors.maxAge that is none": [{ cors: { origins: "*", maxAge: -1 } }, /^cors\.maxAge/],
  "resourceMetadata that is no URL": [{ resourceMetadata: "/meta" }, /^resourceMetadata: "\/meta" is no absolute URL/],
  "resourceMetadata that fits no field": [{ resourceMetadata: "https://api.example/ü\n" }, /^resourceMetadata: .*percent-encoded/],
  "another crypto": [{ crypto: "node" }, /^crypto: give "webcrypto"/],
  "a clock that is no function": [{ now: Date.now() }, /^now: give a function/],
  "an onDecision that is none": [{ onDecision: console }, /^onDecision: give a function/],
};

for (const [what, [options, message]] of Object.entries(MISTAKES)) {
  test(`${what} is refused`, () => {
    assert.throws(() => make(options), (error) => {
      assert.ok(error instanceof TypeError || error instanceof RangeError, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}

test("nothing at all is refused", () => {
  for (const options of [undefined, null, {}]) assert.throws(() => edge.createResourceServer(options), TypeError);
});

describe("what is good is taken", () => {
  const GOOD = [
    { issuer: "http://localhost:3000" },
    { issuer: "http://127.0.0.1:3000/realm" },
    { issuer: "http://[::1]:3000" },
    { issuer: "http://as.localhost" },
    { issuer: [ISSUER, "https://two.example"], audience: ["a", "b"] },
    { cors: { origins: [] } },
    { cors: { origins: ["https://app.example", "http://localhost:5173", "capacitor://localhost", "chrome-extension://abcdef", "https://[::1]:8443"] } },
    { tokens: edge.jwtTokens({ jwks, types: ["custom+jwt"], algorithms: ["ES256"] }) },
    { tokens: edge.jwtTokens({ jwks: new URL("http://localhost:3000/jwks") }) },
    { proof: {}, cache: {}, proofOfPossession: {}, certificates: [], nonce: undefined, replay: undefined },
    { resourceMetadata: "https://api.example/.well-known/oauth-protected-resource?a=%C3%BC" },
    { crypto: "webcrypto", replay: "external" },
  ];
  for (const options of GOOD) test(JSON.stringify(options), () => void make(options));
});

test("lists are taken as they were when the server was made", async () => {
  const algorithms = ["ES256"];
  const world = await makeWorld({ proof: { algorithms } });
  algorithms[0] = "Ed25519";
  assert.equal((await world.ask()).ok, true);
});

test("metadata() says what the options say (RFC 9728)", () => {
  assert.deepEqual(make({}).metadata("https://api.example"), {
    resource: "https://api.example",
    authorization_servers: [ISSUER],
    bearer_methods_supported: ["header"],
    dpop_signing_alg_values_supported: ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519"],
    dpop_bound_access_tokens_required: false,
    tls_client_certificate_bound_access_tokens: false,
  });
  const strict = make({ proof: { algorithms: ["ES256"] }, proofOfPossession: { mechanism: "dpop" } }).metadata("https://api.example");
  assert.deepEqual([strict.dpop_signing_alg_values_supported, strict.dpop_bound_access_tokens_required], [["ES256"], true]);
  const mtls = make({ proofOfPossession: { mechanism: "mtls" }, certificates: [edge.certificates.cloudflare()] }).metadata("https://api.example");
  assert.deepEqual([mtls.tls_client_certificate_bound_access_tokens, "dpop_signing_alg_values_supported" in mtls], [true, false]);
});
