// A login in a window of its own: the page stays, and with it the worker that knows the login.

import { KeyboundError } from "../errors.js";

/** What the page at `redirectUri` says to the one that opened it. */
const RETURNED = "keybound login";
const CLOSED =
  "The window of the login was closed. If the person did not: Cross-Origin-Opener-Policy cuts windows off; the page needs same-origin-allow-popups.";
/** How often it is looked whether the person closed the window. */
const INTERVAL = 300;

/**
 * For the page at `redirectUri`: gives its address to the page that opened it, and closes the window. The answer in the address is of
 * use to the worker alone, which has verifier and key. False if no page of this origin is there to take it.
 */
export function returnLogin(): boolean {
  const opener = (globalThis.opener ?? (parent === self ? null : parent)) as Window | null;
  if (!opener) return false;
  opener.postMessage({ type: RETURNED, url: location.href }, location.origin);
  history.replaceState(null, "", location.pathname);
  if (globalThis.opener) close();
  return true;
}

/** Sends `target` to the address, and waits for what `returnLogin` says there; closed before that, `login_cancelled`. */
export function returned(target: Window, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const onMessage = ({ source, origin, data }: MessageEvent): void => {
      const { type, url: address } = Object(data) as { type?: unknown; url?: unknown };
      if (source !== target || origin !== location.origin || type !== RETURNED || typeof address !== "string") return;
      end();
      resolve(address);
    };
    const looking = setInterval(() => {
      if (!target.closed) return;
      end();
      reject(new KeyboundError("login_cancelled", undefined, CLOSED));
    }, INTERVAL);
    const end = (): void => {
      clearInterval(looking);
      removeEventListener("message", onMessage);
    };
    addEventListener("message", onMessage);
    target.location.href = url;
  });
}

/** A window for a login. To be called at a click, before anything is waited for: later, browsers take it for an unwanted one. */
export function openWindow(): Window {
  const target = open("about:blank", "_blank", "popup,width=500,height=700");
  if (!target) throw new KeyboundError("login_cancelled", undefined, "The browser opened no window. Call login() at a click, and wait for nothing before.");
  return target;
}
