// A recipe with jose, as it stands in many applications: the public key is exported once.
import { base64url, exportJWK, generateKeyPair, SignJWT } from "jose";
import { keptPair } from "./kept-pair.js";
import { HTU, METHOD } from "./request.js";

const make = () => generateKeyPair("ES256");

export async function withPair({ publicKey, privateKey }) {
  const jwk = await exportJWK(publicKey);
  return {
    proof: async (token, nonce) => {
      const ath = base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))));
      const proof = new SignJWT({ jti: crypto.randomUUID(), htm: METHOD, htu: HTU, ath, nonce });
      return proof.setIssuedAt().setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk }).sign(privateKey);
    },
  };
}
export const fresh = async () => withPair(await make());
export const kept = async (name) => withPair(await keptPair(name, make));
