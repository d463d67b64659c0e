// One proof against one request, for tools and tests.

import { copySpan, known, Slots } from "./engine.js";
import { core, init } from "./init.js";
import type { Module } from "./module.js";
import { readProofPolicy } from "./options.js";
import { importAndVerify, signaturesOf } from "./signatures.js";
import * as Slot from "./slot.js";
import * as Step from "./step.js";
import { reasonNamed, reasonOf, type ReasonInfo } from "./tables.js";
import { isAboutProof, traceOf } from "./trace.js";
import type { Claims, ProofPolicy, SignatureProvider, TraceStep } from "./types.js";

/** What the module answers where `jkt` is none; its numbers have a sign here. */
const NO_THUMBPRINT = -1;

/** What a proof has to be for. */
export interface ExpectedRequest {
  method: string;
  /** The absolute target URI. */
  url: string;
  /** The token presented with it: `ath` must be its hash (RFC 9449 §4.3 check 12). */
  accessToken?: string;
  /** The thumbprint of the key that must have signed it. */
  jkt?: string;
  /** The nonce that must be in it. */
  nonce?: string;
  /** Seconds since the epoch. Default: now. */
  now?: number;
  policy?: ProofPolicy;
  /** As for a server. */
  crypto?: "webcrypto" | SignatureProvider;
}

/** What {@link verifyProof} found. */
export type ProofResult =
  | { ok: true; jkt: string; claims: Claims; trace: TraceStep[] }
  | { ok: false; reason: string; detail: string; trace: TraceStep[] };

/**
 * Checks one proof against one request, nothing else (RFC 9449 §4.3): no replay, no token, no
 * binding unless `jkt` is given. A valid proof alone grants nothing (§4).
 */
export async function verifyProof(proof: string, request: ExpectedRequest): Promise<ProofResult> {
  if (typeof proof !== "string") throw new TypeError("verifyProof: give the proof as text");
  const signatures = signaturesOf(request.crypto);
  const policy = JSON.stringify(readProofPolicy(request.policy, signatures));
  await Promise.all([init(), signatures.init()]);
  const module = core();
  const { exports, desk } = module;
  const check = known(exports.proof_open(desk, module.put(policy)));
  try {
    const slots = new Slots(module, exports.proof_slots(check));
    const { method, url, accessToken, jkt, nonce, now = Date.now() / 1000 } = request;
    const given = (accessToken === undefined ? 0 : 1) | (jkt === undefined ? 0 : 2) | (nonce === undefined ? 0 : 4);
    let step = exports.proof_begin(check, desk, module.putAll(proof, method, url, accessToken, jkt, nonce), given, now);
    if (step === NO_THUMBPRINT) throw new Error("jkt is no SHA-256 thumbprint in base64url");
    let reason: ReasonInfo | null = null;
    const span = copySpan(step === Step.needSignatures ? slots.signature(Slot.proofSignature) : null);
    if (span !== null) {
      const verified = await importAndVerify(signatures, jwkOf(module, check), span);
      if (verified.unavailable) reason = reasonNamed("proof_alg_unavailable");
      else step = exports.proof_finish(check, verified.ok);
    }
    if (step === Step.rejected) reason = reasonOf(slots.get(Slot.value));
    const asked: Readonly<Record<string, unknown>> = {
      proof_nonce: request.nonce,
      proof_ath: request.accessToken,
      key_binding: request.jkt,
    };
    const trace = traceOf(
      (name) => (name in asked ? asked[name] !== undefined : isAboutProof(name) && name !== "proof_field"),
      reason,
    ).filter((step) => isAboutProof(step.check) || step.check === "key_binding" || step.ok === false);
    if (reason !== null) return { ok: false, reason: reason.code, detail: reason.detail, trace };
    return { ok: true, jkt: slots.text(Slot.jkt), claims: JSON.parse(slots.text(Slot.claims)) as Claims, trace };
  } finally {
    exports.proof_close(check);
  }
}

function jwkOf(module: Module, check: number): string {
  module.exports.proof_jwk(check, module.desk);
  return module.taken();
}
