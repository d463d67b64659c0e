// Pages with a session in them, and a person who logs in.
import { build } from "esbuild";
import { join } from "node:path";
import { dist } from "../support/paths.mjs";
import { inEveryEngine } from "./harness.mjs";
import { startAuthorizationServer } from "./session-server.mjs";

/** Where the authorization server sends the browser back to. */
const PATH = "/session.html";
const PAGE = `<!doctype html><meta charset="utf-8"><title>session</title><script type="module" src="/session-page.js"></script>`;
/** In the page: `start(issuer)` makes a session, `events` are what it said, `api(issuer)` asks the API who is logged in. */
const SCRIPT = `
import * as kb from ${JSON.stringify(join(dist.browser, "index.js"))};
import { createSession } from ${JSON.stringify(join(dist.browser, "session/index.js"))};
const events = [];
const start = (issuer, more) => (globalThis.session = createSession({
  issuer, clientId: "page", redirectUri: self.location.origin + ${JSON.stringify(PATH)}, origins: [issuer], scope: "openid", onEvent: (event) => events.push(event), ...more,
}));
const outcome = (promise) => promise.then((value) => ({ value }), (error) => ({ code: error.code ?? String(error), said: error.cause?.error, message: error.message }));
const api = async (issuer) => {
  const response = await session.fetch(issuer + "/api");
  return { status: response.status, ...(response.ok && (await response.json())) };
};
Object.assign(globalThis, { kb, createSession, events, start, outcome, api, ready: true });
// As a worker, it asks the API when it is told to.
if (!globalThis.document) {
  onmessage = async ({ data: { issuer } }) => { start(issuer); postMessage(await api(issuer).catch(String)); };
  postMessage("ready");
}`;

/** Declares tests of sessions in each engine; `declare` gets what `inEveryEngine` gives, `withServer` and `logIn`. */
export function inEveryEngineWithSessions(title, declare) {
  inEveryEngine(
    title,
    (engine) => {
      const { open, site } = engine;
      const openPage = (url = site().origin + PATH) => open(url);
      const withServer = async (options, work) => {
        const server = await startAuthorizationServer({ redirectUri: site().origin + PATH, ...options });
        try {
          return await work(server);
        } finally {
          await server.close();
        }
      };
      /** A page that came back from the server, with its answer in the address. */
      const comeBack = async (page, server, options) => {
        const url = await page.run(async ({ issuer, options }) => String(await (globalThis.session ?? start(issuer)).loginUrl(options)), { issuer: server.origin, options });
        return openPage(url);
      };
      /** Two pages of one session: where the login began, and where it was finished. */
      const logIn = async (server, options) => {
        const first = await openPage();
        await first.run((issuer) => void start(issuer), server.origin);
        const second = await comeBack(first, server, options);
        const finished = await second.run((issuer) => outcome(start(issuer).finishLogin()), server.origin);
        if (!finished.value) throw new Error(`the login failed: ${JSON.stringify(finished)}`);
        return [first, second];
      };
      declare({ ...engine, openPage, withServer, comeBack, logIn, redirectUri: () => site().origin + PATH });
    },
    async () => ({ pages: { [PATH]: PAGE, "/session-page.js": await bundle() } }),
  );
}

async function bundle() {
  const { outputFiles } = await build({
    stdin: { contents: SCRIPT, resolveDir: dist.browser },
    bundle: true, write: false, format: "esm", platform: "browser", target: "es2022", external: ["*.wasm"],
  });
  return outputFiles[0].text;
}
