// A static file server on a free loopback port: right MIME types, a strict Content-Security-Policy, nothing else.
import { createServer } from "node:http";
import { readFile, stat } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { listen } from "./loopback.mjs";

/** What the packages promise to work under. */
export const STRICT_CSP = "script-src 'self' 'wasm-unsafe-eval'";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/**
 * Serves `folder`. `types` overrides MIME types by extension, `headers` joins every answer, `pages` are files that exist
 * only here: path -> text. `requests` lists what was asked for.
 */
export async function serve(folder, { types = {}, headers = { "content-security-policy": STRICT_CSP }, pages = {} } = {}) {
  const known = { ...TYPES, ...types };
  const requests = [];
  const server = createServer(async (request, answer) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const path = decodeURIComponent(pathname).replace(/\/$/, "/index.html");
    requests.push(path);
    const body = pages[path] ?? (await read(folder, path));
    if (body === undefined) {
      answer.writeHead(404, { ...headers, "content-type": "text/plain" }).end("not found");
      return;
    }
    const type = known[extname(path)] ?? "application/octet-stream";
    answer.writeHead(200, { ...headers, "content-type": type, "cache-control": "no-store" }).end(body);
  });
  return { ...(await listen(server)), requests };
}

async function read(folder, path) {
  const file = normalize(join(folder, path));
  if (!file.startsWith(normalize(folder))) return undefined;
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() ? readFile(file) : undefined;
}
