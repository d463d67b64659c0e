// Redis itself, on a socket of its own: no port to look for.
import { spawn } from "node:child_process";
import { join } from "node:path";

/** Settings under which Redis loses nothing that it acknowledged. */
const KEEPING = ["--appendonly", "yes", "--appendfsync", "always"];

/** Starts Redis on `folder`, which keeps its data between starts. `socket` is where clients find it. */
export async function startRedis(folder, { keeping = true } = {}) {
  const socket = join(folder, "redis.sock");
  const settings = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "", ...(keeping ? KEEPING : [])];
  const child = spawn("redis-server", settings, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let log = "";
  await new Promise((resolve, reject) => {
    child.once("error", (cause) => reject(new Error("redis-server did not start: `cargo xtask setup redis` installs it", { cause })));
    child.once("exit", () => reject(new Error(`redis-server ended\n${log}`)));
    child.stdout.on("data", (chunk) => {
      log += chunk;
      if (log.includes("eady to accept connections")) resolve();
    });
  });
  return {
    socket,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
