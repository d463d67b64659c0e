// What about a server's configuration and surroundings needs attention.

import type { Forwarding } from "./forwarding.js";
import { init } from "./init.js";
import { secondsOf } from "./issuer-documents.js";
import { isChecker } from "./options.js";
import { isWorkers } from "./platform.js";
import { MemoryReplay } from "./replay.js";
import type { Diagnosis, NonceChecker, NoncePolicy, ReplayStore, ResourceServerOptions } from "./types.js";

type Check = Diagnosis["checks"][number];

/** Seconds that two clocks may be apart: proofs from a minute ahead are accepted, a token's `nbf` from ten seconds. */
const CLOCK_TOLERANCE = 10;

/** What both roles have that may need attention. */
interface Diagnosed {
  readonly options: Pick<ResourceServerOptions, "nonce" | "publicUrl">;
  readonly replay: ReplayStore | "external";
  readonly forwarding: Forwarding;
}

/** An issuer whose keys are looked at. */
export interface DiagnosedIssuer {
  name: string;
  look(): Promise<{ text: string; headers?: Headers }>;
}

/** Looks at the options and at the requests so far, and asks each issuer for its keys. */
export async function diagnose(server: Diagnosed, issuers: readonly DiagnosedIssuer[], now: () => number): Promise<Diagnosis> {
  const checks = [await module(), replay(server.replay), nonce(server.options.nonce), publicUrl(server)];
  for (const found of await Promise.all(issuers.map((issuer) => askIssuer(issuer, now)))) checks.push(...found);
  return { ok: checks.every((check) => check.ok), checks };
}

async function module(): Promise<Check> {
  const name = "WebAssembly module";
  try {
    await init();
    return { name, ok: true, detail: "loaded" };
  } catch (cause) {
    return { name, ok: false, detail: String(cause), fix: "deploy the .wasm file beside the script, or give it to init()" };
  }
}

function replay(store: ReplayStore | "external"): Check {
  const name = "replay";
  if (store instanceof MemoryReplay && isWorkers()) {
    const fix = "give a store that all isolates share: a Durable Object, Redis";
    return { name, ok: false, detail: "marks are kept in this isolate only, and the platform runs many", fix };
  }
  return { name, ok: true, detail: store === "external" ? "claimed by the caller" : "a store is set" };
}

/** A secret that is too short never comes so far: the server is not made. */
function nonce(policy: NoncePolicy | NonceChecker | undefined): Check {
  const name = "nonces";
  if (policy === undefined) {
    const fix = "give nonce: { secrets } so that proofs made in advance are of no use (RFC 9449 §11.2)";
    return { name, ok: false, detail: "none are asked for, since there is no secret to make them with", fix };
  }
  const asked = policy.required === false ? "not required" : "required";
  return { name, ok: true, detail: `${asked}, ${isChecker(policy) ? "by the caller's own checker" : `made with ${policy.secrets.length} secret(s)`}` };
}

function publicUrl({ options, forwarding }: Diagnosed): Check {
  const name = "publicUrl";
  if (options.publicUrl !== undefined) return { name, ok: true, detail: "set" };
  if (forwarding.field === undefined) return { name, ok: true, detail: "not set, and no request showed a proxy so far" };
  const detail = `not set, and a request came with ${forwarding.field}, as from a proxy: proofs are for the URL that clients see`;
  return { name, ok: false, detail, fix: 'give publicUrl, such as "https://api.example", where that is not request.url' };
}

async function askIssuer(issuer: DiagnosedIssuer, now: () => number): Promise<Check[]> {
  const name = `keys of ${issuer.name}`;
  try {
    const before = now();
    const { text, headers } = await issuer.look();
    const { keys } = JSON.parse(text) as { keys?: unknown };
    const count = Array.isArray(keys) ? keys.length : 0;
    const published: Check = { name, ok: count > 0, detail: `${count} published`, ...(count === 0 && { fix: "publish a signing key" }) };
    const clock = headers === undefined ? null : compareClocks(issuer.name, headers, before, now());
    return clock === null ? [published] : [published, clock];
  } catch (cause) {
    return [{ name, ok: false, detail: String(cause), fix: "see that this server can reach the issuer, or give jwtTokens({ jwks })" }];
  }
}

/** The answer was made between `before` and `after`, as told by its `Date`, and its `Age` where it comes from a cache. */
function compareClocks(issuer: string, headers: Headers, before: number, after: number): Check | null {
  const date = secondsOf(headers.get("date"));
  if (date === undefined) return null;
  const age = Number(headers.get("age") ?? 0);
  const theirs = date + (Number.isFinite(age) ? age : 0);
  // `Date` has whole seconds.
  const ahead = before - theirs - 1;
  const behind = theirs - after;
  const name = `clock beside ${issuer}`;
  // Written so that a clock that gives no number is not in order.
  if (ahead <= CLOCK_TOLERANCE && behind <= CLOCK_TOLERANCE) return { name, ok: true, detail: "no more than some seconds apart" };
  const apart = ahead > 0 ? `${Math.round(ahead)} s ahead of` : behind > 0 ? `${Math.round(behind)} s behind` : "not comparable with";
  return { name, ok: false, detail: `this server's clock is ${apart} the Date of the issuer's answer`, fix: "set this machine's clock by NTP, see what now() gives, or tell the issuer that its clock is off" };
}
