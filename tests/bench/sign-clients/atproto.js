// @atproto/oauth-client-browser: its key, and the fetch with proofs that its sessions use (which it does not export).
import { WebcryptoKey } from "@atproto/oauth-client-browser";
import { dpopFetchWrapper } from "@atproto/oauth-client/fetch-dpop";
import { keptPair } from "./kept-pair.js";
import { METHOD, stubServer, TARGET, TOKEN } from "./request.js";

const make = () => crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);

export async function withPair(pair) {
  const stub = stubServer();
  const nonces = new Map();
  // The store of nonces that a session has is in memory behind promises as well.
  const store = { get: async (origin) => nonces.get(origin), set: async (origin, nonce) => void nonces.set(origin, nonce) };
  const key = await WebcryptoKey.fromKeypair(pair, "bench");
  const call = dpopFetchWrapper({ key, nonces: store, isAuthServer: false, fetch: stub.fetch });
  const request = () => call(TARGET, { method: METHOD, headers: { authorization: `DPoP ${TOKEN}` } });
  return { proof: async () => (await request(), stub.proof()), request, requestProof: stub.proof };
}
export const fresh = async () => withPair(await make());
export const kept = async (name) => withPair(await keptPair(name, make));
