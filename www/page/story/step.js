// @ts-check
// One step's card: a button that runs it, and places for its outcome and its evidence.

import { element, find } from "../dom.js";
import { verdict } from "./evidence.js";

/** @typedef {{ outcome: Node, evidence: Node[] }} Shown */

export class Step {
  /** @type {() => Promise<Shown | void>} */
  #run;
  /** Called each time the step came to its end. */
  onDone = () => {};

  /**
   * @param {string} id Of its element.
   * @param {() => Promise<Shown | void>} run Nothing shown: the page is about to leave.
   */
  constructor(id, run) {
    this.#run = run;
    this.card = find(`#${id}`);
    this.button = find("button", this.card, HTMLButtonElement);
    this.button.addEventListener("click", () => this.run());
  }

  enable() {
    this.button.disabled = false;
  }

  /**
   * @param {() => Promise<Shown | void>} [job] Another than the step's own.
   * @returns {Promise<boolean>} Whether it came to its end.
   */
  async run(job = this.#run) {
    if (!begin(this.button)) return false;
    this.card.dataset.state = "running";
    this.card.setAttribute("aria-busy", "true");
    try {
      const shown = await job();
      if (shown) this.#show(shown);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    } finally {
      this.card.removeAttribute("aria-busy");
      end(this.button);
    }
  }

  /** @param {Shown} shown */
  #show({ outcome, evidence }) {
    this.card.dataset.state = "done";
    find(".outcome", this.card).replaceChildren(outcome);
    find(".evidence", this.card).replaceChildren(...evidence);
    this.onDone();
  }

  /** @param {unknown} error */
  #fail(error) {
    this.card.dataset.state = "failed";
    find(".outcome", this.card).replaceChildren(verdict("bad", "That did not work", inWords(error)));
  }
}

/**
 * Marks a button as at work. It is not disabled meanwhile: that would take the keyboard's focus from it.
 * @param {HTMLElement} button
 * @returns {boolean} False: it is at work already.
 */
export function begin(button) {
  if (button.getAttribute("aria-disabled") === "true") return false;
  button.setAttribute("aria-disabled", "true");
  return true;
}

/** @param {HTMLElement} button */
export function end(button) {
  button.removeAttribute("aria-disabled");
}

/** An error of keybound has a code, one of the authorization server an error and a description. @param {unknown} thrown */
function inWords(thrown) {
  const { code, name, message, error, error_description: description } = /** @type {Record<string, string | undefined>} */ (Object(thrown));
  return element("p", {}, element("code", {}, error ?? code ?? name ?? "error"), ` ${description ?? message ?? thrown}`);
}
