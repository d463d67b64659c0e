// @ts-check
// Steps 1 to 3, in which everything is as it should be: what each does, and what it shows for itself.

import { element } from "../dom.js";
import { decode } from "../inspector/decode.js";
import { sha256, thumbprint } from "../inspector/keys.js";
import { keyView, tokenView } from "../inspector/view.js";
import { answerCodes, apiSays, comparison, exchangeView, holds, proofView, verdict } from "./evidence.js";
import { tryToExport } from "./key.js";
import { isReturning } from "./sign-in.js";

/**
 * @typedef {import("./record.js").Exchange} Exchange
 * @typedef {import("./session.js").Session} Session
 * @typedef {import("./step.js").Shown} Shown
 */

/** @param {Session} session @returns {Promise<Shown>} */
export async function makeKey(session) {
  const key = await session.openKey();
  const answer = await tryToExport(key);
  const kept = key.storage === "persistent" ? "The key is made and kept" : "The key is made, for as long as this page lives";
  return {
    outcome: verdict("good", kept, element("p", {}, "Asked to export the private half, the browser answered: ", element("code", {}, answer))),
    evidence: [
      keyView(key.publicJwk, { title: "The public half", about: `for ${key.algorithm}` }),
      element("div", { class: "equal" },
        element("dl", {}, element("dt", {}, "Its thumbprint (RFC 7638): the key's name from here on"), element("dd", { id: "thumbprint" }, key.thumbprint)),
      ),
    ],
  };
}

/** Shows nothing the first time: the page leaves for the authorization server. @param {Session} session @returns {Promise<Shown | void>} */
export async function getToken(session) {
  if (!isReturning()) return session.signIn();

  const { tokenType, exchanges } = await session.finishSignIn();
  const { thumbprint: own } = await session.openKey();
  const token = decode(session.accessToken);
  const bound = session.boundTo === own;
  const request = /** @type {Exchange} */ (exchanges.at(-1));
  return {
    outcome: verdict(bound ? "good" : "bad", `Signed in as ${token.payload.sub}`, `The token's type is ${tokenType === "dpop" ? "DPoP" : tokenType}, and it is ${bound ? "bound to this page's key" : "not bound to this page's key"}.${retried(exchanges)}`),
    evidence: [
      comparison(["cnf.jkt in the token", "The key's thumbprint"], [session.boundTo, own], { same: "The same: without this key, the token is of no use.", different: "Not the same: the token is of no use here." }),
      tokenView(token, { title: "The access token", about: "issued by the authorization server", brief: true, notes: { cnf: holds(bound, "jkt is the thumbprint of your key.", "jkt is not the thumbprint of your key.") } }),
      proofView(request, { title: "The proof sent for it" }),
    ],
  };
}

/** @param {Session} session @param {Exchange[]} exchanges @returns {Promise<Shown>} */
export async function showCall(session, exchanges) {
  const last = /** @type {Exchange} */ (exchanges.at(-1));
  const { header, payload } = decode(last.proof ?? "");
  const asked = exchanges.at(-2)?.nonce;
  return {
    outcome: last.status === 200
      ? verdict("good", "Let in", answerCodes(last), `The API knows ${last.body.reader} by the token, and lets the page in by the proof.${retried(exchanges)}`, noteList(last.body.notes))
      : verdict("bad", "Refused", answerCodes(last), `${apiSays(last)}${retried(exchanges)}`),
    evidence: [
      exchangeView(last, { title: "The request and its answer" }),
      proofView(last, {
        title: "The proof it carried",
        brief: true,
        notes: {
          jwk: holds((await thumbprint(header.jwk)) === session.boundTo, "Its thumbprint is the token's cnf.jkt.", "Its thumbprint is not the token's cnf.jkt."),
          htu: holds(payload.htu === last.url, "The address that was asked for.", "Not the address that was asked for."),
          ath: holds(payload.ath === (await sha256(session.accessToken)), "The hash of this very token.", "Not the hash of this token."),
          ...(asked ? { nonce: holds(payload.nonce === asked, "The API gave it out in its first answer.", "Not what the API gave out.") } : {}),
        },
      }),
    ],
  };
}

/** @param {{ text: string, author: string }[]} notes */
function noteList(notes) {
  return element("ul", { class: "notes" }, notes.map(({ text, author }) => element("li", {}, text, " ", element("small", {}, author))));
}

/** @param {Exchange[]} exchanges */
function retried(exchanges) {
  return exchanges.length > 1 ? " The server first asked for a nonce of its own; keybound put it into a new proof and asked again." : "";
}
