// What is timed, in batches: a decision with warm caches, one raw check of a signature, and a peer's decision.
import { validateJwtAccessToken, customFetch, jwksCache } from "oauth4webapi";

const ISSUER = "https://as.example";
const AUDIENCE = "https://api.example";
const RESOURCE = "https://api.example/orders";

const text = new TextEncoder();
const octets = (encoded) => Uint8Array.from(atob(encoded.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

/** The kinds of work on `{ jwks, clientJwk, token, proofs }`, by name, with the package `edge`. Each takes a part of the proofs. */
export function makeWork({ createResourceServer, jwtTokens, memoryReplay }, { jwks, clientJwk, token, proofs }) {
  const server = createResourceServer({
    issuer: ISSUER,
    audience: AUDIENCE,
    tokens: jwtTokens({ jwks }),
    replay: memoryReplay({ maxPerKey: 1_000_000 }),
  });
  const request = (proof) => new Request(RESOURCE, { headers: { authorization: `DPoP ${token}`, dpop: proof } });
  const metadata = { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` };
  const peer = {
    requireDPoP: true,
    [customFetch]: async () => Response.json(jwks),
    [jwksCache]: { jwks, uat: Math.floor(Date.now() / 1000) },
  };
  const verifyKey = crypto.subtle.importKey("jwk", clientJwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  verifyKey.catch(() => {});
  const each = async (from, to, act) => {
    for (let index = from; index < to; index += 1) await act(proofs[index]);
  };
  return {
    /** Requests alone, which every kind but `raw` makes as well. */
    requests: (from, to) => each(from, to, (proof) => request(proof).headers.get("dpop").length),
    keybound: (from, to) =>
      each(from, to, async (proof) => {
        const decision = await server.authenticate(request(proof));
        if (!decision.ok) throw new Error(decision.reason);
      }),
    raw: async (from, to) => {
      const key = await verifyKey;
      await each(from, to, async (proof) => {
        const dot = proof.lastIndexOf(".");
        const signature = octets(proof.slice(dot + 1));
        const ok = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, text.encode(proof.slice(0, dot)));
        if (!ok) throw new Error("a signature does not verify");
      });
    },
    oauth4webapi: (from, to) =>
      each(from, to, async (proof) => {
        await validateJwtAccessToken(metadata, request(proof), AUDIENCE, peer);
      }),
  };
}
