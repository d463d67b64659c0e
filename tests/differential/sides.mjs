// The two that are compared, with one clock, one set of keys and, as near as they can be brought, one policy.
import { isDeepStrictEqual } from "node:util";
import { clockTolerance, jwksCache, validateJwtAccessToken } from "oauth4webapi";
import { edge } from "../edge/support.mjs";
import { ALGORITHMS, AUDIENCE, ISSUER, JWKS, NOW, WINDOW } from "./scenario.mjs";

/** keybound as users have it. `cache` is there to be made small. */
export function keybound(build = edge, cache) {
  const server = build.createResourceServer({
    issuer: ISSUER,
    audience: AUDIENCE,
    tokens: build.jwtTokens({ jwks: JWKS, algorithms: ALGORITHMS }),
    proofOfPossession: { mechanism: "dpop", required: true },
    proof: { algorithms: ALGORITHMS, maxAge: WINDOW, maxFuture: WINDOW },
    // oauth4webapi knows no replay.
    replay: "external",
    now: () => NOW,
    ...(cache !== undefined && { cache }),
  });
  return async ({ request, context }) => {
    const decision = await server.authenticate(request, context);
    return decision.ok ? { accepts: true, said: "accepted", claims: decision.claims } : { accepts: false, said: decision.reason };
  };
}

/** oauth4webapi reads its clock from `Date.now()`, which has to stand still before this is used. */
export function oauth4webapi() {
  const as = { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` };
  const options = {
    requireDPoP: true,
    signingAlgorithms: ALGORITHMS,
    // Its default of 30 seconds would let expired tokens pass for longer; keybound has none for `exp`.
    [clockTolerance]: 0,
    [jwksCache]: { jwks: JWKS, uat: NOW },
  };
  return async ({ request }) => {
    try {
      return { accepts: true, said: "accepted", claims: await validateJwtAccessToken(as, request, AUDIENCE, options) };
    } catch (error) {
      return { accepts: false, said: error.message };
    }
  };
}

/** Whether two answers are one: both refuse, or both accept and read the same claims. */
export const agree = (one, other) => one.accepts === other.accepts && (!one.accepts || isDeepStrictEqual(one.claims, other.claims));
