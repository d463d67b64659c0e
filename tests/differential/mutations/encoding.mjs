// base64url, the three parts, and single octets of what goes over the wire.
import { edited } from "./json.mjs";
import { onEither } from "./table.mjs";

/** Respells header or payload before the signature, which so covers it, or the signature. */
const respelt = (id, change) =>
  onEither(`base64url/${id}`, (jwt, random) => {
    const part = random.pick(["header", "payload", "signature"]);
    if (part === "signature") jwt.spelt.push((text) => change(text, random));
    else jwt.encoded.push((parts) => ({ ...parts, [part]: change(parts[part], random) }));
  });
const compact = (id, change) => onEither(`compact/${id}`, (jwt, random) => jwt.compact.push((text) => change(text, random)));
const inside = (text, what, random) => {
  const at = 1 + random.below(Math.max(1, text.length - 1));
  return text.slice(0, at) + what + text.slice(at);
};
const padding = (text) => "=".repeat((4 - (text.length % 4)) % 4);
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Sets one of the bits that the last character has to spare. */
function withSpareBits(text, random) {
  const spare = { 2: 4, 3: 2 }[text.length % 4];
  if (spare === undefined) return text;
  return text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.at(-1)) | (1 << random.below(spare))];
}

export default [
  respelt("padded", (text) => text + padding(text)),
  respelt("padded-wrongly", (text, random) => text + random.pick(["=", "==", "===", "===="])),
  respelt("padding-inside", (text, random) => inside(text, "=", random)),
  respelt("standard-alphabet", (text) => text.replaceAll("-", "+").replaceAll("_", "/")),
  respelt("spare-bits", withSpareBits),
  ...[" ", "\t", "\u00a0", "  \t"].map((blank) => respelt(`blank-${blank.charCodeAt(0).toString(16)}-${blank.length}`, (text, random) => inside(text, blank, random))),
  ...["!", "*", "%3D", '"', "\u00e9", "~", "%"].map((foreign) => respelt(`foreign ${foreign}`, (text, random) => inside(text, foreign, random))),
  respelt("one-more", (text, random) => text + random.pick(["A", "AA", "AAA", "AAAA"])),
  respelt("one-less", (text, random) => text.slice(0, -1 - random.below(4))),
  respelt("empty", () => ""),
  compact("two-parts", (text) => text.split(".").slice(0, 2).join(".")),
  compact("one-part", (text) => text.split(".")[0]),
  compact("four-parts", (text, random) => random.pick([`${text}.`, `.${text}`, `${text}.x`, text.replace(".", "..")])),
  compact("five-parts", (text, random) => random.pick([`${text}..`, `${text}.${text.split(".").slice(0, 2).join(".")}`])),
  compact("no-text", (text, random) => random.pick(["", ".", "..", "...", "a.b.c", "e30.e30.e30", "e30.e30."])),
  compact("other-order", (text, random) => random.shuffled(text.split(".")).join(".")),
  compact("json-serialization", (text) => {
    const [header, payload, signature] = text.split(".");
    return JSON.stringify({ payload, protected: header, signature });
  }),
  compact("quoted", (text, random) => random.pick([`"${text}"`, `<${text}>`, `'${text}'`, `jwt=${text}`, `${text};v=1`])),
  compact("twice", (text, random) => text + random.pick([" ", ",", ", ", ";", ""]) + text),
  compact("edit", (text, random) => printable(edited(Buffer.from(text), random))),
  compact("one-character", (text, random) => {
    const at = random.below(text.length);
    return text.slice(0, at) + random.pick([...ALPHABET].filter((character) => character !== text[at])) + text.slice(at + 1);
  }),
  compact("other-case", (text, random) => {
    const from = random.below(text.length);
    const letter = text.slice(from).search(/[a-z]/i);
    if (letter < 0) return text;
    const at = from + letter;
    return text.slice(0, at) + (text[at] === text[at].toUpperCase() ? text[at].toLowerCase() : text[at].toUpperCase()) + text.slice(at + 1);
  }),
];

/** A field's value holds no controls; one that does cannot be sent. */
const printable = (octets) => octets.toString("latin1").replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, "~");
