// What can be seen of a case, read leniently and without a look at either side: the ground that differences stand on.
import { NOW } from "./scenario.mjs";

/** Of a rendered case. What cannot be read even leniently is undefined. */
export function factsOf({ request }) {
  const token = (request.headers.get("authorization") ?? "").split(/ +/)[1] ?? "";
  const proof = request.headers.get("dpop") ?? "";
  return { request, now: NOW, token: jwtFacts(token), proof: jwtFacts(proof) };
}

function jwtFacts(text) {
  const parts = text.split(".");
  const [header, payload] = parts.map(partFacts);
  return { text, parts, header, payload, canonical: parts.every((part) => Buffer.from(part, "base64url").toString("base64url") === part) };
}

/** `value`: the JSON as an everyday reader takes it. `faults`: what a strict one finds in it all the same. */
function partFacts(part) {
  const octets = Buffer.from(part, "base64url");
  try {
    const text = new TextDecoder().decode(octets);
    const value = JSON.parse(text);
    const faults = jsonFaults(text);
    if (octets.subarray(0, 3).toString("hex") === "efbbbf") faults.add("byte-order-mark");
    else if (!Buffer.from(text).equals(octets)) faults.add("not-utf-8");
    return { value: value ?? {}, faults };
  } catch {
    return { value: {}, faults: new Set() };
  }
}

/** RFC 8259 §4 and §8.2, RFC 7515 §4; and nesting, counted from the outermost object. */
function jsonFaults(text) {
  const faults = new Set();
  const open = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;
  let string;
  for (const [found] of text.matchAll(token)) {
    if (found[0] === '"') {
      string = JSON.parse(found);
      if (/\p{Surrogate}/u.test(string)) faults.add("lone-surrogate");
    } else if (found === ":") {
      const names = open.at(-1);
      if (names.has(string)) faults.add("name-twice");
      names.add(string);
    } else if (found === "{" || found === "[") {
      open.push(new Set());
      if (open.length > 32) faults.add("deep");
    } else open.pop();
  }
  return faults;
}

// Keys

const COORDINATES = { "P-256": 32, "P-384": 48, "P-521": 66, Ed25519: 32 };
const octetsOf = (text) => Buffer.from(String(text), "base64url");
const isCanonical = (text) => typeof text === "string" && text !== "" && octetsOf(text).toString("base64url") === text;
const numberOf = (octets) => BigInt(`0x${octets.toString("hex") || "0"}`);

/** Some number of the key is not spelt as RFC 7518 §6 spells it. */
export function hasMisspeltNumber(jwk) {
  if (jwk.kty === "RSA") return [jwk.n, jwk.e].some((text) => !isCanonical(text) || octetsOf(text)[0] === 0);
  const coordinates = jwk.kty === "EC" ? [jwk.x, jwk.y] : [jwk.x];
  return coordinates.some((text) => !isCanonical(text) || octetsOf(text).length !== COORDINATES[jwk.crv]);
}

/** RFC 7518 §3.3, RFC 8017 §3.1: a modulus of 2048 bits and not without end, an odd exponent of 3 and more, which fits 32 bits. */
export function isWeakRsa(jwk) {
  if (jwk.kty !== "RSA") return false;
  const [n, e] = [jwk.n, jwk.e].map((text) => numberOf(octetsOf(text)));
  const bits = n.toString(2).length;
  return bits < 2048 || bits > 8192 || n % 2n === 0n || e < 3n || e % 2n === 0n || e >= 2n ** 32n;
}

const PRIME = 2n ** 255n - 19n;
/** An Ed25519 key of small order or not below the prime (RFC 8032 §5.1.3, RFC 8725 §3.4). */
export function isWeakEd25519(jwk) {
  if (jwk.crv !== "Ed25519") return false;
  const y = numberOf(Buffer.from(octetsOf(jwk.x)).reverse()) & (2n ** 255n - 1n);
  // Order 4, 1 and 2, and 8.
  return y >= PRIME || [0n, 1n, PRIME - 1n].includes(y) || isOfOrderEight(y);
}

/** On the curve -x² + y² = 1 + d x² y² the points of order eight are those with y² = -x², and so y⁴ d + 2 y² - 1 = 0. */
function isOfOrderEight(y) {
  const power = (base, exponent) => {
    let result = 1n;
    for (let rest = exponent, square = base % PRIME; rest > 0n; rest >>= 1n, square = (square * square) % PRIME) if (rest & 1n) result = (result * square) % PRIME;
    return result;
  };
  const d = (((PRIME - 121665n) * power(121666n, PRIME - 2n)) % PRIME + PRIME) % PRIME;
  const square = (y * y) % PRIME;
  return (d * square * square + 2n * square - 1n) % PRIME === 0n;
}

// Target URIs

/** http or https, a host, a port; of the path only what a URI may hold, or what URL parsers leave in it. No userinfo. */
const TARGET_URI = /^https?:\/\/(?:\[[0-9a-f:.]+\]|(?:[a-z0-9._~!$&'()*+,;=-]|%[0-9a-f]{2})+)(?::\d*)?(?:\/(?:[!$&-[\]^-~]|%[0-9a-f]{2})*)?$/i;

export function isTargetUri(text) {
  const [target] = text.split(/[?#]/, 1);
  return TARGET_URI.test(target) && Number(/:(\d+)$/.exec(target.split("/")[2] ?? "")?.[1] ?? 0) < 65_536;
}

/** Whether the host is another one until IDNA, or a parser of addresses, has rewritten it. */
export function hostIsRewritten(text) {
  const [, host] = /^\w+:\/\/(\[[^\]]*\]|[^:/?#]*)/.exec(text) ?? [];
  try {
    return host !== undefined && host.replace(/%([0-7][0-9a-f])/gi, (code, hex) => String.fromCharCode(parseInt(hex, 16))).toLowerCase() !== new URL(text).hostname;
  } catch {
    return false;
  }
}

/** Whether two URLs are one by RFC 3986 §6.2.2.1 and §6.2.2.2, and not yet as a URL parser left them. */
export function differInPercentEncoding(one, other) {
  if (![one, other].every((text) => URL.canParse(text))) return false;
  return new URL(one).pathname !== new URL(other).pathname && percentNormalised(one) === percentNormalised(other);
}

function percentNormalised(text) {
  const { origin, pathname } = new URL(text);
  const path = pathname.replace(/%([0-9a-f]{2})|[|^[\]"<>`{}]/gi, (code, hex) => {
    const character = hex === undefined ? code : String.fromCharCode(parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : `%${character.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`;
  });
  return origin + path;
}
