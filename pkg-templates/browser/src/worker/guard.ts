// Against a service worker, which would see every request of this worker with its token and proof, and every answer.

import { pause } from "../session/lock.js";
import { workerError } from "./errors.js";

/** What some browsers show to workers, and TypeScript knows of pages only. */
interface Shown {
  serviceWorker?: { controller: unknown };
}

/**
 * Fetch that throws `worker_controlled` where this worker can see that it is controlled; before requests to the authorization server (those
 * that change something) it asks for its own script first, and looks whether that passed a service worker. Best effort: browsers tell
 * late, and one that takes over between two requests is not seen. What prevents it is in docs/worker-mode.md.
 */
export function createFetchGuard(): typeof fetch {
  let controlled = false;
  return async (input, init) => {
    // Token, PAR and revocation requests; `createFetch` makes one Request of each of both kinds.
    const isForm = input instanceof Request && input.method === "POST" && !input.headers.has("authorization");
    controlled ||= Boolean((navigator as Shown).serviceWorker?.controller) || (isForm && (await passesServiceWorker()));
    if (controlled) throw workerError("worker_controlled");
    return fetch(input, init);
  };
}

/** How often it is looked for, 10 ms apart: browsers write it down after the answer. */
const ROUNDS = 20;

/** Resource Timing: `workerStart` is not 0 for what passed a service worker; of other origins it would always be 0. */
async function passesServiceWorker(): Promise<boolean> {
  const own = new URL(location.href);
  if (!own.protocol.startsWith("http")) return false;
  // An address of its own, to find it by.
  own.searchParams.set("keybound", crypto.randomUUID());
  own.hash = "";
  const asked = fetch(own, { method: "HEAD", cache: "no-store", credentials: "omit" });
  await asked.then((answer) => answer.text()).catch(() => {});
  for (let round = 0; round < ROUNDS; round++) {
    const [entry] = performance.getEntriesByName(own.href) as PerformanceResourceTiming[];
    if (entry) return entry.workerStart > 0;
    await pause(10);
  }
  return false;
}
