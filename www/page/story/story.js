// @ts-check
// The story's course: which step comes when, and what its buttons do. The words around the steps stand in index.html.

import { find } from "../dom.js";
import { Session } from "./session.js";
import { isReturning } from "./sign-in.js";
import { Step, begin, end } from "./step.js";
import { getToken, makeKey, showCall } from "./steps.js";
import { THEFTS, commitTheft } from "./thefts.js";

/**
 * @param {object} options
 * @param {import("./sign-in.js").Settings} options.settings
 * @param {(proof: string) => void} options.onProof Gets each proof that goes to the API.
 */
export function setUpStory({ settings, onProof }) {
  const session = new Session(settings, onProof);
  const key = new Step("step-key", () => makeKey(session));
  const token = new Step("step-token", () => getToken(session));
  const call = new Step("step-call", async () => showCall(session, await session.readNotes()));
  const thefts = Object.entries(THEFTS).map(([id, theft]) => new Step(id, () => commitTheft(session, theft)));
  const allThefts = find("#all-thefts", document, HTMLButtonElement);
  const noteForm = find("#add-note", document, HTMLFormElement);

  key.onDone = () => token.enable();
  token.onDone = () => call.enable();
  call.onDone = () => {
    for (const theft of thefts) theft.enable();
    allThefts.disabled = false;
    noteForm.hidden = false;
  };

  noteForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = find("input", noteForm, HTMLInputElement);
    call.run(async () => {
      const shown = await showCall(session, await session.addNote(field.value));
      field.value = "";
      return shown;
    });
  });
  allThefts.addEventListener("click", async () => {
    if (!begin(allThefts)) return;
    for (const theft of thefts) await theft.run();
    end(allThefts);
  });
  find("#start-over").addEventListener("click", async () => {
    await session.end();
    location.reload();
  });
  if (isReturning()) resume();

  /** Back from the authorization server: the key is still here, so the story goes on by itself. */
  async function resume() {
    if (!(await key.run()) || !(await token.run())) return;
    token.card.scrollIntoView({ block: "start" });
    call.button.focus({ preventScroll: true });
  }
}
