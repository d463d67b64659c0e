// The least that a proof takes: by hand, for one request over and over, with nothing checked. The header and the hash of the token
// are kept, random octets come many at once.
import { HTU, METHOD, TOKEN } from "./request.js";

const encoder = new TextEncoder();
const base64url = Uint8Array.prototype.toBase64
  ? (octets) => octets.toBase64({ alphabet: "base64url", omitPadding: true })
  : (octets) => btoa(String.fromCharCode(...octets)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

export async function withPair({ publicKey, privateKey }) {
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const header = base64url(encoder.encode(JSON.stringify({ typ: "dpop+jwt", alg: "ES256", jwk: { crv, kty, x, y } })));
  const ath = base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(TOKEN))));
  const pool = new Uint8Array(1024);
  let used = pool.length;
  const random = () => {
    if (used === pool.length) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    return base64url(pool.subarray(used, (used += 16)));
  };
  return {
    proof: async (_, nonce) => {
      const claims = { jti: random(), htm: METHOD, htu: HTU, iat: Math.floor(Date.now() / 1000), ath, nonce };
      const input = `${header}.${base64url(encoder.encode(JSON.stringify(claims)))}`;
      const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, encoder.encode(input));
      return `${input}.${base64url(new Uint8Array(signature))}`;
    },
  };
}
