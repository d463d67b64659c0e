// Builds cases: a good request with one thing changed.

import { key as keyOf, base64url, sha256, thumbprint } from "./keys.mjs";
import { compact } from "./jws.mjs";

export const NOW = 1780000000;
export const ISSUER = "https://as.example";
export const RS = { method: "GET", url: "https://rs.example/api/items" };
export const AS = { method: "POST", url: "https://as.example/token" };
export const AUDIENCE = "https://rs.example";

export const META = {
  format: 1,
  title: "keybound's own conformance cases",
  now_default: NOW,
  issuer: ISSUER,
  audience: AUDIENCE,
  jwks: {
    keys: [
      { ...keyOf("issuer").jwk, kid: "as-1", use: "sig", alg: "ES256" },
      { ...keyOf("issuer-rsa").jwk, kid: "as-rsa", use: "sig" },
      { ...keyOf("issuer-ed25519").jwk, kid: "as-ed25519", use: "sig", alg: "EdDSA" },
      { ...keyOf("issuer-p384").jwk, kid: "as-p384" },
      { ...keyOf("issuer-enc").jwk, kid: "as-enc", use: "enc", alg: "ECDH-ES" },
      { kty: "future", kid: "as-future", use: "sig" },
    ],
  },
  default_policy: {
    algs: ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519"],
    iat_max_age_s: 300,
    iat_max_future_s: 60,
    max_proof_bytes: 16384,
    max_jti_bytes: 512,
    replay: false,
    require_dpop: false,
    require_sender_constraint: false,
  },
};

/** Text that looks random and depends on a name only. */
export const label = (name, octets = 12) => base64url(sha256(name).subarray(0, octets));

const ALG_OF = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", Ed25519: "EdDSA", Ed448: "EdDSA", secp256k1: "ES256K" };
const algOf = (key) => (key.jwk.kty === "RSA" ? "RS256" : ALG_OF[key.jwk.crv]);

/** Members of `base` with those of `change` put over them; `undefined` takes one away. */
function changed(base, change = {}) {
  const all = typeof change === "function" ? change(base) : { ...base, ...change };
  if (typeof all === "string" || Buffer.isBuffer(all)) return all;
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/**
 * A proof.
 *
 * `key` a name in keys.json; `alg` what the header says, `signAlg` what is done; `jwk`, `header`, `payload` change members
 * (objects, or functions that give an object or the whole text); `signature` changes the signature, `form` the compact text,
 * `spell: [index, change]` the encoding of one part before it is signed.
 */
export function proof(id, request, change = {}) {
  const { key: name = "client", form = (text) => text } = change;
  const key = keyOf(name);
  const alg = change.alg ?? algOf(key);
  const jwk = changed(key.jwk, change.jwk);
  const header = changed({ typ: "dpop+jwt", alg, jwk }, change.header);
  const claims = { jti: label(`jti ${id}`), htm: request.method, htu: request.htu ?? request.url, iat: NOW - 2 };
  if (request.token !== undefined) claims.ath = base64url(sha256(request.token));
  const payload = changed(claims, change.payload);
  const signing = change.signKey === undefined ? key : typeof change.signKey === "string" ? keyOf(change.signKey) : change.signKey;
  const text = compact({ header, payload, alg: change.signAlg ?? (typeof alg === "string" ? alg : algOf(key)), key: signing, signature: change.signature, spell: change.spell });
  return { text: form(text), jkt: typeof jwk === "object" && !Buffer.isBuffer(jwk) ? thumbprint(jwk) : key.jkt };
}

/** What the access token is resolved to. */
function tokenClaims(cnf, source, change) {
  return changed({ ...(source === "introspection" && { active: true }), exp: NOW + 540, cnf }, change);
}

/** What is not given, null or empty is left out: it has its default. */
function given(members) {
  const empty = (value) => value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !empty(value)));
}

function names({ id, group, section, requirement, why }, role) {
  if (!id || !group || !section || !requirement || !why) throw new Error(`a case lacks id, group, section, requirement or why: ${id}`);
  return { id, group, section, requirement: [requirement].flat().join(" ").split(" "), role, why };
}

/** A token that means nothing by itself. */
export const tokenOf = (name) => `t~${label(`token ${name}`, 6)}`;

/** The request, token and expectation of a resource server's case: one step. */
export function rsStep(spec) {
  const { id, expect } = spec;
  const request = { ...RS, ...spec.request };
  const token = spec.token ?? tokenOf(spec.tokenOf ?? id);
  const made = spec.proof === null ? null : proof(id, { ...request, token, ...spec.proofFor }, spec.proof);
  const jkt = spec.jkt ?? made?.jkt;
  const cnf = spec.cnf !== undefined ? spec.cnf : jkt === undefined ? undefined : { jkt };
  const scheme = spec.scheme ?? (made === null ? "Bearer" : "DPoP");
  let headers = [["Authorization", `${scheme} ${token}`]];
  if (made !== null) headers.push(["DPoP", made.text]);
  if (spec.headers !== undefined) headers = spec.headers(headers, { token, proof: made?.text });
  const source = spec.source ?? "jwt";
  const claims = spec.claims === null ? null : tokenClaims(cnf === false ? undefined : cnf, source, spec.claims);
  const step = {
    request: { method: request.method, url: request.url, headers },
    ...(source === "jwt" ? {} : { token_source: source }),
    token_claims: claims,
    ...(spec.now === undefined ? {} : { now: spec.now }),
    ...given({ nonce_policy: spec.nonce_policy, tls: spec.tls }),
    expect,
    ...given({ also_ok: spec.also }),
  };
  if (expect === "accept") step.expect_binding = spec.binding ?? (made !== null && jkt !== undefined ? { jkt } : {});
  return step;
}

/** A case for the resource server. */
export function rs(spec) {
  return {
    ...names(spec, "rs"),
    level: spec.level ?? "MUST",
    ...given({ policy: spec.policy, requires: spec.requires }),
    ...rsStep(spec),
  };
}

/** The request and expectation of a token endpoint's case: one step. */
export function asStep(spec) {
  const { id, expect } = spec;
  const endpoint = spec.context?.endpoint === "par" ? { url: "https://as.example/par" } : {};
  const request = { ...AS, ...endpoint, ...spec.request };
  const made = spec.proof === null ? null : proof(id, { ...request, ...spec.proofFor }, spec.proof);
  let headers = [["Content-Type", "application/x-www-form-urlencoded"]];
  if (made !== null) headers.push(["DPoP", made.text]);
  if (spec.headers !== undefined) headers = spec.headers(headers, { proof: made?.text });
  const step = {
    request: { method: request.method, url: request.url, headers },
    ...(spec.now === undefined ? {} : { now: spec.now }),
    ...given({ nonce_policy: spec.nonce_policy, tls: spec.tls }),
    as_context: { grant_type: "authorization_code", client_type: "public", ...spec.context },
    expect,
    ...given({ also_ok: spec.also }),
  };
  if (expect === "accept") step.expect_binding = spec.binding ?? (made === null ? { token_type: "Bearer" } : { jkt: made.jkt, token_type: "DPoP" });
  return step;
}

/** A case for the token endpoint. */
export function as(spec) {
  return {
    ...names(spec, "as"),
    level: spec.level ?? "MUST",
    ...given({ policy: spec.policy, requires: spec.requires }),
    ...asStep(spec),
  };
}

/** A fault of the proof alone, at the resource server and at the token endpoint: ids get their role in front. */
function both(spec) {
  return [rs({ ...spec, id: `rs-${spec.id}` }), as({ ...spec, id: `as-${spec.id}` })];
}

/** A sequence of steps against one verifier; `make` is `rsStep` or `asStep`. `use`: the step whose proof is sent again. */
export function sequence(make, spec) {
  const steps = spec.steps.map((step, index) =>
    make({ ...step, id: `${spec.id} ${step.use ?? index}`, tokenOf: step.tokenOf ?? spec.id }),
  );
  const role = make === asStep ? "as" : "rs";
  return {
    ...names({ group: "sequence", ...spec }, role),
    level: spec.level ?? "MUST",
    policy: { replay: true, ...spec.policy },
    ...given({ requires: spec.requires ?? ["replay"] }),
    sequence: steps.map((step, index) => ({ ...step, why: spec.steps[index].why })),
  };
}

const MAKERS = { rs: (spec) => [rs(spec)], as: (spec) => [as(spec)], both };

/**
 * The cases of one subject, which share `defaults`. `at` is "rs" (default), "as" or "both"; ids get their role in front.
 * `accept`, `refuse` (invalid_dpop_proof) and `open` (the standards leave it open: the first outcome is ours).
 */
export function subject(defaults) {
  const cases = [];
  const add = (id, why, spec, outcome) => {
    const all = { ...defaults, ...outcome, ...spec, why };
    const at = all.at ?? "rs";
    cases.push(...MAKERS[at]({ ...all, id: at === "both" ? id : `${at}-${id}` }));
  };
  return {
    cases,
    accept: (id, why, spec = {}) => add(id, why, spec, { expect: "accept" }),
    refuse: (id, why, spec = {}) => add(id, why, spec, { expect: "invalid_dpop_proof" }),
    open: (id, why, [expect, ...also], spec = {}) => add(id, why, spec, { expect, also, level: "POLICY" }),
  };
}
