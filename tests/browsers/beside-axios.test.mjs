// axios over createFetch, through its fetch adapter, at an API of @keybound/edge with tokens of oidc-provider; nonces required by both.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inEveryEngineBeside } from "./beside-pages.mjs";

/** In the page: `logIn(issuer)`, then `finish(issuer, api)` makes `http`, an axios of that API; `seen(promise)` tells how a call ended. */
const SCRIPT = `
import axios, { isCancel } from "axios";
import { createSession } from "@keybound/browser/session";
const start = (issuer, api) => (globalThis.session = createSession({ issuer, clientId: "page", redirectUri, scope: "openid orders", origins: [api ?? "https://api.example"] }));
const logIn = (issuer) => void start(issuer).login();
const events = [];
const finish = async (issuer, api) => {
  await start(issuer, api).finishLogin();
  const { key, token } = await session.bound();
  globalThis.bound = { key, token };
  const signedFetch = kb.createFetch({ key, token: () => window.otherToken ?? token, origins: [api], onEvent: (event) => events.push(event) });
  const config = { adapter: "fetch", baseURL: api, env: { fetch: signedFetch } };
  globalThis.http = axios.create({ ...config, headers: { "User-Agent": false } });
  globalThis.asItComes = () => axios.create(config);
};
const seen = (promise) => promise.then(
  ({ status, data }) => ({ status, data }),
  (error) => ({ error: error.code, status: error.response?.status, data: error.response?.data, isAxios: axios.isAxiosError(error), isCancel: isCancel(error), cause: error.cause?.code, challenge: error.response?.headers["www-authenticate"], message: error.message }),
);
Object.assign(globalThis, { axios, events, logIn, finish, seen });`;

inEveryEngineBeside("axios", SCRIPT, ({ name, openPage, withServers, goAndComeBack }) => {
  const withAxios = (work, apiOptions) =>
    withServers(async ({ server, api }) => {
      const page = await openPage();
      await goAndComeBack(page, (issuer) => logIn(issuer), server.origin);
      await page.run(({ issuer, api }) => finish(issuer, api), { issuer: server.origin, api: api.origin });
      return work(page, api);
    }, apiOptions);

  test("JSON goes there and comes back, signed with one key; the first request answers the challenge for a nonce", () =>
    withAxios(async (page, api) => {
      const found = await page.run(async () => ({
        got: await seen(http.get("/orders", { params: { page: 2 } })),
        posted: await seen(http.post("/orders", { name: "tea", amount: 3 })),
        patched: await seen(http.patch("/orders", { amount: 4 })),
        removed: await seen(http.delete("/orders")),
        form: await seen(http.postForm("/orders", { a: "b" })),
        jkt: bound.key.thumbprint,
        retries: events.filter(({ type }) => type === "retry").map(({ reason }) => reason),
      }));
      const base = { sub: "ada", jkt: found.jkt };
      assert.deepEqual(found.got, { status: 200, data: { ...base, method: "GET", body: "" } });
      assert.deepEqual(found.posted, { status: 200, data: { ...base, method: "POST", body: '{"name":"tea","amount":3}' } });
      assert.deepEqual(found.patched, { status: 200, data: { ...base, method: "PATCH", body: '{"amount":4}' } });
      assert.equal(found.removed.data.method, "DELETE");
      assert.match(found.form.data.body, /name="a"\r\n\r\nb\r\n/);
      assert.deepEqual(found.retries, ["use_dpop_nonce"]);
      assert.equal(api.reasons.filter((reason) => reason !== null).length, 1, String(api.reasons));
    }));

  test("answers that are errors are AxiosErrors with status, data and challenge", () =>
    withAxios(async (page) => {
      const found = await page.run(async () => {
        const refused = await seen(http.get("/refuse"));
        window.otherToken = bound.token.accessToken.slice(0, -8) + "AAAAAAAA";
        return { refused, unauthorized: await seen(http.get("/orders")) };
      });
      const { refused, unauthorized } = found;
      assert.deepEqual([refused.error, refused.status, refused.data, refused.isAxios], ["ERR_BAD_REQUEST", 422, { reason: "no such order" }, true]);
      assert.deepEqual([unauthorized.error, unauthorized.status, unauthorized.isAxios], ["ERR_BAD_REQUEST", 401, true]);
      assert.match(unauthorized.challenge, /^DPoP .*error="invalid_token"/);
    }));

  test("a redirect is not followed, and its code is the error's", () =>
    withAxios(async (page, api) => {
      const found = await page.run(() => seen(http.get("/away")));
      assert.deepEqual([found.error, found.isAxios, found.status ?? null], ["redirect_refused", true, null], JSON.stringify(found));
      assert.match(found.message, /redirects/);
      // The challenge for a nonce and the redirect: nothing went on to /orders.
      assert.equal(api.reasons.length, 2);
    }));

  test("an AbortSignal cancels, a timeout times out", () =>
    withAxios(async (page) => {
      const found = await page.run(async () => {
        await http.get("/orders");
        const controller = new AbortController();
        const under = seen(http.get("/slow", { signal: controller.signal }));
        setTimeout(() => controller.abort(), 200);
        return [await under, await seen(http.get("/slow", { timeout: 200 })), await seen(http.get("/orders", { signal: AbortSignal.abort() }))];
      });
      assert.deepEqual(found.map(({ error, isCancel }) => [error, isCancel]), [["ERR_CANCELED", true], ["ETIMEDOUT", false], ["ERR_CANCELED", true]]);
    }));

  test("an upload with progress arrives whole, also when a nonce is wanted first; an answer can be read as a stream", () =>
    withAxios(async (page) => {
      const found = await page.run(async () => {
        const progress = [];
        const body = "x".repeat(300_000);
        const { data } = await http.post("/orders", body, { headers: { "Content-Type": "text/plain" }, onUploadProgress: ({ loaded }) => progress.push(loaded) });
        const down = [];
        const { data: stream } = await http.get("/orders", { responseType: "stream", onDownloadProgress: ({ loaded }) => down.push(loaded) });
        let text = "";
        const decoder = new TextDecoder();
        const reader = stream?.getReader?.();
        for (let part; reader && !(part = await reader.read()).done; ) text += decoder.decode(part.value, { stream: true });
        return { whole: data.body === body, progress: progress.at(-1) ?? null, stream: text && JSON.parse(text).sub, down: down.length > 0, retries: events.length };
      });
      assert.equal(found.whole, true);
      // Only Chromium has bodies that are streams, which is what axios counts.
      assert.equal(found.progress, name === "chromium" ? 300_000 : null);
      assert.equal(found.stream, "ada");
      assert.equal(found.down, true);
      assert.equal(found.retries, 1);
    }));

  // Chromium does not send the field; Firefox and WebKit do, and ask the API for leave in the preflight.
  const [unasked, outcome] = name === "chromium" ? ["", 200] : [", and not reached before", "ERR_NETWORK"];
  test(`axios names itself in User-Agent: an API that does not allow that field is reached once it is switched off${unasked}`, () =>
    withAxios(async (page) => {
      const found = await page.run(async () => [await seen(asItComes().get("/orders")), await seen(http.get("/orders"))]);
      assert.deepEqual([found[0].status ?? found[0].error, found[1].status], [outcome, 200]);
    }));

  test("an API that allows User-Agent is reached by axios as it comes", () =>
    withAxios(async (page) => {
      const { status } = await page.run(() => seen(asItComes().get("/orders")));
      assert.equal(status, 200);
    }, { corsHeaders: ["User-Agent"] }));
});
