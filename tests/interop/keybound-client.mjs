// @keybound/browser as it runs in Node, for servers of others.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { dist } from "../support/paths.mjs";

export const kb = await import(pathToFileURL(join(dist.browser, "index.js")).href).catch((cause) => {
  throw new Error("dist/browser is not there: run `cargo xtask build browser` first", { cause });
});

/** What the client can sign with. Ed25519 goes by two names (RFC 9864), and some servers know only the older. */
export const ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519", "EdDSA"];

let made = 0;
/** A new key, in memory. */
export const makeKey = (algorithm = "ES256") => kb.DpopKey.open(`key ${made++}`, { algorithm });

/** Sends one request with a proof made by hand. What is given beside `token`, `method`, `body` and `nonce` is signed and not sent. */
export async function sendProof(key, url, { token, method = "GET", body, nonce, ...signed }) {
  const proof = await key.proof({ method, url, ...(token !== undefined && { accessToken: token }), ...(nonce !== undefined && { nonce }), ...signed });
  return fetch(url, { method, body, headers: { dpop: proof, ...(token !== undefined && { authorization: `DPoP ${token}` }) } });
}
