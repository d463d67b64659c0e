// @ts-check
// The page: learns the servers' addresses, then sets up its parts.

import { setUpCertificates } from "./certificates/panel.js";
import { element, find } from "./dom.js";
import { setUpInspector } from "./inspector/section.js";
import { setUpStory } from "./story/story.js";
import { setUpTheme } from "./theme.js";

setUpTheme();
const inspector = setUpInspector();

try {
  /** @type {import("./story/sign-in.js").Settings} */
  const settings = await (await fetch("/settings.json")).json();
  for (const place of document.querySelectorAll("[data-setting]")) {
    place.textContent = settings[/** @type {keyof typeof settings} */ (place.getAttribute("data-setting"))] ?? "";
  }
  setUpStory({ settings, onProof: inspector.offer });
  setUpCertificates();
} catch (error) {
  find("#notice").replaceChildren(element("p", { class: "notice" }, `The page could not start: ${error instanceof Error ? error.message : error}. Is the demo still running?`));
}
