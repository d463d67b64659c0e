// One request's way through a resource server.

import { applyCors, applyFields, finish, type AnswerFields } from "./answers.js";
import { freeze } from "./caches.js";
import { field } from "./certificate-fields.js";
import { copySpan, type SignatureSpan } from "./engine.js";
import { NONCE_STATUS, RequestWork } from "./request-work.js";
import type { Core } from "./resource-server.js";
import type { ServerEngine } from "./server-engine.js";
import type { Verified } from "./signatures.js";
import * as Slot from "./slot.js";
import * as Step from "./step.js";
import { reasonNamed, reasonOf, type ReasonInfo } from "./tables.js";
import { isAboutProof, traceOf } from "./trace.js";
import type { Accepted, Claims, DecisionEvent, Mechanism, Rejected, RequestContext, TraceStep } from "./types.js";

const DPOP = 1;
const MTLS = 2;

/** Decides about one request. */
export class Authentication extends RequestWork {
  readonly #core: Core;
  readonly #server: ServerEngine;
  readonly #startedAt: number | undefined;
  #scheme = 0;
  #authorization: string | null = null;
  /** The SHA-256 of its token, where the field was not known. */
  #hash: Uint8Array | undefined;

  constructor(core: Core, server: ServerEngine, request: Request, context: RequestContext) {
    super(core, server, request, context, core.now());
    this.#core = core;
    this.#server = server;
    if (core.options.onDecision !== undefined) this.#startedAt = performance.now();
  }

  async run(): Promise<Accepted | Rejected> {
    const { now } = this;
    if (this.#core.issuers.some((keys) => keys.isTooOld(now) || keys.isDue(now))) await this.#refreshKeys();
    const decision = await this.#decide();
    this.sweep();
    this.#report(decision);
    return decision;
  }

  async #decide(): Promise<Accepted | Rejected> {
    const { request } = this;
    const server = this.#server;
    const { slots } = server;
    const target = this.#core.targetOf(request);
    if (target === null) return this.#reject(reasonNamed("target_unknown"));
    const fields = this.context.headers;
    const authorization = field(request, "authorization", fields);
    this.#authorization = authorization;
    const dpop = field(request, "dpop", fields);
    const known = this.#core.caches.credentials.get(authorization);
    let step = server.begin(request.method, target, known ?? authorization, dpop, this.now);
    if (step === Step.needAuthorization) step = server.begin(request.method, target, authorization, dpop, this.now);
    this.#scheme = slots.get(Slot.scheme);
    let asked = false;
    for (;;) {
      const handle = slots.get(Slot.value);
      switch (step) {
        case Step.rejected:
          return this.#reject(reasonOf(handle));
        case Step.accepted:
          return this.#accept();
        case Step.needNonce: {
          const status = await this.checkNonce(slots.text(Slot.text));
          if (status === null) return this.#giveUp(handle, "nonce_source_unavailable");
          step = server.answer(step, handle, NONCE_STATUS.indexOf(status));
          break;
        }
        case Step.needKeys: {
          const issuer = slots.get(Slot.issuer);
          if (asked || !(await this.#loadKeys(issuer))) return this.#giveUp(handle, "token_source_unavailable");
          asked = true;
          step = server.answer(step, handle, 0);
          break;
        }
        case Step.needSource: {
          const resolved = await this.#resolve(slots.text(Slot.text));
          if (resolved === null) return this.#giveUp(handle, "token_source_unavailable");
          step = server.source(handle, resolved.active, resolved.claims, resolved.until);
          break;
        }
        case Step.needSignatures: {
          if (known === undefined) this.#hash = slots.hash(Slot.tokenHash);
          const verdict = await this.#checkSignatures(handle);
          if (typeof verdict === "string") return this.#giveUp(handle, verdict);
          step = server.signatures(handle, verdict.token, verdict.proof, verdict.certificate);
          break;
        }
        case Step.needClientType: {
          const type = await this.#clientType(slots.text(Slot.text));
          if (type === null) return this.#giveUp(handle, "client_type_unavailable");
          step = server.answer(step, handle, type === "confidential" ? 1 : 0);
          break;
        }
        case Step.needCertificate:
          step = server.certificate(handle, this.readCertificate());
          break;
        case Step.needReplay:
          step = server.answer(step, handle, await this.claim());
          break;
        default:
          throw new Error(`no step ${step}`);
      }
    }
  }

  // Keys and tokens

  /** Fetches keys that are due anew; while the issuer cannot be reached the old ones serve for a while. */
  async #refreshKeys(): Promise<void> {
    const later = this.context.waitUntil;
    for (const [issuer, keys] of this.#core.issuers.entries()) {
      if (keys.isTooOld(this.now)) {
        if (await this.#loadKeys(issuer)) continue;
        keys.forget();
        this.#server.setKeys(issuer, '{"keys":[]}');
      } else if (keys.isDue(this.now)) {
        const refresh = this.#loadKeys(issuer);
        if (later === undefined) await refresh;
        else later(refresh);
      }
    }
  }

  /** Fetches an issuer's keys, unless that was just tried. True if there are some that may be used. */
  async #loadKeys(issuer: number): Promise<boolean> {
    return (await this.#core.issuers[issuer]?.load(this.now, (jwks) => this.#server.setKeys(issuer, jwks))) ?? false;
  }

  async #resolve(token: string): Promise<{ active: boolean; claims: string; until: number } | null> {
    try {
      const resolved = await this.#core.options.tokens?.resolve(token, { now: this.now });
      if (resolved?.active === false) return { active: false, claims: "{}", until: NaN };
      // Only the very `true` counts (RFC 7662 §2.2), and claims that are some.
      if (resolved?.active !== true || typeof resolved.claims !== "object" || resolved.claims === null) return null;
      const { claims, expiresAt } = resolved;
      return { active: true, claims: JSON.stringify(claims), until: typeof expiresAt === "number" ? expiresAt : NaN };
    } catch {
      return null;
    }
  }

  /** Asks the caller what the client is; an unknown one counts as public. Null: nobody can tell. */
  async #clientType(claims: string): Promise<"public" | "confidential" | null> {
    try {
      const type = (await this.#core.options.proofOfPossession?.clientType?.(freeze(JSON.parse(claims) as Claims))) ?? "public";
      return type === "public" || type === "confidential" ? type : null;
    } catch {
      return null;
    }
  }

  // Signatures

  /** Checks both signatures at once. A reason: the platform does not know an algorithm. */
  async #checkSignatures(
    handle: number,
  ): Promise<{ token: boolean; proof: boolean; certificate: string | undefined } | "token_alg_unavailable" | "proof_alg_unavailable"> {
    const server = this.#server;
    const { slots } = server;
    const needsCertificate = slots.get(Slot.certificate) !== 0;
    const tokenSpan = copySpan(slots.signature(Slot.tokenSignature));
    const proof = this.verifyProof(handle);
    const token = tokenSpan === null ? null : this.#verifyToken(server.jwk(handle, true), tokenSpan);
    const certificate = needsCertificate ? this.readCertificate() : undefined;
    // Of two both are waited for at once; alone a promise needs no other around it.
    const [tokenVerdict, proofVerdict] = token === null ? [token, await proof] : await Promise.all([token, proof]);
    if (tokenVerdict?.unavailable) return "token_alg_unavailable";
    if (proofVerdict?.unavailable) return "proof_alg_unavailable";
    this.proofKey = proofVerdict?.key ?? null;
    return { token: tokenVerdict?.ok ?? false, proof: proofVerdict?.ok ?? false, certificate };
  }

  async #verifyToken(jwk: string, span: SignatureSpan): Promise<Verified> {
    const { caches } = this.#core;
    const name = `${span.algorithm} ${jwk}`;
    const known = caches.issuers.get(name);
    if (known !== undefined) return { ok: await known.verify(span), key: known };
    const verified = await this.importAndVerify(jwk, span);
    if (verified.key !== null) caches.rememberIssuerKey(name, verified.key);
    return verified;
  }

  // Answers

  #giveUp(handle: number, code: string): Promise<Rejected> {
    this.#server.abandon(handle);
    return this.#reject(reasonNamed(code));
  }

  async #accept(): Promise<Accepted> {
    const { slots } = this.#server;
    if (this.#hash !== undefined) this.#core.caches.credentials.set(this.#authorization, { scheme: this.#scheme, hash: this.#hash });
    const claims = this.#claims();
    const bits = slots.get(Slot.mechanisms);
    const mechanisms: Mechanism[] = [];
    const binding: Accepted["binding"] = {};
    if ((bits & DPOP) !== 0) {
      mechanisms.push("dpop");
      binding.jkt = this.rememberProofKey(slots.get(Slot.acceptedKey));
    }
    if ((bits & MTLS) !== 0) {
      mechanisms.push("mtls");
      binding["x5t#S256"] = this.certificate ?? "";
    }
    const renews = slots.get(Slot.renewsNonce) !== 0;
    const replay = this.externalMark();
    const trace = this.#trace(null);
    const fields: AnswerFields = { nonce: renews ? await this.currentNonce() : undefined, varies: this.varies };
    return {
      ok: true,
      claims,
      mechanisms,
      binding,
      ...(replay !== undefined && { replay }),
      finish: (response) => finish(response, this.request, this.#core.options.cors, fields),
      forbid: (scope) => this.#forbid(scope, fields),
      ...(trace !== undefined && { trace }),
    };
  }

  #claims(): Claims {
    const { slots } = this.#server;
    const { claims } = this.#core.caches;
    const id = slots.get(Slot.token);
    const remembered = claims.get(id);
    if (remembered !== undefined) return remembered;
    const read = freeze(JSON.parse(slots.text(Slot.claims)) as Claims);
    claims.set(id, read);
    return read;
  }

  async #reject(refused: ReasonInfo): Promise<Rejected> {
    const { reason, nonce } = await this.nonceFor(refused);
    const challenge = (headers: Headers): void => this.#challenge(headers, this.#server.challenges(reason.number, this.#scheme));
    return this.rejected({ reason, error: reason.error, status: reason.status, challenge, trace: this.#trace(reason) }, nonce);
  }

  #forbid(scope: string, fields: AnswerFields): Response {
    const headers = new Headers({ "Cache-Control": "no-store" });
    this.#challenge(headers, this.#server.scopeChallenges(scope, this.#scheme));
    applyFields(fields, headers);
    applyCors(this.#core.options.cors, this.request, headers);
    return Response.json({ error: "insufficient_scope", scope }, { status: 403, headers });
  }

  #challenge(headers: Headers, lines: string): void {
    for (const line of lines.split("\n")) if (line !== "") headers.append("WWW-Authenticate", line);
  }

  #trace(failed: ReasonInfo | null): TraceStep[] | undefined {
    if (this.context.explain !== true) return undefined;
    const proof = this.#scheme === DPOP;
    const { options } = this.#core;
    return traceOf((check) => {
      if (check === "proof_nonce") return proof && options.nonce !== undefined;
      if (check === "replay") return proof && options.replay !== "external";
      if (check === "certificate_binding") return this.certificate !== undefined;
      return proof || !(isAboutProof(check) || check === "key_binding");
    }, failed);
  }

  #report(decision: Accepted | Rejected): void {
    const { onDecision } = this.#core.options;
    if (onDecision === undefined || this.#startedAt === undefined) return;
    const durationMs = performance.now() - this.#startedAt;
    try {
      // A function that is async after all must not end the process with a rejection that nobody handles.
      Promise.resolve(onDecision(eventOf(decision, durationMs))).catch(() => {});
    } catch {
      // Metrics decide nothing.
    }
  }
}

function eventOf(decision: Accepted | Rejected, durationMs: number): DecisionEvent {
  if (!decision.ok) return { ok: false, error: decision.error, reason: decision.reason, mechanisms: [], durationMs };
  const { jkt } = decision.binding;
  return { ok: true, mechanisms: decision.mechanisms, ...(jkt !== undefined && { jkt }), durationMs };
}
