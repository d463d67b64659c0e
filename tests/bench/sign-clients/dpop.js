// dpop: proofs alone.
import { generateKeyPair, generateProof } from "dpop";
import { keptPair } from "./kept-pair.js";
import { HTU, METHOD } from "./request.js";

const make = () => generateKeyPair("ES256");

export const withPair = (pair) => ({ proof: (token, nonce) => generateProof(pair, HTU, METHOD, nonce, token) });
export const fresh = async () => withPair(await make());
export const kept = async (name) => withPair(await keptPair(name, make));
