// What tests of @keybound/edge share: an issuer, clients with keys, a clock that stands still, and a reader of challenges.
import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { dist } from "../support/paths.mjs";

export const ISSUER = "https://as.example";
export const AUDIENCE = "https://api.example";
export const RESOURCE = "https://api.example/orders";
export const START = 1_800_000_000;

export const edge = await import(pathToFileURL(join(dist.edge, "index.js")).href).catch((cause) => {
  throw new Error("dist/edge is not there: run `cargo xtask build edge` first", { cause });
});
// What is made by hand, outside a server, needs the module to be there.
await edge.init();

/** A clock that tests set. */
export function makeClock(at = START) {
  const clock = { at, now: () => clock.at, forward: (seconds) => (clock.at += seconds) };
  return clock;
}

/** An authorization server's signing key, its published set, and the tokens that it makes. */
export async function makeIssuer({ issuer = ISSUER, kid = "k1", alg = "ES256" } = {}) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
  const token = ({ now = START, header = {}, ...claims } = {}) =>
    new SignJWT({
      iss: issuer, aud: AUDIENCE, sub: "alice", client_id: "app", jti: randomUUID(), iat: now, exp: now + 3600, ...claims,
    })
      .setProtectedHeader({ alg, typ: "at+jwt", kid, ...header })
      .sign(privateKey);
  return { issuer, jwk, jwks: { keys: [jwk] }, token, privateKey };
}

/** A client's key and the proofs made with it. */
export async function makeClient(alg = "ES256") {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const jkt = await calculateJwkThumbprint(jwk);
  const proof = ({ token, method = "GET", url = RESOURCE, now = START, nonce, header = {}, ...claims } = {}) =>
    new SignJWT({
      jti: randomUUID(), htm: method, htu: url, iat: now,
      ...(token !== undefined && { ath: hash(token) }),
      ...(nonce !== undefined && { nonce }),
      ...claims,
    })
      .setProtectedHeader({ alg, typ: "dpop+jwt", jwk, ...header })
      .sign(privateKey);
  return { alg, jwk, jkt, proof, publicKey, privateKey, cnf: { jkt } };
}

export const hash = (text) => createHash("sha256").update(text).digest("base64url");

/** A request that presents a token; `scheme` and `headers` as given. */
export function makeRequest({ token, proof, scheme = "DPoP", url = RESOURCE, method = "GET", headers = {}, cf } = {}) {
  const request = new Request(url, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `${scheme} ${token}` }),
      ...(proof !== undefined && { dpop: proof }),
      ...headers,
    },
  });
  if (cf !== undefined) Object.defineProperty(request, "cf", { value: cf });
  return request;
}

/**
 * A server with an issuer's keys, a client with a token of that issuer, and a clock. `ask()` makes a good request with a new
 * proof and gives the decision; what is given to it changes the proof (`nonce`, `claims`), the request or the context.
 */
export async function makeWorld(options = {}, { claims = {}, client: own } = {}) {
  const { tokens: tokenOptions, ...rest } = options;
  const clock = makeClock();
  const issuer = await makeIssuer();
  const client = own ?? (await makeClient());
  const server = edge.createResourceServer({
    issuer: ISSUER,
    audience: AUDIENCE,
    tokens: tokenOptions ?? edge.jwtTokens({ jwks: issuer.jwks }),
    now: clock.now,
    ...rest,
  });
  const token = await issuer.token({ cnf: client.cnf, ...claims });
  const world = { clock, issuer, client, server, token };
  world.request = async ({ nonce, proof: proofClaims = {}, token: other, ...request } = {}) => {
    const presented = other ?? world.token;
    const { url, method } = request;
    const proof = await client.proof({
      token: presented, now: clock.at, nonce,
      ...(url !== undefined && { url }),
      ...(method !== undefined && { method }),
      ...proofClaims,
    });
    return makeRequest({ token: presented, proof, ...request });
  };
  world.ask = async ({ context, ...about } = {}) => server.authenticate(await world.request(about), context);
  return world;
}

/** The challenges of an answer (RFC 9110 §11.6.1): `{ scheme, parameters }`, each parameter's name once. */
export function challengesOf(response) {
  const field = response.headers.get("www-authenticate") ?? "";
  const challenges = [];
  const part = /\s*(?:([A-Za-z][\w-]*)\s*=\s*"((?:[^"\\]|\\.)*)"|([A-Za-z][\w-]*))\s*(,|(?=[A-Za-z])|$)/y;
  while (part.lastIndex < field.length) {
    const match = part.exec(field);
    if (match === null) throw new Error(`no challenge: ${field}`);
    const [, name, value, scheme] = match;
    if (scheme !== undefined) {
      challenges.push({ scheme, parameters: {} });
      continue;
    }
    const { parameters } = challenges.at(-1);
    if (name in parameters) throw new Error(`${name} stands twice: ${field}`);
    parameters[name] = value.replace(/\\(.)/g, "$1");
  }
  return challenges;
}

/** The challenges by scheme. */
export const challengesByScheme = (response) =>
  Object.fromEntries(challengesOf(response).map(({ scheme, parameters }) => [scheme, parameters]));

/** The members of a list field, in lower case. */
export const listOf = (headers, name) =>
  (headers.get(name) ?? "").split(",").map((value) => value.trim().toLowerCase()).filter((value) => value !== "");
