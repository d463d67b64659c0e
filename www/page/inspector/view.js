// @ts-check
// A decoded token on the page: each member with its value and what it is for.

import { element, rfcLink } from "../dom.js";
import { ACCESS_TOKEN, PROOF, PUBLIC_KEY } from "./meanings.js";

/**
 * @typedef {{ tone: "good" | "bad" | "plain", text: string }} Note
 * @typedef {Record<string, Note>} Notes By member; "signature" for the signature.
 * @typedef {import("./decode.js").Decoded} Decoded
 */

/**
 * @param {Decoded} decoded
 * @param {{ title: string, about?: string, notes?: Notes, brief?: boolean }} options `brief`: only members with a note are explained, until the reader asks for the rest.
 */
export function tokenView(decoded, { title, about = "", notes = {}, brief = false }) {
  const meanings = isProof(decoded) ? PROOF : ACCESS_TOKEN;
  return element("section", { class: `paper ${brief ? "brief" : ""}` },
    element("header", {}, element("h4", {}, title), about && element("p", {}, about)),
    element("div", { class: "tools" }, compactView(decoded.compact), brief && explainButton()),
    element("div", { class: "part part-header" }, element("h5", {}, "Header"), membersView(decoded.header, meanings.header, notes)),
    element("div", { class: "part part-payload" }, element("h5", {}, "Payload"), membersView(decoded.payload, meanings.payload, notes)),
    element("div", { class: "part part-signature" }, element("h5", {}, "Signature"), signatureView(decoded, notes.signature)),
  );
}

/**
 * A public key alone.
 * @param {JsonWebKey} jwk
 * @param {{ title: string, about?: string }} options
 */
export function keyView(jwk, { title, about = "" }) {
  return element("section", { class: "paper" },
    element("header", {}, element("h4", {}, title), about && element("p", {}, about)),
    element("div", { class: "part part-header" }, membersView(/** @type {Record<string, unknown>} */ (jwk), PUBLIC_KEY, {})),
  );
}

/** @param {Decoded} decoded */
export function isProof({ header }) {
  return header.typ === "dpop+jwt";
}

function explainButton() {
  return element("button", {
    type: "button",
    class: "explain",
    "aria-pressed": "false",
    click: ({ currentTarget }) => {
      const button = /** @type {HTMLElement} */ (currentTarget);
      const explained = button.closest(".paper")?.classList.toggle("brief") === false;
      button.setAttribute("aria-pressed", String(explained));
    },
  }, "Explain every part");
}

/** @param {Decoded["compact"]} parts */
function compactView([header, payload, signature]) {
  return element("details", { class: "compact" },
    element("summary", {}, `As it is sent, ${header.length + payload.length + signature.length + 2} characters`),
    element("p", {},
      element("span", { class: "part-header" }, header), ".",
      element("span", { class: "part-payload" }, payload), ".",
      element("span", { class: "part-signature" }, signature),
    ),
  );
}

/**
 * @param {Record<string, unknown>} members
 * @param {import("./meanings.js").Meanings} meanings
 * @param {Notes} notes
 */
function membersView(members, meanings, notes) {
  const known = Object.keys(meanings).filter((name) => Object.hasOwn(members, name));
  const names = [...known, ...Object.keys(members).filter((name) => !known.includes(name))];
  return element("dl", { class: "members" }, names.map((name) => memberView(name, members[name], meanings[name], notes[name])));
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {import("./meanings.js").Meaning | undefined} meaning
 * @param {Note | undefined} note
 */
function memberView(name, value, meaning, note) {
  const words = inWords(name, value);
  const long = words.split(/\s/).some((word) => word.length > 20);
  return element("div", { class: `member ${note?.tone ?? ""}` },
    element("dt", {}, name),
    element("dd", {},
      element("div", { class: `value ${long ? "long" : ""}` }, words),
      element("div", { class: "meaning" }, meaning ? [meaning.is, " ", rfcLink(meaning.where)] : "Not of the standard; servers ignore it."),
      noteView(note),
    ),
  );
}

/** @param {Decoded} decoded @param {Note | undefined} note */
function signatureView({ header, signature, compact }, note) {
  const whose = header.typ === "dpop+jwt" ? "Over header and payload, by the private half of the key in the header." : "Over header and payload, by the authorization server.";
  return element("dl", { class: "members" },
    element("div", { class: `member ${note?.tone ?? ""}` },
      element("dt", {}, String(header.alg ?? "?")),
      element("dd", {},
        element("div", { class: "value" }, `${compact[2].slice(0, 22)}… (${signature.length} octets)`),
        element("div", { class: "meaning" }, whose, " ", rfcLink({ rfc: 7515, section: "5.1" })),
        noteView(note),
      ),
    ),
  );
}

/** @param {Note | undefined} note */
function noteView(note) {
  return note && element("span", { class: `note ${note.tone}` }, note.text);
}

/** A value as a person reads it: times with their date, objects one member a line. @param {string} name @param {unknown} value */
function inWords(name, value) {
  if (typeof value === "string") return value;
  if (typeof value === "number" && ["iat", "exp", "nbf"].includes(name)) {
    const date = new Date(value * 1000);
    return Number.isNaN(date.getTime()) ? String(value) : `${value} (${date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" })})`;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).map(([member, inner]) => `${member}: ${typeof inner === "string" ? inner : JSON.stringify(inner)}`).join("\n");
  }
  return JSON.stringify(value);
}
