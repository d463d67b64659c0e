// @ts-check
// What the page has: its key, then a token, then the API. No markup here.

import { decode } from "../inspector/decode.js";
import { createApi } from "./api.js";
import { openKey } from "./key.js";
import { beginSignIn, finishSignIn } from "./sign-in.js";

/**
 * @typedef {import("./record.js").Exchange} Exchange
 * @typedef {import("./sign-in.js").Settings} Settings
 */

export class Session {
  /** @type {import("@keybound/browser").DpopKey | undefined} */
  #key;
  /** @type {string | undefined} */
  #accessToken;
  /** @type {ReturnType<typeof createApi> | undefined} */
  #api;

  /**
   * @param {Settings} settings
   * @param {(proof: string) => void} onProof Gets each proof that goes to the API.
   */
  constructor(settings, onProof) {
    this.settings = settings;
    this.onProof = onProof;
  }

  async openKey() {
    this.#key ??= await openKey();
    return this.#key;
  }

  /** Leaves the page for the authorization server. */
  async signIn() {
    await beginSignIn(this.settings, await this.openKey());
  }

  /** Back from there. @returns {Promise<{ accessToken: string, tokenType: string, exchanges: Exchange[] }>} */
  async finishSignIn() {
    const key = await this.openKey();
    const signedIn = await finishSignIn(this.settings, key);
    this.#accessToken = signedIn.accessToken;
    this.#api = createApi({ api: this.settings.api, key, token: () => signedIn.accessToken });
    return signedIn;
  }

  /** The access token; kept in memory only. */
  get accessToken() {
    if (this.#accessToken === undefined) throw new Error("There is no token yet: sign in first.");
    return this.#accessToken;
  }

  /** The thumbprint that the token is bound to (RFC 9449 §6.1). @returns {string} */
  get boundTo() {
    return decode(this.accessToken).payload.cnf?.jkt ?? "(no key)";
  }

  readNotes() {
    return this.#recorded((api) => api.readNotes());
  }

  /** @param {string} text */
  addNote(text) {
    return this.#recorded((api) => api.addNote(text));
  }

  /** Forgets the key, here and in the browser's storage. */
  async end() {
    await (await this.openKey()).delete();
  }

  /** @param {(api: NonNullable<ReturnType<typeof createApi>>) => Promise<Exchange[]>} call */
  async #recorded(call) {
    if (this.#api === undefined) throw new Error("There is no token yet: sign in first.");
    const exchanges = await call(this.#api);
    for (const { proof } of exchanges) if (proof !== null) this.onProof(proof);
    return exchanges;
  }
}
