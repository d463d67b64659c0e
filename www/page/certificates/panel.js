// @ts-check
// The machine client's four calls. The page only asks the demo's server to make them, and shows what came of it.

import { element, find } from "../dom.js";
import { answerCodes, apiSays, comparison, verdict } from "../story/evidence.js";
import { begin, end } from "../story/step.js";

/** @typedef {import("../../servers/machine-client.mjs").Observation} Observation */

export function setUpCertificates() {
  const button = find("#all-calls", document, HTMLButtonElement);
  button.addEventListener("click", async () => {
    if (!begin(button)) return;
    for (const card of document.querySelectorAll(".call")) await run(/** @type {HTMLElement} */ (card));
    end(button);
  });
}

/** @param {HTMLElement} card */
async function run(card) {
  card.dataset.state = "running";
  try {
    const observed = await callAs(card.dataset.presents ?? "");
    card.dataset.state = "done";
    find(".outcome", card).replaceChildren(outcome(observed));
    find(".evidence", card).replaceChildren(...evidence(observed));
  } catch (error) {
    card.dataset.state = "failed";
    find(".outcome", card).replaceChildren(verdict("bad", "The machine client failed", error instanceof Error ? error.message : String(error)));
  }
}

/** @param {string} presents @returns {Promise<Observation>} */
async function callAs(presents) {
  const answer = await fetch(`/machine?presents=${presents}`, { method: "POST" });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? body.error);
  return body;
}

/** @param {Observation} observed */
function outcome({ response }) {
  const accepted = response.status === 200;
  const words = accepted ? `The API read ${response.body.notes.length} notes to ${response.body.reader}.` : apiSays(response);
  return verdict(accepted ? "good" : "bad", accepted ? "Let in" : "Refused", answerCodes(response), words);
}

/** @param {Observation} observed */
function evidence({ certificate, token }) {
  const bound = token.cnf?.["x5t#S256"] ?? "(nothing)";
  if (certificate === null) {
    return [element("div", { class: "equal different" }, element("dl", {}, element("dt", {}, "cnf.x5t#S256 in the token"), element("dd", {}, bound)), element("p", {}, "No certificate to compare it with."))];
  }
  return [
    element("dl", { class: "members" }, row("Subject", certificate.subject), row("Issuer", certificate.issuer)),
    comparison(["cnf.x5t#S256 in the token", "Thumbprint of the certificate presented"], [bound, certificate.thumbprint], { same: "The same: this is the certificate that the token is bound to.", different: "Not the same." }),
  ];
}

/** @param {string} name @param {string} value */
function row(name, value) {
  return element("div", { class: "member" }, element("dt", {}, name), element("dd", {}, element("div", { class: "value" }, value)));
}
