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
import { Step, begin, end } from "./step.js";
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
    const request = /** @type {Exchange} */ (signedIn.exchanges.at(-1));
    const jkt = boundTo();
    return {
      outcome: verdict(jkt === key.thumbprint ? "good" : "bad", `Signed in as ${decode(accessToken).payload.sub}`,
        `The token's type is ${signedIn.tokenType === "dpop" ? "DPoP" : signedIn.tokenType}, and it is bound to this page's key.${retried(signedIn.exchanges)}`),
      evidence: [
        comparison(["cnf.jkt in the token", "The key's thumbprint"], [jkt, key.thumbprint], { same: "The same: without this key, the token is of no use.", different: "Not the same: the token is bound to another key." }),
        tokenView(decode(accessToken), { title: "The access token", about: "issued by the authorization server", brief: true, notes: { cnf: { tone: "good", text: "jkt is the thumbprint of your key." } } }),
        proofView(request, { title: "The proof sent for it" }),
      ],
    };
  });

  const callApi = new Step("step-call", async () => {
    const shown = await showCall(await sent(api?.readNotes()));
    for (const theft of thefts) theft.enable();
    allThefts.disabled = false;
    noteForm.hidden = false;
    return shown;
  });

  const noteForm = find("#add-note", document, HTMLFormElement);
  noteForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = find("input", noteForm, HTMLInputElement);
    callApi.run(async () => {
      const shown = await showCall(await sent(api?.addNote(field.value)));
      field.value = "";
      return shown;
    });
  });

  const thefts = [
    theft("theft-bearer", asBearer, async () => [element("p", { class: "waiting" }, "There is no proof in it: the thief has no key to make one with.")]),
    theft("theft-own-key", withOwnKey, async (sent) => [
      comparison(["Thumbprint of the key in the proof", "cnf.jkt in the token"], [(await thumbprint(decode(sent.proof ?? "").header.jwk)) ?? "(none)", boundTo()], { same: "The same.", different: "Not the same: the token is bound to your key." }),
      proofView(sent, { title: "The thief's proof", brief: true, notes: { jwk: { tone: "bad", text: "The thief's key." } } }),
    ]),
    theft("theft-replay", again, async (sent) => [
      proofView(sent, { title: "Your proof, in the thief's hands", brief: true, notes: { jti: { tone: "bad", text: "The API saw this name a moment ago, in your own request." } } }),
    ]),
    theft("theft-elsewhere", elsewhere, async (sent) => [
      comparison(["htu in the proof", "The address it was sent to"], [decode(sent.proof ?? "").payload.htu, sent.url], { same: "The same.", different: "Not the same: the proof is for your notes only." }),
      proofView(sent, { title: "Your proof, in the thief's hands", brief: true, notes: { htu: { tone: "bad", text: "Made for this address." } } }),
    ]),
  ];

  const allThefts = find("#all-thefts", document, HTMLButtonElement);
  allThefts.addEventListener("click", async () => {
    if (!begin(allThefts)) return;
    for (const step of thefts) await step.run();
    end(allThefts);
  });
  find("#start-over").addEventListener("click", async () => {
    await (key ?? (await openKey())).delete();
    location.reload();
  });
  if (isReturning()) resume();

  /** Back from the authorization server: the key is still here, so the story goes on by itself. */
  async function resume() {
    if (!(await makeKey.run()) || !(await getToken.run())) return;
    getToken.card.scrollIntoView({ block: "start" });
    callApi.button.focus({ preventScroll: true });
  }

  /** @param {Promise<Exchange[]> | undefined} calling */
  async function sent(calling) {
    const exchanges = (await calling) ?? [];
    for (const { proof } of exchanges) if (proof !== null) offer(proof);
    return exchanges;
  }

  /** @param {Exchange[]} exchanges @returns {Promise<import("./step.js").Shown>} */
  async function showCall(exchanges) {
    const last = /** @type {Exchange} */ (exchanges.at(-1));
    const { ath } = decode(last.proof ?? "").payload;
    /** @type {{ text: string, author: string }[]} */
    const notes = last.body?.notes ?? [];
    return {
      outcome: last.status === 200
        ? verdict("good", "Let in", answerCodes(last), `The API answers ${last.body.reader}.${retried(exchanges)}`, element("ul", { class: "notes" }, notes.map(({ text, author }) => element("li", {}, text, " ", element("small", {}, author)))))
        : verdict("bad", "Refused", answerCodes(last), `${last.body?.detail ?? ""}${retried(exchanges)}`),
      evidence: [
        exchangeView(last, { title: "The request and its answer" }),
        proofView(last, { title: "The proof it carried", brief: true, notes: {
          jwk: { tone: "good", text: "Its thumbprint is the token's cnf.jkt." },
          htu: { tone: "good", text: "The address that was asked for." },
          ath: ath === (await sha256(accessToken ?? "")) ? { tone: "good", text: "The hash of this very token." } : { tone: "bad", text: "Not the hash of this token." },
          nonce: { tone: "good", text: "The API gave it out a moment ago." },
        } }),
      ],
    };
  }

  /**
   * @param {string} id
   * @param {(loot: Exchange) => Promise<Exchange>} commit
   * @param {(sent: Exchange) => Promise<Node[]>} explain What gave it away.
   */
  function theft(id, commit, explain) {
    return new Step(id, async () => {
      // What the thief copies is as fresh as can be: a request that the page makes right now.
      const loot = (await sent(api?.readNotes())).at(-1);
      if (loot?.status !== 200) throw new Error("The page's own request was refused, so there is nothing to steal. Sign in again.");
      const stolen = await commit(loot);
      const refused = stolen.status === 401;
      return {
        outcome: verdict("bad", refused ? "Refused" : "The thief got in", answerCodes(stolen), stolen.body?.detail ?? "The API gave no reason."),
        evidence: [exchangeView(stolen, { title: "What the thief sent", about: "and what the API answered" }), ...(await explain(stolen))],
      };
    });
  }
}

/** @param {Exchange} exchange @param {{ title: string, brief?: boolean, notes?: import("../inspector/view.js").Notes }} options */
function proofView({ proof, method, url }, options) {
  return tokenView(decode(proof ?? ""), { ...options, about: `with ${method} ${new URL(url).pathname}` });
}

/** @param {Exchange[]} exchanges */
function retried(exchanges) {
  return exchanges.length > 1 ? " The server first asked for a nonce of its own; keybound put it into a new proof and asked again." : "";
}
