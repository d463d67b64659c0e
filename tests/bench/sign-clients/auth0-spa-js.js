// @auth0/auth0-spa-js: the proof that its client makes for a request to an API. The signature is dpop's; it asks IndexedDB for the key each time.
import { Auth0Client } from "@auth0/auth0-spa-js";
import { HTU, METHOD } from "./request.js";

export async function kept(name) {
  const client = new Auth0Client({ domain: "as.example", clientId: name, useDpop: true, cacheLocation: "memory" });
  return { proof: (accessToken, nonce) => client.generateDpopProof({ url: HTU, method: METHOD, accessToken, nonce }) };
}
