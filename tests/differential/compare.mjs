// Runs a range of cases through both sides, and sorts out where they differ.
import { explanations } from "./differences.mjs";
import { factsOf } from "./facts.mjs";
import { makeCase } from "./mutations/index.mjs";
import { render } from "./scenario.mjs";
import { agree } from "./sides.mjs";

/** Signatures are checked on other threads: some cases wait while others are made. */
const AT_ONCE = 8;
/** Every so many cases keybound is asked again by a server that remembers next to nothing. */
const COLD_EVERY = 8;
/** As many failures as anybody reads. */
const MOST_FAILURES = 20;

/**
 * `sides`: `{ keybound, cold, oauth4webapi }`. Counts cases by what became of them, by rule (`rules`; `alone`: no other rule
 * explained it) and by mutation (where it was the only one).
 */
export async function compareRange({ seed, from, to, step }, sides) {
  const result = { both: 0, neither: 0, rules: {}, alone: {}, mutations: {}, failures: [], failed: 0 };
  const count = (counts, name) => (counts[name] = (counts[name] ?? 0) + 1);
  const fail = async (describe) => {
    result.failed++;
    if (result.failed <= MOST_FAILURES) result.failures.push(await describe());
  };
  let next = from;
  const work = async () => {
    for (;;) {
      const index = next;
      next += step;
      if (index >= to) return;
      const { labels, size, rendered, ofKeybound, ofOther } = await ask(seed, index, sides);
      if (size === 1) count(result.mutations, labels[0]);
      if (index % COLD_EVERY === 0) {
        const again = await sides.cold(rendered);
        const why = `keybound says ${ofKeybound.said}, and with cold caches ${again.said}`;
        if (again.said !== ofKeybound.said) await fail(() => ({ seed, index, why, ...reproduction(labels, rendered) }));
      }
      if (agree(ofKeybound, ofOther)) {
        result[ofKeybound.accepts ? "both" : "neither"]++;
        continue;
      }
      const rules = explanations(factsOf(rendered), ofKeybound, ofOther);
      for (const { id } of rules) count(result.rules, id);
      if (rules.length === 1) count(result.alone, rules[0].id);
      const complaint = rules.length === 0 ? "no documented difference" : await hidden(seed, index, rules, sides);
      if (complaint !== undefined) await fail(() => smallest(seed, index, complaint, sides));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return result;
}

/** Both answers to a case. `keep` leaves mutations out, `repairs` change the scenario when the mutations are done. */
async function ask(seed, index, { keybound, oauth4webapi }, { keep, repairs = [] } = {}) {
  const { scenario, labels, size } = makeCase(seed, index, keep);
  for (const repair of repairs) repair(scenario);
  const rendered = render(scenario);
  const [ofKeybound, ofOther] = await Promise.all([keybound(rendered), oauth4webapi(rendered)]);
  return { labels, size, rendered, ofKeybound, ofOther };
}

/**
 * oauth4webapi stops at its first objection. Where that is a documented one, what it is about is taken out, until it accepts: else
 * it was hiding another.
 */
async function hidden(seed, index, rules, sides) {
  const repairs = [];
  while (rules.some(({ accepts }) => accepts === "keybound")) {
    const more = rules.map(({ repair }) => repair).filter((repair) => repair !== undefined && !repairs.includes(repair));
    if (more.length === 0) return `${rules.map(({ id }) => id)} cannot be repaired`;
    repairs.push(...more);
    const { rendered, ofKeybound, ofOther } = await ask(seed, index, sides, { repairs });
    if (ofKeybound.accepts && ofOther.accepts) return undefined;
    rules = explanations(factsOf(rendered), ofKeybound, ofOther);
    if (rules.length === 0) return `behind a documented difference, oauth4webapi says ${ofOther.said}, keybound ${ofKeybound.said}`;
  }
  return undefined;
}

/** The failure with as few mutations as show it. */
async function smallest(seed, index, why, sides) {
  const { size } = makeCase(seed, index);
  let kept = Array.from({ length: size }, (_, place) => place);
  let shown = await ask(seed, index, sides, { keep: (place) => kept.includes(place) });
  for (const place of [...kept]) {
    const fewer = kept.filter((other) => other !== place);
    const tried = await ask(seed, index, sides, { keep: (other) => fewer.includes(other) });
    const differs = !agree(tried.ofKeybound, tried.ofOther) && explanations(factsOf(tried.rendered), tried.ofKeybound, tried.ofOther).length === 0;
    if (differs) [kept, shown] = [fewer, tried];
  }
  const { labels, rendered, ofKeybound, ofOther } = shown;
  return { seed, index, why, keybound: ofKeybound.said, oauth4webapi: ofOther.said, ...reproduction(labels, rendered) };
}

function reproduction(labels, { request, fields }) {
  const decoded = (text) => text.split(".").slice(0, 2).map((part) => Buffer.from(part, "base64url").toString());
  return {
    mutations: labels,
    request: [`${request.method} ${request.url}`, ...fields.map(([name, value]) => `${name}: ${value}`)],
    token: decoded((request.headers.get("authorization") ?? "").replace(/^\S+ +/, "")),
    proof: decoded(request.headers.get("dpop") ?? ""),
  };
}
