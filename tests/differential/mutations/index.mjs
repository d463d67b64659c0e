// All mutations, and how a case is put together of them.
import { randomFrom } from "../random.mjs";
import { goodScenario } from "../scenario.mjs";
import encoding from "./encoding.mjs";
import header from "./header.mjs";
import json from "./json.mjs";
import jwk from "./jwk.mjs";
import proofClaims from "./proof-claims.mjs";
import request from "./request.mjs";
import signature from "./signature.mjs";
import { flat } from "./table.mjs";
import target from "./target.mjs";
import tokenClaims from "./token-claims.mjs";

const SUBJECTS = [encoding, header, json, jwk, proofClaims, request, signature, target, tokenClaims].map((table) => flat([table]));

export const MUTATIONS = SUBJECTS.flat();

/** How many mutations a case has: mostly one, which then decides alone. */
const HOW_MANY = [1, 1, 1, 1, 1, 1, 2, 2, 2, 3];

/**
 * The case of this number: `{ scenario, labels }`. `keep` leaves mutations out, by their place, and changes nothing about the others.
 */
export function makeCase(seed, index, keep = () => true) {
  const random = randomFrom(seed, index);
  const chosen = Array.from({ length: random.pick(HOW_MANY) }, () => choose(random));
  // What follows draws from sources of its own.
  const scenario = goodScenario(randomFrom(seed, index, "good"));
  const labels = [];
  for (const [place, mutation] of chosen.entries()) {
    if (!keep(place)) continue;
    mutation.apply(scenario, randomFrom(seed, index, "mutation", place));
    labels.push(mutation.id);
  }
  return { scenario, labels, size: chosen.length };
}

/** Half by subject, half over all: no subject is rare, and none of a long table is. */
const choose = (random) => random.pick(random.chance(0.5) ? random.pick(SUBJECTS) : MUTATIONS);
