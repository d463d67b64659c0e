// Conformance cases in workerd, through the built package.

import { fileURLToPath } from "node:url";
import { edgeModules, startWorkerd } from "../support/workerd.mjs";
import { main } from "./report.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const worker = await startWorkerd({
  modules: [
    { name: "worker.js", esModule: here("workerd-worker.js") },
    { name: "cases.mjs", esModule: here("cases.mjs") },
    ...(await edgeModules()),
  ],
});
try {
  await main(async function* (file) {
    for (const testCase of file.cases) {
      // Clocks do not advance inside while code runs: it is timed from here.
      const startedAt = performance.now();
      const body = JSON.stringify({ meta: file.meta, cases: [testCase] });
      const answer = await fetch(worker.origin, { method: "POST", body });
      if (!answer.ok) throw new Error(`${testCase.id}: workerd answered ${answer.status}\n${worker.log()}`);
      const results = await answer.json();
      const ms = (performance.now() - startedAt) / results.length;
      for (const result of results) yield { ...result, ms };
    }
  });
} finally {
  await worker.stop();
}
