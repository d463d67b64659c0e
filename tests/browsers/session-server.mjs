// An authorization server for sessions: oidc-provider with nonces required, pushed requests, refresh tokens that are used once,
// revocation and its own logout; and an API that takes its tokens. A test may hold, spoil or lose any request on its way.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";
import { listen } from "../support/loopback.mjs";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "Authorization, DPoP, Content-Type",
  "access-control-expose-headers": "DPoP-Nonce, WWW-Authenticate, Date",
};

/**
 * Starts it. `requests` are those that were made, `{ path, form, status }`; `meet` is asked about each, `{ path, form }`: what it
 * answers, `{ status, body }`, is the answer, "cut" cuts the connection, "swallow" does so when the request was carried out.
 * `person` is who logs in; nobody: the person says no. With `audience`, access tokens are JWTs for that resource server (RFC 9068).
 */
export async function startAuthorizationServer({ redirectUri, nonces = true, par = true, lifetime = 600, refresh = true, audience }) {
  let handle;
  const { origin, close } = await listen(createServer((request, response) => handle(request, response)));
  const provider = new Provider(origin, configuration({ redirectUri, nonces, par, lifetime, refresh, audience }));
  const server = { origin, close, provider, requests: [], meet: () => undefined, person: "ada" };
  const protocol = provider.callback();
  handle = async (request, response) => {
    const path = new URL(request.url, origin).pathname;
    if (path.startsWith("/interaction/")) return answerPerson(server, request, response);
    if (path === "/api") return serveApi(server, request, response);
    if (request.method !== "POST") return protocol(request, response);

    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const entry = { path, form: Object.fromEntries(new URLSearchParams(body.toString())), headers: request.headers };
    server.requests.push(entry);
    response.once("finish", () => (entry.status = response.statusCode));
    const what = await server.meet(entry);
    if (request.socket.destroyed) return;
    if (what === "cut") return request.socket.destroy();
    if (what === "swallow") response.writeHead = () => request.socket.destroy();
    if (what?.status) {
      response.writeHead(what.status, { ...CORS, "content-type": "application/json" }).end(JSON.stringify(what.body));
      return;
    }
    // oidc-provider takes a body that was read already.
    request.body = entry.form;
    protocol(request, response);
  };
  /** The requests for tokens of that kind which the server answered so. */
  server.grants = (kind, status) =>
    server.requests.filter(({ path, form, status: answered }) => path === "/token" && form.grant_type === kind && (status === undefined || answered === status));
  return server;
}

function configuration({ redirectUri, nonces, par, lifetime, refresh, audience }) {
  return {
    clients: [
      {
        client_id: "page", token_endpoint_auth_method: "none", redirect_uris: [redirectUri], dpop_bound_access_tokens: true,
        grant_types: ["authorization_code", "refresh_token"], post_logout_redirect_uris: [redirectUri],
      },
    ],
    clientBasedCORS: () => true,
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    scopes: ["openid", "offline_access"],
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      pushedAuthorizationRequests: { enabled: par },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => nonces },
      resourceIndicators: {
        enabled: audience !== undefined,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: "orders", audience, accessTokenFormat: "jwt" }),
      },
    },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    issueRefreshToken: () => refresh,
    // A second use of one is taken for theft, and ends everything.
    rotateRefreshToken: () => true,
    ttl: { AccessToken: () => lifetime, RefreshToken: 3600, Session: 3600, Interaction: 600, Grant: 3600, AuthorizationCode: 60, IdToken: 600 },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    async loadExistingGrant({ oidc }) {
      const known = oidc.session.grantIdFor(oidc.client.clientId);
      if (known) return oidc.provider.Grant.find(known);
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid offline_access");
      if (audience !== undefined) grant.addResourceScope(audience, "orders");
      await grant.save();
      return grant;
    },
  };
}

/** The person says yes, or no. */
function answerPerson({ provider, person }, request, response) {
  const result = person ? { login: { accountId: person }, consent: {} } : { error: "access_denied", error_description: "the person said no" };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

/** Says whose the token is, if the server knows it. */
async function serveApi(server, request, response) {
  if (request.method === "OPTIONS") return response.writeHead(204, CORS).end();
  const [, token] = (request.headers.authorization ?? "").split(" ");
  const known = token && (await server.provider.AccessToken.find(token));
  if (!known || known.isExpired || !request.headers.dpop) {
    const challenge = token ? 'DPoP error="invalid_token"' : "DPoP";
    return response.writeHead(401, { ...CORS, "www-authenticate": challenge }).end();
  }
  return response.writeHead(200, { ...CORS, "content-type": "application/json" }).end(JSON.stringify({ sub: known.accountId, jkt: known.jkt, token }));
}
