// Replay marks in a real Redis that keeps what it acknowledges, through both clients.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { startRedis } from "../support/redis.mjs";
import { edge, makeWorld } from "./support.mjs";

let folder;
let socket;
let redis;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybound-redis-"));
  redis = await startRedis(folder);
  socket = redis.socket;
});
after(async () => {
  await redis?.kill();
  await rm(folder, { recursive: true, force: true });
});

/** Both clients, set so that a Redis that does not answer is known soon. */
const CLIENTS = {
  ioredis() {
    const client = new Redis({ path: socket, maxRetriesPerRequest: 0, enableOfflineQueue: false, lazyConnect: true, retryStrategy: () => 50 });
    client.on("error", () => {});
    return { client, connect: () => client.connect(), close: () => client.disconnect() };
  },
  "node-redis"() {
    const client = createClient({ socket: { path: socket, reconnectStrategy: 50 }, disableOfflineQueue: true });
    client.on("error", () => {});
    return { client, connect: () => client.connect(), close: () => client.destroy() };
  },
};

/** How the answers to copies of one request are divided. */
async function copies(server, request, count) {
  const decisions = await Promise.all(Array.from({ length: count }, () => server.authenticate(request.clone())));
  const reasons = decisions.filter(({ ok }) => !ok).map(({ status, reason }) => `${status} ${reason}`);
  return { accepted: decisions.filter(({ ok }) => ok).length, reasons: [...new Set(reasons)] };
}

for (const [name, make] of Object.entries(CLIENTS)) {
  describe(name, () => {
    test("of two hundred copies of one proof exactly one is let in, also with clocks far apart", async () => {
      const { client, connect, close } = make();
      await connect();
      try {
        // The verifier's clock is one that Redis knows nothing of.
        const { server, request, clock } = await makeWorld({ replay: edge.redisReplay(client, { prefix: `${name}:` }) });
        assert.ok(Math.abs(clock.at - Date.now() / 1000) > 3600);
        for (let round = 0; round < 3; round++) {
          assert.deepEqual(await copies(server, await request(), 200), { accepted: 1, reasons: ["401 proof_replayed"] });
        }
        const [key] = await client.keys(`${name}:*`);
        const lifetime = Number(await client.ttl(key));
        assert.ok(lifetime > 300 && lifetime <= 420, `${lifetime} s`);
      } finally {
        await close();
      }
    });

    test("a mark survives the death of Redis, and while it is dead nothing is let in", async () => {
      const { client, connect, close } = make();
      await connect();
      try {
        const { server, request, ask } = await makeWorld({ replay: edge.redisReplay(client) });
        const used = await request();
        assert.equal((await copies(server, used, 1)).accepted, 1);
        await redis.kill();
        const decision = await ask();
        assert.deepEqual([decision.ok, decision.status, decision.reason], [false, 503, "replay_store_unavailable"]);
        redis = await startRedis(folder);
        let answer;
        do {
          // Until the client has found it again; no answer on the way lets anything in.
          answer = await copies(server, used, 1);
          assert.equal(answer.accepted, 0);
          if (answer.reasons[0] !== "401 proof_replayed") await new Promise((resolve) => setTimeout(resolve, 20));
        } while (answer.reasons[0] !== "401 proof_replayed");
        assert.equal((await ask()).ok, true);
      } finally {
        await close();
      }
    });
  });
}

test("an answer that is neither OK nor null, and a client that is none", async () => {
  const { ask } = await makeWorld({ replay: edge.redisReplay({ sendCommand: async () => 1 }) });
  assert.equal((await ask()).reason, "replay_store_unavailable");
  for (const client of [undefined, null, {}, "redis://localhost"]) assert.throws(() => edge.redisReplay(client), /ioredis/);
});
