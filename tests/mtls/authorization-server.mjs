// oidc-provider with two doors, as RFC 8705 §5 has it: the public one, and one over TLS that asks for a certificate. Tokens
// come from the second, bound to the certificate (§3), to a client that shows by it who it is (§2.1).
import { createServer } from "node:https";
import { createServer as createPlainServer } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import * as oauth from "oauth4webapi";
import { Provider, errors } from "oidc-provider";
import { fetchWithCertificate } from "../authorization-server/certificates.mjs";
import { listen } from "../support/loopback.mjs";
import { MACHINE } from "./pki.mjs";

/** `tokenFor(identity)` asks for a token over mutual TLS. */
export async function startOidcProvider({ pki, audience }) {
  let protocol;
  const serve = (...exchange) => protocol(...exchange);
  const publicDoor = await listen(createPlainServer(serve));
  const mtlsDoor = await listen(createServer({ ...pki.server, ca: pki.ca, requestCert: true, rejectUnauthorized: false }, serve));
  const mtlsOrigin = mtlsDoor.origin.replace("http:", "https:");
  protocol = new Provider(publicDoor.origin, await configuration(mtlsOrigin, audience)).callback();

  const as = await discover(publicDoor.origin);
  const client = { client_id: "machine", use_mtls_endpoint_aliases: true };
  return {
    issuer: publicDoor.origin,
    async tokenFor(identity) {
      const customFetch = fetchWithCertificate(identity, pki.ca);
      const options = { [oauth.customFetch]: customFetch };
      const response = await oauth.clientCredentialsGrantRequest(as, client, oauth.TlsClientAuth(), { resource: audience }, options);
      return (await oauth.processClientCredentialsResponse(as, client, response)).access_token;
    },
    close: () => Promise.all([publicDoor.close(), mtlsDoor.close()]),
  };
}

async function discover(issuer) {
  const url = new URL(issuer);
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { [oauth.allowInsecureRequests]: true, algorithm: "oauth2" }));
}

async function configuration(mtlsOrigin, audience) {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig" }] },
    clients: [{
      client_id: "machine", token_endpoint_auth_method: "tls_client_auth", tls_client_auth_san_uri: MACHINE,
      tls_client_certificate_bound_access_tokens: true, grant_types: ["client_credentials"], redirect_uris: [], response_types: [], scope: "read",
    }],
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    clientAuthMethods: ["tls_client_auth"],
    enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
    scopes: ["read"],
    discovery: { mtls_endpoint_aliases: { token_endpoint: `${mtlsOrigin}/token` } },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      mTLS: { enabled: true, certificateBoundAccessTokens: true, tlsClientAuth: true, ...handshake },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_context, indicator) {
          if (indicator !== audience) throw new errors.InvalidTarget();
          return { scope: "read", audience, accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } };
        },
      },
    },
    ttl: { ClientCredentials: 600 },
  };
}

/** What the handshake proved. */
const handshake = {
  getCertificate: ({ socket }) => socket.getPeerX509Certificate?.(),
  certificateAuthorized: ({ socket }) => socket.authorized,
  certificateSubjectMatches: (context, property, expected) =>
    property === "tls_client_auth_san_uri" && (handshake.getCertificate(context)?.subjectAltName ?? "").split(", ").includes(`URI:${expected}`),
};
