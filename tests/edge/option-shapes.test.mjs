// Options of a wrong type or a wrong name are found where they are given, in both roles: none is taken for nothing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AUDIENCE, ISSUER, edge } from "./support.mjs";

const SECRET = "s".repeat(32);
const checker = { required: true, current: () => "n", check: () => "current" };
const ROLES = {
  "a resource server": (options) => edge.createResourceServer({ issuer: ISSUER, audience: AUDIENCE, ...options }),
  "a token endpoint": (options) => edge.createTokenEndpoint(options),
};

/** Values of every type. */
const NUMBERS = [0, 1, -1, NaN, 0.5, Infinity];
const TEXTS = ["", "x"];
const LISTS = [[], [null], [5]];
const ANY = [null, ...NUMBERS, ...TEXTS, true, false, ...LISTS, {}, () => 1, Symbol("x"), 10n];
const anyBut = (...good) => ANY.filter((value) => !good.some((one) => Object.is(one, value) || one === typeof value));

/** What is said begins with the option's name. */
const BOTH = {
  proof: ["proof", (value) => ({ proof: value }), anyBut("object").concat([null], LISTS)],
  "proof.algorithms": ["proof\\.algorithms", (value) => ({ proof: { algorithms: value } }), ANY],
  "proof.maxAge": ["proof\\.maxAge", (value) => ({ proof: { maxAge: value } }), anyBut(0, 1)],
  "proof.maxFuture": ["proof\\.maxFuture", (value) => ({ proof: { maxFuture: value } }), anyBut(0, 1)],
  "proof.maxProofBytes": ["proof\\.maxProofBytes", (value) => ({ proof: { maxProofBytes: value } }), anyBut(1)],
  "proof.maxJtiBytes": ["proof\\.maxJtiBytes", (value) => ({ proof: { maxJtiBytes: value } }), anyBut(1)],
  "a slip in proof": ['proof: "maxage" is not known; there are algorithms, maxAge', (value) => ({ proof: { maxage: value } }), ANY],
  nonce: ["nonce", (value) => ({ nonce: value }), ANY],
  "nonce.secrets": ["nonce\\.secrets", (value) => ({ nonce: { secrets: value } }), ANY],
  "one of nonce.secrets": ["nonce\\.secrets", (value) => ({ nonce: { secrets: [SECRET, value] } }), ANY],
  "nonce.required": ["nonce\\.required: give true or false", (value) => ({ nonce: { secrets: [SECRET], required: value } }), anyBut(true, false)],
  "nonce.window": ["nonce\\.window", (value) => ({ nonce: { secrets: [SECRET], window: value } }), anyBut(1)],
  "a slip in nonce": ['nonce: "secret" is not known', (value) => ({ nonce: { secrets: [SECRET], secret: value } }), ANY],
  "a checker's required": ["nonce\\.required", (value) => ({ nonce: { ...checker, required: value } }), anyBut(true, false).concat(undefined)],
  "a checker's current": ["nonce\\.current: give a function", (value) => ({ nonce: { ...checker, current: value } }), anyBut("function").concat(undefined)],
  "a checker's check": ["nonce\\.check: give a function", (value) => ({ nonce: { ...checker, check: value } }), anyBut("function").concat(undefined)],
  replay: ["replay", (value) => ({ replay: value }), ANY],
  certificates: ["certificates", (value) => ({ certificates: value }), ANY.filter((value) => value?.length !== 0 || typeof value === "string")],
  "one of certificates": ["certificates", (value) => ({ certificates: [value] }), ANY],
  publicUrl: ["publicUrl", (value) => ({ publicUrl: value }), anyBut("function")],
  cors: ["cors", (value) => ({ cors: value }), ANY],
  "cors.origins": ["cors\\.origins", (value) => ({ cors: { origins: value } }), ANY.filter((value) => !(Array.isArray(value) && value.length === 0))],
  "cors.methods": ["cors\\.methods", (value) => ({ cors: { origins: "*", methods: value } }), ANY.filter((value) => !(Array.isArray(value) && value.length === 0)).concat([["GET, POST"]], [["GET\r\nX: y"]])],
  "cors.headers": ["cors\\.headers", (value) => ({ cors: { origins: "*", headers: value } }), ANY.filter((value) => !(Array.isArray(value) && value.length === 0)).concat([["X-A: b"]])],
  "cors.maxAge": ["cors\\.maxAge", (value) => ({ cors: { origins: "*", maxAge: value } }), anyBut(0, 1)],
  "a slip in cors": ['cors: "origin" is not known', (value) => ({ cors: { origins: "*", origin: value } }), ANY],
  crypto: ["crypto", (value) => ({ crypto: value }), ANY],
  now: ["now", (value) => ({ now: value }), anyBut("function")],
  "a slip": ['options: "nonces" is not known; there are ', (value) => ({ nonces: value }), ANY],
};

const RESOURCE_SERVER = {
  issuer: ["issuer", (value) => ({ issuer: value }), ANY],
  audience: ["audience", (value) => ({ audience: value }), anyBut("x")],
  tokens: ["tokens", (value) => ({ tokens: value }), ANY],
  proofOfPossession: ["proofOfPossession", (value) => ({ proofOfPossession: value }), anyBut("object").concat([null], LISTS)],
  "proofOfPossession.required": ["proofOfPossession\\.required", (value) => ({ proofOfPossession: { required: value } }), anyBut(true, false)],
  "proofOfPossession.clientType": ["proofOfPossession\\.clientType", (value) => ({ proofOfPossession: { requiredFor: "public_clients", clientType: value } }), anyBut("function")],
  "a slip in proofOfPossession": ['proofOfPossession: "require" is not known', (value) => ({ proofOfPossession: { require: value } }), ANY],
  resourceMetadata: ["resourceMetadata", (value) => ({ resourceMetadata: value }), ANY.concat([["https://a.example"]])],
  cache: ["cache", (value) => ({ cache: value }), anyBut("object").concat([null], LISTS)],
  "cache.tokens": ["cache\\.tokens", (value) => ({ cache: { tokens: value } }), anyBut(0, 1)],
  "cache.keys": ["cache\\.keys", (value) => ({ cache: { keys: value } }), anyBut(0, 1)],
  onDecision: ["onDecision", (value) => ({ onDecision: value }), anyBut("function")],
  jwtTokens: ["tokens", (value) => ({ tokens: edge.jwtTokens(value) }), anyBut("object").concat([null], LISTS)],
  "jwtTokens.jwks": ["tokens\\.jwks", (value) => ({ tokens: edge.jwtTokens({ jwks: value }) }), ANY],
  "jwtTokens.algorithms": ["tokens\\.algorithms", (value) => ({ tokens: edge.jwtTokens({ algorithms: value }) }), ANY],
  "jwtTokens.types": ["tokens\\.types", (value) => ({ tokens: edge.jwtTokens({ types: value }) }), ANY.filter((value) => !(Array.isArray(value) && value.length === 0))],
  "jwtTokens.fetch": ["tokens\\.fetch", (value) => ({ tokens: edge.jwtTokens({ fetch: value }) }), anyBut("function")],
  "a slip in jwtTokens": ['tokens: "algorithm" is not known', (value) => ({ tokens: edge.jwtTokens({ algorithm: value }) }), ANY],
};

const show = (value) => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value));

for (const [role, make] of Object.entries(ROLES)) {
  describe(role, () => {
    const options = role === "a token endpoint" ? BOTH : { ...BOTH, ...RESOURCE_SERVER };
    for (const [what, [says, optionsOf, values]] of Object.entries(options)) {
      test(`refuses every odd ${what}`, () => {
        for (const value of values) {
          assert.throws(() => make(optionsOf(value)), (error) => {
            assert.ok(error instanceof TypeError || error instanceof RangeError, `${show(value)}: ${error}`);
            assert.match(error.message, new RegExp(`^${says}`), show(value));
            return true;
          }, `${show(value)} was taken`);
        }
      });
    }

    test("refuses what are no options", () => {
      for (const odd of [undefined, null, 5, "x", [], () => 1]) {
        const create = role === "a token endpoint" ? edge.createTokenEndpoint : edge.createResourceServer;
        assert.throws(() => create(odd), /^TypeError: options: give an object/);
      }
    });

    test("takes what may be left out as undefined", () => {
      for (const name of ["proof", "nonce", "replay", "certificates", "publicUrl", "cors", "crypto", "now"]) make({ [name]: undefined });
      make({ proof: { maxAge: undefined }, nonce: { secrets: [SECRET], required: undefined, window: undefined } });
    });

    test("takes a checker that is an object of a class", () => {
      class Checker {
        get required() { return true; }
        current() { return "n"; }
        check() { return "current"; }
      }
      make({ nonce: new Checker() });
    });
  });
}

describe("what is given to a server", () => {
  const namespace = { idFromName() {}, get() {} };
  const asked = { endpoint: new URL("https://as.example/introspect"), authenticate: (request) => request };
  const MAKERS = {
    memoryReplay: [(options) => edge.memoryReplay(options), { maxentries: 5 }, "maxEntries, maxPerKey"],
    redisReplay: [(options) => edge.redisReplay({ call() {} }, options), { prefx: "x" }, "prefix"],
    durableObjectReplay: [(options) => edge.durableObjectReplay(namespace, options), { shard: 5 }, "shards"],
    introspection: [(options) => edge.introspection(options), { ...asked, cacheSecond: 5 }, "endpoint, authenticate, fetch, cacheSeconds"],
  };
  for (const [name, [make, slip, known]] of Object.entries(MAKERS)) {
    test(`${name} refuses options that are none, and a slip in them`, () => {
      for (const odd of [null, 5, "x", [], true]) assert.throws(() => make(odd), { name: "TypeError", message: `${name}: give an object` });
      const [member] = Object.keys(slip).slice(-1);
      assert.throws(() => make(slip), { name: "TypeError", message: `${name}: "${member}" is not known; there are ${known}` });
    });
  }

  test("takes their options where they are right, or left out", () => {
    for (const [name, [make]] of Object.entries(MAKERS)) if (name !== "introspection") make(), make({});
    edge.memoryReplay({ maxEntries: 10, maxPerKey: 5 });
    edge.introspection({ ...asked, fetch: undefined, cacheSeconds: undefined });
  });
});
