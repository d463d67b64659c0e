// The good request that every case starts from: a client, its token and proof, and where it goes. And how that becomes a `Request`.
import { createHash } from "node:crypto";
import { key, thumbprint } from "../conformance/generator/keys.mjs";
import { Jwt } from "./jwt.mjs";
import { Members } from "./members.mjs";

export const NOW = 1_800_000_000;
export const ISSUER = "https://as.example";
export const AUDIENCE = "https://api.example";
/** Both sides take these, for proofs and for tokens. */
export const ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519"];
/** The window of oauth4webapi, which is not to be configured. */
export const WINDOW = 300;

/** Mostly the usual key; some of each other kind. */
const CLIENTS = [
  ...Array(30).fill(["client", "ES256"]), ...Array(4).fill(["other", "ES256"]), ...Array(2).fill(["p256-x-zero", "ES256"]), ["p384", "ES384"], ["p521", "ES512"],
  ["rsa", "RS256"], ["rsa", "PS256"], ["ed25519", "EdDSA"], ["ed25519", "Ed25519"],
];
const ISSUERS = [...Array(20).fill(["issuer", "ES256"]), ["issuer-rsa", "RS256"], ["rsa-e3", "PS256"], ["issuer-ed25519", "EdDSA"], ["issuer-p384", "ES384"]];

export const JWKS = {
  keys: [
    { ...key("issuer").jwk, kid: "issuer", alg: "ES256", use: "sig" },
    // Names no algorithm.
    { ...key("issuer-rsa").jwk, kid: "issuer-rsa" },
    { ...key("rsa-e3").jwk, kid: "rsa-e3", alg: "PS256" },
    { ...key("issuer-ed25519").jwk, kid: "issuer-ed25519", alg: "EdDSA" },
    { ...key("issuer-p384").jwk, kid: "issuer-p384", key_ops: ["verify"] },
    { ...key("issuer-enc").jwk, kid: "issuer-enc", use: "enc" },
  ],
};

const TARGETS = [
  "https://api.example/orders",
  "https://api.example/orders?page=2",
  "https://api.example/",
  "https://api.example:8443/a/b%20c/~x",
  "https://api.example/a%2Fb/%7Euser/%c3%a9",
  "https://api.example/Orders;v=1,2/(x)'!$&*+=:@",
  "https://api.example/a|b/c",
  "https://[2001:db8::1]/v1",
  "https://xn--bcher-kva.example/x",
  "https://192.0.2.7/x",
  "http://localhost:8787/orders",
  "http://127.0.0.1/orders",
];

export const sha256 = (text) => createHash("sha256").update(text).digest("base64url");

/** The request before it is mutated. `random` chooses who, how and where. */
export function goodScenario(random) {
  const [client, algorithm] = random.pick(CLIENTS);
  const [issuer, issuerAlgorithm] = random.pick(ISSUERS);
  const scenario = {
    client,
    /** Whether the token is bound to the key as the proof spells it, not as it should be spelt. */
    boundAsSpelt: false,
    /** Whether the token is other than the usual one of this client and issuer. */
    tokenTouched: false,
    method: random.pick(["GET", "GET", "GET", "POST", "PUT", "DELETE", "PATCH", "patch", "QUERY"]),
    url: random.chance(0.7) ? TARGETS[0] : random.pick(TARGETS),
    certificate: undefined,
    scheme: "DPoP",
    gap: " ",
    /** Functions on the text of a field; `fields` on the list of all. */
    authorization: [],
    dpop: [],
    fields: [],
  };
  scenario.token = new Jwt({
    header: Members.of({ alg: issuerAlgorithm, typ: "at+jwt", kid: issuer }),
    payload: Members.of({
      iss: ISSUER, aud: AUDIENCE, sub: "alice", client_id: "app", jti: `token-${random.below(20)}`, iat: NOW, exp: NOW + 3600,
      cnf: Members.of({ jkt: ({ jkt }) => JSON.stringify(jkt) }),
    }),
    key: key(issuer).private,
    algorithm: issuerAlgorithm,
  });
  scenario.proof = new Jwt({
    header: Members.of({ typ: "dpop+jwt", alg: algorithm, jwk: Members.of(key(client).jwk) }),
    payload: Members.of({
      jti: `proof-${random.below(2 ** 32)}`, htm: scenario.method, htu: ({ htu }) => JSON.stringify(htu), iat: NOW - random.below(60),
      ath: ({ token }) => JSON.stringify(sha256(token)),
    }),
    key: key(client).private,
    algorithm,
  });
  return scenario;
}

/** Tokens that nothing was done to are made once, so that both sides meet them again as they do in real life. */
const usualTokens = new Map();

/** `{ request, context, fields }` of a scenario. */
export function render(scenario) {
  const { proof, client } = scenario;
  const jkt = scenario.boundAsSpelt ? thumbprintAsSpelt(proof) : key(client).jkt;
  const token = scenario.tokenTouched || scenario.boundAsSpelt ? scenario.token.render({ jkt }) : usualToken(scenario, jkt);
  const authorization = scenario.authorization.reduce((text, change) => change(text), `${scenario.scheme}${scenario.gap}${token}`);
  const htu = scenario.url.replace(/[?#].*$/, "");
  const dpop = scenario.dpop.reduce((text, change) => change(text), proof.render({ token, jkt, htu }));
  const fields = scenario.fields.reduce((list, change) => change(list), [["Authorization", authorization], ["DPoP", dpop]]);
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  const context = scenario.certificate === undefined ? undefined : { certificate: scenario.certificate };
  return { request: new Request(scenario.url, { method: scenario.method, headers }), context, fields, token, proof: dpop };
}

function usualToken({ token, client }, jkt) {
  const name = `${client} ${token.algorithm} ${token.payload.get("jti")}`;
  if (!usualTokens.has(name)) usualTokens.set(name, token.render({ jkt }));
  return usualTokens.get(name);
}

function thumbprintAsSpelt(proof) {
  try {
    return thumbprint(JSON.parse(proof.header.text({})).jwk);
  } catch {
    return "none";
  }
}
