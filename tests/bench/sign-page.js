// In the page: one proof with an access token by each library, the signature alone, and requests that carry proofs.
import { interleave } from "./figures.mjs";
import * as atproto from "./sign-clients/atproto.js";
import * as auth0 from "./sign-clients/auth0-spa-js.js";
import * as dpop from "./sign-clients/dpop.js";
import * as jose from "./sign-clients/jose.js";
import * as keybound from "./sign-clients/keybound.js";
import * as least from "./sign-clients/least.js";
import * as oauth4webapi from "./sign-clients/oauth4webapi.js";
import * as oidcClientTs from "./sign-clients/oidc-client-ts.js";
import * as raw from "./sign-clients/raw.js";
import { NONCE, TOKEN } from "./sign-clients/request.js";

const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
const client = {
  raw: raw.withPair(pair),
  least: await least.withPair(pair),
  keybound: await keybound.withPair(pair),
  dpop: dpop.withPair(pair),
  jose: await jose.withPair(pair),
  oauth4webapi: oauth4webapi.withPair(pair),
  atproto: await atproto.withPair(pair),
  "oidc-client-ts": await oidcClientTs.kept("bench"),
  "auth0-spa-js": await auth0.kept("bench"),
};

let tokens = 0;
const newToken = () => String(tokens++).padStart(TOKEN.length, "a");
const proofs = (name) => () => client[name].proof(TOKEN, NONCE);

/** What is timed, by table and name; `request` is at the same time what oauth4webapi and atproto do for a proof. */
const WORK = {
  proofs: {
    raw: client.raw.proof,
    "the least by hand": proofs("least"),
    keybound: proofs("keybound"),
    "keybound, each with a new token": () => client.keybound.proof(newToken(), NONCE),
    dpop: proofs("dpop"),
    jose: proofs("jose"),
    "oidc-client-ts": proofs("oidc-client-ts"),
    "auth0-spa-js": proofs("auth0-spa-js"),
  },
  requests: {
    raw: client.raw.proof,
    keybound: client.keybound.request,
    oauth4webapi: client.oauth4webapi.request,
    atproto: client.atproto.request,
  },
};

/** One proof of each kind, to be checked before anything is timed. */
globalThis.specimens = async () => {
  const made = {};
  for (const name of Object.keys(client)) if (name !== "raw") made[name] = await client[name].proof(TOKEN, NONCE);
  for (const name of Object.keys(WORK.requests).slice(1)) {
    // The first request learns the nonce.
    for (let asked = 0; asked < 2; asked++) await client[name].request();
    made[`${name}, in a request`] = client[name].requestProof();
  }
  return made;
};

/** Microseconds for each kind of work, a figure a round. */
globalThis.measure = async ({ table, rounds, batch, warmUp }) => {
  const figures = await interleave(Object.keys(WORK[table]), { rounds, warmUp }, async (kind) => {
    const work = WORK[table][kind];
    const began = performance.now();
    for (let made = 0; made < batch; made++) await work();
    return ((performance.now() - began) / batch) * 1000;
  });
  // As a list: on their way out of a page, an object's members may lose their order.
  return Object.entries(figures);
};
globalThis.ready = true;
