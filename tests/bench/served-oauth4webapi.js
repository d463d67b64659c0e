// The worker of the benchmarks with oauth4webapi, with the issuer's keys at hand as keybound has them.
import { env } from "cloudflare:workers";
import { customFetch, jwksCache, validateJwtAccessToken } from "oauth4webapi";

const issuer = { issuer: "https://as.example", jwks_uri: "https://as.example/jwks" };
let options;

export default {
  async fetch(request) {
    // At module scope the clock stands at 0.
    options ??= {
      requireDPoP: true,
      [jwksCache]: { jwks: env.jwks, uat: Math.floor(Date.now() / 1000) },
      [customFetch]: async () => Response.json(env.jwks),
    };
    try {
      const claims = await validateJwtAccessToken(issuer, request, env.audience, options);
      return Response.json({ hello: claims.sub });
    } catch {
      return new Response(null, { status: 401, headers: { "WWW-Authenticate": 'DPoP error="invalid_token"' } });
    }
  },
};
