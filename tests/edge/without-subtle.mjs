// A runtime without SubtleCrypto, in a process of its own: decides about the requests in standard input, and prints the outcomes.
// A request without a token is one to the token endpoint; the last proof is verified by itself as well.
import { text } from "node:stream/consumers";
import { dist } from "../support/paths.mjs";

delete globalThis.crypto;
if (globalThis.crypto !== undefined) throw new Error("crypto is still there");

const { crypto: provider, issuer, audience, jwks, now, requests, url } = JSON.parse(await text(process.stdin));
const edge = await import(`${dist.edge}/index.js`);
const { wasmSignatures } = await import(`${dist.edge}/wasm-signatures.js`);
const crypto = provider === "wasm" ? wasmSignatures : provider;

const server = edge.createResourceServer({ issuer, audience, tokens: edge.jwtTokens({ jwks }), now: () => now, crypto });
const endpoint = edge.createTokenEndpoint({ now: () => now, crypto });
const outcomes = [];
for (const { token, proof } of requests) {
  const decision =
    token === undefined
      ? await endpoint.bind(new Request(url, { headers: { dpop: proof } }))
      : await server.authenticate(new Request(url, { headers: { authorization: `DPoP ${token}`, dpop: proof } }));
  outcomes.push(decision.ok ? "ok" : decision.reason);
}
const verified = await edge.verifyProof(requests.at(-1).proof, { method: "GET", url, now, crypto });
console.log(JSON.stringify([...outcomes, verified.ok ? "ok" : verified.reason]));
