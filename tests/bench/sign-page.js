// In the page: one proof with an access token by each library, and the signature alone. Bundled by sign.mjs.
import { DpopKey } from "@keybound/browser";
import * as dpop from "dpop";
import { exportJWK, SignJWT } from "jose";
import * as oauth from "oauth4webapi";

const URL_ = "https://api.example/v1/items?page=2";
const HTU = "https://api.example/v1/items";
const TOKEN = "a".repeat(600);
const NONCE = "eyJ7S_zG.eyJH0-Z.HX4w-7v";

const started = performance.now();
const key = await DpopKey.open("bench");
await key.proof({ method: "GET", url: URL_, accessToken: TOKEN, nonce: NONCE });
/** Since the navigation began, and of that since this script ran. */
globalThis.firstProof = { sinceNavigation: performance.now(), sinceScript: performance.now() - started };

const { privateKey } = key.pair;
const algorithm = { name: "ECDSA", hash: "SHA-256" };
const input = new TextEncoder().encode("x".repeat(560));
const jwk = await exportJWK(key.pair.publicKey);
const base64url = (octets) => btoa(String.fromCharCode(...octets)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const client = { client_id: "bench" };
const handle = oauth.DPoP(client, key.pair);
const customFetch = async () => ANSWER.clone();
const ANSWER = new Response("");

const WORK = {
  raw: () => crypto.subtle.sign(algorithm, privateKey, input),
  keybound: () => key.proof({ method: "GET", url: URL_, accessToken: TOKEN, nonce: NONCE }),
  dpop: () => dpop.generateProof(key.pair, HTU, "GET", NONCE, TOKEN),
  jose: async () => {
    const ath = base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(TOKEN))));
    const claims = { jti: crypto.randomUUID(), htm: "GET", htu: HTU, ath, nonce: NONCE };
    return new SignJWT(claims).setIssuedAt().setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk }).sign(privateKey);
  },
  // It makes proofs only within a request.
  oauth4webapi: () =>
    oauth.protectedResourceRequest(TOKEN, "GET", new URL(URL_), new Headers(), null, { DPoP: handle, [oauth.customFetch]: customFetch }),
};

/** Microseconds for each kind of work, a figure a round; the kinds take turns, so that drift hits all alike. */
globalThis.measure = async ({ rounds, batch, warmUp }) => {
  const kinds = Object.keys(WORK);
  const figures = Object.fromEntries(kinds.map((kind) => [kind, []]));
  for (let round = 0; round < rounds + warmUp; round++) {
    for (const [index] of kinds.entries()) {
      const kind = kinds[(index + round) % kinds.length];
      const began = performance.now();
      for (let made = 0; made < batch; made++) await WORK[kind]();
      const each = ((performance.now() - began) / batch) * 1000;
      if (round >= warmUp) figures[kind].push(each);
    }
  }
  return figures;
};
globalThis.ready = true;
