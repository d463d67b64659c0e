// @ts-check
// HTML from template literals, with everything put in escaped unless it is HTML already.

export class Html {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/**
 * @param {TemplateStringsArray} strings
 * @param {...unknown} values
 */
export function html(strings, ...values) {
  return new Html(String.raw({ raw: strings }, ...values.map(escape)));
}

/** @param {unknown} value @returns {string} */
function escape(value) {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(escape).join("");
  const names = /** @type {Record<string, string>} */ ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" });
  return String(value ?? "").replace(/[&<>"']/g, (character) => names[character]);
}
