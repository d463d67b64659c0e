// Headless Chromium from the operating system, driven by playwright-core (which brings no browser of its own).
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const CANDIDATES = [
  process.env.KEYBOUND_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

export function chromiumPath() {
  const found = CANDIDATES.find((path) => path && existsSync(path));
  if (found === undefined) {
    throw new Error("Chromium was not found: `cargo xtask setup chromium` installs it, or set KEYBOUND_CHROMIUM to its path");
  }
  return found;
}

/** No sandbox: tests run as root in containers. The rest keeps it from talking to anybody but us. */
export function launchChromium() {
  return chromium.launch({
    executablePath: chromiumPath(),
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
    ],
  });
}

/**
 * Opens `url` in a fresh profile, waits until the page has set `globalThis.outcome`, and returns it.
 * What the browser complained about meanwhile (errors, refused scripts) is part of the error message.
 */
export async function outcomeOfPage(browser, url, { timeout = 30_000 } = {}) {
  const context = await browser.newContext();
  const complaints = [];
  try {
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => complaints.push(`uncaught: ${error.stack ?? error}`));
    page.on("requestfailed", (request) => complaints.push(`request failed: ${request.url()} ${request.failure()?.errorText}`));
    page.on("response", (response) => {
      if (response.status() >= 400 && !response.url().endsWith("/favicon.ico")) complaints.push(`${response.status()}: ${response.url()}`);
    });
    await page.goto(url);
    const handle = await page.waitForFunction(() => globalThis.outcome, undefined, { timeout });
    const outcome = await handle.jsonValue();
    if (outcome.error !== undefined) throw new Error(outcome.error);
    return { ...outcome, complaints };
  } catch (error) {
    throw new Error([`${url}: ${error.message}`, ...complaints].join("\n  "));
  } finally {
    await context.close();
  }
}
