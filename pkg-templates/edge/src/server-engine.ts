// A resource server's half in the module.

import type { KnownCredentials } from "./caches.js";
import { known, Slots, type Engine } from "./engine.js";
import { closeWith, type Module } from "./module.js";

/** Says in its slots what a step needs. */
export class ServerEngine implements Engine {
  readonly slots: Slots;
  readonly #module: Module;
  readonly #server: number;

  constructor(module: Module, options: string) {
    const { exports, desk } = module;
    this.#module = module;
    this.#server = known(exports.server_open(desk, module.put(options)));
    this.slots = new Slots(module, exports.server_slots(this.#server));
    closeWith(this, exports.server_close, this.#server);
  }

  useMemory(memory: number): void {
    this.#module.exports.server_use_memory(this.#server, memory);
  }

  /** What is known of a former request with the same `Authorization` stands for it, while its token is remembered. */
  begin(method: string, url: string, authorization: string | KnownCredentials | null, dpop: string | null, now: number): number {
    const { exports, desk } = this.#module;
    const known = typeof authorization === "object" ? authorization : null;
    const field = known === null ? authorization : "";
    const length = this.#module.put(`${method}\0${url}\0${field ?? ""}\0${dpop ?? ""}`, known?.hash);
    return exports.server_begin(this.#server, desk, length, known?.scheme ?? 0, now);
  }

  answer(step: number, handle: number, answer: number): number {
    return this.#module.exports.server_answer(this.#server, step, handle, answer);
  }

  setKeys(issuer: number, jwks: string): boolean {
    const { exports, desk } = this.#module;
    return exports.server_set_keys(this.#server, desk, this.#module.put(jwks), issuer) !== 0;
  }

  source(handle: number, active: boolean, claims: string, until: number): number {
    const { exports, desk } = this.#module;
    return exports.server_source(this.#server, desk, this.#module.put(claims), handle, active, until);
  }

  jwk(handle: number, token = false): string {
    this.#module.exports.server_jwk(this.#server, this.#module.desk, handle, token);
    return this.#module.taken();
  }

  /** The certificate's reading is undefined if it was not looked at. */
  signatures(handle: number, token: boolean, proof: boolean, certificate: string | undefined): number {
    const { exports, desk } = this.#module;
    const verdicts = (token ? 1 : 0) | (proof ? 2 : 0) | (certificate === undefined ? 0 : 4);
    const length = certificate === undefined ? 0 : this.#module.put(certificate);
    return exports.server_signatures(this.#server, desk, length, handle, verdicts);
  }

  certificate(handle: number, reading: string): number {
    const { exports, desk } = this.#module;
    return exports.server_certificate(this.#server, desk, this.#module.put(reading), handle);
  }

  abandon(handle: number): void {
    this.#module.exports.server_abandon(this.#server, handle);
  }

  gone(): number[] {
    this.#module.exports.server_gone(this.#server, this.#module.desk);
    return this.#module.taken().split(" ").map(Number);
  }

  currentNonce(now: number): string | undefined {
    this.#module.exports.server_nonce(this.#server, this.#module.desk, now);
    return this.#module.taken() || undefined;
  }

  /** The challenges of a refusal, a line each. */
  challenges(reason: number, scheme: number): string {
    this.#module.exports.server_challenges(this.#server, this.#module.desk, reason, scheme);
    return this.#module.taken();
  }

  scopeChallenges(scope: string, scheme: number): string {
    const { exports, desk } = this.#module;
    exports.server_scope_challenges(this.#server, desk, this.#module.put(scope), scheme);
    return this.#module.taken();
  }
}
