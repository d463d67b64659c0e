// @ts-check
// The seven steps: what each does, and what it shows for itself. The words around them stand in index.html.

import { element, find } from "../dom.js";
import { decode } from "../inspector/decode.js";
import { sha256, thumbprint } from "../inspector/keys.js";
import { keyView, tokenView } from "../inspector/view.js";
import { createApi } from "./api.js";
import { answerCodes, comparison, exchangeView, verdict } from "./evidence.js";
import { openKey, tryToExport } from "./key.js";
import { beginSignIn, finishSignIn, isReturning } from "./sign-in.js";
import { Step } from "./step.js";
import { again, asBearer, elsewhere, withOwnKey } from "./thief.js";

/**
 * @typedef {import("./record.js").Exchange} Exchange
 * @typedef {import("./sign-in.js").Settings} Settings
 * @typedef {{ settings: Settings, offer: (proof: string) => void }} StoryOptions `offer` gets each proof that is sent.
 */

/** @param {StoryOptions} options */
export function setUpStory({ settings, offer }) {
  /** @type {import("@keybound/browser").DpopKey | undefined} */
  let key;
  /** @type {string | null} */
  let accessToken = null;
  /** @type {ReturnType<typeof createApi> | undefined} */
  let api;
  const boundTo = () => decode(accessToken ?? "").payload.cnf?.jkt ?? "(nothing)";

  const makeKey = new Step("step-key", async () => {
    key = await openKey();
    const refused = await tryToExport(key);
    getToken.enable();
    return {
      outcome: verdict("good", key.storage === "persistent" ? "The key is made and kept" : "The key is made, for as long as this page lives", element("p", {}, "Asked to export the private half, the browser answered: ", element("code", {}, refused))),
      evidence: [
        keyView(key.publicJwk, { title: "The public half", about: `for ${key.algorithm}` }),
        element("div", { class: "equal" }, element("dl", {}, element("dt", {}, "Its thumbprint (RFC 7638): the key's name from here on"), element("dd", { id: "thumbprint" }, key.thumbprint))),
      ],
    };
  });

  const getToken = new Step("step-token", async () => {
    if (key === undefined) return;
    if (!isReturning()) return beginSignIn(settings, key);

    const signedIn = await finishSignIn(settings, key);
    accessToken = signedIn.accessToken;
    api = createApi({ api: settings.api, key, token: () => accessToken });
    callApi.enable();
    const sent = /** @type {Exchange} */ (signedIn.exchanges.at(-1));
    const jkt = boundTo();
    return {
      outcome: verdict(jkt === key.thumbprint ? "good" : "bad", `Signed in as ${decode(accessToken).payload.sub}`,
        `The token's type is ${signedIn.tokenType === "dpop" ? "DPoP" : signedIn.tokenType}, and it is bound to this page's key.${retried(signedIn.exchanges)}`),
      evidence: [
        comparison(["cnf.jkt in the token", "The key's thumbprint"], [jkt, key.thumbprint], { same: "The same: without this key, the token is of no use.", different: "Not the same: the token is bound to another key." }),
        tokenView(decode(accessToken), { title: "The access token", about: "issued by the authorization server", notes: { cnf: { tone: "good", text: "jkt is the thumbprint of your key." } } }),
        proofView(sent, "The proof sent for it"),
      ],
    };
  });

  const callApi = new Step("step-call", async () => {
    const exchanges = await readNotes();
    const last = /** @type {Exchange} */ (exchanges.at(-1));
    for (const theft of thefts) theft.enable();
    find("#all-thefts", document, HTMLButtonElement).disabled = false;
    const accepted = last.status === 200;
    return {
      outcome: verdict(accepted ? "good" : "bad", accepted ? "Let in" : "Refused", answerCodes(last),
        `${accepted ? `The API read ${last.body.reader}'s notes to the page: ${last.body.notes.length} of them.` : (last.body?.detail ?? "")}${retried(exchanges)}`),
      evidence: [
        exchangeView(last, { title: "The request and its answer" }),
        proofView(last, "The proof it carried", {
          jwk: { tone: "good", text: "Its thumbprint is the token's cnf.jkt." },
          htu: { tone: "good", text: "The address that was asked for." },
          ath: (await sha256(accessToken ?? "")) === decode(last.proof ?? "").payload.ath ? { tone: "good", text: "The hash of this very token." } : { tone: "bad", text: "Not the hash of this token." },
        }),
      ],
    };
  });

  const thefts = [
    theft("theft-bearer", asBearer, async () => ({})),
    theft("theft-own-key", withOwnKey, async (sent) => ({ jwk: { tone: "bad", text: `The thief's key: its thumbprint is ${await thumbprint(decode(sent.proof ?? "").header.jwk)}. The token is bound to ${boundTo()}.` } })),
    theft("theft-replay", again, async () => ({ jti: { tone: "bad", text: "The API saw this name a moment ago, in your own request." } })),
    theft("theft-elsewhere", elsewhere, async (sent) => ({ htu: { tone: "bad", text: `Made for this address, but sent to ${sent.url}.` } })),
  ];

  find("#all-thefts").addEventListener("click", async () => {
    for (const step of thefts) await step.run();
  });
  find("#start-over").addEventListener("click", async () => {
    await (key ?? (await openKey())).delete();
    location.reload();
  });
  if (isReturning()) resume();

  /** Back from the authorization server: the key is still here, so the story goes on by itself. */
  async function resume() {
    if ((await makeKey.run()) && (await getToken.run())) getToken.card.scrollIntoView({ block: "start" });
  }

  async function readNotes() {
    const exchanges = (await api?.readNotes()) ?? [];
    for (const { proof } of exchanges) if (proof !== null) offer(proof);
    return exchanges;
  }

  /**
   * @param {string} id
   * @param {(loot: Exchange) => Promise<Exchange>} commit
   * @param {(sent: Exchange) => Promise<import("../inspector/view.js").Notes>} faults Which member gave it away.
   */
  function theft(id, commit, faults) {
    return new Step(id, async () => {
      // What the thief copies is as fresh as can be: a request that the page makes right now.
      const loot = (await readNotes()).at(-1);
      if (loot?.status !== 200) throw new Error("The page's own request was refused, so there is nothing to steal. Sign in again.");
      const sent = await commit(loot);
      const refused = sent.status === 401;
      return {
        outcome: verdict(refused ? "good" : "bad", refused ? "Refused" : "The thief got in", answerCodes(sent), sent.body?.detail ?? "The API gave no reason."),
        evidence: [
          exchangeView(sent, { title: "What the thief sent", about: "and what the API answered" }),
          sent.proof === null
            ? element("p", { class: "waiting" }, "There is no proof in it: the thief has no key to make one with.")
            : proofView(sent, id === "theft-own-key" ? "The thief's proof" : "Your proof, in the thief's hands", await faults(sent)),
        ],
      };
    });
  }
}

/** @param {Exchange} exchange @param {string} title @param {import("../inspector/view.js").Notes} [notes] */
function proofView({ proof, method, url }, title, notes) {
  return tokenView(decode(proof ?? ""), { title, about: `with ${method} ${new URL(url).pathname}`, notes });
}

/** @param {Exchange[]} exchanges */
function retried(exchanges) {
  return exchanges.length > 1 ? " The server first asked for a nonce of its own; keybound put it into a new proof and asked again." : "";
}
