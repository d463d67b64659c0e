// base64url and the compact form.

import { base64url } from "./keys.mjs";
import { subject } from "./cases.mjs";

const part = (index, change) => (text) => text.split(".").map((value, at) => (at === index ? change(value) : value)).join(".");
const PARTS = ["header", "payload", "signature"];
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Blanks at the end of the JSON, until the encoded length leaves `spare` bits over. */
const padTo = (remainder) => (members) => {
  let text = JSON.stringify(members);
  while (Buffer.byteLength(text) % 3 !== remainder) text += " ";
  return text;
};

const encoding = subject({ group: "encoding", section: "RFC7515 2, 5.2", requirement: "D01 A05 I21" });
// A signature over the spelling as sent, so that only strict decoding notices; the signature part is spoilt after signing.
PARTS.forEach((name, index) => {
  const over = (id, why, change, more = {}) => {
    const spoilt = index === 2 ? { form: part(2, change) } : { spell: [index, change] };
    encoding.refuse(`enc-${name}-${id}`, `${name}: ${why}`, { ...more, proof: { ...more.proof, ...respell(spoilt) } });
  };
  over("padded", "= padding", (text) => text + "=".repeat((4 - (text.length % 4)) % 4 || 2), { at: index === 0 ? "both" : "rs", proof: sizes(index, 1) });
  if (index === 1) over("one-pad", "one = too few", (text) => `${text}=`, { proof: sizes(index, 1) });
  if (index === 1) over("pad-only", "a stray = after a text that needs none", (text) => `${text}=`, { proof: sizes(index, 0) });
  over("standard", "the standard alphabet", (text) => standard(text, index), { proof: withSpecials(index) });
  over("blank", "a blank within", (text) => `${text.slice(0, 8)} ${text.slice(8)}`);
  if (index !== 2) over("newline", "a line break within", (text) => `${text.slice(0, 8)}\n${text.slice(8)}`, { requires: ["raw-headers"] });
  if (index === 1) over("tab", "a tab within", (text) => `${text.slice(0, 8)}\t${text.slice(8)}`);
  if (index === 1) over("length-1", "one letter more than a whole number of octets", (text) => `${text}A`, { proof: sizes(index, 0) });
  if (index === 0) over("non-ascii", "a letter outside ASCII", (text) => `${text.slice(0, 8)}é${text.slice(8)}`);
  if (index === 0) over("percent", "a percent-encoded letter", (text) => `${text.slice(0, 4)}%41${text.slice(5)}`);
  if (index === 2) over("tilde", "~ is token68, but no base64url", (text) => `${text.slice(0, 4)}~${text.slice(5)}`);
  const spare = (text) => {
    const free = text.length % 4 === 2 ? 16 : 4;
    const last = LETTERS.indexOf(text.at(-1));
    return text.slice(0, -1) + LETTERS[last - (last % free) + 1];
  };
  for (const remainder of index === 2 ? [1] : [1, 2]) {
    const spoilt = index === 2 ? { form: part(2, spare) } : { spell: [index, spare] };
    encoding.refuse(`enc-${name}-spare-bits-${remainder}`, `${name}: non-zero spare bits, ${remainder} octet(s) over`, {
      at: remainder === 1 && index === 2 ? "both" : "rs", proof: { ...sizes(index, remainder), ...respell(spoilt) }, section: "RFC4648 3.5", requirement: "D02 I21", also: ["accept"], level: "SHOULD",
    });
  }
});
encoding.accept("enc-lengths", "header and payload of one octet over", { proof: { header: padTo(1), payload: padTo(1) }, requirement: "D01 D02 A05" });
encoding.accept("enc-lengths-2", "header and payload of two octets over", { proof: { header: padTo(2), payload: padTo(2) }, requirement: "D01 D02 A05" });
encoding.accept("enc-alphabet", "- and _ of the URL-safe alphabet", { proof: { header: (h) => ({ ...h, a: "???>>>~~~" }), payload: (p) => ({ ...p, a: "???>>>~~~" }) }, requirement: "D01 I21" });

function sizes(index, remainder) {
  return index === 0 ? { header: padTo(remainder) } : index === 1 ? { payload: padTo(remainder) } : {};
}

function withSpecials(index) {
  const more = (members) => ({ ...members, a: "???>>>~~~" });
  return index === 0 ? { header: more } : index === 1 ? { payload: more } : {};
}

function standard(text, index) {
  if (index === 2 && !/[-_]/.test(text)) return text.replace(/.$/, "/");
  return text.replaceAll("-", "+").replaceAll("_", "/");
}

/** `spell`: the signature is made over the changed spelling. */
function respell({ spell, form }) {
  return spell === undefined ? { form } : { spell };
}

const form = subject({ group: "compact-form", section: "RFC7515 7.1, 4.3(2)", requirement: "D08 A16" });
form.refuse("form-two-parts", "the signature part is missing", { at: "both", proof: { form: (text) => text.split(".").slice(0, 2).join(".") } });
form.refuse("form-one-part", "one part only", { proof: { form: (text) => text.split(".")[1] } });
form.refuse("form-four-parts", "a fourth part", { at: "both", proof: { form: (text) => `${text}.AAAA` } });
form.refuse("form-five-parts", "five parts, as a JWE has", { proof: { form: (text) => `${text}.AAAA.AAAA` } });
form.refuse("form-trailing-dot", "a dot at the end", { proof: { form: (text) => `${text}.` } });
form.refuse("form-leading-dot", "a dot at the start", { proof: { form: (text) => `.${text}` } });
form.refuse("form-empty-header", "an empty header", { proof: { form: part(0, () => "") } });
form.refuse("form-empty-payload", "an empty payload", { proof: { form: part(1, () => "") } });
form.refuse("form-empty-signature", "an empty signature under ES256", { proof: { form: part(2, () => "") }, requirement: "D08 A20" });
form.refuse("form-dots", "two dots", { proof: { form: () => ".." } });
form.refuse("form-garbage", "not a JWT at all", { at: "both", proof: { form: () => "garbage" } });
form.refuse("form-quoted", "in quotes", { proof: { form: (text) => `"${text}"` }, requirement: "A05 A16" });
form.refuse("form-scheme", "a scheme before it", { proof: { form: (text) => `DPoP ${text}` }, requirement: "A05 A16" });
form.refuse("form-parameter", "a parameter after it", { proof: { form: (text) => `${text};a=b` }, requirement: "A05" });
form.refuse("form-json-flattened", "the flattened JSON serialization", {
  also: ["invalid_request"],
  proof: { form: (text) => { const [protected_, payload, signature] = text.split("."); return JSON.stringify({ protected: protected_, payload, signature }); } },
});
form.refuse("form-json-general", "the general JSON serialization", {
  also: ["invalid_request"],
  proof: { form: (text) => { const [protected_, payload, signature] = text.split("."); return JSON.stringify({ payload, signatures: [{ protected: protected_, signature }] }); } },
});
form.refuse("form-json-encoded", "the JSON serialization in base64url", {
  proof: { form: (text) => { const [protected_, payload, signature] = text.split("."); return base64url(JSON.stringify({ protected: protected_, payload, signature })); } },
});
form.refuse("form-nested", "a JWT within a JWT: the payload is a proof", { proof: { payload: (p) => `eyJhbGciOiJub25lIn0.${base64url(JSON.stringify(p))}.` }, section: "RFC7519 5.2, 4.3(2)", requirement: "A16 D09" });
form.refuse("form-url-encoded", "percent-encoded dots", { proof: { form: (text) => text.replaceAll(".", "%2E") }, requirement: "D08 A05" });
form.accept("form-three-parts", "three parts", { at: "both", requirement: "D08 A16 A05" });
form.open("form-surrounding-blanks", "blanks around the field value are not part of it (RFC 9110 §5.5)", ["accept", "invalid_dpop_proof"], { proof: { form: (text) => ` ${text} ` }, requires: ["raw-headers"], section: "RFC9110 5.5", requirement: "A05" });
form.refuse("form-detached", "a detached payload", { proof: { form: part(1, () => "") }, section: "RFC7515 App. F", requirement: "D08" });

export default [encoding, form].flatMap(({ cases }) => cases);
