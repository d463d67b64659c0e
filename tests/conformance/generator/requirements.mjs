// What the standards ask of resource servers and token endpoints, and the table of which cases cover what.
//
// `[name, where it stands, what it says, what cannot be shown by a case]`: the last is "accept", "refuse" or "both" with where else it is tested.

const REQUIREMENTS = [
  ["RFC 9449", [
    ["A01", "2", "DPoP is for https only: http against https is a mismatch, and http passes on a developer's own machine at most"],
    ["A03", "4", "a valid proof alone grants nothing"],
    ["A04", "4.1", "the field's name is compared without case, its value with case"],
    ["A05", "4.1", "the value is a token68, and then base64url: no comma, blank, quote or semicolon; = + / ~ fail later"],
    ["A06", "4.2", "header: typ, alg, jwk; payload: jti, htm, htu, iat"],
    ["A07", "4.2", "alg is neither none nor symmetric", "accept"],
    ["A08", "4.2, 4.3(7)", "no private member in the jwk"],
    ["A09", "4.2", "jti is unique: a random value or UUID", "refuse"],
    ["A10", "4.2", "htm is the method on the wire; patch stays in lower case", "refuse"],
    ["A11", "4.2", "htu is the target without query and fragment", "refuse"],
    ["A12", "4.2, 7", "ath is the hash of the very token after the scheme"],
    ["A14", "4.2", "other header parameters and claims are ignored", "refuse"],
    ["A15", "4.3(1)", "not more than one DPoP field; a comma shows that there were two"],
    ["A16", "4.3(2)", "one well-formed JWT"],
    ["A17", "4.3(3)", "every required claim is there and of its type"],
    ["A18", "4.3(4), 11.5", "typ is dpop+jwt"],
    ["A19", "4.3(5), 11.6", "alg is asymmetric, registered and in the list of accepted ones"],
    ["A20", "4.3(6)", "the signature verifies with the jwk in the header, and with nothing else"],
    ["A21", "4.3(8)", "htm is the request's method, with case"],
    ["A22", "4.3(9)", "htu is the request's target, query and fragment of either side ignored"],
    ["A23", "4.3", "both are normalised as RFC 3986 §6.2.2 and §6.2.3 say", "refuse"],
    ["A24", "4.3(10), 8, 11.3", "where a nonce was provided, it is there and is a recent one exactly"],
    ["A25", "4.3(11), 11.1", "the proof was made within a window of time"],
    ["A26", "4.3(12)", "ath is the token's hash, and the proof's key the token's"],
    ["A27", "5", "a proof with every token request, whatever the grant", "refuse"],
    ["A28", "5", "an invalid proof at the token endpoint is invalid_dpop_proof", "accept"],
    ["A29", "5", "token_type is DPoP when the token is bound", "refuse"],
    ["A30", "5", "a public client's refresh token is bound to its key"],
    ["A31", "5", "a confidential client's is not: its key may change"],
    ["A32", "5", "without a proof the answer may be a bearer token", "refuse"],
    ["A35", "5.2", "dpop_bound_access_tokens: no token without a proof"],
    ["A36", "6", "a malformed cnf never reads as unbound"],
    ["A37", "6.1", "cnf.jkt is the SHA-256 thumbprint, 43 characters"],
    ["A38", "6.2", "an introspection answer has jkt in cnf at its top"],
    ["A39", "6.2", "token_type of an introspection answer is DPoP", "refuse"],
    ["A40", "7, 7.1", "a proof beside the DPoP scheme"],
    ["A41", "7.1", "credentials are the scheme, blanks, a token68; the scheme in any case"],
    ["A42", "7.1", "no access unless every check passes"],
    ["A46", "7.1", "Proxy-Authorization does not count", "accept"],
    ["A48", "7.2", "a bound token is refused as Bearer, with a proof beside it as well"],
    ["A49", "7.2", "no error code where nothing was presented", "accept"],
    ["A51", "7.2", "two sets of credentials: invalid_request"],
    ["A52", "7.3", "every attempt has its own proof; one that was answered with a challenge was not used", "refuse"],
    ["A53", "8", "nonce challenge of the token endpoint: use_dpop_nonce and one DPoP-Nonce"],
    ["A55", "8", "only recent nonces pass, exactly; a window of them is kept"],
    ["A56", "8.1", "a nonce is one or more NQCHAR"],
    ["A59", "9", "nonce challenge of the resource server"],
    ["A60", "9", "nonces belong to one server", "accept"],
    ["A61", "10", "dpop_jkt of the authorization request is the proof's key at redemption"],
    ["A63", "10.1", "PAR: dpop_jkt and proof, checked in full; where both are there they agree"],
    ["A64", "11.1", "proofs live for a limited time"],
    ["A65", "11.1", "a jti passes once while its proof could be accepted"],
    ["A66", "11.1", "no very long jti"],
    ["A67", "11.1", "an iat slightly ahead passes"],
    ["A68", "11.1", "the nonce may stand for the time, and serves many requests"],
    ["A70", "11.3", "no proof without nonce once one was provided", "accept"],
    ["A73", "11.10", "SHA-256 only", "accept"],
  ]],
  ["RFC 8705", [
    ["B02", "3", "the certificate comes from the TLS layer and is the token's, else invalid_token"],
    ["B03", "3", "certificate-bound tokens are presented as Bearer"],
    ["B04", "3.1", "x5t#S256 is the base64url SHA-256 of the DER certificate"],
    ["B05", "3.1", "the example value has spare bits that are not zero", "accept"],
    ["B06", "3.2", "an introspection answer has it the same way", "refuse"],
    ["B07", "3.3, 3.4", "tokens are bound to a certificate where the client's metadata ask for it"],
    ["B10", "6.2", "the chain need not be validated: a matter of policy"],
    ["B11", "6.3", "a renewed certificate of the same key is another one"],
    ["B12", "6.5", "TLS may end at a proxy"],
    ["B13", "7.1", "only certificates whose key the client proved to hold", "accept"],
  ]],
  ["RFC 9440 and Cloudflare", [
    ["C01", "RFC 9440 2.1", "Client-Cert is a byte sequence of the DER certificate"],
    ["C02", "RFC 9440 2.2", "no list, no repeat", "accept"],
    ["C03", "RFC 9440 2.3", "Client-Cert-Chain is not the client's certificate"],
    ["C06", "RFC 9440 4", "only from a proxy that the operator trusts"],
    ["C07", "Cloudflare", 'certPresented and certRevoked are "0" or "1", certVerified is a text, the fingerprint is hexadecimal'],
    ["C08", "Cloudflare", "certRFC9440 is empty without a certificate and when it is too large: nothing empty is hashed"],
  ]],
  ["JOSE", [
    ["D01", "RFC 7515 2", "base64url without padding, white space or other characters"],
    ["D02", "RFC 4648 3.5", "no non-zero spare bits"],
    ["D03", "RFC 7515 4, 7517 4, 7519 4", "names that stand twice: refuse, or the last wins; compared after unescaping"],
    ["D04", "RFC 7515 4.1.1", "alg is there and compared with case", "accept"],
    ["D05", "RFC 7515 4.1.9", "typ may be a media type with application/ left out; RFC 9449 names one value"],
    ["D06", "RFC 7515 4.1.11", "crit that is unknown, empty, dangling or no array is refused"],
    ["D07", "RFC 7797 6, 7", "b64 is not false"],
    ["D08", "RFC 7515 7.1", "compact form: three parts"],
    ["D09", "RFC 7515 5.2, 7519 7.2", "header and payload are one JSON object each, in UTF-8"],
    ["D10", "RFC 7517 4.2-4.4", "use, key_ops and alg of a key allow what it is used for"],
    ["D11", "RFC 7518 3.3, 3.5", "RSA has 2048 bits or more"],
    ["D12", "RFC 7518 3.4", "ECDSA signatures are R and S at full length; a high S is valid"],
    ["D13", "RFC 7518 3.4", "each ES algorithm has its curve", "accept"],
    ["D14", "RFC 7518 6.2.1.2", "coordinates have full length, leading zeros stay"],
    ["D15", "RFC 7518 6.3.1", "n and e have minimal octets"],
    ["D16", "RFC 7518 8", "points are on their curve and in range", "accept"],
    ["D17", "RFC 7519 2", "dates may be fractions or have exponents; no overflow"],
    ["D18", "RFC 7519 4.1.4, 4.1.5", "exp and nbf are honoured and are numbers"],
    ["D19", "RFC 8037", "Ed25519 signs, X25519 never"],
  ]],
  ["Thumbprints and confirmations", [
    ["E01", "RFC 7638 3", "required members, sorted, no blanks, SHA-256"],
    ["E02", "RFC 7638 3.2", "kid, use, alg, key_ops, x5c do not count"],
    ["E03", "RFC 7638 7", "a second spelling of a key is refused", "accept"],
    ["E04", "RFC 7800 3.1", "unknown members are ignored beside a known one, and refused alone"],
    ["E05", "RFC 7800 3.1", "jkt and x5t#S256 together: both are enforced"],
  ]],
  ["RFC 8725", [
    ["F01", "3.1", "the caller names the algorithms; a key serves one"],
    ["F02", "3.2", "no none", "accept"],
    ["F03", "3.3", "every cryptographic step is checked"],
    ["F04", "3.4", "cryptographic inputs are checked: points, small order, exponents"],
    ["F05", "3.7", "UTF-8"],
    ["F06", "3.10", "kid, jku, x5u, x5c are not trusted"],
    ["F07", "3.11, 3.12", "kinds of JWT are told apart by type"],
  ]],
  ["RFC 9068, 7662, 9728, 9864", [
    ["G01", "RFC 9068 4", "typ is at+jwt or application/at+jwt"],
    ["G02", "RFC 9068 4", "issuer, audience, signature, expiry"],
    ["G03", "RFC 9068 2.2", "iss exp aud sub client_id iat jti"],
    ["G04", "RFC 7662 2.2", "only active: true counts"],
    ["G05", "RFC 7662 4", "what is cached still needs its proof and binding at every request"],
    ["G06", "RFC 9728 2", "DPoP or any constraint may be required"],
    ["G08", "RFC 9864 2.2", "Ed25519 and EdDSA: one key, two names"],
    ["G09", "RFC 9864 2.1", "ESP256 and its like are COSE names", "accept"],
  ]],
  ["FAPI 2.0 Security Profile", [
    ["H01", "5.3.2.1(4,5)", "only sender-constrained tokens"],
    ["H02", "5.3.2.1(10)", "nonces at the token endpoint", "accept"],
    ["H03", "5.3.2.1(12)", "codes are bound to the key"],
    ["H04", "5.3.2.1(13)", "iat and nbf 10 s ahead pass, more than 60 s do not"],
    ["H05", "5.3.3.1(8)", "a resource server's nonces", "accept"],
    ["H07", "5.3.4(1,2)", "the token stands in the header, never in the query"],
    ["H08", "5.3.4(5)", "the sender constraint is verified"],
    ["H09", "5.4.1", "PS256, ES256, EdDSA"],
    ["H10", "5.4.1", "RSA of 2048 bits, EC of 224"],
    ["H11", "OpenID suite", "what the suite fails: other claims refused, query refused, an hour off, two fields"],
  ]],
  ["Where implementations differ", [
    ["I01", "4.3(9)", "a query in htu is ignored"], ["I02", "RFC 3986 6.2.3", "a trailing slash is another path, an empty path is /"], ["I03", "RFC 3986 6.2", "case of scheme and host, default port", "refuse"],
    ["I04", "RFC 3986 6.2.2", "percent-encoding"], ["I05", "RFC 3986 6.2.2.1", "paths are compared with case", "accept"], ["I06", "4.3(8)", "methods are compared with case", "accept"], ["I07", "4.3(9)", "userinfo in htu", "accept"],
    ["I08", "4.3(4)", "typ in other case or with application/"], ["I09", "4.3(1)", "two DPoP fields"], ["I10", "7.1", "a missing proof under the DPoP scheme", "accept"], ["I11", "7.1", "scheme in any case, several blanks", "refuse"], ["I12", "7.1", "another key: invalid_token", "accept"],
    ["I13", "11.1", "the window of iat"], ["I14", "11.1", "a nonce does not replace iat", "accept"], ["I15", "8", "a nonce that nobody asked for"], ["I17", "11.1", "what a replay mark is kept for"], ["I18", "RFC 7800 3.1", "cnf with more members", "refuse"], ["I19", "RFC 7800 3.1", "jkt beside x5t#S256"],
    ["I21", "RFC 7515 2", "padding, other alphabet, spare bits"], ["I22", "RFC 7518 6.2.1.2", "short and long coordinates", "accept"], ["I23", "RFC 7515 4", "names that stand twice"], ["I24", "4.2", "ath at the token endpoint", "refuse"], ["I25", "6.1", "what a thumbprint hashes"],
  ]],
];

/** Markdown, and which requirements lack cases of a kind that they could have. */
export function table(cases) {
  const covered = new Map();
  for (const testCase of cases) {
    const accepts = (testCase.sequence ?? [testCase]).some(({ expect }) => expect === "accept");
    const refuses = (testCase.sequence ?? [testCase]).some(({ expect }) => expect !== "accept");
    for (const name of testCase.requirement) {
      const entry = covered.get(name) ?? { accept: [], refuse: [] };
      if (accepts) entry.accept.push(testCase.id);
      if (refuses) entry.refuse.push(testCase.id);
      covered.set(name, entry);
    }
  }
  const known = new Set(REQUIREMENTS.flatMap(([, rows]) => rows.map(([name]) => name)));
  for (const name of covered.keys()) if (!known.has(name)) throw new Error(`no requirement ${name}`);
  const missing = [];
  const cell = (ids) => (ids.length === 0 ? "" : `${ids.length}: ${ids.slice(0, 3).map((id) => `\`${id}\``).join(", ")}${ids.length > 3 ? ", ..." : ""}`);
  const sections = REQUIREMENTS.map(([title, rows]) => {
    const lines = rows.map(([name, section, text, without]) => {
      const { accept, refuse } = covered.get(name) ?? { accept: [], refuse: [] };
      if (accept.length === 0 && without !== "accept") missing.push(`${name} (accept)`);
      if (refuse.length === 0 && without !== "refuse") missing.push(`${name} (refuse)`);
      return `| ${name} | ${section} | ${text} | ${cell(accept)} | ${cell(refuse)} |`;
    });
    return `## ${title}\n\n| | section | requirement | accepting cases | refusing cases |\n|---|---|---|---|---|\n${lines.join("\n")}\n`;
  });
  const text = `# What the conformance cases cover\n\nWritten by \`generate.mjs\`. Requirements on resource servers and token endpoints that show in an outcome; what shows in answers only (challenges, CORS, caching, metadata) is tested elsewhere.\nA sequence counts on both sides if it has steps of both kinds. A cell is empty where a requirement has no such side.\n\n${sections.join("\n")}`;
  return { text, missing };
}
