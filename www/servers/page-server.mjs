// @ts-check
// Serves the page under a strict Content-Security-Policy, and starts the machine client for it: a page cannot choose a client certificate.

import { PRESENTED } from "./machine-client.mjs";

/**
 * @typedef {object} PageOptions
 * @property {Map<string, import("./page-bundle.mjs").Asset>} assets
 * @property {string} origin
 * @property {Record<string, string>} settings What the page has to know: public addresses and names.
 * @property {string[]} servers Origins that the page may call.
 * @property {import("./machine-client.mjs").MachineClient} machineClient
 * @property {import("./failure.mjs").ServerLog} log
 */

/**
 * @param {PageOptions} options
 * @returns {import("node:http").RequestListener}
 */
export function createPageServer({ assets, origin, settings, servers, machineClient, log }) {
  const headers = {
    // RFC 9449 §11.4: script that somebody injects could use the key, so none gets in. 'wasm-unsafe-eval' lets WebAssembly compile, and nothing else.
    "content-security-policy": [
      "default-src 'self'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      `connect-src 'self' ${servers.join(" ")}`,
    ].join("; "),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  };

  /** @param {import("node:http").ServerResponse} answer @param {number} status @param {unknown} value */
  const json = (answer, status, value) => answer.writeHead(status, { ...headers, "content-type": "application/json" }).end(JSON.stringify(value));

  return (request, answer) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", origin);
    const asset = assets.get(pathname === "/" ? "/index.html" : pathname);
    if (request.method === "GET" && asset !== undefined) {
      answer.writeHead(200, { ...headers, "content-type": asset.type }).end(asset.content);
    } else if (request.method === "GET" && pathname === "/settings.json") {
      json(answer, 200, settings);
    } else if (request.method === "POST" && pathname === "/machine") {
      const presented = PRESENTED.find((name) => name === searchParams.get("presents"));
      // Only for the page itself: another site's page must not make this machine act.
      if (request.headers.origin !== origin || presented === undefined) return json(answer, 400, { error: "invalid_request" });
      machineClient.call(presented).then(
        (observed) => json(answer, 200, observed),
        (error) => {
          log.add(String(error.stack ?? error));
          json(answer, 502, { error: "machine_client_failed", detail: String(error.message ?? error) });
        },
      );
    } else {
      answer.writeHead(404, { ...headers, "content-type": "text/plain" }).end("Nothing here.\n");
    }
  };
}
