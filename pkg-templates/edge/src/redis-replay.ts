// Replay marks in Redis, for fleets elsewhere than on Cloudflare (RFC 9449 §11.1).

import { checkOwn, REDIS_REPLAY } from "./shape.js";
import type { ReplayMark, ReplayStore } from "./types.js";

/** As much of ioredis and of node-redis as is used: each sends any command. */
interface IoRedis {
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
}
interface NodeRedis {
  sendCommand(args: string[]): Promise<unknown>;
}
type Send = (args: string[]) => Promise<unknown>;

class RedisReplay implements ReplayStore {
  readonly #send: Send;
  readonly #prefix: string;

  constructor(send: Send, prefix: string) {
    this.#send = send;
    this.#prefix = prefix;
  }

  async claim(mark: ReplayMark): Promise<boolean> {
    // Relative, so that Redis's clock does not matter; an absolute time in the past would answer OK and keep nothing.
    const lifetime = Math.max(1, Math.ceil((mark.expiresAt - mark.now) * 1000));
    const answer = await this.#send(["SET", this.#prefix + mark.key, "1", "NX", "PX", String(lifetime)]);
    if (answer === "OK") return true;
    if (answer === null) return false;
    throw new Error("Redis answered SET with neither OK nor null");
  }
}

/**
 * Replay marks in Redis: `SET key 1 NX PX`, one round trip a proof. Takes an ioredis or a node-redis client, connected.
 * Give the client a time limit for commands and no queue while it is offline: a store that does not answer means 503.
 *
 * With Redis's default settings a crash forgets up to a second of marks, or more where only snapshots are written: for
 * that long a captured proof could be used once more. `appendonly yes` with `appendfsync always` loses none.
 */
export function redisReplay(client: unknown, options: { prefix?: string } = {}): ReplayStore {
  checkOwn(options, REDIS_REPLAY, "redisReplay");
  const { prefix = "keybound:replay:" } = options;
  if (typeof prefix !== "string") throw new TypeError("redisReplay: prefix must be a text that all servers of one fleet share");
  return new RedisReplay(sender(client), prefix);
}

function sender(client: unknown): Send {
  // Every function has a method `call`.
  const given = (typeof client === "object" ? client : undefined) as Partial<IoRedis & NodeRedis> | null | undefined;
  if (typeof given?.call === "function") {
    const ioredis = given as IoRedis;
    return ([command = "", ...args]) => ioredis.call(command, ...args);
  }
  if (typeof given?.sendCommand === "function") {
    const nodeRedis = given as NodeRedis;
    return (args) => nodeRedis.sendCommand(args);
  }
  throw new TypeError("redisReplay: give an ioredis or a node-redis client");
}
