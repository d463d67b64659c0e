// An API with its server at module scope, as the documentation tells it.
import { env } from "cloudflare:workers";
import { certificates, createResourceServer, jwtTokens } from "./edge/workerd.js";

const api = createResourceServer({
  issuer: env.ISSUER,
  audience: "https://api.example",
  tokens: jwtTokens(env.JWKS ? { jwks: env.JWKS } : {}),
  publicUrl: "https://api.example",
  certificates: [certificates.cloudflare()],
  cors: { origins: ["https://app.example"] },
  ...env.OPTIONS,
});

export default {
  async fetch(request, _env, context) {
    // There where the runtime was started with --expose-gc.
    if (request.method === "PURGE") return new Response(String(globalThis.gc?.()));
    const preflight = api.preflight(request);
    if (preflight) return preflight;
    const decision = await api.authenticate(request, env.WAIT_UNTIL ? { waitUntil: context.waitUntil.bind(context) } : {});
    if (!decision.ok) return decision.response({ headers: { "x-reason": decision.reason } });
    return decision.finish(Response.json({ sub: decision.claims.sub, binding: decision.binding }));
  },
};
