// The limit: a key and a signature over as many octets as a proof has, and nothing else.
import { keptPair } from "./kept-pair.js";

const make = () => crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
const input = new TextEncoder().encode("x".repeat(560));

export function withPair({ privateKey }) {
  return { proof: () => crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, input) };
}
export const fresh = async () => withPair(await make());
export const kept = async (name) => withPair(await keptPair(name, make));
