// What tests of createFetch share: a server that answers as told, and a page with a client of it.
import { challenge, serveApi } from "./harness.mjs";

/** Runs `work` with a server that answers so. */
export async function withApi(answer, work, options) {
  const api = await serveApi(answer, options);
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}

/** Demands this nonce of requests that have another one, or none. */
export const wantsNonce = (nonce) => ({ claims }) => (claims?.nonce === nonce ? { body: "in" } : challenge(nonce));

/** The nonces of the requests that a server got. */
export const nonces = (api) => api.requests.map(({ claims }) => claims?.nonce);

/** CORS fields that do not show `Date`, as most servers send them. */
export const TIMELESS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "Authorization, DPoP, Content-Type",
  "access-control-expose-headers": "DPoP-Nonce, WWW-Authenticate",
};

/**
 * A page in which `client(options)` is a `createFetch` with token `token-1` and nonces of its own, `call` is one of
 * those, `target` the server, and `outcome(promise)` is status and text of an answer, or the code of an error.
 */
export async function openClient(open, api, options = {}) {
  const page = await open();
  await page.run(
    async ({ origin, options }) => {
      window.key = await kb.DpopKey.open("requests");
      window.events = [];
      window.target = origin;
      window.memory = () => {
        const held = new Map();
        return { get: (role, at) => held.get(role + at), set: (role, at, nonce) => void held.set(role + at, nonce) };
      };
      window.client = (more) => kb.createFetch({ key, token: "token-1", origins: [origin], onEvent: (event) => events.push(event), nonces: memory(), ...options, ...more });
      window.call = client();
      window.failureOf = (error) => (typeof error.code === "string" ? error.code : String(error));
      window.outcome = (promise) => promise.then(async (response) => [response.status, await response.text()]).catch(failureOf);
      window.abortIn = (milliseconds) => {
        const stop = new AbortController();
        setTimeout(() => stop.abort(new Error("enough")), milliseconds);
        return stop.signal;
      };
    },
    { origin: api.origin, options },
  );
  return page;
}
