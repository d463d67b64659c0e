// @ts-check
// Step 3: calling the API. createFetch puts token and proof in, and answers the API's nonces.

import { createFetch } from "@keybound/browser";
import { recordingFetch } from "./record.js";

/**
 * @param {{ api: string, key: import("@keybound/browser").DpopKey, token: () => string | null }} options
 */
export function createApi({ api, key, token }) {
  /** @type {import("./record.js").Exchange[]} */
  let exchanges = [];
  const apiFetch = createFetch({ key, token, origins: [api], fetch: recordingFetch((exchange) => exchanges.push(exchange)) });

  /**
   * @param {RequestInit} [init]
   * @returns What went over the wire, the last one last.
   */
  async function notes(init) {
    exchanges = [];
    await apiFetch(new URL("/notes", api), init);
    return exchanges;
  }
  return {
    readNotes: () => notes(),
    addNote: (/** @type {string} */ text) => notes({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ text }) }),
  };
}
