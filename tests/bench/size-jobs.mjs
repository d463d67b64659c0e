// What is compared: jobs, and for each of them everything that an application needs of a library, with what it does and does not.
import { join } from "node:path";
import { here } from "./size-bundles.mjs";

const client = (file) => `export { kept } from ${JSON.stringify(join(here, "sign-clients", `${file}.js`))};`;

/** What one writes with jose: the token's signature and claims, the proof's, and that they belong together (RFC 9449 §4.3, §7.1). */
const JOSE_CHECK = `
import { calculateJwkThumbprint, createRemoteJWKSet, EmbeddedJWK, jwtVerify } from "jose";
const encode = (octets) => btoa(String.fromCharCode(...octets)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
export function checker({ issuer, audience, jwksUri }) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  return async (request) => {
    const [scheme, token] = (request.headers.get("authorization") ?? "").split(" ");
    if (scheme.toLowerCase() !== "dpop") throw new Error("no token");
    const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: "at+jwt", requiredClaims: ["cnf"] });
    const proof = await jwtVerify(request.headers.get("dpop"), EmbeddedJWK, { typ: "dpop+jwt", maxTokenAge: 300, clockTolerance: 30 });
    const { origin, pathname } = new URL(request.url);
    const hash = encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))));
    if (proof.payload.htm !== request.method || proof.payload.htu !== origin + pathname || proof.payload.ath !== hash) throw new Error("another request's proof");
    if ((await calculateJwkThumbprint(proof.protectedHeader.jwk)) !== payload.cnf.jkt) throw new Error("another key's proof");
    return payload;
  };
}`;

const OAUTH4WEBAPI_REQUESTS = "customFetch, DPoP, generateKeyPair, isDPoPNonceError, protectedResourceRequest, WWWAuthenticateChallengeError";
const OAUTH4WEBAPI_LOGIN = `${OAUTH4WEBAPI_REQUESTS}, authorizationCodeGrantRequest, calculatePKCECodeChallenge, discoveryRequest, generateRandomCodeVerifier,
  generateRandomState, None, processAuthorizationCodeResponse, processDiscoveryResponse, processRefreshTokenResponse, processRevocationResponse,
  refreshTokenGrantRequest, revocationRequest, validateAuthResponse`;

/** `own` are rows of keybound; the first of a job's is what the others are compared with. `limit` is in octets of brotli 11. */
export const JOBS = [
  {
    title: "In the browser: a key that is kept, and proofs",
    entries: [
      {
        name: "keybound: key and proofs", own: "browser",
        code: 'export { DpopKey } from "@keybound/browser";',
        does: "keys in IndexedDB for all tabs, one of them where several are made at once; ECDSA, RSA and Ed25519; every claim checked before it is signed; errors with codes",
      },
      {
        name: "dpop", peer: "dpop",
        code: 'export { generateKeyPair, generateProof } from "dpop";',
        does: "proofs in four algorithms; keeps no key",
      },
      {
        name: "dpop, with the lines that keep a key", peer: "dpop",
        code: client("dpop"),
        does: "the same, and twenty lines over IndexedDB, in which two tabs may make two keys",
      },
      {
        name: "jose, with a recipe that keeps a key", peer: "jose",
        code: client("jose"),
        does: "signatures; claims and the hash of the token are the recipe's, and so is IndexedDB",
      },
    ],
  },
  {
    title: "In the browser: requests with a bound token",
    entries: [
      {
        name: "keybound: key, proofs, fetch", own: "browser", limit: 12_000,
        code: 'export { DpopKey, createFetch } from "@keybound/browser";',
        does: "beyond keys and proofs: tokens only to named origins, nonces learnt and shared by tabs, retries with their bodies, one more attempt with another token, clocks that are wrong, redirects",
      },
      {
        name: "oauth4webapi: DPoP and requests", peer: "oauth4webapi",
        code: `export { ${OAUTH4WEBAPI_REQUESTS} } from "oauth4webapi";`,
        does: "proofs within requests, nonces remembered for a page; keeps no key, and retrying is the caller's",
      },
      {
        name: "oauth4webapi, with the lines that keep a key", peer: "oauth4webapi",
        code: client("oauth4webapi"),
        does: "the same, with IndexedDB; no retries",
      },
    ],
  },
  {
    title: "In the browser: login, refresh and requests with bound tokens",
    entries: [
      {
        name: "keybound: session, with oauth4webapi", own: "browser",
        code: 'export { DpopKey, createFetch } from "@keybound/browser"; export { createSession } from "@keybound/browser/session";',
        does: "code flow with PKCE, pushed requests and dpop_jkt; tokens kept, refreshed by one tab for all, revoked at logout; all of the requests above. No ID tokens, no silent login in frames",
      },
      {
        name: "keybound: session, where oauth4webapi is there already", own: "browser", external: ["oauth4webapi"],
        code: 'export { DpopKey, createFetch } from "@keybound/browser"; export { createSession } from "@keybound/browser/session";',
      },
      {
        name: "oauth4webapi: code flow with refresh", peer: "oauth4webapi",
        code: `export { ${OAUTH4WEBAPI_LOGIN} } from "oauth4webapi";`,
        does: "each message and its checks; keeping keys, tokens and state, tabs and retries are the caller's",
      },
      {
        name: "oidc-client-ts", peer: "oidc-client-ts",
        code: 'export { IndexedDbDPoPStore, UserManager, WebStorageStateStore } from "oidc-client-ts";',
        does: "OpenID Connect with ID tokens, silent login and session monitoring; DPoP for its own token requests; for requests to an API a proof, which the caller sends",
      },
      {
        name: "@auth0/auth0-spa-js", peer: "@auth0/auth0-spa-js",
        code: 'export { createAuth0Client } from "@auth0/auth0-spa-js";',
        does: "one vendor's servers; ID tokens, silent login, refresh in a worker; DPoP, with a fetch that retries once for a nonce",
      },
      {
        name: "@atproto/oauth-client-browser", peer: "@atproto/oauth-client-browser",
        code: 'export { BrowserOAuthClient } from "@atproto/oauth-client-browser";',
        does: "one network's profile, with identities resolved; several sessions; DPoP with nonces and retries",
      },
    ],
  },
  {
    title: "In a worker: check a request with a bound token",
    entries: [
      {
        name: "keybound: resource server", own: "edge", platform: "workers", limit: 45_000,
        code: 'export { createResourceServer } from "@keybound/edge";',
        does: "the checks of RFC 9449, 9068 and 8705: DPoP and certificates, policy, replays, nonces, key sets fetched and refreshed, answers with challenges and CORS",
      },
      {
        name: "keybound, with signatures in WebAssembly", own: "edge", platform: "workers", limit: 90_000,
        code: 'export { createResourceServer } from "@keybound/edge"; export { wasmSignatures } from "@keybound/edge/wasm";',
        does: "the same where the platform lacks an algorithm (ES256, Ed25519)",
      },
      {
        name: "oauth4webapi: validateJwtAccessToken", peer: "oauth4webapi", platform: "workers",
        code: 'export { validateJwtAccessToken, WWWAuthenticateChallengeError } from "oauth4webapi";',
        does: "token and proof; no replays, no nonces, no certificates, no answers",
      },
      {
        name: "jose, with a recipe", peer: "jose", platform: "workers",
        code: JOSE_CHECK,
        does: "signatures, times and key sets; the rest is the recipe's thirty lines: no replays, no nonces, no certificates, no answers",
      },
    ],
  },
  {
    title: "In Node: check a request with a bound token",
    entries: [
      {
        name: "keybound: resource server for Node", own: "edge", platform: "node",
        code: 'export { createNodeResourceServer } from "@keybound/edge/node";',
        does: "as in a worker, with node:http's requests and answers",
      },
      {
        name: "oauth4webapi: validateJwtAccessToken", peer: "oauth4webapi", platform: "node",
        code: 'export { validateJwtAccessToken, WWWAuthenticateChallengeError } from "oauth4webapi";',
      },
      {
        name: "express-oauth2-jwt-bearer", peer: "express-oauth2-jwt-bearer", platform: "node",
        code: 'export { auth } from "express-oauth2-jwt-bearer";',
        does: "middleware of Express: token and proof, or a certificate, discovery, challenges; no replays, no nonces",
      },
    ],
  },
];
