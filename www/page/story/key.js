// @ts-check
// Step 1: the key.

import { DpopKey } from "@keybound/browser";

const NAME = "notes";

/** The page's key: made on first use, found again after a reload. */
export function openKey() {
  return DpopKey.open(NAME);
}

/**
 * Tries to get at the private key, as an attacker's script would.
 * @param {DpopKey} key
 * @returns {Promise<string>} What the browser said to it.
 */
export async function tryToExport(key) {
  for (const format of /** @type {const} */ (["jwk", "pkcs8"])) {
    try {
      await crypto.subtle.exportKey(format, key.pair.privateKey);
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
  }
  throw new Error("the private key could be exported");
}
