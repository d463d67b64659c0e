// @ts-check
// What a step shows for itself: the verdict, the request and its answer, two values that must be equal.

import { element, icon } from "../dom.js";
import { decode } from "../inspector/decode.js";
import { tokenView } from "../inspector/view.js";

/**
 * @param {"good" | "bad" | "neutral"} tone
 * @param {string} title
 * @param {...(Node | string)} words
 */
export function verdict(tone, title, ...words) {
  const sign = icon(tone === "good" ? "accepted" : tone === "bad" ? "refused" : "note");
  return element("div", { class: `verdict ${tone}` }, element("h4", {}, sign, title), words.map((text) => (typeof text === "string" ? element("p", {}, text) : text)));
}

/**
 * What the API answered: its status, its error code, its reason.
 * @param {{ status: number, body: any }} answer
 */
export function answerCodes({ status, body }) {
  const chip = (/** @type {string} */ name, /** @type {unknown} */ value) => value != null && element("span", { class: "chip", "data-code": name }, String(value));
  return element("p", { class: "codes" }, chip("status", status), chip("error", body?.error), chip("reason", body?.reason));
}

/** The reason that the API gave, in its own words. @param {{ body: any }} answer */
export function apiSays({ body }) {
  return body?.detail ? `The API says: “${body.detail}.”` : "The API gave no reason.";
}

/**
 * @param {import("./record.js").Exchange} exchange
 * @param {{ title: string, about?: string }} options
 */
export function exchangeView({ method, url, authorization, proof, status, challenge, nonce }, { title, about = "" }) {
  const { host, pathname } = new URL(url);
  return element("section", { class: "paper" },
    element("header", {}, element("h4", {}, title), about && element("p", {}, about)),
    element("div", { class: "exchange" },
      element("pre", {}, element("b", {}, `${method} ${pathname}`), "\n", field("Host", host), authorization && field("Authorization", shorten(authorization)), proof && field("DPoP", shorten(proof))),
      element("pre", {}, element("b", {}, statusLine(status)), "\n", challenge && field("WWW-Authenticate", challenge), nonce && field("DPoP-Nonce", nonce)),
    ),
  );
}

/**
 * @param {[string, string]} names
 * @param {[string, string]} values
 * @param {{ same: string, different: string }} words
 */
export function comparison(names, values, words) {
  const same = values[0] === values[1];
  return element("div", { class: `equal ${same ? "" : "different"}` },
    element("dl", {}, names.flatMap((name, index) => [element("dt", {}, name), element("dd", {}, values[index])])),
    element("p", {}, same ? words.same : words.different),
  );
}

/**
 * The proof that a request carried.
 * @param {import("./record.js").Exchange} exchange
 * @param {{ title: string, brief?: boolean, notes?: import("../inspector/view.js").Notes }} options
 */
export function proofView({ proof, method, url }, options) {
  return tokenView(decode(proof ?? ""), { ...options, about: `with ${method} ${new URL(url).pathname}` });
}

/**
 * A note on a member: what was found to be so, or not.
 * @param {boolean} good
 * @param {string} yes
 * @param {string} no
 * @returns {import("../inspector/view.js").Note}
 */
export function holds(good, yes, no) {
  return good ? { tone: "good", text: yes } : { tone: "bad", text: no };
}

/** @param {string} name @param {string} value */
function field(name, value) {
  return element("span", {}, element("span", { class: "soft" }, `${name}: `), `${value}\n`);
}

/** A token or proof, cut to its beginning. @param {string} value */
function shorten(value) {
  return value.length > 48 ? `${value.slice(0, 40)}…` : value;
}

/** @param {number} status */
function statusLine(status) {
  const names = /** @type {Record<number, string>} */ ({ 200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable" });
  return `${status} ${names[status] ?? ""}`.trim();
}
