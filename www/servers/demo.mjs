#!/usr/bin/env node
// @ts-check
// The demo: starts everything and prints where to look. With --check, plays the story in a headless browser instead.

import { explain } from "./failure.mjs";

const HELP = `The keybound demo, on real parts: an authorization server (oidc-provider), an API on the Workers runtime (workerd),
a TLS front that asks for client certificates, and a page.

Usage: node www/servers/demo.mjs [--check]

  --check   play the whole story in headless Chromium, print what was observed, exit non-zero if a step differs
  --help    this text

Environment:
  KEYBOUND_CHROMIUM      the Chromium or Chrome to use for --check
  KEYBOUND_SCREENSHOTS   with --check: a directory for pictures of the page, light and dark, wide and narrow
`;

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  console.error(explain(error));
  return 1;
});

/** @param {string[]} options @returns {Promise<number>} The exit code. */
async function main(options) {
  const unknown = options.find((option) => option !== "--check" && option !== "--help");
  if (unknown !== undefined) console.error(`error: unknown option ${unknown}\n`);
  if (unknown !== undefined || options.includes("--help")) {
    console.log(HELP);
    return unknown === undefined ? 0 : 2;
  }

  const interrupted = signalled();
  const { startDemo } = await import("./start.mjs");
  const demo = await startDemo((step) => console.error(`  ${step}`));
  try {
    const job = options.includes("--check") ? (await import("./check.mjs")).checkStory(demo) : invite(demo.addresses);
    const outcome = await Promise.race([job, interrupted, demo.failed]);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  } finally {
    await demo.stop();
  }
}

/** @param {import("./start.mjs").Addresses} addresses @returns {Promise<never>} */
function invite({ page, issuer, api, apiMtls }) {
  console.log(`
  the page               ${page}
  authorization server   ${issuer}
  API on workerd         ${api}
  API for machines       ${apiMtls}  (client certificates)

Open ${page} in a browser. Ctrl-C stops everything.`);
  return new Promise(() => {});
}

/**
 * Resolves at Ctrl-C (or a polite kill), with the shell's exit code for it. Further signals are ignored: everything is being stopped already.
 * @returns {Promise<number>}
 */
function signalled() {
  return new Promise((resolve) => {
    for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) process.on(signal, () => resolve(128 + number));
  });
}
