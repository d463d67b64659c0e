// An authorization server, small but whole, whose tokens are bound by @keybound/edge's `createTokenEndpoint`: an example to
// read, and what the libraries in the tests beside it talk to. Read token.mjs first.
import { randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import { edge } from "../edge/support.mjs";
import { makeAccessTokens, introspectionEndpoint } from "./access-tokens.mjs";
import { OAuthError, json } from "./answers.mjs";
import { authorizationEndpoint, pushedRequests } from "./authorization.mjs";
import { makeCertificate } from "./certificates.mjs";
import { makeClients } from "./clients.mjs";
import { openDoor } from "./door.mjs";
import { OneTime } from "./one-time.mjs";
import { tokenEndpoint } from "./token.mjs";

/** Every algorithm that the package can check. */
const ANY_PROOF = { algorithms: ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519"] };

/**
 * Starts it, with two doors: the public one, and one that asks for a certificate (RFC 8705 §5). `format` is "jwt" or
 * "opaque", `proof` says which proofs are good. `log` has a line for each answer: `{ path, status, error }`. `clientKey` is
 * the private key of the client "bank".
 */
export async function startAuthorizationServer({ audience = "https://api.example", format = "jwt", proof = ANY_PROOF } = {}) {
  const tls = await makeCertificate("authorization server");
  const [publicDoor, mtlsDoor] = [await openDoor(), await openDoor({ tls })];
  const issuer = publicDoor.origin;
  const { privateKey: clientKey, publicKey } = await generateKeyPair("ES256");
  const now = () => Date.now() / 1000;

  // Made once: it has the caches, the replay marks and the nonces' secret. Nonces are asked for from everybody.
  const sender = edge.createTokenEndpoint({
    proof,
    nonce: { secrets: [randomBytes(32)] },
    publicUrl: [publicDoor.origin, mtlsDoor.origin],
    now,
  });
  const clients = makeClients({ issuer, jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", kid: "bank" }] }, now });
  const accessTokens = await makeAccessTokens({ issuer, audience, format, now });
  const pushed = new OneTime({ seconds: 60, now });
  const codes = new OneTime({ seconds: 60, now });
  const refreshTokens = new OneTime({ seconds: 86_400, now });
  const metadata = metadataOf(issuer, mtlsDoor.origin, proof);

  const endpoints = {
    "/.well-known/oauth-authorization-server": () => json(metadata),
    "/jwks": () => json(accessTokens.jwks),
    "/par": pushedRequests({ sender, clients, pushed, seconds: 60 }),
    "/authorize": authorizationEndpoint({ issuer, clients, pushed, codes }),
    "/token": tokenEndpoint({ sender, clients, codes, refreshTokens, accessTokens }),
    "/introspect": introspectionEndpoint({ clients, accessTokens }),
  };
  const log = [];
  const serve = async (request, connection) => {
    const path = new URL(request.url).pathname;
    const response = await answer(Object.hasOwn(endpoints, path) ? endpoints[path] : undefined, request, connection);
    const isError = response.status >= 400 && response.headers.get("content-type")?.includes("json");
    log.push({ path, status: response.status, error: isError ? (await response.clone().json()).error : undefined });
    return response;
  };
  publicDoor.serve(serve);
  mtlsDoor.serve(serve);
  return {
    issuer, metadata, log, clientKey,
    mtlsOrigin: mtlsDoor.origin,
    /** What clients trust at the second door. */
    authority: tls.cert,
    close: () => Promise.all([publicDoor.close(), mtlsDoor.close()]),
  };
}

async function answer(endpoint, request, connection) {
  if (endpoint === undefined) return new Response(null, { status: 404 });
  try {
    return await endpoint(request, connection);
  } catch (error) {
    if (error instanceof OAuthError) return error.response();
    throw error;
  }
}

/** RFC 8414 §2, RFC 9449 §5.1, RFC 8705 §3.3 and §5. */
function metadataOf(issuer, mtlsOrigin, proof) {
  const endpoint = (origin) => ({ token_endpoint: `${origin}/token`, pushed_authorization_request_endpoint: `${origin}/par` });
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    ...endpoint(issuer),
    introspection_endpoint: `${issuer}/introspect`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: ["none", "client_secret_basic", "private_key_jwt"],
    token_endpoint_auth_signing_alg_values_supported: ["ES256"],
    authorization_response_iss_parameter_supported: true,
    dpop_signing_alg_values_supported: proof.algorithms,
    tls_client_certificate_bound_access_tokens: true,
    mtls_endpoint_aliases: endpoint(mtlsOrigin),
  };
}
