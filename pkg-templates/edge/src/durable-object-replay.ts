// Replay marks for a whole fleet of workers: Durable Objects, one a shard (RFC 9449 §11.1).

import { checkOwn, DURABLE_OBJECT_REPLAY } from "./shape.js";
import type { ReplayMark, ReplayStore } from "./types.js";

/** As much of a Durable Object namespace as is used. */
interface Namespace {
  idFromName(name: string): unknown;
  get(id: unknown): { fetch(url: string, init: RequestInit): Promise<Response> };
}

class DurableObjectReplay implements ReplayStore {
  readonly #namespace: Namespace;
  readonly #shards: number;

  constructor(namespace: Namespace, shards: number) {
    this.#namespace = namespace;
    this.#shards = shards;
  }

  async claim(mark: ReplayMark): Promise<boolean> {
    // A stub belongs to one request: it is made anew each time.
    const shard = this.#namespace.get(this.#namespace.idFromName(`keybound-replay-${this.#shardOf(mark.jkt)}`));
    const response = await shard.fetch("https://replay.invalid/", { method: "POST", body: JSON.stringify(mark) });
    const answer = await response.text();
    if (answer !== "1" && answer !== "0") throw new Error(`the replay shard answered ${response.status}`);
    return answer === "1";
  }

  /** A thumbprint is random already; a few of its characters are enough. */
  #shardOf(jkt: string): number {
    let number = 0;
    for (const character of jkt.slice(0, 8)) number = (number * 64 + character.charCodeAt(0)) % 0x1000000;
    return number % this.#shards;
  }
}

/**
 * Replay marks in Durable Objects, sharded by the client's key: what one isolate marked all others know. Bind the class
 * `ReplayShard` of `@keybound/edge/cloudflare`, with SQLite storage, and give its namespace here.
 *
 * `shards` (default 32) is how many objects share the load. Changing it moves marks' places: for the length of the
 * acceptance window a proof could then be used once more, so change it together with the nonce secrets.
 */
export function durableObjectReplay(namespace: unknown, options: { shards?: number } = {}): ReplayStore {
  checkOwn(options, DURABLE_OBJECT_REPLAY, "durableObjectReplay");
  const { shards = 32 } = options;
  if (!Number.isInteger(shards) || shards < 1) throw new RangeError("durableObjectReplay: shards must be a whole number from 1");
  const given = namespace as Partial<Namespace> | null | undefined;
  if (typeof given?.idFromName !== "function" || typeof given.get !== "function") {
    throw new TypeError("durableObjectReplay: give the Durable Object namespace, such as env.REPLAY");
  }
  return new DurableObjectReplay(given as Namespace, shards);
}
