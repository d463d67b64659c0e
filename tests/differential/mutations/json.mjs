// The JSON of header and payload: its syntax, its characters, its names. The signature is made afterwards and covers them.
import { Members } from "../members.mjs";
import { onEither } from "./table.mjs";

/** Of a JWT, each for its header and its payload: `make(jwt, part, random)`. */
const either = (id, make) => onEither(`json/${id}`, (jwt, random) => make(jwt, random.pick(["header", "payload"]), random));
const onText = (id, change) => either(id, (jwt, part, random) => jwt.written[part].push((json) => change(String(json), random)));
const nested = (open, close, depth) => open.repeat(depth) + "1" + close.repeat(depth);

export default [
  either("blanks", (jwt, part, random) => {
    jwt.blank = () => " \t\n\r".repeat(2).slice(0, random.below(3)) + random.pick(["", " ", "\n", "\t", "\r\n"]);
  }),
  onText("blanks-around", (json, random) => random.pick([" ", "\t", "\r\n", "\n\n  "]) + json + random.pick([" ", "\t", "\r\n"])),
  ...["\u00a0", "\f", "\v", "\u2028", "\u3000", "\u200b", "\u0000", "\u0085"].map((blank) =>
    onText(`no-blank-${blank.codePointAt(0).toString(16)}`, (json, random) => random.pick([blank + json, json + blank, json.replace(":", `:${blank}`)])),
  ),
  onText("byte-order-mark", (json) => `\ufeff${json}`),
  onText("byte-order-mark-twice", (json) => `\ufeff\ufeff${json}`),
  onText("byte-order-mark-inside", (json, random) => random.pick([`${json}\ufeff`, json.replace(",", ",\ufeff")])),
  either("utf-16", (jwt, part, random) => jwt.written[part].push((json) => Buffer.from(random.pick(["", "\ufeff"]) + json, "utf16le"))),
  ...["}", "{}", "x", ",", "\u0000", "//c", "/**/", "1", "]", '""', "\n{}"].map((text, index) => onText(`after-${index}`, (json) => json + text)),
  onText("comma-after-last", (json) => json.replace(/\}$/, ",}")),
  onText("comma-before-first", (json) => json.replace("{", "{,")),
  onText("comma-missing", (json) => json.replace(",", " ")),
  onText("colon-missing", (json) => json.replace(":", " ")),
  onText("comment", (json, random) => json.replace("{", random.pick(["{/*c*/", "{//c\n", "{#c\n"]))),
  onText("apostrophes", (json) => json.replaceAll('"', "'")),
  onText("name-unquoted", (json) => json.replace(/"(\w+)":/, "$1:")),
  onText("cut", (json, random) => json.slice(0, random.below(json.length))),
  ...["[]", "[{}]", '"text"', "5", "null", "true", "", " ", "{}", "[[[[", "{"].map((text, index) => onText(`other-${index}`, () => text)),
  onText("in-array", (json) => `[${json}]`),
  onText("as-string", (json) => JSON.stringify(json)),
  ...[3, 20, 30, 31, 32, 33, 34, 40, 200, 3000].flatMap((depth) => [
    either(`deep-array-${depth}`, (jwt, part) => jwt[part].write("x", nested("[", "]", depth))),
    either(`deep-object-${depth}`, (jwt, part) => jwt[part].write("x", nested('{"a":', "}", depth))),
  ]),
  ...["0", "-0", "1E400", "-1e400", "1e-400", "0.1e+5", "123456789012345678901234567890", "1.0", "0e0"].map((number) =>
    either(`number ${number}`, (jwt, part) => jwt[part].write("x", number)),
  ),
  ...["01", "+1", ".5", "1.", "1.e5", "0x1", "1e", "1e+", "-", "--1", "NaN", "Infinity", "-Infinity", "1_000", "1n", "\u0661", "00", "-01", "1 2"].map((number) =>
    either(`no-number ${number}`, (jwt, part) => jwt[part].write("x", number)),
  ),
  ...["True", "nul", "undefined", "NULL", "truefalse", "", "'x'", "`x`"].map((word) => either(`no-value ${word}`, (jwt, part) => jwt[part].write("x", word))),
  ...["\\u0041", "\\/\\b\\f\\n\\r\\t\\\"\\\\", "\\ud83d\\ude00", "\\uD83D\\uDE00", "\\u0000", "\u007f", "\u2028\u2029", "ä€😀", "\\uFFFF", "\ufeff", "\\u00e4"].map((text, index) =>
    either(`string-${index}`, (jwt, part, random) =>
      random.chance(0.5) ? jwt[part].write("x", `"${text}"`) : jwt[part].add(`"${text}"`, "1"),
    ),
  ),
  ...["\\ud800", "\\udc00", "\\ude00\\ud83d", "\\ud83d\\u0041", "a\\ud800b", "\\ud83d\\ud83d\\ude00", "\\uDFFF"].map((text) =>
    either(`lone-surrogate ${text}`, (jwt, part, random) =>
      random.chance(0.5) ? jwt[part].write("x", `"${text}"`) : jwt[part].add(`"${text}"`, "1", { first: random.chance(0.5) }),
    ),
  ),
  ...["\n", "\u0000", "\u001f", "\t", "\\x41", "\\u12", "\\u12g4", "\\U0041", "\\a", "\\'", "\\u{41}", "\\", "\\u 041", "\\u+041"].map((text, index) =>
    either(`no-string-${index}`, (jwt, part, random) =>
      random.chance(0.5) ? jwt[part].write("x", `"${text}"`) : jwt[part].add(`"${text}"`, "1"),
    ),
  ),
  ...["ff", "c080", "eda080", "e282", "f8888080", "80", "c3", "f4908080", "edb080", "eda0bdedb880"].map((hex) =>
    either(`no-utf-8 ${hex}`, (jwt, part, random) => {
      const [before, after] = random.pick([['{"x":"', '",'], ['{"', '":1,']]);
      jwt.written[part].push((json) => Buffer.concat([Buffer.from(before), Buffer.from(hex, "hex"), Buffer.from(after + String(json).slice(1))]));
    }),
  ),
  either("twice-same", (jwt, part, random) => twice(jwt[part], random, (text) => text)),
  either("twice-other", (jwt, part, random) => twice(jwt[part], random, () => random.pick(['"x"', "null", "1", "{}"]))),
  either("twice-escaped", (jwt, part, random) => twice(jwt[part], random, (text) => text, escaped)),
  either("twice-unknown", (jwt, part, random) => jwt[part].add('"x"', "1").add(random.pick(['"x"', '"\\u0078"']), "1")),
  either("twice-thrice-many", (jwt, part, random) => {
    for (let count = 0; count < 40; count++) jwt[part].add(`"m${count}"`, "1");
    if (random.chance(0.5)) jwt[part].add(`"m${random.below(40)}"`, "1");
  }),
  either("twice-nested", (jwt, part) => jwt[part].write("x", '{"a":[{"b":1,"b":1}]}')),
  either("twice-by-case", (jwt, part, random) => jwt[part].add(JSON.stringify(jwt[part].someName(random).toUpperCase()), '"x"')),
  either("twice-normalised", (jwt, part) => jwt[part].add('"\u00e9"', "1").add('"e\u0301"', "1")),
  either("name-escaped", (jwt, part, random) => {
    const name = jwt[part].someName(random);
    jwt[part].respell(name, escaped(name, random));
  }),
  either("name-other-case", (jwt, part, random) => {
    const name = jwt[part].someName(random);
    jwt[part].respell(name, JSON.stringify(name.toUpperCase()));
  }),
  either("name-with-blank", (jwt, part, random) => {
    const name = jwt[part].someName(random);
    jwt[part].respell(name, JSON.stringify(random.pick([`${name} `, ` ${name}`, `${name}\u0000`, `${name}\u200b`])));
  }),
  either("value-escaped", (jwt, part, random) => {
    const name = jwt[part].someName(random);
    const value = jwt[part].read(name);
    if (typeof value === "string" && value !== "") jwt[part].write(name, escaped(value, random));
  }),
  either("extra", (jwt, part, random) => {
    const name = random.pick(["x", "__proto__", "constructor", "toString", "", "a b", "urn:x", "\u00e4", "length", "prototype", "hasOwnProperty"]);
    jwt[part].add(JSON.stringify(name), random.pick(["1", "null", "true", '"x"', "[]", "{}", '{"__proto__":{"x":1}}', '[[1,"2",null]]']), { first: random.chance(0.5) });
  }),
  ...[1000, 5000, 11_000, 13_000, 40_000].map((size) => either(`large-${size}`, (jwt, part) => jwt[part].set("x", "a".repeat(size)))),
  ...[100, 400, 3000].map((count) =>
    either(`many-${count}`, (jwt, part) => {
      for (let index = 0; index < count; index++) jwt[part].add(`"m${index}"`, "1");
    }),
  ),
  either("other-order", (jwt, part, random) => jwt[part].reorder(random.shuffled)),
  either("no-members", (jwt, part) => jwt[part].clear()),
  either("wrong-type", (jwt, part, random) => {
    jwt[part].write(jwt[part].someName(random), random.pick(["null", "1", "0", "true", "[]", "{}", '""', '["GET"]', '"x"', "1.5"]));
  }),
  either("missing", (jwt, part, random) => jwt[part].remove(jwt[part].someName(random))),
  ...["edit", "edit-twice"].map((id, index) =>
    either(id, (jwt, part, random) => {
      for (let count = 0; count <= index; count++) jwt.written[part].push((json) => edited(Buffer.from(json), random));
    }),
  ),
];

/** One octet or a few of a text changed, put in or taken out. */
export function edited(octets, random) {
  for (;;) {
    const at = random.below(octets.length + 1);
    const some = Buffer.from(random.pick(["\"", "\\", "{", "}", ",", ":", "0", "9", "-", "e", " ", "/", "%", ".", "A", "a", "?", "#", "\u0000", "é", "==", "\t", "+", "_", "K"]));
    const taken = random.pick([0, 0, 1, 1, 1, 2, 9]);
    const changed = Buffer.concat([octets.subarray(0, at), random.chance(0.25) ? Buffer.alloc(0) : some, octets.subarray(at + taken)]);
    if (!changed.equals(octets)) return changed;
  }
}

function escaped(name, random) {
  const at = random.below(name.length);
  const code = `\\u${name.charCodeAt(at).toString(16).padStart(4, "0")}`;
  return `${JSON.stringify(name.slice(0, at)).slice(0, -1)}${code}${JSON.stringify(name.slice(at + 1)).slice(1)}`;
}

/** A member stands twice, and one of them is as it was. */
function twice(members, random, other, spell = JSON.stringify) {
  const name = members.someName(random);
  const value = members.get(name);
  const text = value instanceof Members ? (rendering) => other(value.text(rendering)) : typeof value === "function" ? (rendering) => other(value(rendering)) : other(value);
  members.add(spell(name, random), text, { first: random.chance(0.5) });
}
