// Which platform this is, for advice only.

/** Cloudflare Workers names itself. */
export function isWorkers(): boolean {
  return (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === "Cloudflare-Workers";
}
