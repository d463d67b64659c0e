// @ts-check
// Light or dark: what the system says, until the reader chooses otherwise.

import { find } from "./dom.js";

const STORED = "theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function setUpTheme() {
  const button = find("#theme");
  button.addEventListener("click", () => {
    const next = shown() === "dark" ? "light" : "dark";
    const fromSystem = system.matches ? "dark" : "light";
    if (next === fromSystem) localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, next);
    apply();
  });
  system.addEventListener("change", apply);
  apply();

  function apply() {
    const chosen = localStorage.getItem(STORED);
    if (chosen === null) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    document.documentElement.dataset.shown = shown();
    button.setAttribute("aria-pressed", String(shown() === "dark"));
  }
}

/** @returns {"light" | "dark"} */
function shown() {
  const chosen = localStorage.getItem(STORED);
  if (chosen === "light" || chosen === "dark") return chosen;
  return system.matches ? "dark" : "light";
}
