// Replay marks in real Durable Objects: one acceptance for a proof, whatever happens.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { edge, makeClient, makeIssuer } from "../edge/support.mjs";
import { credentials, startWorker } from "./support.mjs";

const issuer = await makeIssuer();
const clients = await Promise.all(Array.from({ length: 10 }, () => makeClient()));
let storage;
before(async () => {
  storage = await mkdtemp(join(tmpdir(), "keybound-marks-"));
});
after(() => rm(storage, { recursive: true, force: true }));

const start = (bindings = {}) =>
  startWorker("fleet", { storage, durableObjects: { REPLAY: "ReplayShard" }, bindings: { ISSUER: issuer.issuer, JWKS: issuer.jwks, ...bindings } });

/** How the answers to copies of one request are divided. */
async function copies(worker, headers, count) {
  const answers = await Promise.all(Array.from({ length: count }, () => fetch(`${worker.origin}/orders`, { headers })));
  await Promise.all(answers.map((answer) => answer.text()));
  const accepted = answers.filter(({ status }) => status === 200).length;
  const replayed = answers.filter((answer) => answer.headers.get("x-reason") === "proof_replayed").length;
  return { accepted, replayed };
}

test("of two hundred copies of one proof exactly one is let in, ten times over", async () => {
  const worker = await start();
  try {
    for (const client of clients) {
      assert.deepEqual(await copies(worker, await credentials(issuer, client), 200), { accepted: 1, replayed: 199 });
    }
  } finally {
    await worker.stop();
  }
});

test("a mark survives the death of the process", async () => {
  const headers = await credentials(issuer, clients[0]);
  for (const expected of [1, 0]) {
    const worker = await start();
    try {
      assert.equal((await copies(worker, headers, 20)).accepted, expected);
    } finally {
      // SIGKILL: nothing gets a chance to write.
      await worker.stop();
    }
  }
});

test("a process killed in the middle of it lets a proof in once at most", async () => {
  const headers = await credentials(issuer, clients[1]);
  const first = await start();
  let accepted = 0;
  const flood = Array.from({ length: 100 }, () =>
    fetch(`${first.origin}/orders`, { headers }).then(
      (answer) => (accepted += answer.status === 200 ? 1 : 0),
      () => undefined,
    ),
  );
  await Promise.race(flood);
  await first.stop();
  await Promise.all(flood);
  const second = await start();
  try {
    accepted += (await copies(second, headers, 20)).accepted;
  } finally {
    await second.stop();
  }
  assert.ok(accepted <= 1, `${accepted} accepted`);
});

test("a shard that fails means 503, never an acceptance", async () => {
  const worker = await start({ BROKEN: true });
  try {
    const answer = await fetch(`${worker.origin}/orders`, { headers: await credentials(issuer, clients[2]) });
    await answer.text();
    assert.deepEqual([answer.status, answer.headers.get("x-reason")], [503, "replay_store_unavailable"]);
    assert.equal(answer.headers.get("retry-after"), "1");
  } finally {
    await worker.stop();
  }
});

test("what is no namespace, and what is no number of shards, throws", () => {
  assert.throws(() => edge.durableObjectReplay(undefined), /namespace/);
  assert.throws(() => edge.durableObjectReplay({ idFromName() {}, get() {} }, { shards: 0 }), /shards/);
});
