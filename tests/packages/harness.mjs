// A project with both packages installed and the sample apps in `src/`, and the check that every page must pass.
import assert from "node:assert/strict";
import { cp, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { installedPackages } from "../support/installed.mjs";
import { root } from "../support/paths.mjs";
import { assertProof } from "../support/proof.mjs";
import { REQUEST } from "./apps/prove.js";

const apps = join(root, "tests/packages/apps");

export async function projectWithApps(files = {}) {
  const sources = {};
  for (const name of await readdir(apps)) sources[`src/${name}`] = await readFile(join(apps, name), "utf8");
  const project = await installedPackages({ ...sources, ...files });
  // What a user of sessions installs beside.
  await cp(join(root, "node_modules/oauth4webapi"), project.path("node_modules/oauth4webapi"), { recursive: true });
  return project;
}

/** Pages for bundlers: an app in `src/` each. */
export const PAGES = ["main", "inline", "with-worker", "both", "session"];

export const page = (script) => `<!doctype html><meta charset="utf-8"><title>test</title><script type="module" src="${script}"></script>`;

/** As `assertOutcome`, for a page that also asked @keybound/edge. */
export async function assertVerified(outcome) {
  await assertOutcome(outcome);
  assert.deepEqual(outcome.verdict, { ok: true, jkt: outcome.thumbprint, reason: undefined });
}

/** As `assertOutcome`, for a page with a session: a login begins with a key of its own. */
export async function assertSession(outcome) {
  await assertOutcome(outcome);
  assert.match(outcome.loginKey, /^[\w-]{43}$/);
  assert.notEqual(outcome.loginKey, outcome.thumbprint);
  assert.equal(outcome.current, null);
}

const ASSERTIONS = { both: assertVerified, session: assertSession };

/** What the page of that name must come to. */
export const assertPage = (name, outcome) => (ASSERTIONS[name] ?? assertOutcome)(outcome);

/** The page opened a key that cannot leave the browser, found it again, and made a proof that others accept. */
export async function assertOutcome(outcome) {
  await assertProof(outcome.proof, { ...REQUEST, thumbprint: outcome.thumbprint });
  assert.equal(outcome.extractable, false);
  assert.equal(outcome.sameKeyAgain, true);
  assert.equal(outcome.storage, "persistent");
  const refused = outcome.complaints.filter((complaint) => /Content.Security.Policy|uncaught/i.test(complaint));
  assert.deepEqual(refused, []);
}
