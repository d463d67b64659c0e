// The token endpoint. What matters is the order: find the grant, `bind()`, and only then use the grant up. A nonce
// challenge or a proof of the wrong key must cost the client nothing that it cannot ask for again (RFC 9449 §8).
import { createHash } from "node:crypto";
import { OAuthError, json, readForm } from "./answers.mjs";
import { clientType, grantedScope } from "./clients.mjs";

export function tokenEndpoint({ sender, clients, codes, refreshTokens, accessTokens }) {
  const grants = { authorization_code: fromCode, refresh_token: fromRefreshToken, client_credentials: fromCredentials };

  return async (request, connection) => {
    const form = await readForm(request);
    const client = await clients.authenticate(request, form);
    const find = Object.hasOwn(grants, form.get("grant_type")) ? grants[form.get("grant_type")] : undefined;
    if (find === undefined) throw new OAuthError("unsupported_grant_type", "no such grant");
    if (!client.grant_types.includes(form.get("grant_type"))) throw new OAuthError("unauthorized_client", "not registered for this grant");

    const grant = find(client, form);
    const binding = await sender.bind(request, {
      ...connection,
      ...grant.boundTo,
      clientType: clientType(client),
      requireDpop: client.dpop_bound_access_tokens,
      bindCertificate: client.tls_client_certificate_bound_access_tokens,
    });
    if (!binding.ok) return binding.response();
    // Others may have found it meanwhile; it is one of us who uses it.
    if (!grant.use()) throw new OAuthError("invalid_grant", "used meanwhile");
    return binding.finish(json(await issue(client, grant, binding)));
  };

  async function issue(client, { authorization, scope, mayRefresh }, { cnf, tokenType }) {
    const token = await accessTokens.issue({ client, authorization, scope, cnf });
    const refresh = mayRefresh && { refresh_token: refreshTokens.add({ clientId: client.client_id, authorization, cnf }) };
    return { access_token: token, token_type: tokenType, expires_in: accessTokens.seconds, scope, ...refresh };
  }

  /** RFC 6749 §4.1.3, RFC 7636 §4.6. */
  function fromCode(client, form) {
    const { clientId, redirectUri, codeChallenge, dpopJkt, authorization } = live(codes, form.get("code"), client);
    const verifier = form.get("code_verifier") ?? "";
    const isGood = redirectUri === form.get("redirect_uri") && createHash("sha256").update(verifier).digest("base64url") === codeChallenge;
    if (clientId !== client.client_id || !isGood) throw new OAuthError("invalid_grant", "redirect_uri or code_verifier does not fit");
    return {
      authorization,
      scope: authorization.scope,
      mayRefresh: true,
      boundTo: { dpopJkt },
      use: () => codes.use(form.get("code")),
    };
  }

  /** RFC 6749 §6, with rotation (RFC 9700 §4.14.2). To what it is bound counts for public clients only; `bind()` knows. */
  function fromRefreshToken(client, form) {
    const { authorization, cnf } = live(refreshTokens, form.get("refresh_token"), client);
    return {
      authorization,
      scope: narrowed(authorization.scope, form.get("scope")),
      mayRefresh: true,
      boundTo: { refreshToken: cnf ?? undefined },
      use: () => refreshTokens.use(form.get("refresh_token")),
    };
  }

  /** RFC 6749 §4.4: there is nothing to use up. */
  function fromCredentials(client, form) {
    if (clientType(client) !== "confidential") throw new OAuthError("unauthorized_client", "for confidential clients only");
    const scope = grantedScope(client, form.get("scope") ?? undefined);
    return { authorization: { subject: client.client_id, scope, isRevoked: false }, scope, mayRefresh: false, boundTo: {}, use: () => true };
  }
}

/** What the name stands for. One that was used before is in two hands: all that came of it is revoked (RFC 6749 §4.1.2). */
function live(store, name, client) {
  const found = store.find(name);
  if (found?.value.clientId !== client.client_id || found.value.authorization.isRevoked) throw new OAuthError("invalid_grant", "unknown, expired or revoked");
  if (found.isUsed) {
    found.value.authorization.isRevoked = true;
    throw new OAuthError("invalid_grant", "used before");
  }
  return found.value;
}

function narrowed(granted, asked) {
  const isWithin = (asked ?? granted).split(" ").every((scope) => granted.split(" ").includes(scope));
  if (!isWithin) throw new OAuthError("invalid_scope", "more than was granted");
  return asked ?? granted;
}
