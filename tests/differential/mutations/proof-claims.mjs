// The proof's claims but for htu.
import { createHash } from "node:crypto";
import { NOW, WINDOW } from "../scenario.mjs";
import { onProof, texts } from "./table.mjs";

const TYPES = ["null", "0", "1", "true", "[]", "{}", '""', '" "'];
const hashOf = ({ token }) => createHash("sha256").update(token).digest();
const ath = (id, make) => onProof(`ath/${id}`, (jwt, random) => jwt.payload.set("ath", (rendering) => JSON.stringify(make(rendering, random))));
/** Moments around `at`, in the forms that a JSON number has. */
const around = (at) => [-1, -0.5, -0.000001, -0.0000004, 0, 0.0000004, 0.000001, 0.5, 1].map((by) => shifted(at, by));
/** Decimal text of a sum, exact where binary64 is not. */
function shifted(at, by) {
  const [whole, part = ""] = Math.abs(by).toFixed(7).split(".");
  if (by >= 0) return `${at + Number(whole)}.${part}`.replace(/\.?0+$/, "");
  const units = BigInt(at) * 10_000_000n - BigInt(whole + part);
  return `${units / 10_000_000n}.${String(units % 10_000_000n).padStart(7, "0")}`.replace(/\.?0+$/, "");
}

export default [
  ...["jti", "htm", "htu", "iat", "ath"].flatMap((name) => [onProof(`${name}/missing`, (jwt) => jwt.payload.remove(name)), ...texts(onProof, "payload", name, TYPES)]),
  ...[1, 100, 511, 512, 513, 600, 5000].map((size) => onProof(`jti/size-${size}`, (jwt) => jwt.payload.set("jti", "j".repeat(size)))),
  ...["ä€😀", "a\u0000b", "a b", "../x", "a\nb", '"', "\u202e", "%00", "é".repeat(256), "é".repeat(257)].map((text, index) => onProof(`jti/text-${index}`, (jwt) => jwt.payload.set("jti", text))),
  ...["get", "Get", "GET ", " GET", "GET,POST", "POST", "HEAD", "*", "GET\u0000", "ＧＥＴ", "PATCH", "patch", "post"].map((method) => onProof(`htm/text ${JSON.stringify(method)}`, (jwt) => jwt.payload.set("htm", method))),
  onProof("htm/other-case", (jwt, random, { method }) => jwt.payload.set("htm", random.pick([method.toLowerCase(), method.toUpperCase()]))),
  onProof("htm/in-array", (jwt, random, { method }) => jwt.payload.set("htm", [method])),
  ...texts(onProof, "payload", "iat", [
    ...around(NOW - WINDOW), ...around(NOW + WINDOW), String(NOW), `${NOW}.0`, "18e8", "1.8E+9", "18000000000e-1", `${NOW}000`, "-1", "-0", "1e400", "-1e400", "9223372036854775807", "-9223372036854775808",
    "18446744073709551616", String(NOW - 3600), String(NOW + 3600), `"${NOW}"`, `[${NOW}]`, "1e-400", `${NOW}.${"0".repeat(400)}1`, "4294967296", "2147483647", "0.00018e13",
  ]),
  ...["exp", "nbf"].flatMap((name) =>
    texts(onProof, "payload", name, [
      ...around(NOW), ...around(NOW + WINDOW), String(NOW - 10), String(NOW + 10), String(NOW + 11), String(NOW + 60), String(NOW - 3600), String(NOW + 3600), "0", "-1", "1e400", "-1e400", `"${NOW + 60}"`, "null", "true", "[]", "{}",
    ]),
  ),
  // Registered claims that mean nothing in a proof.
  ...["iss", "aud", "sub"].flatMap((name) => texts(onProof, "payload", name, ['"https://other.example"', "null", "5", "[]", "{}", "true", '["a"]', '""', "[1]"])),
  ...texts(onProof, "payload", "nonce", ['"n"', '""', '"a b"', '"\\""', "null", "5", "[]", "{}", "true", '"ä"', JSON.stringify("n".repeat(2000))]),
  ...texts(onProof, "payload", "cnf", ["{}", '{"jkt":"x"}']),
  ath("of-another-token", () => createHash("sha256").update("other").digest("base64url")),
  ath("of-nothing", () => createHash("sha256").digest("base64url")),
  ath("padded", (rendering) => `${hashOf(rendering).toString("base64url")}=`),
  ath("standard-alphabet", (rendering) => hashOf(rendering).toString("base64").replace("=", "").replace(/^[^+/]*$/, "+")),
  ath("hex", (rendering) => hashOf(rendering).toString("hex")),
  ath("upper", (rendering) => hashOf(rendering).toString("base64url").toUpperCase()),
  ath("cut", (rendering) => hashOf(rendering).toString("base64url").slice(0, -1)),
  ath("blank-after", (rendering) => `${hashOf(rendering).toString("base64url")} `),
  ath("spare-bits", (rendering) => hashOf(rendering).toString("base64url").replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1))),
  ath("of-what-stands-in-the-field", ({ token }) => createHash("sha256").update(`DPoP ${token}`).digest("base64url")),
  ath("sha-512", ({ token }) => createHash("sha512").update(token).digest("base64url")),
  ath("of-the-signature-less", ({ token }) => createHash("sha256").update(token.split(".").slice(0, 2).join(".")).digest("base64url")),
  ath("in-array", (rendering) => [hashOf(rendering).toString("base64url")]),
];
