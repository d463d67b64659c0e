// An API whose replay marks are kept in Durable Objects, as the documentation tells it.
import { env } from "cloudflare:workers";
import { createResourceServer, durableObjectReplay, jwtTokens } from "./edge/workerd.js";

export { ReplayShard } from "./edge/cloudflare.js";

const api = createResourceServer({
  issuer: env.ISSUER,
  audience: "https://api.example",
  tokens: jwtTokens({ jwks: env.JWKS }),
  publicUrl: "https://api.example",
  replay: durableObjectReplay(env.BROKEN ? { idFromName: String, get: () => ({ fetch: async () => new Response("no", { status: 500 }) }) } : env.REPLAY),
});

export default {
  async fetch(request) {
    const decision = await api.authenticate(request);
    if (!decision.ok) return decision.response({ headers: { "x-reason": decision.reason } });
    return decision.finish(Response.json({ sub: decision.claims.sub }));
  },
};
