// What was checked, derived from where the decision ended: costs nothing when nobody asks.

import { lookup, type ReasonInfo } from "./tables.js";
import type { TraceStep } from "./types.js";

/** The checks that a request had to pass, by name; the others count as not made. */
export function traceOf(applies: (check: string) => boolean, failed: ReasonInfo | null): TraceStep[] {
  return lookup().checks.map(({ name, rfc }, number): TraceStep => {
    if (failed !== null && number === failed.check) return { check: name, rfc, ok: false, detail: failed.detail };
    const made = applies(name) && (failed === null || number < failed.check);
    return { check: name, rfc, ok: made ? true : null };
  });
}

/** Whether a check is one on the proof. */
export function isAboutProof(check: string): boolean {
  return check.startsWith("proof_");
}
