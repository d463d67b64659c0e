// @ts-check
// Pictures of the page, light and dark, wide and narrow, for a person to look at. None without KEYBOUND_SCREENSHOTS.

import { join } from "node:path";

const SIZES = { wide: { width: 1280, height: 900 }, narrow: { width: 360, height: 740 } };

/** @param {import("playwright-core").Page} page */
export function takePictures(page) {
  const directory = process.env.KEYBOUND_SCREENSHOTS;

  /** @param {(name: string) => Promise<unknown>} take `name`: theme and size. */
  async function inEachStyle(take) {
    if (!directory) return;
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      for (const [size, viewport] of Object.entries(SIZES)) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.setViewportSize(viewport);
        await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
        await take(`${colorScheme}-${size}`);
      }
    }
    await page.emulateMedia({ colorScheme: null, reducedMotion: null });
    await page.setViewportSize(SIZES.wide);
  }

  return {
    /** @param {string} name @param {{ fullPage?: boolean }} [options] Of the whole page, or of what is in the window. */
    of: (name, { fullPage = false } = {}) => inEachStyle((style) => page.screenshot({ path: join(directory ?? "", `${name}-${style}.png`), fullPage })),
  };
}
