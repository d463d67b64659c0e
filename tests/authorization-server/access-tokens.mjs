// Access tokens: JWTs (RFC 9068) that resource servers read, or opaque ones that they ask about; and the endpoint that answers (RFC 7662).
import { randomUUID } from "node:crypto";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { edge } from "../edge/support.mjs";
import { OAuthError, json, readForm } from "./answers.mjs";

export async function makeAccessTokens({ issuer, audience, format, now, seconds = 600 }) {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "tokens", alg: "ES256", use: "sig" };
  const issued = new Map();

  async function issue({ client, authorization, scope, cnf }) {
    const iat = Math.floor(now());
    const claims = {
      iss: issuer, aud: audience, sub: authorization.subject, client_id: client.client_id, scope,
      iat, exp: iat + seconds, jti: randomUUID(), ...(cnf !== null && { cnf }),
    };
    const jwt = () => new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: jwk.kid, typ: "at+jwt" }).sign(privateKey);
    const token = format === "jwt" ? await jwt() : `opaque-${claims.jti}`;
    issued.set(token, { claims, authorization });
    return token;
  }

  const find = (token) => {
    const found = issued.get(token);
    return found === undefined || found.authorization.isRevoked || found.claims.exp <= now() ? undefined : found.claims;
  };
  return { issue, find, seconds, jwks: { keys: [jwk] } };
}

/** RFC 7662 §2. The resource server learns what the token is bound to and checks that itself (RFC 9449 §6.2, RFC 8705 §3.2). */
export function introspectionEndpoint({ clients, accessTokens }) {
  return async (request) => {
    const form = await readForm(request);
    const client = await clients.authenticate(request, form);
    if (client.may_introspect !== true) throw new OAuthError("unauthorized_client", "not for this client", 403);
    const claims = accessTokens.find(form.get("token"));
    if (claims === undefined) return json({ active: false });
    const { cnf, ...others } = claims;
    return json({ active: true, ...others, ...edge.introspectionBinding(cnf ?? null) });
  };
}
