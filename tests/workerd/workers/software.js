// An API and a token endpoint with software signatures, in a runtime that has lost its SubtleCrypto.
import { env } from "cloudflare:workers";
import { createResourceServer, createTokenEndpoint, jwtTokens } from "./edge/workerd.js";
import { wasmSignatures } from "./edge/wasm-signatures-workerd.js";

delete globalThis.crypto;
if (globalThis.crypto !== undefined) throw new Error("crypto is still there");

const common = { publicUrl: "https://api.example", crypto: wasmSignatures };
const api = createResourceServer({ ...common, issuer: env.ISSUER, audience: "https://api.example", tokens: jwtTokens({ jwks: env.JWKS }) });
const endpoint = createTokenEndpoint(common);

export default {
  async fetch(request) {
    const decision = request.method === "POST" ? await endpoint.bind(request) : await api.authenticate(request);
    if (!decision.ok) return decision.response({ headers: { "x-reason": decision.reason } });
    return decision.finish(Response.json(decision.cnf ?? decision.binding));
  },
};
