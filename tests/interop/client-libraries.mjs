// Client libraries that make DPoP proofs, behind one face. Each makes its own requests and handles nonces in its own way; for
// `dpop` and `jose`, which make nothing but a proof, the nonce handling is written out as an app using them would.
import { JoseKey } from "@atproto/jwk-jose";
import { WebcryptoKey } from "@atproto/jwk-webcrypto";
import { OAuthServerAgent, OAuthSession } from "@atproto/oauth-client";
import * as dpop from "dpop";
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { hash } from "../edge/support.mjs";

/**
 * Each has the `algorithms` it can do, and `start(alg, { fetch })`, which makes a key and gives `{ jkt, call }`.
 * `call(url, { method, token, body })` resolves to the answer of a resource server, or, without `token`, of a token
 * endpoint. `fetch` is what the library sends with.
 */
export const clientLibraries = [
  { name: "dpop", algorithms: ["ES256", "RS256", "PS256", "Ed25519"], start: startDpop },
  { name: "jose", algorithms: ["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519", "EdDSA"], start: startJose },
  { name: "oauth4webapi", algorithms: ["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519", "EdDSA"], start: startOauth4webapi },
  { name: "openid-client", algorithms: ["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519", "EdDSA"], start: startOpenidClient },
  { name: "@atproto/oauth-client with a jose key", algorithms: ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA"], start: atproto(makeJoseKey) },
  { name: "@atproto/oauth-client with a WebCrypto key", algorithms: ["ES256", "ES384", "ES512", "RS256", "PS256"], start: atproto(makeWebcryptoKey) },
];

async function startDpop(alg, { fetch }) {
  const keys = await dpop.generateKeyPair(alg);
  const prove = ({ url, method, token, nonce }) => dpop.generateProof(keys, withoutQuery(url), method, nonce, token);
  return { jkt: await dpop.calculateThumbprint(keys.publicKey), call: proving(prove, fetch) };
}

async function startJose(alg, { fetch }) {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const jwk = await exportJWK(publicKey);
  const prove = ({ url, method, token, nonce }) =>
    new SignJWT({ htm: method, htu: withoutQuery(url), jti: crypto.randomUUID(), ...(token && { ath: hash(token) }), ...(nonce && { nonce }) })
      .setProtectedHeader({ alg, typ: "dpop+jwt", jwk })
      .setIssuedAt()
      .sign(privateKey);
  return { jkt: await calculateJwkThumbprint(jwk), call: proving(prove, fetch) };
}

/** RFC 9449 §8, §9: the newest nonce of the origin goes into each proof; a server that wants another is asked again, once. */
function proving(prove, fetch) {
  const nonces = new Map();
  return async function call(url, { method = "GET", token, body }) {
    const { origin } = new URL(url);
    const once = async () => {
      const proof = await prove({ url, method, token, nonce: nonces.get(origin) });
      const response = await fetch(url, { method, headers: { ...(token && { authorization: `DPoP ${token}` }), dpop: proof }, body });
      if (response.headers.has("dpop-nonce")) nonces.set(origin, response.headers.get("dpop-nonce"));
      return response;
    };
    const response = await once();
    const told = response.headers.get("www-authenticate") ?? (response.status === 400 ? await response.clone().text() : "");
    return told.includes("use_dpop_nonce") ? once() : response;
  };
}

async function startOauth4webapi(alg, { fetch }) {
  const keys = await oauth.generateKeyPair(alg);
  const options = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: fetch };
  const DPoP = oauth.DPoP({}, keys, named(oauth, alg));
  async function call(url, { method = "GET", token, body }) {
    const once = () =>
      token === undefined
        ? tokenRequest(url, body)
        : oauth.protectedResourceRequest(token, method, new URL(url), undefined, body, { ...options, DPoP });
    return answerOf(once().catch((error) => (oauth.isDPoPNonceError(error) ? once() : Promise.reject(error))));
  }
  async function tokenRequest(url, form) {
    const [as, client] = [{ issuer: new URL(url).origin, token_endpoint: url }, { client_id: form.get("client_id") }];
    const response = await oauth.genericTokenEndpointRequest(as, client, oauth.None(), form.get("grant_type"), form, { ...options, DPoP });
    await oauth.processGenericTokenEndpointResponse(as, client, response.clone());
    return response;
  }
  return { jkt: await DPoP.calculateThumbprint(), call };
}

async function startOpenidClient(alg, { fetch }) {
  const keys = await openid.randomDPoPKeyPair(alg);
  let config;
  let DPoP;
  const configure = (metadata, clientId) => {
    config = new openid.Configuration(metadata, clientId, undefined, openid.None());
    openid.allowInsecureRequests(config);
    config[openid.customFetch] = fetch;
    DPoP ??= openid.getDPoPHandle(config, keys, named(openid, alg));
  };
  configure({ issuer: "http://127.0.0.1" }, "app");
  async function call(url, { method = "GET", token, body }) {
    if (token !== undefined) return answerOf(openid.fetchProtectedResource(config, token, new URL(url), method, body, undefined, { DPoP }));
    configure({ issuer: new URL(url).origin, token_endpoint: url }, body.get("client_id"));
    return answerOf(openid.genericGrantRequest(config, body.get("grant_type"), body, { DPoP }).then((tokens) => Response.json(tokens)));
  }
  return { jkt: await DPoP.calculateThumbprint(), call };
}

/** Both libraries say Ed25519 unless told to use the older name (RFC 9864). */
const named = ({ modifyAssertion }, alg) => (alg === "EdDSA" ? { [modifyAssertion]: (header) => (header.alg = alg) } : {});

/** These throw what a server refuses. */
const answerOf = (promise) =>
  promise.catch((error) => {
    if (!(error.response instanceof Response)) throw error;
    return error.response;
  });

/** Its session for the API and its agent for the authorization server; what they would look up elsewhere is given. */
function atproto(makeKey) {
  return async (alg, { fetch }) => {
    const key = await makeKey(alg);
    const server = { issuer: "http://127.0.0.1", dpop_signing_alg_values_supported: [alg], token_endpoint_auth_methods_supported: ["none"] };
    const runtime = { sha256: async (text) => hash(text) };
    const agent = new OAuthServerAgent({ method: "none" }, key, server, { client_id: "app" }, new Map(), undefined, runtime, undefined, fetch);
    let tokenSet;
    const session = new OAuthSession(agent, "did:web:ada.example", { get: async () => ({ tokenSet }), delStored() {} }, fetch);
    async function call(url, { token, ...init }) {
      if (token === undefined) return agent.dpopFetch(url, init);
      tokenSet = { aud: new URL(url).origin, token_type: "DPoP", access_token: token };
      return session.fetchHandler(url, init);
    }
    return { jkt: await calculateJwkThumbprint(key.bareJwk), call };
  };
}

async function makeJoseKey(alg) {
  if (alg !== "EdDSA") return JoseKey.generate([alg]);
  // Its own way to make one forgets what this key is for.
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return JoseKey.fromJWK({ ...(await exportJWK(privateKey)), alg, key_ops: ["sign"] }, "key");
}

/** Its own way to make one gives no CryptoKeys in Node. */
async function makeWebcryptoKey(alg) {
  return WebcryptoKey.fromKeypair(await oauth.generateKeyPair(alg));
}

const withoutQuery = (url) => {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
};
