// Both roles in a worker without a framework, for pages of one other origin.
import { env } from "cloudflare:workers";
import { createResourceServer, createTokenEndpoint, jwtTokens } from "./edge/workerd.js";

const common = { cors: { origins: [env.PAGE], maxAge: 0 }, nonce: { secrets: [env.SECRET] } };
const api = createResourceServer({ issuer: env.ISSUER, audience: env.AUDIENCE, tokens: jwtTokens({ jwks: env.JWKS }), ...common });
const endpoint = createTokenEndpoint(common);

const answers = {
  async "/token"(request) {
    const preflight = endpoint.preflight(request);
    if (preflight) return preflight;
    const binding = await endpoint.bind(request, { clientType: "public" });
    if (!binding.ok) return binding.response();
    return binding.finish(Response.json({ access_token: "t", token_type: binding.tokenType, cnf: binding.cnf }));
  },
  async "/orders"(request) {
    const preflight = api.preflight(request);
    if (preflight) return preflight;
    const auth = await api.authenticate(request);
    if (!auth.ok) return auth.response();
    if (request.method === "DELETE") return auth.forbid("admin");
    return auth.finish(Response.json({ sub: auth.claims.sub, body: await request.text() }));
  },
};

export default { fetch: (request) => answers[new URL(request.url).pathname](request) };
