// What both roles do for a request: fetch what the module asks for, and write answers.

import { applyCors, applyFields } from "./answers.js";
import type { Caches } from "./caches.js";
import type { FieldSource } from "./certificate-fields.js";
import { readCertificate } from "./certificates.js";
import { copySpan, type Engine, type SignatureSpan } from "./engine.js";
import { isChecker } from "./options.js";
import { importAndVerify, type ImportedKey, type Signatures, type Verified } from "./signatures.js";
import * as Slot from "./slot.js";
import { reasonNamed, type ReasonInfo } from "./tables.js";
import type { CertificateReading, CertificateSource, NonceStatus, OAuthError, Rejected, ReplayMark, RequestContext, ResourceServerOptions, TraceStep } from "./types.js";

/** As the module numbers them. */
export const NONCE_STATUS: readonly NonceStatus[] = ["current", "previous", "stale", "unknown"];
const REPLAY = { fresh: 0, replayed: 1, unavailable: 3, external: 4 } as const;

/** RFC 9449 §8.1; longer ones are not read. */
const isNonce = (text: unknown): text is string => typeof text === "string" && /^[\x21\x23-\x5b\x5d-\x7e]{1,1024}$/.test(text);

/** The options that both roles have. */
export type CommonOptions = Pick<ResourceServerOptions, "nonce" | "certificates" | "cors">;

/** What of a server outlives a request. */
export interface Surroundings {
  readonly options: CommonOptions;
  readonly replay: NonNullable<ResourceServerOptions["replay"]>;
  readonly caches: Caches;
  readonly signatures: Signatures;
}

/** How a refusal is answered. */
export interface Refusal {
  reason: ReasonInfo;
  error: OAuthError | null;
  status: Rejected["status"];
  /** Written into the answer's fields. */
  challenge(headers: Headers): void;
  trace: readonly TraceStep[] | undefined;
}

/** One request's way through the module's steps. What is decided is decided there. */
export abstract class RequestWork {
  protected readonly request: Request;
  protected readonly context: RequestContext;
  protected readonly now: number;
  /** The key that the proof was verified with. */
  protected proofKey: ImportedKey | null = null;
  /** A reading of the certificate, as the module writes it; undefined until a source was asked. */
  protected certificate: string | undefined;
  /** A request field that the decision depends on. */
  protected varies: string | undefined;
  readonly #surroundings: Surroundings;
  readonly #engine: Engine;
  /** What a source of the caller's said when it refused. */
  #refusal: string | undefined;

  constructor(surroundings: Surroundings, engine: Engine, request: Request, context: RequestContext, now: number) {
    this.#surroundings = surroundings;
    this.#engine = engine;
    this.request = request;
    this.context = context;
    this.now = now;
  }

  /** Forgets what the module's caches forgot. */
  protected sweep(): void {
    if (this.#engine.slots.get(Slot.gone) !== 0) this.#surroundings.caches.sweep(this.#engine);
  }

  /** Asks the caller's nonce checker. Null: it gave no answer. */
  protected async checkNonce(nonce: string): Promise<NonceStatus | null> {
    const checker = this.#surroundings.options.nonce;
    if (!isChecker(checker)) return null;
    try {
      const status = await checker.check(nonce);
      return NONCE_STATUS.includes(status) ? status : null;
    } catch {
      return null;
    }
  }

  protected async currentNonce(): Promise<string | undefined> {
    const { nonce } = this.#surroundings.options;
    if (!isChecker(nonce)) return this.#engine.currentNonce(this.now);
    try {
      const current = await nonce.current();
      return isNonce(current) ? current : undefined;
    } catch {
      return undefined;
    }
  }

  /** A remembered key checks straight from the module's memory; another one is imported first. */
  protected verifyProof(handle: number): Promise<Verified> | null {
    const span = this.#engine.slots.signature(Slot.proofSignature);
    if (span === null) return null;
    const remembered = this.#surroundings.caches.keys.get(this.#engine.slots.get(Slot.key))?.key;
    if (remembered?.serves(span.algorithm)) return remembered.verify(span).then((ok) => ({ ok, key: remembered }));
    // Copied before the next call into the module, whose memory may move.
    const copy = copySpan(span);
    return this.importAndVerify(this.#engine.jwk(handle), copy);
  }

  protected importAndVerify(jwk: string, span: SignatureSpan): Promise<Verified> {
    return importAndVerify(this.#surroundings.signatures, jwk, span);
  }

  /** Keeps the proof's key under the id that the module gave it. Returns its thumbprint. */
  protected rememberProofKey(id: number): string {
    const { keys } = this.#surroundings.caches;
    const remembered = keys.get(id);
    if (remembered !== undefined && remembered.key === this.proofKey) return remembered.jkt;
    const jkt = this.#engine.slots.text(Slot.jkt);
    if (this.proofKey !== null) keys.set(id, { key: this.proofKey, jkt });
    return jkt;
  }

  /** Asks the caller's own TLS layer, else the sources: the first that reports or refuses one decides. */
  protected readCertificate(): string {
    this.certificate ??= this.#findCertificate();
    return this.certificate;
  }

  #findCertificate(): string {
    const given = this.context.certificate;
    if (given !== undefined) return given === null ? "" : readCertificate(given);
    for (const source of this.#surroundings.options.certificates ?? []) {
      const varies = (source as FieldSource).varies;
      if (varies !== undefined) this.varies = this.varies === undefined ? varies : `${this.varies}, ${varies}`;
      const reading = this.#ask(source);
      // As for a refusal, no later source is asked.
      if (reading === null) return "!certificate_source_unavailable";
      if ("certificate" in reading) return readCertificate(reading.certificate);
      if ("refused" in reading) {
        this.#refusal = String(reading.refused);
        return `!${this.#refusal}`;
      }
    }
    return "";
  }

  /** Null: the source failed, or said nothing that can be understood. */
  #ask(source: CertificateSource): CertificateReading | null {
    try {
      const reading = source.read(this.request, this.context.headers);
      if ("certificate" in reading) return typeof reading.certificate === "object" && reading.certificate !== null ? reading : null;
      return "refused" in reading || reading.absent === true ? reading : null;
    } catch {
      return null;
    }
  }

  /** Asks the replay store about a mark, last of all. */
  protected async claim(): Promise<number> {
    const { replay } = this.#surroundings;
    if (replay === "external") return REPLAY.external;
    try {
      // Only the very `true` counts: a store that answers anything else did not insert.
      const answer = await replay.claim(this.#readMark());
      return answer === true ? REPLAY.fresh : answer === false ? REPLAY.replayed : REPLAY.unavailable;
    } catch {
      return REPLAY.unavailable;
    }
  }

  /** The mark that is left to the caller. */
  protected externalMark(): ReplayMark | undefined {
    return this.#surroundings.replay === "external" && this.#engine.slots.text(Slot.text) !== "" ? this.#readMark() : undefined;
  }

  #readMark(): ReplayMark {
    const [key = "", jkt = "", expiresAt = ""] = this.#engine.slots.text(Slot.text).split(" ");
    return { key, jkt, expiresAt: Number(expiresAt), now: this.now };
  }

  /** A nonce for a challenge; where there is none the fault is this server's. */
  protected async nonceFor(reason: ReasonInfo): Promise<{ reason: ReasonInfo; nonce: string | undefined }> {
    if (reason.error !== "use_dpop_nonce") return { reason, nonce: undefined };
    const nonce = await this.currentNonce();
    // A challenge without a nonce would send the client round in circles.
    return { reason: nonce === undefined ? reasonNamed("nonce_source_unavailable") : reason, nonce };
  }

  protected rejected(refusal: Refusal, nonce: string | undefined): Rejected {
    const { reason, error, status, trace } = refusal;
    return {
      ok: false,
      error,
      reason: reason.code === "certificate_refused" ? this.#refusal || reason.code : reason.code,
      detail: reason.detail,
      status,
      response: (init = {}) => {
        const headers = new Headers(init.headers);
        if (status === 503) headers.set("Retry-After", "1");
        refusal.challenge(headers);
        headers.set("Cache-Control", "no-store");
        applyFields({ nonce, varies: this.varies }, headers);
        applyCors(this.#surroundings.options.cors, this.request, headers);
        if (error === null) return new Response(null, { ...init, status, headers });
        return Response.json({ error, error_description: reason.detail }, { ...init, status, headers });
      },
      ...(trace !== undefined && { trace }),
    };
  }
}
