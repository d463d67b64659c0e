// Workers made of the built package's own files, with no bundler between, in the Workers runtime.
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { listen } from "../support/loopback.mjs";
import { edgeModules, startWorkerd } from "../support/workerd.mjs";

/** Starts one of the workers beside this file; the package's files stand below `edge/` for it. */
export async function startWorker(name, options = {}) {
  const entry = { name: "worker.js", esModule: fileURLToPath(new URL(`./workers/${name}.js`, import.meta.url)) };
  return startWorkerd({ modules: [entry, ...(await edgeModules())], ...options });
}

/** A server on a free port. `answer(request, response)` answers; `requests` lists the paths that were asked for. */
export async function serveHttp(answer) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(request.url);
    answer(request, response);
  });
  return { ...(await listen(server)), requests };
}

/** How much memory a process has, in octets. */
export const residentMemory = (pid) => Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024;

/** The resource that clients of a worker ask for; the worker knows it by `publicUrl`. */
const RESOURCE = "https://api.example/orders";

/** Headers of a good request by the real clock. `about` goes into the proof. */
export async function credentials(issuer, client, { url = RESOURCE, token: given, ...about } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const token = given ?? (await issuer.token({ now, cnf: client.cnf }));
  return { authorization: `DPoP ${token}`, dpop: await client.proof({ token, now, url, ...about }) };
}
