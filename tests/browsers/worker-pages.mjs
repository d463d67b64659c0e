// Pages whose session lives in a worker, with a real authorization server and a real API of another origin.
import { build } from "esbuild";
import { join } from "node:path";
import { dist } from "../support/paths.mjs";
import { STRICT_CSP } from "../support/static-server.mjs";
import { AUDIENCE, startApi } from "./beside-api.mjs";
import { inEveryEngine } from "./harness.mjs";
import { startAuthorizationServer } from "./session-server.mjs";

/** Where the login comes back to. */
const BACK = "/back.html";
const PAGE = `<!doctype html><meta charset="utf-8"><title>worker</title><script type="module" src="/worker-page.js"></script>`;
/**
 * In the page: `start()` connects a new worker as `session`, `events` are what it told, `outcome(promise)` says how it ended, `logIn()`
 * logs in, in a window or in a frame.
 */
const PAGE_SCRIPT = `
import { connectWorker } from ${JSON.stringify(join(dist.browser, "worker/page.js"))};
const events = [];
const start = async (script = "/keybound/worker.js") => {
  globalThis.worker = new Worker(script, { type: "module" });
  return (globalThis.session = await connectWorker(worker, { onEvent: (event) => events.push(event) }));
};
const outcome = (promise) => promise.then((value) => ({ value }), (error) => ({ code: error.code ?? String(error), name: error.name, message: error.message, said: error.cause?.error }));
const frame = () => { const frame = document.createElement("iframe"); document.body.append(frame); return frame.contentWindow; };
const logIn = (options) => session.login({ window: frame(), ...options });
Object.assign(globalThis, { connectWorker, events, start, outcome, frame, logIn, ready: true });`;
const BACK_SCRIPT = `
import { returnLogin } from ${JSON.stringify(join(dist.browser, "worker/page.js"))};
returnLogin();`;
/** What an application writes; `more` stands below. */
const workerScript = (options, more) => `
import { serveWorker } from ${JSON.stringify(join(dist.browser, "worker/index.js"))};
serveWorker(${JSON.stringify(options)});
${more}`;

const bundle = async (contents) => {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: dist.browser },
    bundle: true, write: false, format: "esm", platform: "browser", target: "es2022", external: ["*.wasm"],
  });
  // The module stands beside the script.
  return outputFiles[0].text.replaceAll("./wasm/keybound_browser_bg.wasm", "/wasm/keybound_browser_bg.wasm");
};

/**
 * Declares tests in each engine. `declare` gets what `inEveryEngine` gives, and `withServers(options, work)`: work gets
 * `{ server, api, openPage }`, with pages whose worker is configured for these two; `script` is more of its script. `pages` and `headers` are of the site.
 */
export function inEveryEngineWithWorkers(title, declare, { pages: more = {}, headers = { "content-security-policy": STRICT_CSP } } = {}) {
  // Each test has its servers, and so its worker's script: room for it.
  const script = Buffer.alloc(256 * 1024, " ");
  const pages = { "/keybound/worker.js": script, [BACK]: PAGE.replace("/worker-page.js", "/back.js"), "/worker.html": PAGE, ...more };
  inEveryEngine(
    title,
    (engine) => {
      const { open, site } = engine;
      const withServers = async ({ worker: workerOptions, script: more = "", ...options }, work) => {
        const redirectUri = site().origin + BACK;
        const server = await startAuthorizationServer({ redirectUri, audience: AUDIENCE, ...options });
        const api = await startApi({ issuer: server.origin, pageOrigin: site().origin, corsHeaders: ["x-test"] });
        const openPage = () => open(`${site().origin}/worker.html`);
        try {
          const text = await bundle(workerScript({
            issuer: server.origin, clientId: "page", redirectUri, origins: [api.origin], scope: "openid orders", ...workerOptions?.({ server, api }),
          }, more));
          script.fill(" ").write(text);
          return await work({ server, api, openPage });
        } finally {
          await server.close();
          await api.close();
        }
      };
      declare({ ...engine, withServers });
    },
    async () => {
      pages["/worker-page.js"] ??= await bundle(PAGE_SCRIPT);
      pages["/back.js"] ??= await bundle(BACK_SCRIPT);
      return { pages, headers };
    },
  );
}
