// The browser engines, each behind the same few methods: open a page, run a function in it.
// Chromium is driven by playwright-core; Firefox and WebKit by their own WebDriver.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { launchChromium } from "../support/chromium.mjs";

const START_LIMIT_MS = 30_000;
const SCRIPT_LIMIT_MS = 60_000;

const tools = join(process.env.KEYBOUND_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "keybound"), "tools/bin");
const MINI_BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";

const firefoxDriver = {
  command: (port) => [join(tools, "geckodriver"), ["--port", String(port), "--log", "fatal"]],
  capabilities: { browserName: "firefox", "moz:firefoxOptions": { args: ["-headless"] } },
};
const webkitDriver = {
  command: (port) => ["xvfb-run", ["-a", "WebKitWebDriver", `--port=${port}`]],
  capabilities: { "webkitgtk:browserOptions": { binary: MINI_BROWSER, args: ["--automation"] } },
};

const ENGINES = {
  chromium: launchThroughPlaywright,
  firefox: () => launchThroughWebDriver(firefoxDriver),
  webkit: () => launchThroughWebDriver(webkitDriver),
};

/** The engines that tests run in: those of KEYBOUND_ENGINES (separated by commas), or all three. */
export const engines = (process.env.KEYBOUND_ENGINES ?? "chromium,firefox,webkit").split(",").map((name) => {
  if (!(name in ENGINES)) throw new Error(`KEYBOUND_ENGINES names ${name}; there are ${Object.keys(ENGINES).join(", ")}`);
  return { name, launch: ENGINES[name] };
});

async function launchThroughPlaywright() {
  const browser = await launchChromium();
  const context = await browser.newContext();
  return {
    async open(url) {
      const page = await context.newPage();
      await page.goto(url);
      return {
        // As text, so that a function means the same in every engine; and with a limit, as WebDriver has one.
        run: (work, argument) => limited(page.evaluate(`(${work})(${JSON.stringify(argument) ?? "undefined"})`)),
        reload: () => page.reload(),
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}

/** What hangs in a page fails. */
function limited(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`script timed out after ${SCRIPT_LIMIT_MS} ms`)), SCRIPT_LIMIT_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function launchThroughWebDriver({ command, capabilities }) {
  const port = await freePort();
  const [program, args] = command(port);
  if (program.startsWith("/") && !existsSync(program)) throw new Error(`${program} is missing: run \`cargo xtask setup\``);
  // A group of its own, since xvfb-run has children.
  const driver = spawn(program, args, { stdio: "ignore", detached: true });
  const ended = new Promise((resolve) => driver.once("exit", resolve).once("error", resolve));
  const stop = async () => {
    try {
      process.kill(-driver.pid, "SIGTERM");
    } catch {
      // It ended by itself.
    }
    await ended;
  };
  try {
    const call = await session(`http://127.0.0.1:${port}`, capabilities);
    await call("POST", "/timeouts", { script: SCRIPT_LIMIT_MS });
    let first = true;
    const select = (handle) => call("POST", "/window", { handle });
    return {
      async open(url) {
        const handle = first ? await call("GET", "/window") : (await call("POST", "/window/new", { type: "tab" })).handle;
        first = false;
        await select(handle);
        await call("POST", "/url", { url });
        return {
          async run(work, argument) {
            await select(handle);
            const script = `
              const done = arguments[arguments.length - 1];
              Promise.resolve().then(() => (${work})(${JSON.stringify(argument) ?? "undefined"})).then(
                (value) => done({ value }),
                (error) => done({ error: String(error) + " " + (error && error.stack) }),
              );`;
            const { value, error } = await call("POST", "/execute/async", { script, args: [] });
            if (error !== undefined && error !== null) throw new Error(error);
            return value === null ? undefined : value;
          },
          async reload() {
            await select(handle);
            await call("POST", "/refresh", {});
          },
          // The last window would take the session with it: windows stay until the browser closes.
          close: async () => {},
        };
      },
      async close() {
        await call("DELETE", "").catch(() => {});
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts a session as soon as the driver answers, and returns how to call it. */
async function session(driver, capabilities) {
  const request = async (method, path, body) => {
    const content = body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const answer = await fetch(driver + path, { method, ...content, signal: AbortSignal.timeout(SCRIPT_LIMIT_MS + 10_000) });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${value?.error}: ${value?.message}`);
    return value;
  };
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      await request("GET", "/status");
      break;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`the WebDriver at ${driver} does not answer`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  const { sessionId } = await request("POST", "/session", { capabilities: { alwaysMatch: capabilities } });
  return (method, path, body) => request(method, `/session/${sessionId}${path}`, body);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
