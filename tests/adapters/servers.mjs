// The same API and token endpoint three times: a worker, a worker with Hono, and Node.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { AUDIENCE, ISSUER, edge } from "../edge/support.mjs";
import { bundleWorker } from "../support/bundle-worker.mjs";
import { installedPackages } from "../support/installed.mjs";
import { edgeModules, startWorkerd } from "../support/workerd.mjs";
import { SECRET, node, serveHandler } from "./support.mjs";

const file = (name) => fileURLToPath(new URL(`./workers/${name}.js`, import.meta.url));
const bindingsOf = ({ page, jwks, upstream = "" }) => ({ PAGE: page, JWKS: jwks, ISSUER, AUDIENCE, SECRET, UPSTREAM: upstream });

/** Each starts with `{ page, jwks }`: the origin whose pages may read answers, and the issuer's keys. */
export const SERVERS = {
  "a worker": async (about) => {
    const modules = [{ name: "worker.js", esModule: file("plain") }, ...(await edgeModules())];
    const worker = await startWorkerd({ modules, bindings: bindingsOf(about) });
    return { origin: worker.origin, close: worker.stop };
  },
  "a worker with Hono": startHonoWorker,
  Node: startNode,
};

let project;

/** From the installed package, bundled. */
export async function startHonoWorker(about) {
  project ??= installedPackages({ "worker.mjs": await readFile(file("hono"), "utf8") }, { only: ["edge"] });
  const worker = await startWorkerd({ modules: await bundleWorker(await project, "worker.mjs"), bindings: bindingsOf(about) });
  return { origin: worker.origin, close: worker.stop, log: worker.log };
}

/** Takes away what starting the workers left on the disk. */
export const removeProject = async () => (await project)?.remove();

async function startNode({ page, jwks }) {
  let handle;
  const server = await serveHandler((request, response) => handle(request, response));
  const common = { cors: { origins: [page], maxAge: 0 }, nonce: { secrets: [SECRET] }, publicUrl: server.origin };
  const api = node.createNodeResourceServer({ issuer: ISSUER, audience: AUDIENCE, tokens: edge.jwtTokens({ jwks }), ...common });
  const endpoint = node.createNodeTokenEndpoint(common);
  const json = (response, value) => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  const answers = {
    async "/token"(request, response) {
      if (await endpoint.preflight(request, response)) return;
      const binding = await endpoint.bind(request, response, { clientType: "public" });
      if (binding !== null) json(response, { access_token: "t", token_type: binding.tokenType, cnf: binding.cnf });
    },
    async "/orders"(request, response) {
      const auth = await api.protect(request, response, request.method === "DELETE" ? { scope: "admin" } : {});
      if (auth === null) return;
      let body = "";
      for await (const chunk of request) body += chunk;
      json(response, { sub: auth.claims.sub, body });
    },
  };
  handle = (request, response) => answers[request.url.split("?")[0]](request, response);
  return server;
}
