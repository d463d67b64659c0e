// The access token's claims.
import { AUDIENCE, ISSUER, NOW } from "../scenario.mjs";
import { CERTIFICATE, OTHER_CERTIFICATE } from "./certificates.mjs";
import { Members } from "../members.mjs";
import { onToken, texts } from "./table.mjs";

const TYPES = ["null", "0", "5", "true", "[]", "{}", '""', '["x"]'];
const cnf = (id, change) =>
  onToken(`cnf/${id}`, (jwt, random, scenario) => {
    const members = jwt.payload.get("cnf");
    if (members instanceof Members) change(members, random, scenario);
  });
const jkt = (id, change) => cnf(`jkt-${id}`, (members, random) => members.set("jkt", ({ jkt: text }) => JSON.stringify(change(text, random))));
const moments = [-3600, -11, -10, -1, -0.5, -0.000001, 0, 0.000001, 0.5, 1, 9, 10, 10.5, 11, 60, 3600].map((by) => String(NOW + by));

export default [
  ...["iss", "aud", "sub", "client_id", "jti", "iat", "exp"].flatMap((name) => [onToken(`${name}/missing`, (jwt) => jwt.payload.remove(name)), ...texts(onToken, "payload", name, TYPES)]),
  ...[`${ISSUER}/`, "https://AS.example", "http://as.example", "https://as.example:443", `${ISSUER} `, "https://other.example", "as.example"].map((text) => onToken(`iss/text ${text}`, (jwt) => jwt.payload.set("iss", text))),
  onToken("iss/in-array", (jwt) => jwt.payload.set("iss", [ISSUER])),
  ...[
    [AUDIENCE], ["https://other.example", AUDIENCE], [AUDIENCE, "x"], [AUDIENCE, 5], [null, AUDIENCE], [[AUDIENCE]], [AUDIENCE, AUDIENCE], ["https://other.example"], [AUDIENCE, {}], [AUDIENCE, [AUDIENCE]], [5], { 0: AUDIENCE },
    `${AUDIENCE}/`, AUDIENCE.toUpperCase(), `${AUDIENCE} https://other.example`, "https://other.example", "*",
  ].map((value) => onToken(`aud/value ${JSON.stringify(value)}`, (jwt) => jwt.payload.set("aud", value))),
  ...["exp", "nbf"].flatMap((name) => texts(onToken, "payload", name, [...moments, "1e400", "-1e400", "18.0000001e8", `"${NOW + 60}"`, `${NOW}000`])),
  ...texts(onToken, "payload", "nbf", ["null", "true", "[]"]),
  ...texts(onToken, "payload", "iat", [String(NOW + 3600), "-1", "1e400", `"${NOW}"`, "1.5"]),
  ...texts(onToken, "payload", "scope", ['"a b"', "5", "null"]),
  ...texts(onToken, "payload", "nonce", ['"n"', "5"]),
  ...texts(onToken, "payload", "active", ["false", "true"]),
  ...texts(onToken, "payload", "token_type", ['"Bearer"']),
  ...texts(onToken, "payload", "cnf", ["null", "[]", "{}", '"x"', "5", "true", '[{"jkt":"x"}]', '{"jkt":null}', '{"jkt":5}', '{"jkt":""}', '{"jkt":{}}', '{"kid":"x"}', '{"JKT":"x"}', '{"jwk":{}}']),
  onToken("cnf/missing", (jwt) => jwt.payload.remove("cnf")),
  jkt("in-array", (text) => [text]),
  jkt("padded", (text) => `${text}=`),
  jkt("cut", (text) => text.slice(0, -1)),
  jkt("blank", (text, random) => random.pick([`${text} `, ` ${text}`, `${text}\n`])),
  jkt("standard-alphabet", (text) => text.replaceAll("-", "+").replaceAll("_", "/")),
  jkt("spare-bits", (text) => text.replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1))),
  jkt("hex", (text) => Buffer.from(text, "base64url").toString("hex")),
  jkt("other", () => "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
  jkt("upper", (text) => text.toUpperCase()),
  cnf("name-escaped", (members) => members.respell("jkt", '"\\u006akt"')),
  cnf("twice", (members) => members.add('"jkt"', ({ jkt: text }) => JSON.stringify(text))),
  cnf("unknown-beside", (members, random) => members.add(random.pick(['"kc-jkt-type"', '"kid"', '"x5t"', '"JKT"', '""']), random.pick(['"x"', "5", "null", "{}"]), { first: random.chance(0.5) })),
  cnf("jwk-beside", (members, random, { proof }) => members.set("jwk", proof.header.get("jwk") ?? "x")),
  cnf("certificate-beside", (members, random, scenario) => {
    members.set("x5t#S256", CERTIFICATE.x5t);
    scenario.certificate = random.pick([CERTIFICATE.der, CERTIFICATE.der, CERTIFICATE.der, OTHER_CERTIFICATE.der, null]);
  }),
  cnf("certificate-malformed-beside", (members, random, scenario) => {
    members.write("x5t#S256", random.pick(["5", "null", '""', '"x"', `"${CERTIFICATE.x5t}="`]));
    scenario.certificate = CERTIFICATE.der;
  }),
  cnf("certificate-instead", (members, random, scenario) => {
    members.clear();
    members.set("x5t#S256", CERTIFICATE.x5t);
    scenario.certificate = CERTIFICATE.der;
  }),
];
