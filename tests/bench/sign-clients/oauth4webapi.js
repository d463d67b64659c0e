// oauth4webapi makes a proof only within a request: its time is that of a request that is answered at once.
import { customFetch, DPoP, generateKeyPair, protectedResourceRequest } from "oauth4webapi";
import { keptPair } from "./kept-pair.js";
import { METHOD, stubServer, TARGET, TOKEN } from "./request.js";

const make = () => generateKeyPair("ES256");

export function withPair(pair) {
  const stub = stubServer();
  const options = { DPoP: DPoP({ client_id: "bench" }, pair), [customFetch]: stub.fetch };
  const request = () => protectedResourceRequest(TOKEN, METHOD, new URL(TARGET), new Headers(), null, options);
  return { proof: async () => (await request(), stub.proof()), request, requestProof: stub.proof };
}
export const fresh = async () => withPair(await make());
export const kept = async (name) => withPair(await keptPair(name, make));
