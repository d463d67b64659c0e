// oauth4webapi and openid-client in a page, each in both ways: over createTokenFetch, knowing nothing of DPoP; and with a handle
// of its own that signs with the key's pair. At a real authorization server and a real API, nonces required by both.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { inEveryEngineBeside } from "./beside-pages.mjs";

/** In the page: `libraries[name][way]` has `begin`, `finish`, `refresh` and `call`. */
const SCRIPT = `
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

const SCOPE = "openid orders";
const client = { client_id: "page" };
/** What has to survive the way to the server and back. */
const memory = { get: () => JSON.parse(sessionStorage.getItem("login")), set: (login) => sessionStorage.setItem("login", JSON.stringify(login)) };
const makeRequest = async (library) => {
  const login = { verifier: library.randomPKCECodeVerifier(), state: library.randomState() };
  memory.set(login);
  return {
    client_id: "page", response_type: "code", redirect_uri: redirectUri, scope: SCOPE, state: login.state,
    code_challenge: await library.calculatePKCECodeChallenge(login.verifier), code_challenge_method: "S256",
  };
};
const tokenFetch = (key, issuer) => kb.createTokenFetch({ key, origins: [issuer] });
const signedCall = (key, token, url) => kb.createFetch({ key, token, origins: [new URL(url).origin] })(url);

const withOauth4webapi = ({ ownHandle }) => async (issuer) => {
  const key = await kb.DpopKey.open();
  const DPoP = ownHandle ? oauth.DPoP(client, key.pair) : undefined;
  const options = { [oauth.allowInsecureRequests]: true, ...(ownHandle ? { DPoP } : { [oauth.customFetch]: tokenFetch(key, issuer) }) };
  const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), options));
  /** The handle has learnt the nonce from the refusal. */
  const ask = async (send, process) => {
    const once = async () => process(await send());
    return once().catch((error) => { if (ownHandle && oauth.isDPoPNonceError(error)) return once(); throw error; });
  };
  return {
    key,
    async begin() {
      const parameters = await makeRequest({ randomPKCECodeVerifier: oauth.generateRandomCodeVerifier, randomState: oauth.generateRandomState, calculatePKCECodeChallenge: oauth.calculatePKCECodeChallenge });
      const { request_uri } = await ask(() => oauth.pushedAuthorizationRequest(as, client, oauth.None(), new URLSearchParams(parameters), options), (response) => oauth.processPushedAuthorizationResponse(as, client, response));
      const url = new URL(as.authorization_endpoint);
      url.search = new URLSearchParams({ client_id: "page", request_uri });
      location.assign(url);
    },
    finish() {
      const { verifier, state } = memory.get();
      const parameters = oauth.validateAuthResponse(as, client, new URL(location.href), state);
      return ask(() => oauth.authorizationCodeGrantRequest(as, client, oauth.None(), parameters, redirectUri, verifier, options), (response) => oauth.processAuthorizationCodeResponse(as, client, response));
    },
    refresh: (token) => ask(() => oauth.refreshTokenGrantRequest(as, client, oauth.None(), token, options), (response) => oauth.processRefreshTokenResponse(as, client, response)),
    call: (token, url) => ownHandle ? ask(() => oauth.protectedResourceRequest(token, "GET", new URL(url), undefined, null, options), (response) => response) : signedCall(key, token, url),
  };
};

const withOpenidClient = ({ ownHandle }) => async (issuer) => {
  const key = await kb.DpopKey.open();
  const config = await openid.discovery(new URL(issuer), "page", undefined, openid.None(), {
    execute: [openid.allowInsecureRequests], ...(!ownHandle && { [openid.customFetch]: tokenFetch(key, issuer) }),
  });
  const options = ownHandle ? { DPoP: openid.getDPoPHandle(config, key.pair) } : undefined;
  return {
    key,
    async begin() { location.assign(await openid.buildAuthorizationUrlWithPAR(config, await makeRequest(openid), options)); },
    finish() {
      const { verifier, state } = memory.get();
      return openid.authorizationCodeGrant(config, new URL(location.href), { pkceCodeVerifier: verifier, expectedState: state }, undefined, options);
    },
    refresh: (token) => openid.refreshTokenGrant(config, token, undefined, options),
    call: (token, url) => ownHandle ? openid.fetchProtectedResource(config, token, new URL(url), "GET", undefined, undefined, options) : signedCall(key, token, url),
  };
};

Object.assign(globalThis, { use: { oauth4webapi: withOauth4webapi, "openid-client": withOpenidClient } });`;

inEveryEngineBeside("other libraries", SCRIPT, ({ openPage, withServers, goAndComeBack }) => {
  for (const library of ["oauth4webapi", "openid-client"]) {
    for (const [way, ownHandle] of [["over createTokenFetch", false], ["with a handle of its own over the key's pair", true]]) {
      test(`${library} ${way} signs in, calls and refreshes, all with one key`, () =>
        withServers(async ({ server, api }) => {
          const page = await openPage();
          const argument = { library, ownHandle, issuer: server.origin, url: `${api.origin}/orders` };
          await goAndComeBack(page, async ({ library, ownHandle, issuer }) => void (await (await use[library]({ ownHandle })(issuer)).begin()), argument);
          const seen = await page.run(async ({ library, ownHandle, issuer, url }) => {
            const app = await use[library]({ ownHandle })(issuer);
            const ask = async (token) => { const response = await app.call(token, url); return { status: response.status, ...(await response.json()) }; };
            const first = await app.finish();
            const answers = [await ask(first.access_token)];
            const second = await app.refresh(first.refresh_token);
            answers.push(await ask(second.access_token));
            return { jkt: app.key.thumbprint, types: [first.token_type, second.token_type], tokens: [first.access_token, second.access_token], answers };
          }, argument);
          const { jkt } = seen;
          assert.deepEqual(seen.types.map((type) => type.toLowerCase()), ["dpop", "dpop"]);
          for (const token of seen.tokens) assert.equal(decodeJwt(token).cnf.jkt, jkt);
          assert.equal(new Set(seen.tokens).size, 2);
          for (const answer of seen.answers) assert.deepEqual(answer, { status: 200, sub: "ada", jkt, method: "GET", body: "" });
          // The code was bound to the key as well, by the proof of the pushed request (RFC 9449 §10.1).
          const pushed = server.requests.find(({ path, status }) => path === "/request" && status === 201);
          assert.ok(pushed.headers.dpop);
          assert.equal(server.grants("authorization_code", 200).length, 1);
          assert.equal(server.grants("refresh_token", 200).length, 1);
          assert.deepEqual(api.reasons, ["nonce_missing", null, null]);
        }));
    }
  }

  test("a server that hands out a bearer token is found out over createTokenFetch, whichever library asks", () =>
    withServers(async ({ server }) => {
      for (const library of ["oauth4webapi", "openid-client"]) {
        const page = await openPage();
        const argument = { library, issuer: server.origin };
        server.meet = () => undefined;
        await goAndComeBack(page, async ({ library, issuer }) => void (await (await use[library]({ ownHandle: false })(issuer)).begin()), argument);
        server.meet = ({ path }) => (path === "/token" ? { status: 200, body: { access_token: "t", token_type: "Bearer", expires_in: 60 } } : undefined);
        const ended = await page.run(async ({ library, issuer }) => {
          const app = await use[library]({ ownHandle: false })(issuer);
          return app.finish().then(() => "taken", (error) => error.code === "token_downgraded" ? error.code : (error.cause?.code ?? String(error)));
        }, argument);
        assert.equal(ended, "token_downgraded");
      }
    }));
});
