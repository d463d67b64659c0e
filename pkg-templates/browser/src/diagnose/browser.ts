// What a diagnosis looks at in the browser itself.

import type { DiagnosisCheck } from "./index.js";
import { bad, check, type Finding, good, supported } from "./check.js";
import { init } from "../init.js";
import { generate } from "../key.js";
import { forget, obtain } from "../store.js";

/** Needs nothing but a header, and says whether WebAssembly runs here at all. */
const EMPTY_MODULE = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

const SECURE = "Serve this page over https (http is good enough from localhost only).";
const SUBTLE = "Look for a script or an extension of the browser that takes crypto.subtle away, or replaces crypto; else use a current browser.";
const STORE = "In the browser's settings, let this site store data, and leave the private window; until then people log in after each reload.";
const CSP =
  "The policy of this page has to allow WebAssembly, which allows no eval. In the answer that brings the page:\n" +
  "Content-Security-Policy: script-src 'self' 'wasm-unsafe-eval'";
const MODULE =
  "Serve wasm/keybound_browser_bg.wasm beside the package's index.js; or import from @keybound/browser/inline; or place it elsewhere and call init(url).";

/** Each by itself: what one lacks does not hide the others. */
export function browserChecks(): Promise<DiagnosisCheck[]> {
  return Promise.all([
    check("secure context", SECURE, secureContext),
    check("WebAssembly", MODULE, webAssembly),
    check("algorithms", SUBTLE, algorithms),
    check("key storage", `Close the other tabs of this site, and try again. ${STORE}`, keyStorage),
    check("Web Locks", "Restart the browser. Until then keys are still made once, only slower.", webLocks),
  ]);
}

const insecure = (): boolean => globalThis.isSecureContext === false;
const subtle = (): SubtleCrypto | undefined => globalThis.crypto?.subtle;

/** Without it there is nothing to try. */
const withoutSubtle = (): Finding => bad("not tried: there is no crypto.subtle", insecure() ? SECURE : SUBTLE);

function secureContext(): Finding {
  if (insecure()) return bad(`${location.origin} is no secure context: there is no crypto.subtle in it`, SECURE);
  return subtle() ? good("a secure context, with crypto.subtle") : bad("a secure context, but crypto.subtle is gone", SUBTLE);
}

async function webAssembly(): Promise<Finding> {
  if (!globalThis.WebAssembly) {
    return bad("there is no WebAssembly", "Switch it on for this site (on Apple's devices: Lockdown Mode). keybound cannot do without.");
  }
  try {
    // Not only compiled: some engines heed the policy at the second step only.
    await WebAssembly.instantiate(EMPTY_MODULE);
  } catch (error) {
    return bad(String(error), CSP);
  }
  await init();
  return good("it runs, and the module is loaded");
}

async function algorithms(): Promise<Finding> {
  if (!subtle()) return withoutSubtle();
  const known = await supported();
  return known.includes("ES256") ? good(known.join(", ")) : bad(known.join(", ") || "none", "Use a current browser: this one cannot sign with ES256.");
}

/** A key goes in, comes out, and still signs as the one that went in. */
async function keyStorage(): Promise<Finding> {
  const crypto = subtle();
  if (!crypto) return withoutSubtle();
  const name = `keybound diagnosis ${Date.now()} ${Math.random()}`;
  const make = (): Promise<CryptoKeyPair> => generate("ES256");
  try {
    const [first, refused] = await obtain(name, make, undefined);
    if (refused) return bad("IndexedDB keeps no keys here: a key lives as long as the page", STORE);
    const [again] = await obtain(name, make, undefined);
    const [scheme, text] = [{ name: "ECDSA", hash: "SHA-256" }, new Uint8Array(1)];
    const signature = await crypto.sign(scheme, again.privateKey, text);
    const kept = await crypto.verify(scheme, first.publicKey, signature, text);
    return kept ? good("IndexedDB keeps a key that cannot be exported") : bad("IndexedDB forgets a key at once", STORE);
  } finally {
    await forget(name, undefined).catch(() => {});
  }
}

async function webLocks(): Promise<Finding> {
  const locks = globalThis.navigator?.locks as LockManager | undefined;
  if (!locks) return good("none here: keys are still made once, only slower");
  await locks.request(`keybound diagnosis ${Math.random()}`, () => {});
  return good("there");
}
