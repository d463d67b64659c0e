// What tests of diagnose() share: checks by name, and one that fails.
import assert from "node:assert/strict";

/** What it promises. */
const LIMIT_MS = 30_000;

/** The page's diagnosis: checks by name, and whether all is well. Each that fails says what to change. */
export async function diagnose(page, options) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`diagnose hangs for ${LIMIT_MS} ms`)), LIMIT_MS); });
  const diagnosed = page.run((options) => kb.diagnose(options), options);
  const { ok, checks } = await Promise.race([diagnosed, late]).finally(() => clearTimeout(timer));
  for (const check of checks) assert.ok(check.ok || check.fix?.length > 20, JSON.stringify(check));
  assert.equal(ok, checks.every((check) => check.ok));
  return Object.assign(new Map(checks.map((check) => [check.name, check])), { ok });
}

/** The names of the checks that fail. */
export const failing = (checks) => [...checks.values()].filter(({ ok }) => !ok).map(({ name }) => name);

/** That check fails, with this to be done: a text is the end of the fix. */
export function assertFix(checks, name, fix) {
  const check = checks.get(name);
  assert.equal(check?.ok, false, `${name}: ${JSON.stringify([...checks.values()])}`);
  if (fix instanceof RegExp) assert.match(check.fix, fix);
  else assert.ok(check.fix.endsWith(fix), check.fix);
}
