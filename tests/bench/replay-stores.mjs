// Round trips to the stores that a fleet shares: each beside a bare round trip to the same store in the same run.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { edge } from "../edge/support.mjs";
import { startRedis } from "../support/redis.mjs";
import { edgeModules, startWorkerd } from "../support/workerd.mjs";
import { interleave, medianRatio, summary } from "./figures.mjs";

const WARM_UP = 3;
/** As many as durableObjectReplay() has by default. */
const SHARDS = 32;
const LIFE = 360;

const base64url = () => randomBytes(32).toString("base64url");
function makeMarks(count) {
  const now = Math.floor(Date.now() / 1000);
  return Array.from({ length: count }, (_, index) => ({ key: base64url(), jkt: base64url(), shard: index % SHARDS, now, expiresAt: now + LIFE }));
}

/** Microseconds for each kind, a figure a round. `run` claims `batch` marks and tells how many were fresh. */
const measure = (kinds, { rounds, batch }, run) =>
  interleave(kinds, { rounds, warmUp: WARM_UP }, async (kind) => {
    const marks = makeMarks(batch);
    const began = performance.now();
    const fresh = await run(kind, marks);
    const each = ((performance.now() - began) / batch) * 1000;
    if (fresh !== batch) throw new Error(`${kind}: ${fresh} of ${batch} marks were fresh`);
    return each;
  });

/** Rows of one table; `names` are those of the kinds, the first of them being what the others are beside. */
function rowsOf(table, figures, names) {
  const [[bare]] = Object.entries(names);
  return Object.entries(names).map(([kind, { name, ...origin }]) => {
    const row = { table, name, ...origin, unit: "microseconds", ...summary(figures[kind]) };
    return kind === bare ? row : { ...row, ratio: medianRatio(figures[kind], figures[bare]), against: names[bare].name };
  });
}

/** `together` claims are under way at once. */
const manner = (together) => (together === 1 ? "one after the other" : `${together} at once`);

export async function inDurableObjects({ rounds, batch, together, version }) {
  const storage = await mkdtemp(join(tmpdir(), "keybound-marks-"));
  const entry = { name: "worker.js", esModule: fileURLToPath(new URL("replay-worker.js", import.meta.url)) };
  const durableObjects = { REPLAY: "ReplayShard", EMPTY: "Empty", ROW: "OneRow" };
  const names = {
    empty: { name: "an empty call of a Durable Object", peer: "workerd" },
    row: { name: "a call that writes one row", peer: "workerd" },
    keybound: { name: "durableObjectReplay()", version },
  };
  try {
    const worker = await startWorkerd({ modules: [entry, ...(await edgeModules())], storage, durableObjects });
    try {
      const rows = [];
      for (const many of [1, together]) {
        const figures = await measure(Object.keys(names), { rounds, batch }, async (kind, marks) => {
          const answer = await fetch(worker.origin, { method: "POST", body: JSON.stringify({ kind, together: many, marks }) });
          const text = await answer.text();
          if (!answer.ok) throw new Error(`${kind}: ${answer.status} ${text} ${worker.log()}`);
          return Number(text);
        });
        const table = `a claim in Durable Objects, ${SHARDS} shards in one process, ${manner(many)}`;
        const { row, keybound } = names;
        rows.push(...rowsOf(table, figures, names), rowsOf(table, figures, { row, keybound: { ...keybound, name: `${keybound.name}, beside one row` } })[1]);
      }
      return rows;
    } finally {
      await worker.stop();
    }
  } finally {
    await rm(storage, { recursive: true, force: true });
  }
}

/** Both clients of Redis, connected: each kind of work by name, and `close`. */
const CLIENTS = {
  async ioredis(socket) {
    const client = new Redis({ path: socket, lazyConnect: true });
    await client.connect();
    return { client, send: ([command, ...args]) => client.call(command, ...args), close: () => client.disconnect() };
  },
  async redis(socket) {
    const client = createClient({ socket: { path: socket } });
    await client.connect();
    return { client, send: (args) => client.sendCommand(args), close: () => client.destroy() };
  },
};

async function throughClient(peer, socket, { rounds, batch, together, version, settings }) {
  const { client, send, close } = await CLIENTS[peer](socket);
  try {
    const store = edge.redisReplay(client);
    const work = {
      ping: async () => (await send(["PING"])) === "PONG",
      set: async ({ key }) => (await send(["SET", key, "1", "NX", "PX", String(LIFE * 1000)])) === "OK",
      keybound: (mark) => store.claim(mark),
    };
    const names = { set: { name: "SET NX PX", peer }, ping: { name: "PING", peer }, keybound: { name: "redisReplay()", version } };
    const rows = [];
    for (const many of [1, together]) {
      const figures = await measure(Object.keys(names), { rounds, batch }, async (kind, marks) => {
        let fresh = 0;
        for (let from = 0; from < marks.length; from += many) {
          fresh += (await Promise.all(marks.slice(from, from + many).map(work[kind]))).filter(Boolean).length;
        }
        return fresh;
      });
      rows.push(...rowsOf(`a claim in Redis through ${peer}, ${settings}, ${manner(many)}`, figures, names));
    }
    return rows;
  } finally {
    await close();
  }
}

export async function inRedis(options) {
  const rows = [];
  for (const [keeping, settings] of [[true, "each mark on disk before the answer"], [false, "nothing on disk"]]) {
    const folder = await mkdtemp(join(tmpdir(), "keybound-redis-"));
    try {
      const redis = await startRedis(folder, { keeping });
      try {
        for (const peer of Object.keys(CLIENTS)) rows.push(...(await throughClient(peer, redis.socket, { ...options, settings })));
      } finally {
        await redis.kill();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return rows;
}
