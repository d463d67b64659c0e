// @ts-check
// The authorization server: oidc-provider, asking for DPoP with nonces and for pushed authorization requests from the page,
// and for a client certificate from the machine. Access tokens are JWTs (RFC 9068) for one API.

import { X509Certificate, randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import { Provider, errors } from "oidc-provider";
import { SCOPES, machineClient, pageClient } from "./clients.mjs";
import { MemoryAdapter } from "./memory-adapter.mjs";
import { createSignInPages } from "./sign-in.mjs";

/**
 * @typedef {object} AuthorizationServerOptions
 * @property {string} issuer
 * @property {string} pageOrigin
 * @property {string} redirectUri
 * @property {string} resource The API's identifier: the audience of every access token.
 * @property {string} mtlsOrigin Where the front that asks for certificates stands.
 * @property {import("./failure.mjs").ServerLog} log
 * @typedef {(request: import("node:http").IncomingMessage, answer: import("node:http").ServerResponse) => void} Handler
 */

/**
 * Two doors of one server: the public one, and the one behind the TLS front, the only one where `Client-Cert` is believed (RFC 9440 §4).
 * @param {AuthorizationServerOptions} options
 * @returns {Promise<{ publicDoor: Handler, mtlsDoor: Handler }>}
 */
export async function createAuthorizationServer(options) {
  const provider = new Provider(options.issuer, await configuration(options));
  logTroubles(provider, options.log);
  const signIn = createSignInPages(provider, options);
  const protocol = provider.callback();
  return {
    publicDoor(request, answer) {
      delete request.headers["client-cert"];
      if (!signIn(request, answer)) protocol(request, answer);
    },
    mtlsDoor: protocol,
  };
}

/** @param {AuthorizationServerOptions} options */
async function configuration({ pageOrigin, redirectUri, resource, mtlsOrigin }) {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return {
    adapter: MemoryAdapter,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig" }] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    clients: [pageClient(redirectUri), machineClient()],
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    clientAuthMethods: ["none", "tls_client_auth"],
    clientBasedCORS: (/** @type {unknown} */ _context, /** @type {string} */ origin) => origin === pageOrigin,
    // RFC 8705 §5: a client with a certificate goes to the front.
    discovery: { mtls_endpoint_aliases: { token_endpoint: new URL("/token", mtlsOrigin).href } },
    enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      clientCredentials: { enabled: true },
      // RFC 9449 §8: every proof carries a nonce of this server.
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
      mTLS: { enabled: true, certificateBoundAccessTokens: true, tlsClientAuth: true, ...certificateOfRequest },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: (/** @type {unknown} */ _context, /** @type {string} */ indicator) => {
          if (indicator !== resource) throw new errors.InvalidTarget();
          return { scope: Object.keys(SCOPES).join(" "), audience: resource, accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } };
        },
      },
    },
    interactions: { url: (/** @type {unknown} */ _context, /** @type {{ uid: string }} */ { uid }) => `/sign-in/${uid}` },
    findAccount: (/** @type {unknown} */ _context, /** @type {string} */ accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    issueRefreshToken: () => false,
    responseTypes: ["code"],
    scopes: Object.keys(SCOPES),
    ttl: { AccessToken: 600, ClientCredentials: 600, AuthorizationCode: 60, Interaction: 600, Session: 3600, Grant: 3600, IdToken: 600 },
  };
}

/** How oidc-provider learns of a client certificate: the front forwards only verified ones. */
const certificateOfRequest = {
  /** @param {{ get(name: string): string }} context */
  getCertificate(context) {
    const [, base64] = /^:([A-Za-z0-9+/=]+):$/.exec(context.get("client-cert")) ?? [];
    return base64 === undefined ? undefined : new X509Certificate(Buffer.from(base64, "base64"));
  },
  /** @param {{ get(name: string): string }} context */
  certificateAuthorized(context) {
    return certificateOfRequest.getCertificate(context) !== undefined;
  },
  /** @param {{ get(name: string): string }} context @param {string} property @param {string} expected */
  certificateSubjectMatches(context, property, expected) {
    const names = certificateOfRequest.getCertificate(context)?.subjectAltName?.split(", ") ?? [];
    return property === "tls_client_auth_san_uri" && names.includes(`URI:${expected}`);
  },
};

/**
 * @param {import("oidc-provider").Provider} provider
 * @param {import("./failure.mjs").ServerLog} log
 */
function logTroubles(provider, log) {
  for (const event of ["server_error", "authorization.error", "grant.error", "pushed_authorization_request.error", "jwks.error", "discovery.error"]) {
    provider.on(event, (/** @type {{ method: string, path: string }} */ { method, path }, /** @type {Error & { error_description?: string, error_detail?: string }} */ error) => {
      log.add(`${method} ${path}: ${error.message} (${error.error_detail ?? error.error_description ?? "no detail"})`);
      if (event === "server_error") log.add(error.stack ?? "");
    });
  }
}
