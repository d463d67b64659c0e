// @ts-check
// A headless Chromium of this machine.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import { DemoFailure } from "./failure.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome.exe"];
const ELSEWHERE = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export async function openBrowser() {
  const executablePath = process.env.KEYBOUND_CHROMIUM ?? findChromium();
  if (executablePath === undefined) {
    throw new DemoFailure("the check needs Chromium or Chrome, and finds none", { fix: "cargo xtask setup, or set KEYBOUND_CHROMIUM to its path" });
  }
  // Signals are for demo.mjs to handle: it stops the browser along with the servers.
  const signals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
  return chromium.launch({ executablePath, args: ARGUMENTS, ...signals }).catch((cause) => {
    throw new DemoFailure(`${executablePath} does not start`, { cause, fix: "set KEYBOUND_CHROMIUM to a Chromium or Chrome that does" });
  });
}

function findChromium() {
  const onPath = (process.env.PATH ?? "").split(delimiter).flatMap((directory) => NAMES.map((name) => join(directory, name)));
  return [...onPath, ...ELSEWHERE].find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
