// A token endpoint's half in the module.

import { known, Slots, type Engine } from "./engine.js";
import { closeWith, type Module } from "./module.js";

/** Says in its slots what a step needs. */
export class EndpointEngine implements Engine {
  readonly slots: Slots;
  readonly #module: Module;
  readonly #endpoint: number;

  constructor(module: Module, options: string) {
    const { exports, desk } = module;
    this.#module = module;
    this.#endpoint = known(exports.endpoint_open(desk, module.put(options)));
    this.slots = new Slots(module, exports.endpoint_slots(this.#endpoint));
    closeWith(this, exports.endpoint_close, this.#endpoint);
  }

  useMemory(memory: number): void {
    this.#module.exports.endpoint_use_memory(this.#endpoint, memory);
  }

  /** `grant`: what is known of the grant, as JSON. */
  begin(method: string, url: string, dpop: string | null, grant: string, now: number): number {
    const { exports, desk } = this.#module;
    return exports.endpoint_begin(this.#endpoint, desk, this.#module.putAll(method, url, dpop, grant), now);
  }

  answer(step: number, handle: number, answer: number): number {
    return this.#module.exports.endpoint_answer(this.#endpoint, step, handle, answer);
  }

  jwk(handle: number): string {
    this.#module.exports.endpoint_jwk(this.#endpoint, this.#module.desk, handle);
    return this.#module.taken();
  }

  certificate(handle: number, reading: string): number {
    const { exports, desk } = this.#module;
    return exports.endpoint_certificate(this.#endpoint, desk, this.#module.put(reading), handle);
  }

  abandon(handle: number): void {
    this.#module.exports.endpoint_abandon(this.#endpoint, handle);
  }

  gone(): number[] {
    this.#module.exports.endpoint_gone(this.#endpoint, this.#module.desk);
    return this.#module.taken().split(" ").map(Number);
  }

  currentNonce(now: number): string | undefined {
    this.#module.exports.endpoint_nonce(this.#endpoint, this.#module.desk, now);
    return this.#module.taken() || undefined;
  }
}
