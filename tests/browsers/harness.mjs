// Pages with @keybound/browser in them, and servers that do what a test says.
import { createServer } from "node:http";
import { after, before, describe } from "node:test";
import { decodeJwt } from "jose";
import { dist } from "../support/paths.mjs";
import { serve } from "../support/static-server.mjs";
import { listen } from "../support/loopback.mjs";
import { engines } from "./engines.mjs";

/** In the page: `kb` is the package, `codeOf` tells how a promise failed, `openInWorker` opens a key in a worker of its own. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>keybound</title><script type="module" src="/page.js"></script>`;
const PAGE_SCRIPT = `
globalThis.kb = await import("/index.js");
globalThis.codeOf = (promise) => promise.then(() => "no error", (error) => error.code ?? String(error));
globalThis.openInWorker = (name) => new Promise((resolve, reject) => {
  const worker = new Worker("/worker.js", { type: "module" });
  worker.onerror = (event) => reject(new Error("worker: " + event.message));
  worker.onmessage = ({ data }) => { worker.terminate(); data.error ? reject(new Error(data.error)) : resolve(data); };
  worker.postMessage(name);
});
globalThis.ready = true;`;
const WORKER_SCRIPT = `
import { DpopKey } from "/index.js";
onmessage = async ({ data: name }) => {
  try {
    const key = await DpopKey.open(name);
    postMessage({ thumbprint: key.thumbprint, storage: key.storage, proof: await key.proof({ method: "GET", url: "https://api.example/" }) });
  } catch (error) { postMessage({ error: String(error) }); }
};`;

/**
 * Declares the tests of a file once for each engine. `declare` gets `{ name, open, site }`: `open(path)` opens a page
 * with the package in it, `site()` is where pages come from. `siteOptions()` are for `serveSite`.
 */
export function inEveryEngine(title, declare, siteOptions) {
  for (const { name, launch } of engines) {
    describe(`${title} in ${name}`, () => {
      let browser;
      let site;
      before(async () => {
        site = await serveSite(await siteOptions?.());
        browser = await launch();
      });
      after(async () => {
        await browser?.close();
        await site?.close();
      });
      const open = async (url = `${site.origin}/page.html`) => {
        const page = await browser.open(url);
        await page.run(async () => {
          while (!globalThis.ready) await new Promise((resolve) => setTimeout(resolve, 5));
        });
        return page;
      };
      declare({ name, open, site: () => site });
    });
  }
}

/** The package as a plain page loads it, under a strict Content-Security-Policy. `change` alters what is served. */
export function serveSite({ pages = {}, ...options } = {}) {
  return serve(dist.browser, {
    pages: { "/page.html": PAGE, "/page.js": PAGE_SCRIPT, "/worker.js": WORKER_SCRIPT, ...pages },
    ...options,
  });
}

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "Authorization, DPoP, Content-Type, X-Test",
  "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, patch, DELETE",
  "access-control-expose-headers": "DPoP-Nonce, WWW-Authenticate, Date",
};

/**
 * A server of another origin. `answer` gets each request with its body and the claims of its proof, and says
 * `{ status, headers, body }`; preflights are answered by themselves. `requests` are those that were not preflights.
 */
export async function serveApi(answer, { cors = CORS } = {}) {
  const requests = [];
  const server = createServer((incoming, outgoing) => {
    const chunks = [];
    incoming.on("data", (chunk) => chunks.push(chunk));
    incoming.on("end", async () => {
      if (incoming.method === "OPTIONS") {
        outgoing.writeHead(204, { ...cors, "access-control-max-age": "0" }).end();
        return;
      }
      const { dpop, authorization } = incoming.headers;
      const request = {
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString(),
        authorization,
        proof: dpop,
        claims: claimsOf(dpop),
      };
      requests.push(request);
      const { status = 200, headers = {}, body = "" } = (await answer(request, requests.length)) ?? {};
      outgoing.writeHead(status, { ...cors, "cache-control": "no-store", ...headers }).end(body);
    });
  });
  return { ...(await listen(server)), requests };
}

function claimsOf(proof) {
  try {
    return proof && decodeJwt(proof);
  } catch {
    // One that the test made up.
    return undefined;
  }
}

/** The answer that demands a nonce (RFC 9449 §9). */
export const challenge = (nonce) => ({
  status: 401,
  headers: { "www-authenticate": 'DPoP error="use_dpop_nonce", algs="ES256"', ...(nonce !== undefined && { "dpop-nonce": nonce }) },
});
