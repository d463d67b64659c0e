// oidc-client-ts: the proof that its UserManager makes for a request to an API. It asks its store for the key each time.
import { DPoPState, IndexedDbDPoPStore, UserManager } from "oidc-client-ts";
import { HTU, METHOD } from "./request.js";

const ISSUER = "https://as.example";

function withStore(store, clientId) {
  const manager = new UserManager({ authority: ISSUER, client_id: clientId, redirect_uri: `${location.origin}/`, automaticSilentRenew: false, dpop: { store } });
  return { proof: (token, nonce) => manager.dpopProof(HTU, { access_token: token }, METHOD, nonce) };
}

async function ensureKey(store, clientId) {
  if (await store.get(clientId)) return;
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  await store.set(clientId, new DPoPState(pair));
}

export async function kept(name) {
  const store = new IndexedDbDPoPStore();
  await ensureKey(store, name);
  return withStore(store, name);
}
