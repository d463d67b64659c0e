// The key in the proof's header. Half of the time the token is bound to the key as it is spelt, so that the spelling decides.
import { createHash } from "node:crypto";
import { key } from "../../conformance/generator/keys.mjs";
import { Members } from "../members.mjs";
import { onProof } from "./table.mjs";

const onJwk = (id, apply) =>
  onProof(`jwk/${id}`, (jwt, random, scenario) => {
    const jwk = jwt.header.get("jwk");
    if (!(jwk instanceof Members)) return;
    scenario.boundAsSpelt = random.chance(0.6);
    apply(jwk, random, scenario);
  });
const spelt = (id, change) =>
  onJwk(`number-${id}`, (jwk, random, scenario) => {
    const names = ["x", "y", "n", "e"].filter((name) => typeof jwk.read(name) === "string");
    if (names.length === 0) return;
    const name = random.pick(names);
    const changed = change(jwk.read(name), random, scenario);
    jwk.set(name, changed);
  });
const octets = (id, change) => spelt(id, (text, random) => change(Buffer.from(text, "base64url"), random).toString("base64url"));
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const written = (name, list) => list.map((text) => onJwk(`${name} ${text}`, (jwk) => jwk.write(name, text)));

/** Another client altogether, who signs. */
const client = (id, name, algorithm, change = () => {}) =>
  onProof(`jwk/client-${id}`, (jwt, random, scenario) => {
    scenario.client = name;
    scenario.boundAsSpelt = random.chance(0.6);
    const { kty, crv, x, y, n, e } = key(name).jwk;
    const members = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e }));
    jwt.header.set("jwk", Members.of(members)).set("alg", algorithm);
    [jwt.key, jwt.algorithm] = [key(name).private, algorithm];
    change(jwt.header.get("jwk"), random, jwt);
  });
const withoutZeros = (text) => {
  const number = Buffer.from(text, "base64url");
  return number.subarray(number.findIndex((octet) => octet !== 0)).toString("base64url");
};
/** Points of order 1, 2, 4 and 8 (RFC 8032 §5.1.3), and spellings of them that are not below the prime. */
const SMALL_ORDER = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

export default [
  ...["d", "p", "q", "dp", "dq", "qi", "oth", "k"].flatMap((name) => written(name, ['"AQAB"', '""', "null", "5"])),
  onJwk("private", (jwk, random, scenario) => jwk.set("d", key(scenario.client).secret.d)),
  onJwk("private-escaped", (jwk, random, scenario) => jwk.add('"\\u0064"', JSON.stringify(key(scenario.client).secret.d))),
  onJwk("D", (jwk) => jwk.set("D", "AQAB")),
  ...written("kty", ['"EC"', '"ec"', '"RSA"', '"OKP"', '"oct"', '"AKP"', '""', "null", "5", '["EC"]', '"EC "']),
  onJwk("kty-missing", (jwk) => jwk.remove("kty")),
  ...written("crv", ['"P-256"', '"p-256"', '"P-384"', '"P-521"', '"secp256k1"', '"Ed25519"', '"ed25519"', '"X25519"', '"Ed448"', '"P-256K"', '""', "null", "256", '"P-256 "']),
  onJwk("crv-missing", (jwk) => jwk.remove("crv")),
  octets("zero-in-front", (number) => Buffer.concat([Buffer.of(0), number])),
  octets("zeros-in-front", (number) => Buffer.concat([Buffer.alloc(34), number])),
  octets("zero-behind", (number) => Buffer.concat([number, Buffer.of(0)])),
  octets("cut", (number, random) => (random.chance(0.5) ? number.subarray(1) : number.subarray(0, -1))),
  octets("flip", (number, random) => {
    number[random.below(number.length)] ^= 1 << random.below(8);
    return number;
  }),
  octets("zero", (number) => Buffer.alloc(number.length)),
  octets("all-ones", (number) => Buffer.alloc(number.length, 0xff)),
  octets("even", (number) => {
    number[number.length - 1] &= 0xfe;
    return number;
  }),
  spelt("padded", (text) => text + "=".repeat((4 - (text.length % 4)) % 4)),
  spelt("standard-alphabet", (text) => text.replaceAll("-", "+").replaceAll("_", "/")),
  spelt("spare-bits", (text, random) => {
    const spare = { 2: 4, 3: 2 }[text.length % 4];
    return spare === undefined ? text : text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.at(-1)) | (1 << random.below(spare))];
  }),
  spelt("blank", (text, random) => text.slice(0, 9) + random.pick([" ", "\n", "\t", "\u00a0"]) + text.slice(9)),
  spelt("foreign", (text, random) => text.slice(0, 9) + random.pick(["!", "é", "%", "."]) + text.slice(9)),
  spelt("empty", () => ""),
  spelt("hex", (text) => Buffer.from(text, "base64url").toString("hex")),
  spelt("in-array", (text) => [text]),
  spelt("as-number", () => 5),
  spelt("null", () => null),
  onJwk("coordinates-swapped", (jwk) => {
    const [x, y] = [jwk.get("x"), jwk.get("y")];
    if (y !== undefined) jwk.write("x", y).write("y", x);
  }),
  onJwk("of-another", (jwk, random) => {
    for (const name of random.pick([["x"], ["y"], ["x", "y"]])) if (jwk.get(name) !== undefined) jwk.set(name, key("attacker").jwk[name]);
  }),
  onJwk("number-missing", (jwk, random) => jwk.remove(random.pick(["x", "y", "n", "e"]))),
  ...written("y", ['"AA"']),
  ...written("alg", ['"ES256"', '"ES384"', '"EdDSA"', '"Ed25519"', '"RS256"', '"PS256"', '"es256"', '"none"', '""', "null", "5", '["ES256"]', '"ES256 "']),
  ...written("use", ['"sig"', '"enc"', '""', "null", '["sig"]', '"SIG"', '"tls"']),
  ...written("key_ops", ['["verify"]', '["sign"]', "[]", '"verify"', "null", '["verify","sign"]', '["verify","verify"]', '["VERIFY"]', '["deriveBits"]', "[5]", "{}"]),
  ...written("ext", ["true", "false", "null", '"x"', "5"]),
  ...written("kid", ['"k"', "5", "null", "{}"]),
  ...written("x5c", ['["AA"]', "null", "5"]),
  ...written("x5t#S256", ['"x"']),
  ...written("x5u", ['"https://attacker.example/"']),
  ...written("unknown", ["[]", '{"a":{}}', '{"a":1,"a":1}', '"\\ud800"']),
  onJwk("member-twice", (jwk, random) => {
    const name = jwk.someName(random);
    jwk.add(JSON.stringify(name), jwk.get(name));
  }),
  onJwk("member-escaped", (jwk) => jwk.respell("kty", '"\\u006bty"')),
  onJwk("other-order", (jwk, random) => jwk.reorder(random.shuffled)),
  onJwk("large", (jwk) => jwk.set("x5c", ["A".repeat(20_000)])),
  ...["null", "5", '"x"', "[]", "{}", "true", '[{"kty":"EC"}]'].map((text) => onProof(`jwk/instead ${text}`, (jwt) => jwt.header.write("jwk", text))),
  onProof("jwk/as-string", (jwt) => {
    const jwk = jwt.header.get("jwk");
    if (jwk instanceof Members) jwt.header.set("jwk", (rendering) => JSON.stringify(jwk.text(rendering)));
  }),
  // A thief with a key of his own, and a proof that has no other fault.
  ...[["attacker", "ES256"], ["ed25519-other", "EdDSA"], ["rsa-4096", "RS256"], ["issuer", "ES256"]].map(([name, algorithm]) =>
    onProof(`jwk/thief-${name}`, (jwt) => {
      jwt.header.set("jwk", Members.of(key(name).jwk)).set("alg", algorithm);
      [jwt.key, jwt.algorithm] = [key(name).private, algorithm];
    }),
  ),
  onProof("jwk/missing", (jwt) => jwt.header.remove("jwk")),
  client("x-short", "p256-x-zero", "ES256", (jwk) => jwk.set("x", withoutZeros(jwk.read("x")))),
  client("y-short", "p256-y-zero", "ES256", (jwk) => jwk.set("y", withoutZeros(jwk.read("y")))),
  client("p384-x-short", "p384-x-zero", "ES384", (jwk) => jwk.set("x", withoutZeros(jwk.read("x")))),
  client("p521-x-short", "p521-x-zero", "ES512", (jwk) => jwk.set("x", withoutZeros(jwk.read("x")))),
  client("y-zero", "p256-y-zero", "ES256"),
  client("rsa-e3", "rsa-e3", "RS256"),
  client("rsa-e3-pss", "rsa-e3", "PS256"),
  client("rsa-1024", "rsa-1024", "RS256"),
  client("rsa-2047", "rsa-2047", "RS256"),
  client("rsa-4096", "rsa-4096", "PS256"),
  client("rsa-n-zero", "rsa", "RS256", (jwk) => jwk.set("n", Buffer.concat([Buffer.of(0), Buffer.from(jwk.read("n"), "base64url")]).toString("base64url"))),
  client("rsa-e-zero", "rsa", "PS256", (jwk) => jwk.set("e", "AAEAAQ")),
  client("rsa-e-one", "rsa", "RS256", (jwk, random, jwt) => {
    jwk.set("e", "AQ");
    // To the power of one a signature is the padded hash itself, which anybody can write.
    jwt.signed.push((signature, input) => (signature.length === 256 ? paddedHash(input, signature.length) : signature));
  }),
  client("rsa-members-of-ec", "rsa", "RS256", (jwk) => jwk.set("crv", "P-256").set("x", "AA").set("y", "AA")),
  client("ec-members-of-rsa", "client", "ES256", (jwk) => jwk.set("n", "AQAB").set("e", "AQAB")),
  client("ed25519-with-y", "ed25519", "Ed25519", (jwk) => jwk.set("y", "AA")),
  ...["EdDSA", "Ed25519"].flatMap((header) => ["EdDSA", "Ed25519"].map((named) => client(`${header}-named-${named}`, "ed25519", header, (jwk) => jwk.set("alg", named)))),
  client("rs-named-ps", "rsa", "RS256", (jwk) => jwk.set("alg", "PS256")),
  client("rs-named-rs512", "rsa", "RS256", (jwk) => jwk.set("alg", "RS512")),
  client("secp256k1", "secp256k1", "ES256"),
  client("p384-as-es256", "p384", "ES256"),
  client("p256-as-es384", "client", "ES384"),
  ...SMALL_ORDER.map((hex, index) =>
    client(`small-order-${index}`, "ed25519", "Ed25519", (jwk, random, jwt) => {
      jwk.set("x", Buffer.from(hex, "hex").toString("base64url"));
      // R and S that such a key may take for a signature of anything.
      jwt.signed.push(() => Buffer.concat([Buffer.from(random.pick([hex, SMALL_ORDER[0]]), "hex"), Buffer.alloc(32)]));
    }),
  ),
];

/** RFC 8017 §9.2, EMSA-PKCS1-v1_5 with SHA-256. */
function paddedHash(input, length) {
  const info = Buffer.from("3031300d060960864801650304020105000420", "hex");
  const hash = Buffer.concat([info, createHash("sha256").update(input).digest()]);
  return Buffer.concat([Buffer.of(0, 1), Buffer.alloc(length - hash.length - 3, 0xff), Buffer.of(0), hash]);
}
