// @keybound/browser. `load` gives it the octets of its module.
import { createFetch, DpopKey, init } from "@keybound/browser";
import { METHOD, stubServer, TARGET, TOKEN } from "./request.js";

export const load = (octets) => void init(octets);

function withKey(key) {
  const stub = stubServer();
  const call = createFetch({ key, token: TOKEN, origins: [TARGET], fetch: stub.fetch });
  return {
    proof: (accessToken, nonce) => key.proof({ method: METHOD, url: TARGET, accessToken, nonce }),
    request: () => call(TARGET),
    requestProof: stub.proof,
  };
}
export const withPair = async (pair) => withKey(await DpopKey.from(pair));
export const fresh = async () => withPair(await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]));
export const kept = async (name) => withKey(await DpopKey.open(name));
