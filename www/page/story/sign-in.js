// @ts-check
// Step 2: the authorization code flow with PKCE (RFC 7636) and a pushed authorization request (RFC 9126), by oauth4webapi.
// keybound comes in at one place: createTokenFetch puts the proofs in, and answers the server's nonces.

import { createTokenFetch } from "@keybound/browser";
import * as oauth from "oauth4webapi";
import { recordingFetch } from "./record.js";

const PENDING = "pending sign-in";

/**
 * @typedef {{ page: string, issuer: string, api: string, apiMtls: string, clientId: string, redirectUri: string, resource: string, scope: string }} Settings
 * @typedef {import("@keybound/browser").DpopKey} DpopKey
 * @typedef {{ codeVerifier: string, state: string }} Pending
 */

/**
 * Sends the reader to the authorization server.
 * @param {Settings} settings
 * @param {DpopKey} key
 */
export async function beginSignIn(settings, key) {
  const { server, client, options } = await prepare(settings, key);
  const pending = { codeVerifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState() };
  const parameters = {
    response_type: "code",
    redirect_uri: settings.redirectUri,
    scope: settings.scope,
    resource: settings.resource,
    state: pending.state,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.codeVerifier),
    code_challenge_method: "S256",
    prompt: "login consent", // the demo shows both each time
  };
  // The proof that goes with it binds the code to the key as well (RFC 9449 §10.1).
  const pushed = await oauth.pushedAuthorizationRequest(server, client, oauth.None(), parameters, options);
  const { request_uri: requestUri } = await oauth.processPushedAuthorizationResponse(server, client, pushed);

  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const url = new URL(/** @type {string} */ (server.authorization_endpoint));
  url.search = String(new URLSearchParams({ client_id: client.client_id, request_uri: requestUri }));
  location.assign(url);
}

/** Whether the reader just came back from there. */
export function isReturning() {
  const parameters = new URLSearchParams(location.search);
  return sessionStorage.getItem(PENDING) !== null && (parameters.has("code") || parameters.has("error"));
}

/**
 * Trades the code for a token.
 * @param {Settings} settings
 * @param {DpopKey} key
 * @returns {Promise<{ accessToken: string, tokenType: string, exchanges: import("./record.js").Exchange[] }>}
 */
export async function finishSignIn(settings, key) {
  /** @type {Pending} */
  const { codeVerifier, state } = JSON.parse(sessionStorage.getItem(PENDING) ?? "{}");
  sessionStorage.removeItem(PENDING);
  const callback = new URL(location.href);
  history.replaceState(null, "", location.pathname);

  /** @type {import("./record.js").Exchange[]} */
  const exchanges = [];
  const { server, client, options } = await prepare(settings, key, (exchange) => exchanges.push(exchange));
  const parameters = oauth.validateAuthResponse(server, client, callback, state);
  const answer = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), parameters, settings.redirectUri, codeVerifier, {
    ...options,
    additionalParameters: { resource: settings.resource },
  });
  const { access_token: accessToken, token_type: tokenType } = await oauth.processAuthorizationCodeResponse(server, client, answer);
  return { accessToken, tokenType, exchanges: exchanges.filter(({ proof }) => proof !== null) };
}

/**
 * @param {Settings} settings
 * @param {DpopKey} key
 * @param {(exchange: import("./record.js").Exchange) => void} [onExchange]
 */
async function prepare(settings, key, onExchange = () => {}) {
  const issuer = new URL(settings.issuer);
  const tokenFetch = createTokenFetch({ key, origins: [issuer.origin], fetch: recordingFetch(onExchange) });
  // Plain http, since all of this is on loopback.
  const options = { [oauth.customFetch]: tokenFetch, [oauth.allowInsecureRequests]: true };
  const discovered = await oauth.discoveryRequest(issuer, { ...options, algorithm: "oauth2" });
  const server = await oauth.processDiscoveryResponse(issuer, discovered);
  /** @type {oauth.Client} */
  const client = { client_id: settings.clientId };
  return { server, client, options };
}
