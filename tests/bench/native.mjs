// How long a decision takes in native code, on each backend, beside what the backend itself and other crates take.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { root } from "../support/paths.mjs";
import { medianRatio, summary } from "./figures.mjs";
import { options, table, write } from "./report.mjs";
import { makeMaterial } from "./verify-material.mjs";

const { quick, json, tiny } = options();
const { rounds, batch } = tiny ? { rounds: 1, batch: 2 } : quick ? { rounds: 60, batch: 20 } : { rounds: 300, batch: 20 };
const WARM_UP = tiny ? 0 : 5;

const folder = fileURLToPath(new URL("native/", import.meta.url));
const built = join(root, "target/bench-native");
const lock = await readFile(join(folder, "Cargo.lock"), "utf8");
const version = (crate, prefix = "") => lock.match(new RegExp(`^name = "${crate}"\nversion = "(${prefix}[^"]+)"`, "m"))[1];
const run = promisify(execFile);
const HUSKARL = "huskarl-resource-server";
const DPOP_VERIFIER = "dpop-verifier";

/** What the tables call each kind of work. */
const NAMES = { one: "one verify", two: "two verifies", warm: "keybound, all known", key: "keybound, token new", cold: "keybound, cold" };
/** What a decision may take, as a multiple of the signatures that it checks. */
const BOUNDS = { p256: 1.1, aws_lc: 1.25 };

const notes = [
  "One process, one thread, one request after another; what is counted is the time that the thread works, not that in which it waits for its turn on a busy machine. An ES256 token of 0.6 kB and an ES256 proof; everything is built with link-time optimisation over all crates. Tokens and proofs are made by node:crypto, and each proof is used once.",
  "One verify and two verifies: the backend alone, with imported keys and decoded octets; the proof's signature, or the token's and the proof's.",
  "keybound is ResourceServer of keybound-edge for Rust, with its memory replay store and caches as they come; it reads the system's clock for each request. All known: the token was seen before, so that one signature is checked. Token new: two are. Cold: the client is new as well. Both providers import the client's key anew for each proof.",
  `${HUSKARL} is its RFC 9068 validator with its source of keys (from memory), required DPoP and a set of used proof identifiers. It remembers no tokens and checks two signatures of each request; here with the very requests of token new. On p256 it is as it comes; on AWS-LC its verifier platform is replaced by one of a few lines over the same imported keys. Fields of the request are parsed beforehand.`,
  `${DPOP_VERIFIER} checks the proof, its binding to the request and to the token's hash, and a set of used proofs; the token itself, its signature, its claims and its cnf it leaves to others. It has an earlier p256, whose verify is faster; keybound is measured on that one too, through a provider of ten lines.`,
  "Before anything is timed, each of them has refused the same proof for the second time, a proof and a token with a changed signature (dpop-verifier: with a changed token), and a proof for another token.",
  "What it does not show: an asynchronous runtime, the HTTP server around it, several threads, shared replay stores (see Replay).",
];

async function measure() {
  process.stderr.write("building the peers, minutes the first time\n");
  const arguments_ = ["build", "--release", "--manifest-path", join(folder, "Cargo.toml")];
  await run("cargo", arguments_, { env: { ...process.env, CARGO_TARGET_DIR: built }, maxBuffer: 1 << 26 });
  const temporary = await mkdtemp(join(tmpdir(), "keybound-bench-"));
  try {
    // Proofs age while it runs: they are made for this run, and all of it takes half a minute.
    const material = join(temporary, "material.json");
    await writeFile(material, JSON.stringify(await makeMaterial({ clients: 2, count: (rounds + WARM_UP) * batch })));
    const { stdout } = await run(join(built, "release/keybound-bench-native"), [material, rounds, WARM_UP, batch], { maxBuffer: 1 << 26 });
    return JSON.parse(stdout);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Makes the rows of one table; a kind of work is `[figure, name]`. */
function rowsOf(figures, heading) {
  const row = ([kind, name], more = {}) => ({ table: heading, name, unit: "microseconds", ...summary(figures[kind]), ...more });
  const against = ([kind], [other, name]) => ({ ratio: medianRatio(figures[kind], figures[other]), against: name });
  return {
    row,
    beside: (kind, other, more = {}) => row(kind, { ...against(kind, other), ...more }),
    atMost(kind, other, bound) {
      const compared = against(kind, other);
      return row(kind, { ...compared, bound: `at most ${bound} times`, met: compared.ratio <= bound });
    },
    /** A peer, which is to take longer. */
    slower(kind, other, more) {
      const compared = against(kind, other);
      return row(kind, { ...compared, ...more, bound: "more than once", met: compared.ratio > 1 });
    },
  };
}

function backendRows(figures, backend, heading) {
  const { row, beside, atMost, slower } = rowsOf(figures, heading);
  const [one, two, warm, key, cold] = Object.entries(NAMES).map(([kind, name]) => [`${backend}_${kind}`, name]);
  const huskarl = { version: version(HUSKARL) };
  const known = [`huskarl_${backend}`, HUSKARL];
  return [
    row(one),
    beside(two, one),
    atMost(warm, one, BOUNDS[backend]),
    atMost(key, two, BOUNDS[backend]),
    beside(cold, two),
    slower(known, warm, huskarl),
    slower(known, key, huskarl),
    beside([`huskarl_${backend}_cold`, `${HUSKARL}, client and token new`], cold, huskarl),
  ];
}

function proofRows(figures, heading) {
  const { row, atMost, slower } = rowsOf(figures, heading);
  const [one, warm] = [["p256_of_dpop_verifier", NAMES.one], ["p256_of_dpop_verifier_warm", NAMES.warm]];
  return [row(one), atMost(warm, one, BOUNDS.p256), slower(["dpop_verifier", `${DPOP_VERIFIER}, the proof alone`], warm, { version: version(DPOP_VERIFIER) })];
}

const figures = await measure();
const without = rowsOf(figures, "Native: all but the signatures").row;
const rows = [
  ...backendRows(figures, "p256", `Native: p256 ${version("p256", "0\\.14")}`),
  ...proofRows(figures, `Native: p256 ${version("p256", "0\\.13")}, which ${DPOP_VERIFIER} has`),
  ...backendRows(figures, "aws_lc", `Native: AWS-LC, aws-lc-rs ${version("aws-lc-rs")}`),
  without(["no_signature_warm", NAMES.warm]),
  without(["no_signature_key", NAMES.key]),
];
console.log(table(rows));
await write(json, { group: "native", title: "A decision: in native code", rows, notes });
