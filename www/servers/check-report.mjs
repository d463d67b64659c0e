// @ts-check
// The lines of the check: one a step, with what was observed; the count at the end.

export class Report {
  passed = 0;
  failed = 0;

  /**
   * @param {string} name
   * @param {string} observed
   * @param {string | RegExp} expected
   */
  step(name, observed, expected) {
    const good = expected instanceof RegExp ? expected.test(observed) : observed === expected;
    if (good) this.passed += 1;
    else this.failed += 1;
    console.log(`${good ? "ok  " : "FAIL"} ${name} -> ${observed}${good ? "" : `   (expected: ${expected})`}`);
  }

  /**
   * The story cannot go on.
   * @param {unknown} error
   * @param {string[]} pageSays
   */
  broken(error, pageSays) {
    this.failed += 1;
    const message = error instanceof Error ? error.message.split("\n")[0] : String(error);
    console.log(`FAIL the story broke off -> ${[message, ...pageSays].join("; ")}`);
  }

  /** @returns {number} The exit code. */
  finish() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed === 0 ? 0 : 1;
  }
}
