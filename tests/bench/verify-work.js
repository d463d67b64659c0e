// What is timed, in batches and one request after another: decisions in several states of the caches, those of peers, and limits.
import { calculateJwkThumbprint, createLocalJWKSet, EmbeddedJWK, jwtVerify } from "jose";
import { customFetch, jwksCache, validateJwtAccessToken } from "oauth4webapi";

const ISSUER = "https://as.example";
const AUDIENCE = "https://api.example";
const RESOURCE = "https://api.example/orders";

const IMPORT = {
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  EdDSA: { name: "Ed25519" },
  Ed25519: { name: "Ed25519" },
};
const VERIFY = { ES256: { name: "ECDSA", hash: "SHA-256" }, RS256: "RSASSA-PKCS1-v1_5", EdDSA: "Ed25519", Ed25519: "Ed25519" };

const text = new TextEncoder();
const octets = (encoded) => Uint8Array.from(atob(encoded.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
const json = (encoded) => JSON.parse(new TextDecoder().decode(octets(encoded)));
const requestOf = ([token, proof]) => new Request(RESOURCE, { headers: { authorization: `DPoP ${token}`, dpop: proof } });

/** Signature and message, taken apart beforehand: a limit is the platform's work and nothing else. */
function spanOf(jws) {
  const dot = jws.lastIndexOf(".");
  return { signature: octets(jws.slice(dot + 1)), message: text.encode(jws.slice(0, dot)) };
}

const good = (verdict) => {
  if (!verdict) throw new Error("a signature does not verify");
};

/**
 * The kinds of work on what verify-material.mjs makes, by name, with the package, and with signatures that are good
 * at once. Each does a part of its requests.
 */
export async function makeWork({ createResourceServer, jwtTokens, memoryReplay }, instant, { jwks, tokenAlg, proofAlg, known, warm, key, cold }) {
  const { subtle } = crypto;
  const server = (signatures = "webcrypto") =>
    createResourceServer({
      crypto: signatures,
      issuer: ISSUER,
      audience: AUDIENCE,
      tokens: jwtTokens({ jwks }),
      replay: memoryReplay({ maxPerKey: 1_000_000 }),
      cache: { tokens: 20_000, keys: 20_000 },
    });
  const each = async (list, from, to, act) => {
    for (let index = from; index < to; index += 1) await act(list[index]);
  };
  const decide = async (keybound, request) => {
    const decision = await keybound.authenticate(requestOf(request));
    if (!decision.ok) throw new Error(decision.reason);
  };

  // Each state of the caches has a server of its own, which saw one request of each client.
  const servers = { warm: server(), key: server(), cold: server(), module: server(instant) };
  for (const request of known) {
    await decide(servers.warm, request);
    await decide(servers.key, request);
    await decide(servers.module, request);
  }

  // A limit: keys imported, messages and signatures as octets.
  const tokenKey = await subtle.importKey("jwk", jwks.keys[0], IMPORT[tokenAlg], false, ["verify"]);
  const importProofKey = (jwk) => subtle.importKey("jwk", jwk, IMPORT[proofAlg], false, ["verify"]);
  const spans = await Promise.all(
    cold.map(async ([token, proof]) => {
      const { jwk } = json(proof.slice(0, proof.indexOf(".")));
      return { token: spanOf(token), proof: spanOf(proof), jwk, proofKey: await importProofKey(jwk) };
    }),
  );
  const verify = (alg, imported, { signature, message }) => subtle.verify(VERIFY[alg], imported, signature, message);

  // oauth4webapi: the whole of what it has for a resource server. It keeps the issuer's key set, and has no replay store.
  const metadata = { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` };
  const peer = { requireDPoP: true, [customFetch]: async () => Response.json(jwks), [jwksCache]: { jwks, uat: Math.floor(Date.now() / 1000) } };

  // jose: RFC 9449 §4.3 as one writes it with it, without a replay store.
  const keySet = createLocalJWKSet(jwks);
  const recipe = async (request) => {
    const [scheme, token] = request.headers.get("authorization").split(" ");
    if (scheme !== "DPoP") throw new Error("no DPoP token");
    const { payload } = await jwtVerify(token, keySet, { issuer: ISSUER, audience: AUDIENCE, typ: "at+jwt" });
    const { payload: proof, protectedHeader } = await jwtVerify(request.headers.get("dpop"), EmbeddedJWK, { typ: "dpop+jwt", maxTokenAge: 300 });
    const target = new URL(request.url);
    const ath = btoa(String.fromCharCode(...new Uint8Array(await subtle.digest("SHA-256", text.encode(token)))));
    if (proof.ath !== ath.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "")) throw new Error("ath");
    if (proof.htm !== request.method || proof.htu !== `${target.origin}${target.pathname}` || typeof proof.jti !== "string") throw new Error("proof");
    if (payload.cnf?.jkt !== (await calculateJwkThumbprint(protectedHeader.jwk))) throw new Error("jkt");
  };

  return {
    /** What a batch costs in itself. */
    nothing: (from, to) => each(warm, from, to, async () => {}),
    /** Requests alone, which every kind but the limits makes as well. */
    requests: (from, to) => each(warm, from, to, async (request) => requestOf(request).method.length),
    warm: (from, to) => each(warm, from, to, (request) => decide(servers.warm, request)),
    key: (from, to) => each(key, from, to, (request) => decide(servers.key, request)),
    cold: (from, to) => each(cold, from, to, (request) => decide(servers.cold, request)),
    /** A warm decision with signatures that are good at once: what is left is ours. */
    module: (from, to) => each(warm, from, to, (request) => decide(servers.module, request)),
    one: (from, to) => each(spans, from, to, async ({ proof, proofKey }) => good(await verify(proofAlg, proofKey, proof))),
    two: (from, to) =>
      each(spans, from, to, async ({ token, proof, proofKey }) => {
        const verdicts = await Promise.all([verify(tokenAlg, tokenKey, token), verify(proofAlg, proofKey, proof)]);
        good(verdicts[0] && verdicts[1]);
      }),
    importAndTwo: (from, to) =>
      each(spans, from, to, async ({ token, proof, jwk }) => {
        const checked = importProofKey(jwk).then((imported) => verify(proofAlg, imported, proof));
        const verdicts = await Promise.all([verify(tokenAlg, tokenKey, token), checked]);
        good(verdicts[0] && verdicts[1]);
      }),
    oauth4webapi: (from, to) => each(warm, from, to, (request) => validateJwtAccessToken(metadata, requestOf(request), AUDIENCE, peer)),
    jose: (from, to) => each(warm, from, to, (request) => recipe(requestOf(request))),
  };
}
