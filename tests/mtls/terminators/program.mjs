// A terminator of the operating system, run with one of the configurations beside it on files and ports of this run.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as wait } from "node:timers/promises";

const START_LIMIT_MS = 10_000;

/**
 * Starts `program` with `argumentsFor(path)`. The folders and the address that the configurations name become those of
 * this run: `/etc/...` and `/run/keybound` are folders of its own, `127.0.0.1:443` is a free port. `files` are written
 * there first: path -> text; `configurations` are files of ../configurations by the path that they get. `socket` is where the
 * server behind listens. Lines of a configuration that match `without` are left out.
 */
export async function startProgram({ program, argumentsFor, configurations, files, socket, without }) {
  // Nobody else may look into it: the server's socket is in there as well, and what reaches that is believed.
  const folder = await mkdtemp(join(tmpdir(), "keybound-mtls-"));
  const port = await freePort();
  const path = (name) => (name.startsWith("/run/keybound/api.sock") ? socket : join(folder, name));
  const here = (text) =>
    text.replaceAll("127.0.0.1:443", `127.0.0.1:${port}`).replace(/\/(etc|run)\/[\w./-]+/g, (name) => path(name.replace(/;$/, "")));
  for (const [name, source] of Object.entries(configurations)) {
    const lines = (await readFile(fileURLToPath(new URL(`../configurations/${source}`, import.meta.url)), "utf8")).split("\n");
    await write(path(name), here(lines.filter((line) => without === undefined || !without.test(line)).join("\n")));
  }
  for (const [name, text] of Object.entries(files)) await write(path(name), text);
  await mkdir(path("/run/keybound"), { recursive: true });

  // Only root has /usr/sbin on its PATH.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn(program, argumentsFor(path), { env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (log += chunk));
  let failure;
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve((failure = error.message)));
    child.once("exit", (code, signal) => resolve((failure = `exit ${code ?? signal}`)));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), 3000);
    await ended;
    clearTimeout(killer);
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await accepts(port))) {
    if (failure !== undefined || Date.now() > deadline) {
      await stop();
      throw new Error(`${program} does not listen (${failure ?? "no answer"}): \`cargo xtask setup ${program}\` installs it\n${log}`);
    }
    await wait(20);
  }
  return { port, stop, log: () => log };
}

async function write(file, text) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o600 });
}

function freePort() {
  const probe = createServer();
  return new Promise((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
