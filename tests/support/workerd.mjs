// The Workers runtime itself, on a port of its own choosing.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bin, dist } from "./paths.mjs";

const START_LIMIT_MS = 20_000;

/**
 * Starts a worker made of `modules`: a list of `{ name, esModule | text | wasm }`, the entry first, each naming a file
 * with an absolute path. `bindings` are JSON values by name. `durableObjects` are class names by binding, kept in the folder `storage`. `socketOptions` is Cap'n Proto text for the socket's `http`;
 * `moreSockets` is such text for sockets beside it, by name; `ports` has their ports. `v8Flags` are for all of the process.
 */
export async function startWorkerd({ modules, bindings = {}, compatibilityDate = "2026-01-01", compatibilityFlags = [], socketOptions = "", moreSockets = {}, v8Flags = [], durableObjects = {}, storage }) {
  const folder = await mkdtemp(join(tmpdir(), "keybound-workerd-"));
  const config = join(folder, "config.capnp");
  await writeFile(config, configText({ modules, bindings, compatibilityDate, compatibilityFlags, socketOptions, moreSockets, v8Flags, durableObjects, storage }));
  // File descriptor 3: workerd tells there which port it got.
  const child = spawn(bin("workerd"), ["serve", "--control-fd=3", "--import-path=/", config], { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (log += chunk));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const ports = await listeningPorts(child, ["http", ...Object.keys(moreSockets)], () => log);
    return { origin: `http://127.0.0.1:${ports.http}`, ports, stop, log: () => log, pid: child.pid };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The built package's own files as modules below `edge/`, with no bundler between. */
export async function edgeModules() {
  const files = await readdir(dist.edge, { recursive: true });
  return files.flatMap((file) => {
    const place = { name: `edge/${file}` };
    if (file.endsWith(".js")) return [{ ...place, esModule: join(dist.edge, file) }];
    return file.endsWith(".wasm") ? [{ ...place, wasm: join(dist.edge, file) }] : [];
  });
}

function listeningPorts(child, sockets, log) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`workerd did not start in time\n${log()}`)), START_LIMIT_MS);
    const fail = (why) => {
      clearTimeout(timer);
      reject(new Error(`workerd ended: ${why}\n${log()}`));
    };
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) => fail(`exit ${code ?? signal}`));
    let told = "";
    child.stdio[3].on("data", (chunk) => {
      told += chunk;
      const events = told.split("\n").slice(0, -1).map((line) => JSON.parse(line));
      const ports = Object.fromEntries(events.filter(({ event }) => event === "listen").map(({ socket, port }) => [socket, port]));
      if (sockets.every((socket) => socket in ports)) {
        clearTimeout(timer);
        resolve(ports);
      }
    });
  });
}

function configText({ modules, bindings, compatibilityDate, compatibilityFlags, socketOptions, moreSockets, v8Flags, durableObjects, storage }) {
  const quoted = (text) => JSON.stringify(text);
  const moduleLines = modules.map(({ name, ...content }) => {
    const [kind, file] = Object.entries(content)[0];
    return `(name = ${quoted(name)}, ${kind} = embed ${quoted(file)})`;
  });
  const bindingLines = Object.entries(bindings).map(([name, value]) => `(name = ${quoted(name)}, json = ${quoted(JSON.stringify(value))})`);
  for (const [name, className] of Object.entries(durableObjects)) bindingLines.push(`(name = ${quoted(name)}, durableObjectNamespace = ${quoted(className)})`);
  const namespaces = Object.values(durableObjects).map((className) => `(className = ${quoted(className)}, uniqueKey = ${quoted(className)}, enableSql = true)`);
  const others = Object.entries(moreSockets).map(([name, socket]) => `(name = ${quoted(name)}, ${socket})`);
  const disk = storage === undefined ? "" : `(name = "storage", disk = (path = ${quoted(storage)}, writable = true)),`;
  const kept = storage === undefined ? "" : `durableObjectNamespaces = [${namespaces.join(", ")}],\n  durableObjectStorage = (localDisk = "storage"),`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["private", "local"])),
    ${disk}
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (${socketOptions}), service = "main"), ${others.join(", ")}],
  v8Flags = [${v8Flags.map(quoted).join(", ")}],
);
const worker :Workerd.Worker = (
  modules = [${moduleLines.join(",\n    ")}],
  bindings = [${bindingLines.join(",\n    ")}],
  ${kept}
  compatibilityDate = ${quoted(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map(quoted).join(", ")}],
);
`;
}
