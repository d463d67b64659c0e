// Where keybound and oauth4webapi answer differently, and why keybound is right or free to. A difference that stands not here is a failure.
import { differInPercentEncoding, hasMisspeltNumber, hostIsRewritten, isTargetUri, isWeakEd25519, isWeakRsa } from "./facts.mjs";
import { NOW } from "./scenario.mjs";

/** What keybound says of a JSON text that is none for it, by JWT and part. */
const MALFORMED = {
  proof: { header: "proof_header_malformed", payload: "proof_payload_malformed" },
  token: { header: "token_header_malformed", payload: "token_payload_malformed" },
};
const places = (facts) => ["proof", "token"].flatMap((jwt) => ["header", "payload"].map((part) => ({ jwt, part, faults: facts[jwt][part]?.faults ?? new Set() })));
/** The part that keybound names has the fault. */
const isMalformedBy = (fault) => (facts, reason) => places(facts).some(({ jwt, part, faults }) => faults.has(fault) && MALFORMED[jwt][part] === reason);
const jwkOf = ({ proof }) => proof.header.value.jwk ?? {};
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const FAMILY = { EdDSA: "Ed25519" };
const nameOf = (algorithm) => FAMILY[algorithm] ?? algorithm;
const isNoString = (value) => value !== undefined && typeof value !== "string";
const LOOPBACK = /^http:\/\/(?:(?:[^/]*\.)?localhost|127\.\d+\.\d+\.\d+|\[::1\])[:/]/;
/** Whether a moment is after another, by less than keybound's clock can tell. */
const isJustAfter = (moment, limit) => moment > limit && moment < limit + 1e-6;

/**
 * `reasons` are keybound's where it refuses, `objection` is oauth4webapi's where that does. `explains` looks at the facts of the
 * case, and must not hold for a case without the peculiarity. Where keybound accepts, `repair` takes the peculiarity
 * out of the scenario: oauth4webapi then has to accept as well, so that its objection hid nothing else.
 */
export const DIFFERENCES = [
  {
    id: "token68",
    accepts: "oauth4webapi",
    reasons: ["token_malformed"],
    explains: ({ token }) => !/^[A-Za-z0-9._~+/-]+=*$/.test(token.text),
    what: "white space or another character that no token68 has, within the access token",
    why: "Credentials are `DPoP 1*SP token68`; what is cut out or skipped by a decoder is still hashed into `ath`, so one token would have many hashes.",
    section: "RFC 9449 §7.1, RFC 9110 §11.2",
  },
  {
    id: "base64url-token",
    accepts: "oauth4webapi",
    reasons: ["token_not_jwt"],
    explains: ({ token }) => !token.canonical,
    what: "access token with padding, the other alphabet or spare bits",
    why: "base64url in JOSE has no padding and no other characters; with spare bits one token has several spellings, and a list of revoked ones misses some.",
    section: "RFC 7515 §2, RFC 4648 §3.5",
  },
  {
    id: "base64url-proof",
    accepts: "oauth4webapi",
    reasons: ["proof_not_base64url"],
    explains: ({ proof }) => !proof.canonical,
    what: "proof with padding, the other alphabet, white space or spare bits",
    why: "As for tokens.",
    section: "RFC 7515 §2, RFC 4648 §3.5",
  },
  {
    id: "name-twice",
    accepts: "oauth4webapi",
    reasons: ["proof_duplicate_member", "token_header_malformed", "token_payload_malformed"],
    explains: (facts, reason) =>
      places(facts).some(({ jwt, part, faults }) => faults.has("name-twice") && (jwt === "proof" ? reason === "proof_duplicate_member" : reason === MALFORMED.token[part])),
    what: "a name that stands twice in an object, also in another spelling",
    why: "Names must be unique: a reader refuses, or takes the last one. Refusing leaves no room for two readers of one JWT to differ.",
    section: "RFC 7515 §4, RFC 7517 §4, RFC 7519 §4",
  },
  {
    id: "utf-8",
    accepts: "oauth4webapi",
    reasons: Object.values(MALFORMED).flatMap(Object.values),
    explains: isMalformedBy("not-utf-8"),
    what: "octets that are not UTF-8",
    why: "Header and claims must be UTF-8; a decoder that puts U+FFFD in their place makes different texts one.",
    section: "RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3.7",
  },
  {
    id: "byte-order-mark",
    accepts: "oauth4webapi",
    reasons: Object.values(MALFORMED).flatMap(Object.values),
    explains: isMalformedBy("byte-order-mark"),
    what: "a byte order mark before the JSON",
    why: "JSON that goes over a network has none; a reader may ignore it, and need not.",
    section: "RFC 8259 §8.1",
  },
  {
    id: "lone-surrogate",
    accepts: "oauth4webapi",
    reasons: Object.values(MALFORMED).flatMap(Object.values),
    explains: isMalformedBy("lone-surrogate"),
    what: "half of a surrogate pair, as an escape",
    why: "Stands for no character; what a reader makes of it is unpredictable, and Rust's strings cannot hold it.",
    section: "RFC 8259 §8.2",
  },
  {
    id: "deep",
    accepts: "oauth4webapi",
    reasons: Object.values(MALFORMED).flatMap(Object.values),
    explains: isMalformedBy("deep"),
    what: "JSON nested more than 32 deep",
    why: "A reader may limit depth; nothing that is known of proofs and tokens comes near.",
    section: "RFC 8259 §9",
  },
  {
    id: "proof-typ",
    accepts: "oauth4webapi",
    reasons: ["typ_mismatch"],
    explains: ({ proof }) => isOtherSpelling(proof.header.value.typ, "dpop+jwt"),
    what: "`typ` of a proof in other case, or with `application/`",
    why: "The proof's `typ` has the value `dpop+jwt`. RFC 7515 reads media types more loosely; one spelling keeps the kinds of JWT apart everywhere.",
    section: "RFC 9449 §4.2 and §4.3 check 4, RFC 7515 §4.1.9",
  },
  {
    id: "token-typ",
    accepts: "oauth4webapi",
    reasons: ["token_typ_mismatch"],
    explains: ({ token }) => token.header.value.typ !== "application/at+jwt" && isOtherSpelling(token.header.value.typ, "at+jwt"),
    what: "`typ` of a token in other case",
    why: "Named are `at+jwt` and `application/at+jwt`. As for proofs.",
    section: "RFC 9068 §4, RFC 7515 §4.1.9",
  },
  {
    id: "b64",
    accepts: "oauth4webapi",
    reasons: ["b64_unsupported", "token_crit_unsupported"],
    explains: (facts, reason) => {
      const { b64 } = (reason === "b64_unsupported" ? facts.proof : facts.token).header.value;
      return b64 !== undefined && b64 !== true;
    },
    what: "`b64` that is not `true`, without `crit`",
    why: "A JWT must not have an unencoded payload; `b64: false` says that it has.",
    section: "RFC 7797 §6 and §7",
  },
  {
    id: "private-member",
    accepts: "oauth4webapi",
    reasons: ["jwk_private"],
    explains: (facts) => PRIVATE.some((name) => name in jwkOf(facts)),
    what: "members of private or symmetric keys that are not of the key's own kind, or no strings",
    why: "The `jwk` must not hold a private key, and its recipient cannot know what the client gave away.",
    section: "RFC 9449 §4.2 and §4.3 check 7",
  },
  {
    id: "key-use",
    accepts: "oauth4webapi",
    reasons: ["jwk_usage"],
    explains: (facts) => {
      const { use, key_ops: operations } = jwkOf(facts);
      return (use !== undefined && use !== "sig") || (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify")));
    },
    what: "`use` or `key_ops` that say that the key is for something else",
    why: "A key is to be used for what it is marked for.",
    section: "RFC 7517 §4.2 and §4.3",
  },
  {
    id: "key-alg",
    accepts: "oauth4webapi",
    reasons: ["jwk_alg_mismatch"],
    explains: (facts) => jwkOf(facts).alg !== undefined && nameOf(jwkOf(facts).alg) !== nameOf(facts.proof.header.value.alg),
    what: "`alg` of the key that is not that of the proof",
    why: "A key is used with the one algorithm that it names. WebCrypto compares only the hash, and reads arrays as text.",
    section: "RFC 7517 §4.4, RFC 8725 §3.1",
  },
  {
    id: "key-number",
    accepts: "oauth4webapi",
    reasons: ["jwk_malformed"],
    explains: (facts) => hasMisspeltNumber(jwkOf(facts)),
    what: "numbers of a key that are too short, too long or not canonical base64url",
    why: "Coordinates have the full length of the curve, RSA numbers no leading zeros: else one key has several thumbprints.",
    section: "RFC 7518 §6.2.1.2 and §6.3.1, RFC 7638 §7",
  },
  {
    id: "key-rsa",
    accepts: "oauth4webapi",
    reasons: ["jwk_invalid"],
    explains: (facts) => isWeakRsa(jwkOf(facts)),
    what: "RSA with the exponent 1, or another that makes no key",
    why: "With the exponent 1 everybody can sign.",
    section: "RFC 8017 §3.1, RFC 8725 §3.4",
  },
  {
    id: "key-ed25519",
    accepts: "oauth4webapi",
    reasons: ["jwk_invalid"],
    explains: (facts) => isWeakEd25519(jwkOf(facts)),
    what: "Ed25519 keys of small order, or not below the prime",
    why: "With a key of small order one signature fits any text, and everybody can write it.",
    section: "RFC 8032 §5.1.3, RFC 8725 §3.4",
  },
  {
    id: "jti-empty",
    accepts: "oauth4webapi",
    reasons: ["jti_missing"],
    explains: ({ proof }) => proof.payload.value.jti === "",
    what: "an empty `jti`",
    why: "Identifies nothing; it has to be unique.",
    section: "RFC 9449 §4.2",
  },
  {
    id: "jti-long",
    accepts: "oauth4webapi",
    reasons: ["jti_too_long"],
    explains: ({ proof }) => Buffer.byteLength(String(proof.payload.value.jti)) > 512,
    what: "a `jti` of more than 512 octets",
    why: "Servers are told to refuse unreasonably long ones. `maxJtiBytes` sets the limit.",
    section: "RFC 9449 §11.1",
  },
  {
    id: "nonce-type",
    accepts: "oauth4webapi",
    reasons: ["nonce_malformed"],
    explains: ({ proof }) => isNoString(proof.payload.value.nonce),
    what: "a `nonce` that is no string, where none was asked for",
    why: "The value is the one of a `DPoP-Nonce` field, which is text. Nobody who follows the RFC sends another.",
    section: "RFC 9449 §4.2 and §8.1",
  },
  {
    id: "too-large",
    accepts: "oauth4webapi",
    reasons: ["proof_too_large", "token_too_large"],
    explains: ({ proof, token }, reason) => (reason === "proof_too_large" ? proof.text.length > 16_384 : token.text.length > 32_768),
    what: "proofs of more than 16 KiB, tokens of more than 32 KiB",
    why: "A server may refuse fields that are larger than it wants to process. `maxProofBytes` sets the limit for proofs.",
    section: "RFC 9110 §5.4",
  },
  {
    id: "issuer-key-algorithm",
    accepts: "oauth4webapi",
    reasons: ["token_key_unknown"],
    explains: ({ token }) => token.header.value.alg === "PS256" && token.header.value.kid === "issuer-rsa",
    what: "a token signed as `PS256` with an issuer's RSA key that names no algorithm, where `RS256` is allowed as well",
    why: "A key is used with one algorithm. Where its issuer does not say which, that is `RS256`, which all implementations have.",
    section: "RFC 8725 §3.1, RFC 9068 §2.1",
  },
  {
    id: "audience-element",
    accepts: "oauth4webapi",
    reasons: ["token_payload_malformed"],
    explains: ({ token }) => Array.isArray(token.payload.value.aud) && token.payload.value.aud.some(isNoString),
    what: "an `aud` array with elements that are no strings",
    why: "`aud` is a string or an array of strings.",
    section: "RFC 7519 §4.1.3",
  },
  {
    id: "htu-syntax",
    accepts: "oauth4webapi",
    reasons: ["htu_malformed"],
    explains: ({ proof }) => !isTargetUri(String(proof.payload.value.htu)),
    what: "an `htu` that becomes a URI only when a browser's URL parser has repaired it: white space, backslashes, missing slashes, other scripts, an empty userinfo",
    why: "`htu` is a URI. Repairs differ from parser to parser, and a difference between parsers is what attacks are made of.",
    section: "RFC 9449 §4.2, RFC 3986 §3 and §7.6",
  },
  {
    id: "htu-host",
    accepts: "oauth4webapi",
    reasons: ["htu_host_mismatch"],
    explains: ({ proof }) => hostIsRewritten(String(proof.payload.value.htu)),
    what: "a host that is the request's only after IDNA, or a parser of addresses, has rewritten it",
    why: "Compared are syntax- and scheme-normalised URIs; neither normalisation maps names or numbers.",
    section: "RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3",
  },
  {
    id: "http",
    accepts: "oauth4webapi",
    reasons: ["htu_not_https"],
    explains: ({ request }) => request.url.startsWith("http:") && !LOOPBACK.test(request.url),
    what: "plain http, but to a loopback host",
    why: "DPoP is for https. A developer's own machine is the exception.",
    section: "RFC 9449 §2",
  },
  {
    id: "microseconds",
    accepts: "oauth4webapi",
    reasons: ["proof_expired", "token_expired"],
    explains: (facts, reason) => isJustAfter((reason === "proof_expired" ? facts.proof : facts.token).payload.value.exp, facts.now),
    what: "an `exp` less than a microsecond after now",
    why: "Time is read to the microsecond here, in binary64 there; a NumericDate has no stated precision.",
    section: "RFC 7519 §2",
  },
  {
    id: "microseconds-iat",
    accepts: "keybound",
    objection: /^DPoP Proof iat is not recent enough$/,
    repair: ({ proof }) => proof.payload.set("iat", NOW),
    explains: ({ proof, now }) => isJustAfter(Math.abs(proof.payload.value.iat - now), 300),
    what: "an `iat` less than a microsecond outside the window",
    why: "As for `exp`.",
    section: "RFC 7519 §2",
  },
  {
    id: "htu-percent-encoding",
    accepts: "keybound",
    objection: /^DPoP Proof htu mismatch$/,
    repair: (scenario) => scenario.proof.payload.set("htu", new URL(scenario.url).href),
    explains: ({ proof, request }) => differInPercentEncoding(proof.payload.value.htu, request.url),
    what: "paths that differ in the case of percent-encodings, or in whether a character is encoded that means the same either way",
    why: "Servers should compare after syntax-based normalisation, which makes these one; oauth4webapi does what a URL parser does, and that leaves them.",
    section: "RFC 9449 §4.3, RFC 3986 §6.2.2.1 and §6.2.2.2",
  },
  {
    id: "nbf",
    accepts: "keybound",
    objection: /^unexpected JWT "nbf" \(not before\) claim value$/,
    repair: ({ proof, token }) => [proof, token].forEach(({ payload }) => payload.remove("nbf")),
    explains: ({ proof, token, now }) => {
      const { nbf: ofProof = now } = proof.payload.value;
      const { nbf: ofToken = now } = token.payload.value;
      return ofProof <= now + 300.000001 && ofToken <= now + 10 && (ofProof > now || ofToken > now);
    },
    what: "an `nbf` a little ahead: of a token at most 10 seconds, of a proof as far as its `iat` may be",
    why: "Some leeway for clocks that differ is allowed. oauth4webapi has one tolerance for `exp` and `nbf`, which is 0 in this test so that no expired token passes.",
    section: "RFC 7519 §4.1.5, RFC 9449 §11.1",
  },
  {
    id: "ed25519-names",
    accepts: "keybound",
    objection: /^error when selecting a JWT verification key, no applicable keys found$/,
    repair: ({ token }) => token.header.set("alg", "EdDSA"),
    explains: ({ token }) => token.header.value.alg === "Ed25519" && token.header.value.kid === "issuer-ed25519",
    what: "a token signed as `Ed25519` with an issuer's key that names `EdDSA`",
    why: "Both names are of one algorithm for a key on that curve; issuers that move to the new name leave their published keys as they are.",
    section: "RFC 9864 §2.2",
  },
  {
    id: "issuer-key-choice",
    accepts: "keybound",
    objection: /^error when selecting a JWT verification key, multiple applicable keys found, a "kid" JWT Header Parameter is required$/,
    repair: ({ token }) => token.header.set("kid", "rsa-e3"),
    explains: ({ token }) => token.header.value.alg === "PS256" && token.header.value.kid === undefined,
    what: "a token without `kid` that is signed as `PS256`, where the issuer has a key for that and another RSA key that names no algorithm",
    why: "The other one is for `RS256`, so just one key fits; a `kid` is only a hint.",
    section: "RFC 7515 §4.1.4, RFC 8725 §3.1",
  },
  {
    id: "confirmation-unknown-member",
    accepts: "keybound",
    objection: /^(?:multiple confirmation claims are not supported|unsupported JWT Confirmation method)$/,
    repair: withoutOtherConfirmations,
    explains: ({ token }) => "jkt" in token.payload.value.cnf && !("x5t#S256" in token.payload.value.cnf),
    what: "a `cnf` with members that are not known, beside `jkt`",
    why: "Members that are not understood must be ignored (Keycloak sends one). `jkt` is enforced all the same.",
    section: "RFC 7800 §3.1",
  },
  {
    id: "confirmation-certificate",
    accepts: "keybound",
    objection: /^multiple confirmation claims are not supported$/,
    repair: withoutOtherConfirmations,
    explains: ({ token }) => "jkt" in token.payload.value.cnf && "x5t#S256" in token.payload.value.cnf,
    what: "a `cnf` with `jkt` and `x5t#S256`, of which the request shows both",
    why: "keybound enforces both; oauth4webapi knows certificates not at all, and refuses.",
    section: "RFC 9449 §6.1, RFC 8705 §3.1",
  },
  {
    id: "proof-registered-claim",
    accepts: "keybound",
    objection: /^unexpected JWT "(?:iss|aud)" \((?:issuer|audience)\) claim type$/,
    repair: ({ proof }) => ["iss", "aud"].forEach((name) => proof.payload.remove(name)),
    explains: ({ proof }) => {
      const { iss, aud } = proof.payload.value;
      return isNoString(iss) || (isNoString(aud) && !Array.isArray(aud));
    },
    what: "an `iss` or `aud` of another type in a proof",
    why: "They have no meaning in a proof, and claims that are not understood are ignored. Those of tokens are checked.",
    section: "RFC 9449 §4.2, RFC 7519 §4",
  },
];

function withoutOtherConfirmations({ token }) {
  const { cnf } = JSON.parse(token.payload.text({ jkt: "" }));
  const members = token.payload.get("cnf");
  for (const name of Object.keys(cnf)) if (name !== "jkt") members.remove(name);
}

function isOtherSpelling(typ, of) {
  return typeof typ === "string" && typ !== of && typ.toLowerCase().replace(/^application\//, "") === of;
}

/** The rules that explain a difference. */
export function explanations(facts, ofKeybound, ofOther) {
  // Both accept, but read other claims: nothing explains that.
  if (ofKeybound.accepts === ofOther.accepts) return [];
  const [accepts, said] = ofKeybound.accepts ? ["keybound", ofOther.said] : ["oauth4webapi", ofKeybound.said];
  return DIFFERENCES.filter((rule) => {
    if (rule.accepts !== accepts) return false;
    return (rule.reasons?.includes(said) ?? rule.objection.test(said)) && rule.explains(facts, said);
  });
}
