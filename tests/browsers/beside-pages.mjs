// Pages that use @keybound/browser beside another library, an authorization server (oidc-provider, nonces required) and an API
// (@keybound/edge, nonces required), and a browser that goes to the one and comes back.
import { build } from "esbuild";
import { join } from "node:path";
import { dist, root } from "../support/paths.mjs";
import { AUDIENCE, startApi } from "./beside-api.mjs";
import { inEveryEngine } from "./harness.mjs";
import { startAuthorizationServer } from "./session-server.mjs";

const PATH = "/beside.html";
const PAGE = `<!doctype html><meta charset="utf-8"><title>beside</title><script type="module" src="/beside-page.js"></script>`;

/** In every page: `kb` is the package, `redirectUri` where a login comes back to, `outcome` how a promise ended. */
const COMMON = `
import * as kb from "@keybound/browser";
const redirectUri = location.origin + ${JSON.stringify(PATH)};
const outcome = (promise) => promise.then((value) => ({ value }), (error) => ({ code: error.code, name: error.name, message: String(error) }));
Object.assign(globalThis, { kb, redirectUri, outcome });`;

/**
 * Declares tests in each engine, of pages that run `script`. `declare` gets what `inEveryEngine` gives, `openPage`,
 * `withServers(work, apiOptions)`, which starts `{ server, api }`, and `goAndComeBack(page, begin, argument)`.
 */
export function inEveryEngineBeside(title, script, declare) {
  inEveryEngine(
    title,
    (engine) => {
      const { open, site } = engine;
      const openPage = (url = site().origin + PATH) => open(url);
      const withServers = async (work, apiOptions) => {
        const server = await startAuthorizationServer({ redirectUri: site().origin + PATH, audience: AUDIENCE });
        const api = await startApi({ issuer: server.origin, pageOrigin: site().origin, ...apiOptions }).catch(async (error) => {
          await server.close();
          throw error;
        });
        try {
          return await work({ server, api });
        } finally {
          await Promise.all([server.close(), api.close()]);
        }
      };
      /** `begin` sends the page to the authorization server, which sends it back with an answer in its address. */
      const goAndComeBack = async (page, begin, argument) => {
        const before = await page.run(() => location.href);
        // It may navigate before its end is heard of.
        const cause = await page.run(begin, argument).catch((error) => error);
        const isBack = (before) => location.href !== before && location.search.includes("code=") && globalThis.ready === true;
        for (const deadline = Date.now() + 15_000; Date.now() < deadline; ) {
          // While the browser is on its way there is nothing to run in.
          if (await page.run(isBack, before).catch(() => false)) return;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error(`the browser did not come back: ${await page.run(() => `${location.href} ${document.body?.innerText}`)}`, { cause });
      };
      declare({ ...engine, openPage, withServers, goAndComeBack });
    },
    async () => ({ pages: { [PATH]: PAGE, "/beside-page.js": await bundlePage(`${COMMON}\n${script}\nglobalThis.ready = true;`) } }),
  );
}

/** A page's script with all that it imports. The package is the built one; its module is left beside the script. */
export async function bundlePage(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true, write: false, format: "esm", platform: "browser", target: "es2022",
    alias: {
      "@keybound/browser": join(dist.browser, "index.js"),
      "@keybound/browser/session": join(dist.browser, "session/index.js"),
      "@keybound/browser/oidc-client-ts": join(dist.browser, "oidc-client-ts/index.js"),
    },
    external: ["*.wasm"],
  });
  return outputFiles[0].text;
}
