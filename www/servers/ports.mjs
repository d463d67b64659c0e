// @ts-check
// Ports on loopback: the preferred one, or the next that is free.

import { createServer } from "node:net";
import { DemoFailure } from "./failure.mjs";

const STEPS = 50;

/**
 * Listens on 127.0.0.1, at `preferred` or the next free port; returns the port.
 * @param {import("node:net").Server} server
 * @param {number} preferred 0: any free port.
 * @returns {Promise<number>}
 */
export async function listen(server, preferred) {
  for await (const port of freePorts(preferred)) {
    if (await tryListen(server, port, "127.0.0.1")) return portOf(server);
  }
  throw noFreePort(preferred);
}

/**
 * The free ports from `preferred` on, for a server that opens its socket itself. Somebody may take one in between: ask for the next then.
 * @param {number} preferred
 * @returns {AsyncGenerator<number, void>}
 */
export async function* freePorts(preferred) {
  if (preferred === 0) return yield 0;
  for (let port = preferred; port < preferred + STEPS; port += 1) {
    if (await isFree(port)) yield port;
  }
}

/** @param {number} preferred */
export function noFreePort(preferred) {
  return new DemoFailure(`no port between ${preferred} and ${preferred + STEPS - 1} is free`, { fix: "stop what listens there, and start again" });
}

/**
 * A browser may take `localhost` for ::1 first, so a port counts as free only where nobody listens on either address.
 * @param {number} port
 */
async function isFree(port) {
  for (const host of ["127.0.0.1", "::1"]) {
    const probe = createServer();
    const free = await tryListen(probe, port, host);
    if (!free) return false;
    await new Promise((resolve) => probe.close(resolve));
  }
  return true;
}

/**
 * @param {import("node:net").Server} server
 * @param {number} port
 * @param {string} host
 * @returns {Promise<boolean>} False: the port is busy.
 */
function tryListen(server, port, host) {
  return new Promise((resolve, reject) => {
    /** @param {NodeJS.ErrnoException} error */
    const failed = (error) => {
      server.off("listening", listening);
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
      else if (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT") resolve(true); // no IPv6 here: nobody else listens there either
      else reject(error);
    };
    const listening = () => {
      server.off("error", failed);
      resolve(true);
    };
    server.once("error", failed);
    server.once("listening", listening);
    server.listen({ port, host });
  });
}

/** @param {import("node:net").Server} server */
function portOf(server) {
  const address = server.address();
  if (address === null || typeof address === "string") throw new DemoFailure("the server has no port");
  return address.port;
}
