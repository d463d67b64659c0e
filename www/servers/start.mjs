// @ts-check
// Starts all servers of the demo, and stops them.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { startApiWorker } from "./api-worker/start.mjs";
import { makeCertificates } from "./certificates.mjs";
import { PAGE_CLIENT, SCOPES } from "./clients.mjs";
import { ServerLog } from "./failure.mjs";
import { installPackages } from "./installed-packages.mjs";
import { createMachineClient } from "./machine-client.mjs";
import { createMtlsFront, reportToAuthorizationServer, reportToWorker } from "./mtls-front.mjs";
import { bundlePage } from "./page-bundle.mjs";
import { createPageServer } from "./page-server.mjs";
import { listen } from "./ports.mjs";

const PREFERRED = { page: 8080, issuer: 8081, api: 8082, apiMtls: 8443, issuerMtls: 8444 };

/**
 * @typedef {{ page: string, issuer: string, issuerMtls: string, api: string, apiMtls: string }} Addresses Origins.
 * @typedef {object} Demo
 * @property {Addresses} addresses
 * @property {ServerLog[]} logs
 * @property {Promise<Error>} failed Resolves if a server ends by itself.
 * @property {(step: () => unknown) => void} alsoStop Something more to stop along with it, first.
 * @property {() => Promise<void>} stop
 */

/**
 * @param {(step: string) => void} progress
 * @returns {Promise<Demo>}
 */
export async function startDemo(progress) {
  /** @type {(() => unknown)[]} */
  const undo = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    return { ...(await startAll(progress, undo)), alsoStop: (step) => undo.push(step), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * @param {(step: string) => void} progress
 * @param {(() => unknown)[]} undo
 * @returns {Promise<Omit<Demo, "stop" | "alsoStop">>}
 */
async function startAll(progress, undo) {
  const logs = { page: new ServerLog("the page's server"), issuer: new ServerLog("the authorization server"), api: new ServerLog("the API (workerd)"), fronts: new ServerLog("the TLS fronts") };
  const installed = await installPackages();
  undo.push(installed.remove);

  progress("making certificates");
  const certificates = await makeCertificates();
  const trust = { authority: certificates.authority, server: certificates.server };

  // Addresses come first, since the servers are told each other's: so all listen before the first has its handler.
  let workerPort = 0;
  let issuerPort = 0;
  const pageServer = createServer();
  const issuerServer = createServer();
  const issuerBehindFront = createServer();
  const apiFront = createMtlsFront(trust, reportToWorker, () => workerPort, logs.fronts);
  const issuerFront = createMtlsFront(trust, reportToAuthorizationServer, () => issuerPort, logs.fronts);
  for (const server of [pageServer, issuerServer, issuerBehindFront, apiFront, issuerFront]) undo.push(() => close(server));
  const page = `http://localhost:${await listen(pageServer, PREFERRED.page)}`;
  const issuer = `http://localhost:${await listen(issuerServer, PREFERRED.issuer)}`;
  issuerPort = await listen(issuerBehindFront, 0);
  const apiMtls = `https://localhost:${await listen(apiFront, PREFERRED.apiMtls)}`;
  const issuerMtls = `https://localhost:${await listen(issuerFront, PREFERRED.issuerMtls)}`;

  progress("starting the API in workerd");
  const apiOrigin = (/** @type {number} */ port) => `http://localhost:${port}`;
  const nonceSecret = randomBytes(32).toString("base64url");
  const worker = await startApiWorker({
    installed,
    preferredPort: PREFERRED.api,
    settings: (port) => ({ ISSUER: issuer, RESOURCE: apiOrigin(port), PUBLIC_ORIGIN: apiOrigin(port), MTLS_ORIGIN: apiMtls, PAGE_ORIGIN: page, NONCE_SECRET: nonceSecret }),
    log: logs.api,
  });
  undo.push(worker.stop);
  workerPort = worker.frontPort;
  const api = apiOrigin(worker.publicPort);

  progress("starting the authorization server");
  const { createAuthorizationServer } = await logs.issuer.keepConsole(() => import("./authorization-server.mjs"));
  const redirectUri = `${page}/`;
  const doors = await createAuthorizationServer({ issuer, pageOrigin: page, redirectUri, resource: api, mtlsOrigin: issuerMtls, log: logs.issuer });
  issuerServer.on("request", doors.publicDoor);
  issuerBehindFront.on("request", doors.mtlsDoor);

  progress("bundling the page");
  pageServer.on("request", createPageServer({
    assets: await bundlePage(installed),
    origin: page,
    settings: { page, issuer, api, clientId: PAGE_CLIENT, redirectUri, resource: api, scope: Object.keys(SCOPES).join(" "), apiMtls },
    servers: [issuer, api],
    machineClient: createMachineClient({ certificates, issuer, apiOrigin: apiMtls, resource: api }),
    log: logs.page,
  }));

  return { addresses: { page, issuer, issuerMtls, api, apiMtls }, logs: Object.values(logs), failed: worker.exited };
}

/** @param {import("node:http").Server | import("node:https").Server} server */
function close(server) {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
}
