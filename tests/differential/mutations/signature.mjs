// The signature and who made it: its octets, its algorithm, its key, what it covers.
import { createHash } from "node:crypto";
import { key } from "../../conformance/generator/keys.mjs";
import { Members } from "../members.mjs";
import { onEither, onProof, onToken } from "./table.mjs";

const octets = (id, change) => onEither(`signature/${id}`, (jwt, random) => jwt.signed.push((signature, input) => change(signature, random, input)));
const ORDER = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
const number = (some) => BigInt(`0x${some.toString("hex") || "0"}`);
const inOctets = (value, length = 32) => Buffer.from(value.toString(16).padStart(2 * length, "0").slice(-2 * length), "hex");
const halves = (signature) => [signature.subarray(0, signature.length / 2), signature.subarray(signature.length / 2)];

function der(signature) {
  const integers = halves(signature).map((half) => {
    let from = 0;
    while (from < half.length - 1 && half[from] === 0) from++;
    const digits = half[from] & 0x80 ? Buffer.concat([Buffer.of(0), half.subarray(from)]) : half.subarray(from);
    return Buffer.concat([Buffer.of(2, digits.length), digits]);
  });
  const body = Buffer.concat(integers);
  return Buffer.concat([body.length < 128 ? Buffer.of(0x30, body.length) : Buffer.of(0x30, 0x81, body.length), body]);
}

/** Names an algorithm in the header; the signature stays that of the key's own. */
const named = (id, value) =>
  onEither(`alg/${id}`, (jwt) => (value === undefined ? jwt.header.remove("alg") : jwt.header.set("alg", value)));

export default [
  octets("flip", (signature, random) => {
    const changed = Buffer.from(signature);
    if (changed.length > 0) changed[random.below(changed.length)] ^= 1 << random.below(8);
    return changed;
  }),
  octets("zero", (signature) => Buffer.alloc(signature.length)),
  octets("empty", () => Buffer.alloc(0)),
  octets("cut", (signature, random) => signature.subarray(random.below(2), signature.length - random.pick([1, 2, 32]))),
  octets("longer", (signature, random) => (random.chance(0.5) ? Buffer.concat([signature, Buffer.of(0)]) : Buffer.concat([Buffer.of(0), signature]))),
  octets("twice", (signature) => Buffer.concat([signature, signature])),
  octets("padded-halves", (signature) => Buffer.concat(halves(signature).map((half) => Buffer.concat([Buffer.of(0), half])))),
  octets("der", der),
  octets("halves-swapped", (signature) => Buffer.concat(halves(signature).toReversed?.() ?? [...halves(signature)].reverse())),
  octets("r-zero", (signature) => Buffer.concat([Buffer.alloc(halves(signature)[0].length), halves(signature)[1]])),
  octets("s-zero", (signature) => Buffer.concat([halves(signature)[0], Buffer.alloc(halves(signature)[1].length)])),
  octets("r-order", (signature) => (signature.length === 64 ? Buffer.concat([inOctets(ORDER), halves(signature)[1]]) : signature)),
  octets("s-plus-order", (signature) => {
    if (signature.length !== 64) return signature;
    const sum = number(halves(signature)[1]) + ORDER;
    return Buffer.concat([halves(signature)[0], inOctets(sum)]);
  }),
  // n - s signs as well as s does (RFC 7518 §3.4 asks for no choice between them).
  octets("s-negated", (signature) => (signature.length === 64 ? Buffer.concat([halves(signature)[0], inOctets(ORDER - number(halves(signature)[1]))]) : signature)),
  octets("r-one-s-one", (signature) => Buffer.concat([inOctets(1n, signature.length / 2), inOctets(1n, signature.length / 2)])),
  octets("of-another-text", (signature, random, input) => Buffer.concat([createHash("sha256").update(input).digest(), signature.subarray(32)])),
  onProof("signature/of-another-key", (jwt, random) => sign(jwt, "attacker", "ES256")),
  onProof("signature/of-the-issuer", (jwt) => sign(jwt, "issuer", "ES256")),
  onToken("signature/of-the-client", (jwt) => sign(jwt, "client", "ES256")),
  onToken("signature/of-another-key", (jwt, random) => sign(jwt, random.pick(["issuer-unpublished", "issuer-enc", "attacker"]), "ES256")),
  onEither("signature/other-header", (jwt, random) => jwt.compact.push((text) => text.replace(/^[^.]*/, Buffer.from('{"alg":"ES256"}').toString("base64url")))),
  onEither("signature/payload-changed", (jwt) =>
    jwt.compact.push((text) => text.replace(/\.([^.]+)\./, (whole, payload) => `.${Buffer.from(Buffer.from(payload, "base64url").toString().replace(/\}$/, ',"x":1}')).toString("base64url")}.`)),
  ),
  onEither("signature/cut-after-signing", (jwt) => jwt.compact.push((text) => `${text.split(".").slice(0, 2).join(".")}.`)),
  ...["none", "None", "NONE", "nOnE"].map((name) =>
    onEither(`alg/${name}`, (jwt, random) => {
      jwt.header.set("alg", name);
      if (random.chance(0.7)) jwt.algorithm = "none";
    }),
  ),
  ...["hmac-public-jwk", "hmac-empty"].map((id) =>
    onEither(`alg/${id}`, (jwt, random, { client }) => {
      jwt.header.set("alg", "HS256");
      jwt.key = id === "hmac-empty" ? Buffer.alloc(0) : Buffer.from(JSON.stringify(key(client).jwk));
      jwt.algorithm = "HS256";
    }),
  ),
  ...["es256", "ES256 ", " ES256", "ES256\u0000", "ES256K", "ESP256", "ES384", "ES512", "RS256", "PS256", "RS384", "RS512", "PS384", "PS512", "EdDSA", "Ed25519", "Ed448", "ML-DSA-44", "HS256", "", "RS1", "dir", "Es256"].map(
    (name) => named(`named ${JSON.stringify(name)}`, name),
  ),
  ...[null, 5, ["ES256"], {}, true].map((value) => named(`value ${JSON.stringify(value)}`, value)),
  named("missing", undefined),
  // Another member of the algorithm's family, and the signature really is of it.
  ...["RS384", "RS512", "PS384", "PS512", "RS256", "PS256"].map((algorithm) =>
    onProof(`alg/really ${algorithm}`, (jwt, random, scenario) => {
      scenario.client = "rsa";
      jwt.header.set("jwk", Members.of(key("rsa").jwk)).set("alg", algorithm);
      sign(jwt, "rsa", algorithm);
    }),
  ),
  ...["RS384", "RS512", "PS384", "PS512", "RS256", "PS256"].map((algorithm) =>
    onToken(`alg/really ${algorithm}`, (jwt) => {
      jwt.header.set("alg", algorithm).set("kid", "issuer-rsa");
      sign(jwt, "issuer-rsa", algorithm);
    }),
  ),
  // A key is found by what it is for.
  onToken("alg/really PS256, no kid", (jwt) => {
    jwt.header.set("alg", "PS256").remove("kid");
    sign(jwt, "rsa-e3", "PS256");
  }),
  ...["EdDSA", "Ed25519"].map((algorithm) =>
    onToken(`alg/really ${algorithm}`, (jwt) => {
      jwt.header.set("alg", algorithm).set("kid", "issuer-ed25519");
      sign(jwt, "issuer-ed25519", algorithm);
    }),
  ),
];

function sign(jwt, name, algorithm) {
  jwt.key = key(name).private;
  jwt.algorithm = algorithm;
}

