// The client of @keybound/browser at oidc-provider: pushed requests, codes, refresh, user info, introspection; with and without nonces.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { Provider } from "oidc-provider";
import { startApi } from "../authorization-server/api.mjs";
import { edge } from "../edge/support.mjs";
import { listen } from "../support/loopback.mjs";
import { ALGORITHMS, kb, makeKey, sendProof } from "./keybound-client.mjs";

const REDIRECT_URI = "https://app.example/callback";
const SECRET = "of-confidential-clients";
const basic = (id) => ({ authorization: `Basic ${Buffer.from(`${id}:${SECRET}`).toString("base64")}` });
const jsonOf = async (answer) => ({ status: answer.status, ...(await answer.json()) });

for (const nonces of [false, true]) {
  describe(nonces ? "with nonces" : "without nonces", () => {
    let issuer;
    before(async () => (issuer = await startProvider({ nonces })));
    after(() => issuer?.close());

    /** An app with a key: `post` goes to the authorization server's own endpoints, by the client's fetch for those. */
    function makeApp(key) {
      const send = kb.createTokenFetch({ key, origins: [issuer.origin] });
      return (path, form, headers) => send(issuer.origin + path, { method: "POST", headers, body: new URLSearchParams(form) });
    }

    for (const algorithm of ALGORITHMS) {
      test(`a token is bound to a ${algorithm} key, as its introspection says`, async () => {
        const key = await makeKey(algorithm);
        const post = makeApp(key);
        const { token_type, access_token } = await jsonOf(await post("/token", { grant_type: "client_credentials", scope: "read" }, basic("machine")));
        assert.equal(token_type, "DPoP");
        const about = await jsonOf(await introspect(issuer, access_token));
        assert.deepEqual([about.active, about.token_type, about.cnf], [true, "DPoP", { jkt: key.thumbprint }]);
      });
    }

    test("a page signs in: pushed request, code, user info, refresh, all with its key", async () => {
      const key = await makeKey();
      const post = makeApp(key);
      const { code, verifier } = await signIn(issuer, post, { dpop_jkt: key.thumbprint });
      const tokens = await jsonOf(await redeem(post, code, verifier));
      assert.deepEqual([tokens.status, tokens.token_type], [200, "DPoP"]);
      const userInfo = async (token) => kb.createFetch({ key, token, origins: [issuer.origin] })(`${issuer.origin}/me`);
      assert.deepEqual(await jsonOf(await userInfo(tokens.access_token)), { status: 200, sub: "ada" });
      const renewed = await jsonOf(await post("/token", { grant_type: "refresh_token", client_id: "page", refresh_token: tokens.refresh_token }));
      assert.deepEqual(await jsonOf(await userInfo(renewed.access_token)), { status: 200, sub: "ada" });
      assert.equal((await sendProof(await makeKey(), `${issuer.origin}/me`, { token: renewed.access_token, ...(await issuer.nonce()) })).status, 401);
    });

    test("its tokens open an API of @keybound/edge, which asks the provider about them", async () => {
      const key = await makeKey();
      const { access_token } = await jsonOf(await makeApp(key)("/token", { grant_type: "client_credentials" }, basic("machine")));
      const tokens = edge.introspection({
        endpoint: new URL(`${issuer.origin}/token/introspection`),
        authenticate(request) {
          request.headers.set("authorization", basic("api").authorization);
          return request;
        },
      });
      const api = await startApi({ issuer: issuer.origin, tokens, nonces });
      try {
        const answer = await kb.createFetch({ key, token: access_token, origins: [api.origin] })(`${api.origin}/orders`);
        assert.deepEqual([answer.status, api.reasons], [200, nonces ? ["nonce_missing", null] : [null]]);
        const other = kb.createFetch({ key: await makeKey(), token: access_token, origins: [api.origin] });
        assert.equal((await other(`${api.origin}/orders`)).status, 401);
        assert.equal(api.reasons.at(-1), "jkt_mismatch");
      } finally {
        await api.close();
      }
    });

    test("the provider refuses another key for a code and a refresh token, a pushed request that contradicts itself, and faulty proofs", async () => {
      const [key, otherKey] = [await makeKey(), await makeKey()];
      const [post, otherPost] = [makeApp(key), makeApp(otherKey)];
      const pushed = await jsonOf(await push(post, { dpop_jkt: otherKey.thumbprint }));
      assert.equal(pushed.error, "invalid_request");
      const { code, verifier } = await signIn(issuer, post, {});
      assert.equal((await jsonOf(await redeem(otherPost, code, verifier))).error, "invalid_grant");
      const again = await signIn(issuer, post, {});
      const { refresh_token } = await jsonOf(await redeem(post, again.code, again.verifier));
      const form = { grant_type: "refresh_token", client_id: "page", refresh_token };
      assert.equal((await jsonOf(await otherPost("/token", form))).error, "invalid_grant");
      const faulty = async (signed) => {
        const body = new URLSearchParams({ ...form, client_id: "page" });
        return (await jsonOf(await sendProof(key, `${issuer.origin}/token`, { method: "POST", body, ...(await issuer.nonce()), ...signed }))).error;
      };
      assert.equal(await faulty({ url: `${issuer.origin}/me` }), "invalid_dpop_proof");
      if (nonces) assert.equal(await faulty({ nonce: "made-up" }), "use_dpop_nonce");
    });
  });
}

const introspect = (issuer, token) =>
  fetch(`${issuer.origin}/token/introspection`, { method: "POST", headers: basic("api"), body: new URLSearchParams({ token }) });

const redeem = (post, code, verifier) =>
  post("/token", { grant_type: "authorization_code", client_id: "page", code, code_verifier: verifier, redirect_uri: REDIRECT_URI });

function push(post, parameters, verifier = "v".repeat(43)) {
  return post("/request", {
    client_id: "page", response_type: "code", redirect_uri: REDIRECT_URI, scope: "openid offline_access", prompt: "consent",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
    ...parameters,
  });
}

/** What the app does, and what the browser of the person does: it follows to the callback and keeps cookies. */
async function signIn({ origin }, post, parameters) {
  const verifier = randomBytes(32).toString("base64url");
  const { request_uri, error_description } = await jsonOf(await push(post, parameters, verifier));
  assert.ok(request_uri, error_description);
  const cookies = new Map();
  let url = `${origin}/auth?${new URLSearchParams({ client_id: "page", request_uri })}`;
  while (!url.startsWith(REDIRECT_URI)) {
    const response = await fetch(url, { redirect: "manual", headers: { cookie: [...cookies].map((pair) => pair.join("=")).join("; ") } });
    for (const cookie of response.headers.getSetCookie()) cookies.set(...cookie.split(";")[0].split(/=(.*)/).slice(0, 2));
    assert.equal(response.status, 303, `${url}: ${await response.text()}`);
    url = new URL(response.headers.get("location"), url).href;
  }
  return { code: new URL(url).searchParams.get("code"), verifier };
}

async function startProvider({ nonces }) {
  let handle;
  const { origin, close } = await listen(createServer((request, response) => handle(request, response)));
  const confidential = { token_endpoint_auth_method: "client_secret_basic", client_secret: SECRET, redirect_uris: [], response_types: [] };
  const provider = new Provider(origin, {
    clients: [
      {
        client_id: "page", token_endpoint_auth_method: "none", redirect_uris: [REDIRECT_URI], dpop_bound_access_tokens: true,
        grant_types: ["authorization_code", "refresh_token"],
      },
      { client_id: "machine", grant_types: ["client_credentials"], dpop_bound_access_tokens: true, ...confidential },
      { client_id: "api", grant_types: [], ...confidential },
    ],
    scopes: ["openid", "offline_access", "read"],
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    enabledJWA: { dPoPSigningAlgValues: ALGORITHMS },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      pushedAuthorizationRequests: { enabled: true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => nonces },
    },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    issueRefreshToken: () => true,
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid offline_access");
      await grant.save();
      return grant;
    },
  });
  const protocol = provider.callback();
  // The person says yes to everything.
  const agree = { login: { accountId: "ada" }, consent: {} };
  handle = (request, response) => {
    if (!request.url.startsWith("/interaction/")) return protocol(request, response);
    return provider.interactionFinished(request, response, agree, { mergeWithLastSubmission: false });
  };

  /** A nonce of the provider's, for proofs that are made by hand; nothing where it asks for none. */
  async function nonce() {
    if (!nonces) return {};
    const form = new URLSearchParams({ grant_type: "client_credentials" });
    const proof = await (await makeKey()).proof({ method: "POST", url: `${origin}/token` });
    const answer = await fetch(`${origin}/token`, { method: "POST", headers: { dpop: proof, ...basic("machine") }, body: form });
    return { nonce: answer.headers.get("dpop-nonce") };
  }
  return { origin, close, nonce };
}
