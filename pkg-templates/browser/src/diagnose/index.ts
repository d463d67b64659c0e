// What this browser and these servers can do, in words a person can act on.

import { browserChecks } from "./browser.js";
import { issuerChecks } from "./issuer.js";
import { resourceChecks } from "./resource.js";
import type { DpopKey } from "../key.js";

/** One thing that was looked at. */
export interface DiagnosisCheck {
  name: string;
  ok: boolean;
  /** What was seen. */
  detail: string;
  /** What to change, and where. Of a check that is `ok`: what would be better still. */
  fix?: string;
}

/** What was found. */
export interface Diagnosis {
  ok: boolean;
  checks: DiagnosisCheck[];
}

/** What to look at beside the browser. */
export interface DiagnosisOptions {
  /** The key in use; without one, keys that are made for the moment. */
  key?: DpopKey;
  /** Something of the API that `GET` reads and that wants a token. */
  resource?: string | URL;
  /** The authorization server. */
  issuer?: string | URL;
  /** This page's name at the authorization server: with it, the token endpoint is asked too, with a code that is none. */
  clientId?: string;
}

/**
 * What this browser and these servers can do, in words a person can act on. Asks `resource` and `issuer`, never with a token: what
 * stands in its place is none. Never throws, and is done within half a minute.
 */
export async function diagnose(options: DiagnosisOptions = {}): Promise<Diagnosis> {
  const { key, resource, issuer, clientId } = options;
  const found = await Promise.all([
    browserChecks(),
    resource === undefined ? [] : resourceChecks(resource, issuer, key),
    issuer === undefined ? [] : issuerChecks(issuer, key, clientId),
  ]);
  const checks = found.flat();
  return { ok: checks.every(({ ok }) => ok), checks };
}
