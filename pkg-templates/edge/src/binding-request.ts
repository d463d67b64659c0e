// One request's way through a token endpoint.

import { finish, type AnswerFields } from "./answers.js";
import { field } from "./certificate-fields.js";
import type { EndpointEngine } from "./endpoint-engine.js";
import { describeGrant } from "./grant.js";
import { NONCE_STATUS, RequestWork } from "./request-work.js";
import * as Slot from "./slot.js";
import * as Step from "./step.js";
import { reasonNamed, reasonOf, type ReasonInfo } from "./tables.js";
import { isAboutProof, traceOf } from "./trace.js";
import type { TokenCore } from "./token-endpoint.js";
import type { Binding, Rejected, TokenRequestContext, TraceStep } from "./types.js";

/** Decides what a token is to be bound to. */
export class BindingRequest extends RequestWork {
  readonly #core: TokenCore;
  readonly #engine: EndpointEngine;
  readonly #grant: TokenRequestContext;
  #hasProof = false;

  constructor(core: TokenCore, engine: EndpointEngine, request: Request, context: TokenRequestContext) {
    super(core, engine, request, context, core.now());
    this.#core = core;
    this.#engine = engine;
    this.#grant = context;
  }

  async run(): Promise<Binding | Rejected> {
    const decision = await this.#decide();
    this.sweep();
    return decision;
  }

  async #decide(): Promise<Binding | Rejected> {
    const { request } = this;
    const engine = this.#engine;
    const target = this.#core.targetOf(request);
    if (target === null) return this.#reject(reasonNamed("target_unknown"));
    const proof = field(request, "dpop", this.context.headers);
    this.#hasProof = proof !== null;
    let step = engine.begin(request.method, target, proof, describeGrant(this.#grant), this.now);
    for (;;) {
      const handle = this.#engine.slots.get(Slot.value);
      switch (step) {
        case Step.rejected:
          return this.#reject(reasonOf(handle));
        case Step.accepted:
          return this.#bound();
        case Step.needNonce: {
          const status = await this.checkNonce(this.#engine.slots.text(Slot.text));
          if (status === null) return this.#giveUp(handle, "nonce_source_unavailable");
          step = engine.answer(step, handle, NONCE_STATUS.indexOf(status));
          break;
        }
        case Step.needSignatures: {
          const verified = await this.verifyProof(handle);
          if (verified?.unavailable) return this.#giveUp(handle, "proof_alg_unavailable");
          this.proofKey = verified?.key ?? null;
          step = engine.answer(step, handle, verified?.ok === true ? 1 : 0);
          break;
        }
        case Step.needCertificate:
          step = engine.certificate(handle, this.readCertificate());
          break;
        case Step.needReplay:
          step = engine.answer(step, handle, await this.claim());
          break;
        default:
          throw new Error(`no step ${step}`);
      }
    }
  }

  async #bound(): Promise<Binding> {
    const [jkt, certificate] = [this.#engine.slots.text(Slot.jkt), this.#engine.slots.text(Slot.boundCertificate)];
    const cnf = { ...(jkt !== "" && { jkt }), ...(certificate !== "" && { "x5t#S256": certificate }) };
    const isDpop = this.#engine.slots.get(Slot.mechanisms) !== 0;
    const renews = this.#engine.slots.get(Slot.renewsNonce) !== 0;
    this.rememberProofKey(this.#engine.slots.get(Slot.acceptedKey));
    const replay = this.externalMark();
    const trace = this.#trace(null, certificate !== "");
    const fields: AnswerFields = { nonce: renews ? await this.currentNonce() : undefined, varies: this.varies };
    return {
      ok: true,
      tokenType: isDpop ? "DPoP" : "Bearer",
      cnf: Object.keys(cnf).length === 0 ? null : cnf,
      ...(replay !== undefined && { replay }),
      finish: (response) => finish(response, this.request, this.#core.options.cors, fields),
      ...(trace !== undefined && { trace }),
    };
  }

  #giveUp(handle: number, code: string): Promise<Rejected> {
    this.#engine.abandon(handle);
    return this.#reject(reasonNamed(code));
  }

  /** RFC 6749 §5.2: 400 with a JSON body, also for a nonce challenge (RFC 9449 §8). */
  async #reject(refused: ReasonInfo): Promise<Rejected> {
    const { reason, nonce } = await this.nonceFor(refused);
    const status = reason.status === 503 ? 503 : 400;
    return this.rejected({ reason, error: reason.tokenError, status, challenge: () => undefined, trace: this.#trace(reason, false) }, nonce);
  }

  #trace(failed: ReasonInfo | null, certificate: boolean): TraceStep[] | undefined {
    if (this.context.explain !== true) return undefined;
    const notHere = new Set(["credentials", "token", "token_signature", "confirmation", "proof_ath"]);
    return traceOf((check) => {
      if (check === "proof_nonce") return this.#hasProof && this.#core.options.nonce !== undefined;
      if (check === "replay") return this.#hasProof && this.#core.options.replay !== "external";
      if (check === "certificate_binding") return certificate;
      return this.#hasProof && (isAboutProof(check) || check === "key_binding");
    }, failed).filter((step) => !notHere.has(step.check) || step.ok === false);
  }
}
