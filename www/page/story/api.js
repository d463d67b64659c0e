// @ts-check
// Step 3: calling the API. createFetch puts token and proof in, and answers the API's nonces.

import { createFetch } from "@keybound/browser";
import { recordingFetch } from "./record.js";

/**
 * @param {{ api: string, key: import("@keybound/browser").DpopKey, token: () => string | null }} options
 * @returns {{ readNotes(): Promise<import("./record.js").Exchange[]> }} What went over the wire, the last one last.
 */
export function createApi({ api, key, token }) {
  /** @type {import("./record.js").Exchange[]} */
  let exchanges = [];
  const apiFetch = createFetch({ key, token, origins: [api], fetch: recordingFetch((exchange) => exchanges.push(exchange)) });
  return {
    async readNotes() {
      exchanges = [];
      await apiFetch(new URL("/notes", api));
      return exchanges;
    },
  };
}
