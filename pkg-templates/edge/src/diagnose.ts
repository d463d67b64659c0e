// What about a server's configuration and surroundings needs attention.

import { init } from "./init.js";
import { MemoryReplay } from "./replay.js";
import type { Core } from "./resource-server.js";
import type { Diagnosis } from "./types.js";

type Check = Diagnosis["checks"][number];

/** Looks at the options, and asks each issuer for its keys. */
export async function diagnose(core: Core): Promise<Diagnosis> {
  const checks: Check[] = [await module(), replay(core), nonce(core)];
  for (const [index, issuer] of core.engineOptions.issuers.entries()) {
    const keys = core.issuers[index];
    if (keys === undefined) continue;
    const name = `keys of ${issuer}`;
    try {
      const { keys: list } = JSON.parse(await keys.look()) as { keys?: unknown[] };
      const count = list?.length ?? 0;
      checks.push({ name, ok: count > 0, detail: `${count} published`, ...(count === 0 && { fix: "publish a signing key" }) });
    } catch (cause) {
      checks.push({ name, ok: false, detail: String(cause), fix: "see that this server can reach the issuer, or give jwtTokens({ jwks })" });
    }
  }
  return { ok: checks.every((check) => check.ok), checks };
}

async function module(): Promise<Check> {
  try {
    await init();
    return { name: "WebAssembly module", ok: true, detail: "loaded" };
  } catch (cause) {
    return { name: "WebAssembly module", ok: false, detail: String(cause), fix: "deploy the .wasm file beside the script, or give it to init()" };
  }
}

function replay(core: Core): Check {
  const name = "replay";
  if (core.replay instanceof MemoryReplay && isWorkers()) {
    const fix = "give a store that all isolates share: a Durable Object, Redis";
    return { name, ok: false, detail: "marks are kept in this isolate only, and the platform runs many", fix };
  }
  return { name, ok: true, detail: core.replay === "external" ? "claimed by the caller" : "a store is set" };
}

/** Cloudflare Workers names itself. */
function isWorkers(): boolean {
  return (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === "Cloudflare-Workers";
}

function nonce(core: Core): Check {
  const name = "nonces";
  if (core.options.nonce !== undefined) return { name, ok: true, detail: "given out" };
  const fix = "give nonce: { secrets } so that proofs made in advance are of no use (RFC 9449 §11.2)";
  return { name, ok: false, detail: "none are asked for", fix };
}
