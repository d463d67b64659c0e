// @ts-check
// One step's card: a button that runs it, and places for its outcome and its evidence.

import { element, find } from "../dom.js";
import { verdict } from "./evidence.js";

/** @typedef {{ outcome: Node, evidence: Node[] }} Shown */

export class Step {
  /** @type {() => Promise<Shown | void>} */
  #run;

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

  /** @returns {Promise<boolean>} Whether it came to its end. */
  async run() {
    this.card.dataset.state = "running";
    this.button.disabled = true;
    this.card.setAttribute("aria-busy", "true");
    try {
      const shown = await this.#run();
      if (shown) this.show(shown);
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    } finally {
      this.card.removeAttribute("aria-busy");
      this.button.disabled = false;
    }
  }

  /** @param {Shown} shown */
  show({ outcome, evidence }) {
    this.card.dataset.state = "done";
    find(".outcome", this.card).replaceChildren(outcome);
    find(".evidence", this.card).replaceChildren(...evidence);
  }

  /** @param {unknown} error */
  fail(error) {
    this.card.dataset.state = "failed";
    const { code, name, message } = /** @type {any} */ (error);
    find(".outcome", this.card).replaceChildren(verdict("bad", "That did not work", element("p", {}, element("code", {}, code ?? name ?? "error"), ` ${message ?? error}`)));
  }
}
