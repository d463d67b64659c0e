// @ts-check
// Starts the API: bundles the worker, writes its configuration, runs workerd, and waits until it listens.

import { spawn } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { DemoFailure } from "../failure.mjs";
import { CF_HEADER } from "../mtls-front.mjs";
import { freePorts, noFreePort } from "../ports.mjs";
import { bundleWorker } from "./bundle.mjs";
import { workerdConfig } from "./config.mjs";

const START_TIMEOUT_MS = 20_000;

/**
 * @typedef {{ publicPort: number, frontPort: number, exited: Promise<DemoFailure>, stop(): Promise<void> }} RunningWorker
 * @typedef {object} WorkerOptions
 * @property {import("../installed-packages.mjs").Installed} installed
 * @property {number} preferredPort
 * @property {(publicPort: number) => Record<string, string>} settings
 * @property {import("../failure.mjs").ServerLog} log
 */

/**
 * @param {WorkerOptions} options
 * @returns {Promise<RunningWorker>}
 */
export async function startApiWorker({ installed, preferredPort, settings, log }) {
  const directory = join(installed.directory, "api-worker");
  await mkdir(directory, { recursive: true });
  const modules = await bundleWorker(installed, directory).catch((cause) => {
    throw new DemoFailure("the API's worker cannot be bundled", { cause, fix: "cargo xtask build" });
  });
  for await (const publicPort of freePorts(preferredPort)) {
    const file = join(directory, "config.capnp");
    await writeFile(file, workerdConfig({ modules, settings: settings(publicPort), publicPort, cfHeader: CF_HEADER }));
    await chmod(file, 0o600); // it holds the nonce secret
    const worker = await runWorkerd(file, log);
    if (worker !== "busy") return { publicPort, ...worker };
  }
  throw noFreePort(preferredPort);
}

/**
 * @param {string} configFile
 * @param {import("../failure.mjs").ServerLog} log
 * @returns {Promise<"busy" | Omit<RunningWorker, "publicPort">>} Busy: somebody took the port just now.
 */
async function runWorkerd(configFile, log) {
  const child = spawn(workerdBinary(), ["serve", configFile, "--control-fd=3"], { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const killNow = () => child.kill("SIGKILL");
  process.once("exit", killNow);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      said = (said + chunk).slice(-4096);
      log.add(String(chunk));
    });
  }

  let stopping = false;
  /** @type {Promise<DemoFailure>} */
  const exited = new Promise((resolve) => {
    /** @param {string} how */
    const ended = (how) => {
      process.off("exit", killNow);
      if (!stopping) resolve(new DemoFailure(`the API (workerd) ${how}`, { log }));
    };
    child.once("error", (error) => ended(`cannot be started: ${error.message}`));
    // Ctrl-C in a terminal reaches workerd as well as this process, which is about to stop it anyway.
    child.once("exit", (code, signal) => signal !== "SIGINT" && ended(`ended by itself (${signal ?? `exit code ${code}`})`));
  });
  const stop = async () => {
    stopping = true;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    const impatient = setTimeout(killNow, 2000);
    await gone;
    clearTimeout(impatient);
  };

  const ports = await Promise.race([listeningPorts(/** @type {import("node:stream").Readable} */ (child.stdio[3])), exited, wait(START_TIMEOUT_MS, undefined, { ref: false })]);
  if (ports instanceof Map) return { frontPort: ports.get("front") ?? 0, exited, stop };
  await stop();
  if (/address already in use/i.test(said)) return "busy";
  throw ports ?? new DemoFailure(`the API (workerd) does not listen after ${START_TIMEOUT_MS / 1000} s`, { log });
}

/**
 * workerd reports each socket's port on the control channel.
 * @param {import("node:stream").Readable} channel
 * @returns {Promise<Map<string, number>>}
 */
async function listeningPorts(channel) {
  const ports = new Map();
  for await (const line of createInterface({ input: channel })) {
    const message = JSON.parse(line);
    if (message.event === "listen") ports.set(message.socket, message.port);
    if (ports.has("public") && ports.has("front")) return ports;
  }
  return new Promise(() => {}); // it ended; the caller waits for that
}

function workerdBinary() {
  try {
    return createRequire(import.meta.url)("workerd").default;
  } catch (cause) {
    throw new DemoFailure("workerd, the Workers runtime, is not installed", { cause, fix: "cargo xtask setup" });
  }
}
