// The command line of the runners: prints failures and counts, writes `--json`.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

/** Runs the files of the command line. `run(file)` yields results; the exit code is 1 if any failed. */
export async function main(run) {
  const { values, positionals } = parseArgs({ options: { json: { type: "string" } }, allowPositionals: true });
  if (positionals.length === 0) {
    console.error("give at least one file of cases");
    process.exit(2);
  }
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const rows = [];
  for (const path of positionals) {
    for await (const result of run(JSON.parse(readFileSync(path, "utf8")))) {
      if (result.skipped) counts.skipped++;
      else if (result.pass) counts.passed++;
      else {
        counts.failed++;
        const expected = result.expected.join(" or ");
        console.log(`FAIL ${result.id} step ${result.step}: expected ${expected}, got ${result.outcome} (${result.reason}) ${JSON.stringify(result.binding)}`);
      }
      const { skipped, ...row } = result;
      if (!skipped) rows.push(row);
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 1)}\n`);
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}
