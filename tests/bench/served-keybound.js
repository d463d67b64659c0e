// The worker of the benchmarks with keybound, as its documentation has it: made once, at module scope, all by default.
import { env } from "cloudflare:workers";
import { createResourceServer, jwtTokens } from "@keybound/edge";

const api = createResourceServer({ issuer: "https://as.example", audience: env.audience, tokens: jwtTokens({ jwks: env.jwks }) });

export default {
  async fetch(request) {
    const auth = await api.authenticate(request);
    if (!auth.ok) return auth.response();
    return auth.finish(Response.json({ hello: auth.claims.sub }));
  },
};
