// @ts-check
// Making elements. Text goes in as text, never as markup.

/**
 * @typedef {Node | string | null | undefined | false} Child
 * @typedef {Record<string, string | boolean | ((event: Event) => void)>} Attributes Functions become listeners of that event.
 */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (typeof value === "boolean") made.toggleAttribute(name, value);
    else made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/**
 * The element that the page's markup promises.
 * @template {typeof HTMLElement} T
 * @param {string} selector
 * @param {ParentNode} [within]
 * @param {T} [type]
 * @returns {InstanceType<T>}
 */
export function find(selector, within = document, type = /** @type {T} */ (HTMLElement)) {
  const found = within.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${selector}`);
  return /** @type {InstanceType<T>} */ (found);
}

const ICONS = {
  accepted: "M5 12.5l4.5 4.5L19 7.5",
  refused: "M6 6l12 12M18 6L6 18",
  note: "M12 7.5v5M12 16.5v.01",
};

/** @param {keyof ICONS} name */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const attributes = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "2.6", "stroke-linecap": "round", "aria-hidden": "true" };
  for (const [attribute, value] of Object.entries(attributes)) svg.setAttribute(attribute, value);
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A link to a section of a standard. @param {{ rfc: number, section: string }} where */
export function rfcLink({ rfc, section }) {
  return element("a", { href: `https://www.rfc-editor.org/rfc/rfc${rfc}.html#section-${section}` }, `RFC ${rfc} §${section}`);
}
