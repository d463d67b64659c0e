// The two client libraries behind one face, so that every behaviour is seen by both. Each does its own requests, its own
// nonces and its own checks of the answers; only plain http, on loopback, is allowed to them.
import * as oauth from "oauth4webapi";
import * as client from "openid-client";
import { REDIRECT_URI, SECRET, registrations } from "./clients.mjs";

/** What an app is told of itself: what it registered. */
function registrationOf(id) {
  const { client_secret: _, jwks: __, may_introspect: ___, ...metadata } = registrations().find(({ client_id }) => client_id === id);
  return metadata;
}

/**
 * Each driver's `connect(server, clientId, { fetch, skew, modify })` discovers the server and gives an app:
 * - `push(parameters, { key })` and `plain(parameters)` resolve to the URL of the authorization endpoint to go to;
 * - `redeem(signIn, { key })`, `refresh(token, { key })` and `credentials({ key })` resolve to the token answer;
 * - `introspect(token)`.
 * `key` is a key pair for DPoP; without one there is no proof. `modify(header, claims)` changes each proof. A refusal throws
 * an error with the `error` of the answer.
 */
export const drivers = [
  { name: "oauth4webapi", connect: connectOauth4webapi },
  { name: "openid-client", connect: connectOpenidClient },
];

const makeSignIn = () => ({ verifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState() });

async function requestOf({ verifier, state }) {
  return {
    redirect_uri: REDIRECT_URI, scope: "read write", state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  };
}

/** As a browser would: the person agrees, and the app gets the address that she is sent back to. */
async function visit(url) {
  const response = await fetch(url, { redirect: "manual" });
  if (response.status !== 303) throw new Error(`the authorization endpoint answered ${response.status}: ${await response.text()}`);
  return new URL(response.headers.get("location"));
}

async function connectOauth4webapi(server, clientId, { fetch = globalThis.fetch, skew = 0, modify } = {}) {
  const options = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: fetch };
  const issuer = new URL(server.issuer);
  const as = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...options }).then((response) => oauth.processDiscoveryResponse(issuer, response));
  const metadata = registrationOf(clientId);
  const isMtls = metadata.tls_client_certificate_bound_access_tokens === true;
  const self = { ...metadata, use_mtls_endpoint_aliases: isMtls, [oauth.clockSkew]: skew };
  const auth = {
    none: () => oauth.None(),
    client_secret_basic: () => oauth.ClientSecretBasic(SECRET),
    private_key_jwt: () => oauth.PrivateKeyJwt({ key: server.clientKey, kid: "bank" }),
  }[metadata.token_endpoint_auth_method]();
  const handleOf = handles((key) => oauth.DPoP(self, key, { [oauth.modifyAssertion]: modify }));

  /** A request, and once more if the server wants a nonce: the handle has learnt it from the answer. */
  async function ask({ key }, send, process) {
    const DPoP = handleOf(key);
    const once = async () => process(as, self, await send({ ...options, DPoP }));
    return once().catch((error) => {
      if (DPoP === undefined || !oauth.isDPoPNonceError(error)) throw error;
      return once();
    });
  }

  const authorizationUrl = (parameters) => {
    const url = new URL(as.authorization_endpoint);
    for (const [name, value] of Object.entries({ client_id: clientId, ...parameters })) url.searchParams.set(name, value);
    return url.href;
  };
  const codeRequest = async (signIn, parameters) => ({ response_type: "code", ...(await requestOf(signIn)), ...parameters });
  async function finish(signIn, url) {
    return { ...signIn, answer: oauth.validateAuthResponse(as, self, await visit(url), signIn.state) };
  }

  return {
    as,
    async push(parameters = {}, by = {}) {
      const signIn = makeSignIn();
      const form = await codeRequest(signIn, parameters);
      const send = (how) => oauth.pushedAuthorizationRequest(as, self, auth, form, how);
      const { request_uri } = await ask(by, send, oauth.processPushedAuthorizationResponse);
      return finish(signIn, authorizationUrl({ request_uri }));
    },
    async plain(parameters = {}) {
      const signIn = makeSignIn();
      return finish(signIn, authorizationUrl(await codeRequest(signIn, parameters)));
    },
    redeem({ answer, verifier }, by = {}) {
      const send = (how) => oauth.authorizationCodeGrantRequest(as, self, auth, answer, REDIRECT_URI, verifier, how);
      return ask(by, send, oauth.processAuthorizationCodeResponse);
    },
    refresh(token, by = {}) {
      return ask(by, (how) => oauth.refreshTokenGrantRequest(as, self, auth, token, how), oauth.processRefreshTokenResponse);
    },
    credentials(by = {}) {
      return ask(by, (how) => oauth.clientCredentialsGrantRequest(as, self, auth, {}, how), oauth.processClientCredentialsResponse);
    },
    async introspect(token) {
      return oauth.processIntrospectionResponse(as, self, await oauth.introspectionRequest(as, self, auth, token, options));
    },
    async callApi(token, url, by) {
      const once = () => oauth.protectedResourceRequest(token, "GET", new URL(url), undefined, undefined, { ...options, DPoP: handleOf(by.key) });
      return once().catch((error) => {
        if (!oauth.isDPoPNonceError(error)) throw error;
        return once();
      });
    },
  };
}

async function connectOpenidClient(server, clientId, { fetch = globalThis.fetch, skew = 0, modify } = {}) {
  const metadata = registrationOf(clientId);
  const isMtls = metadata.tls_client_certificate_bound_access_tokens === true;
  const auth = {
    none: () => client.None(),
    client_secret_basic: () => client.ClientSecretBasic(SECRET),
    private_key_jwt: () => client.PrivateKeyJwt({ key: server.clientKey, kid: "bank" }),
  }[metadata.token_endpoint_auth_method]();
  const config = await client.discovery(
    new URL(server.issuer),
    clientId,
    { ...metadata, use_mtls_endpoint_aliases: isMtls, [client.clockSkew]: skew },
    auth,
    { algorithm: "oauth2", execute: [client.allowInsecureRequests], [client.customFetch]: fetch },
  );
  const handleOf = handles((key) => client.getDPoPHandle(config, key, { [client.modifyAssertion]: modify }));
  const by = ({ key } = {}) => ({ DPoP: handleOf(key) });
  const finish = async (signIn, url) => ({ ...signIn, answer: await visit(url) });

  return {
    as: config.serverMetadata(),
    async push(parameters = {}, how) {
      const signIn = makeSignIn();
      return finish(signIn, await client.buildAuthorizationUrlWithPAR(config, { ...(await requestOf(signIn)), ...parameters }, by(how)));
    },
    async plain(parameters = {}) {
      const signIn = makeSignIn();
      return finish(signIn, client.buildAuthorizationUrl(config, { ...(await requestOf(signIn)), ...parameters }));
    },
    redeem({ answer, verifier, state }, how) {
      return client.authorizationCodeGrant(config, answer, { pkceCodeVerifier: verifier, expectedState: state }, undefined, by(how));
    },
    refresh: (token, how) => client.refreshTokenGrant(config, token, undefined, by(how)),
    credentials: (how) => client.clientCredentialsGrant(config, undefined, by(how)),
    introspect: (token) => client.tokenIntrospection(config, token),
    callApi: (token, url, how) => client.fetchProtectedResource(config, token, new URL(url), "GET", undefined, undefined, by(how)),
  };
}

/** One handle a key: it remembers the nonces. */
function handles(make) {
  const made = new Map();
  return (key) => {
    if (key !== undefined && !made.has(key)) made.set(key, make(key));
    return made.get(key);
  };
}
