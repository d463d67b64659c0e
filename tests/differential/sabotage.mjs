// Faults put in on purpose, to see that the comparison finds them and that no documented difference covers them.
import { compareRange } from "./compare.mjs";
import { DIFFERENCES, explanations } from "./differences.mjs";
import { factsOf } from "./facts.mjs";
import { makeCase } from "./mutations/index.mjs";
import { render } from "./scenario.mjs";

/** What a comparison makes of keybounds without one of the checks, by its reason. */
export async function withoutChecks({ reasons, ...range }, sides) {
  const results = {};
  for (const reason of reasons) {
    const keybound = withoutCheck(sides.keybound, reason);
    results[reason] = await compareRange(range, { ...sides, keybound, cold: keybound });
  }
  return results;
}

const withoutCheck = (keybound, reason) => async (rendered) => {
  const answer = await keybound(rendered);
  return answer.said === reason ? { accepts: true, said: "accepted", claims: factsOf(rendered).token.payload?.value } : answer;
};

/** Of requests that both accept: which documented difference would have excused a refusal? None should. */
export async function wrongRefusals({ seed, from, to, step }, { keybound, oauth4webapi }) {
  const reasons = [...new Set(DIFFERENCES.flatMap((rule) => rule.reasons ?? []))];
  const result = { accepted: 0, excused: [] };
  for (let index = from; index < to; index += step) {
    const { scenario, labels } = makeCase(seed, index);
    const rendered = render(scenario);
    const [ofKeybound, ofOther] = [await keybound(rendered), await oauth4webapi(rendered)];
    if (!ofKeybound.accepts || !ofOther.accepts) continue;
    result.accepted++;
    for (const said of reasons) {
      const rules = explanations(factsOf(rendered), { accepts: false, said }, ofOther);
      if (rules.length > 0) result.excused.push({ index, labels, said, rules: rules.map(({ id }) => id) });
    }
  }
  return result;
}
