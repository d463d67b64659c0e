// 100,000 mutated proofs and tokens through keybound and oauth4webapi: where the two differ is written down in differences.mjs, with the reason, or is a failure.
//
// Always the same cases. Others: `KEYBOUND_SEED=... node --test tests/differential/`, or
// `node tests/differential/differential.test.mjs --seed ...`; `KEYBOUND_CASES` says how many.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { DIFFERENCES } from "./differences.mjs";
import { MUTATIONS } from "./mutations/index.mjs";
import { TABLE, table } from "./write-table.mjs";

const USUAL = { seed: "keybound", cases: 100_000 };
const { values } = parseArgs({ options: { seed: { type: "string" } }, strict: false });
const seed = values.seed ?? process.env.KEYBOUND_SEED ?? USUAL.seed;
const cases = Number(process.env.KEYBOUND_CASES ?? USUAL.cases);
const isUsual = seed === USUAL.seed && cases === USUAL.cases;
const THREADS = 2;

/** What a thread has to say in the end. */
function inThread(workerData) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("worker.mjs", import.meta.url), { workerData, execArgv: ["--no-warnings"] });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the thread ended with ${code} and said nothing`)));
  });
}

/** Counts of all threads added up, failures in one list. */
function sum(results) {
  const total = {};
  for (const result of results) {
    for (const [name, value] of Object.entries(result)) {
      if (Array.isArray(value)) total[name] = [...(total[name] ?? []), ...value];
      else if (typeof value === "number") total[name] = (total[name] ?? 0) + value;
      else total[name] = sum([total[name] ?? {}, value]);
    }
  }
  return total;
}

describe(`${cases} requests, seed ${seed}`, async () => {
  const threads = Array.from({ length: THREADS }, (_, from) => inThread({ task: "compare", seed, from, to: cases, step: THREADS }));
  const outcome = Promise.all(threads).then(sum);

  test("differ only as documented", async () => {
    const { both, neither, rules, failed, failures } = await outcome;
    const seen = Object.entries(rules).sort(([, one], [, other]) => other - one);
    console.log(`both accept ${both}, both refuse ${neither}, documented differences ${seen.reduce((all, [, count]) => all + count, 0)}, failures ${failed}`);
    console.log(seen.map(([id, count]) => `${id} ${count}`).join(", "));
    assert.equal(failed, 0, `${failed} failures, the first of them:\n${failures.slice(0, 5).map((failure) => JSON.stringify(failure, null, 2)).join("\n")}`);
  });

  test("are accepted and refused in earnest", async () => {
    const { both, neither } = await outcome;
    assert.ok(both > cases / 10, `only ${both} are accepted by both`);
    assert.ok(neither > cases / 10, `only ${neither} are refused by both`);
  });

  test("show every documented difference, each of them where no other explains it", { skip: !isUsual && "other cases may not" }, async () => {
    const { alone } = await outcome;
    assert.deepEqual(DIFFERENCES.map(({ id }) => id).filter((id) => !alone[id]), []);
  });

  test("have every mutation by itself", { skip: !isUsual && "other cases may not" }, async () => {
    const { mutations } = await outcome;
    assert.deepEqual(MUTATIONS.map(({ id }) => id).filter((id) => !mutations[id]), []);
  });
});

describe("the comparison", () => {
  const range = { seed: "sabotage", from: 0, to: 1500, step: 1 };
  const reasons = [
    "htm_mismatch", "htu_path_mismatch", "iat_in_future", "ath_mismatch", "typ_mismatch", "alg_unsupported", "jwk_private", "jkt_mismatch", "proof_signature_invalid",
    "token_signature_invalid", "token_audience_mismatch", "token_expired", "cnf_malformed",
  ];

  test("finds each check that keybound is made to leave out", async () => {
    const results = await inThread({ task: "without checks", reasons, ...range });
    for (const reason of reasons) {
      const { failed, failures } = results[reason];
      assert.notEqual(failed, 0, reason);
      assert.equal(failures[0].keybound, "accepted", reason);
      assert.ok(failures[0].request.length > 0 && failures[0].mutations.length > 0, reason);
    }
  });

  test("excuses no refusal of a request that both accept", async () => {
    const { accepted, excused } = await inThread({ task: "wrong refusals", ...range });
    assert.ok(accepted > 150);
    assert.deepEqual(excused, []);
  });
});

test("mutations and differences have names of their own", () => {
  for (const list of [MUTATIONS, DIFFERENCES]) assert.equal(new Set(list.map(({ id }) => id)).size, list.length);
});

test("differences.md is up to date", () => {
  assert.equal(readFileSync(TABLE, "utf8"), table(), "run `node tests/differential/write-table.mjs`");
});
