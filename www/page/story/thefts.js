// @ts-check
// Steps 4 to 7: the thefts, each carried out, and what gave it away.

import { element } from "../dom.js";
import { decode } from "../inspector/decode.js";
import { thumbprint } from "../inspector/keys.js";
import { answerCodes, apiSays, comparison, exchangeView, holds, proofView, verdict } from "./evidence.js";
import { again, asBearer, elsewhere, withOwnKey } from "./thief.js";

/**
 * @typedef {import("./record.js").Exchange} Exchange
 * @typedef {import("./session.js").Session} Session
 * @typedef {object} Theft
 * @property {(loot: Exchange) => Promise<Exchange>} commit
 * @property {(sent: Exchange, loot: Exchange, session: Session) => Promise<Node[]>} giveaway
 */

/** @type {Record<string, Theft>} By the id of their step. */
export const THEFTS = {
  "theft-bearer": {
    commit: asBearer,
    giveaway: async () => [element("p", { class: "waiting" }, "There is no proof in it: the thief has no key to make one with.")],
  },
  "theft-own-key": {
    commit: withOwnKey,
    async giveaway(sent, _loot, { boundTo }) {
      const used = (await thumbprint(decode(sent.proof ?? "").header.jwk)) ?? "(no key)";
      return [
        comparison(["Thumbprint of the key in the proof", "cnf.jkt in the token"], [used, boundTo], { same: "The same.", different: "Not the same: the token is bound to your key." }),
        proofView(sent, { title: "The thief's proof", brief: true, notes: { jwk: holds(used === boundTo, "Your key.", "The thief's key.") } }),
      ];
    },
  },
  "theft-replay": {
    commit: again,
    async giveaway(sent, loot) {
      const known = decode(sent.proof ?? "").payload.jti === decode(loot.proof ?? "").payload.jti;
      return [proofView(sent, { title: "Your proof, in the thief's hands", brief: true, notes: { jti: holds(!known, "A new name.", "The API saw this name a moment ago, in your own request.") } })];
    },
  },
  "theft-elsewhere": {
    commit: elsewhere,
    async giveaway(sent) {
      const { htu } = decode(sent.proof ?? "").payload;
      return [
        comparison(["htu in the proof", "The address it was sent to"], [htu, sent.url], { same: "The same.", different: "Not the same: the proof is for your notes only." }),
        proofView(sent, { title: "Your proof, in the thief's hands", brief: true, notes: { htu: holds(htu === sent.url, "Made for this address.", "Made for this address, not for the other.") } }),
      ];
    },
  },
};

/**
 * @param {Session} session
 * @param {Theft} theft
 * @returns {Promise<import("./step.js").Shown>}
 */
export async function commitTheft(session, { commit, giveaway }) {
  // What the thief copies is as fresh as can be: a request that the page makes right now.
  const loot = (await session.readNotes()).at(-1);
  if (loot?.status !== 200) throw new Error("The page's own request was refused, so there is nothing to steal. Sign in again.");
  const sent = await commit(loot);
  const title = sent.status === 200 ? "The thief got in" : sent.status === 401 ? "Refused" : "No decision";
  return {
    outcome: verdict("bad", title, answerCodes(sent), apiSays(sent)),
    evidence: [exchangeView(sent, { title: "What the thief sent", about: "and what the API answered" }), ...(await giveaway(sent, loot, session))],
  };
}
