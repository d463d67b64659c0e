// The API in workerd. Its public door is a port; that of the terminator is a socket in a folder which is nobody else's, or,
// for the front, a port whose connections may say what `request.cf` is.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { edgeModules, startWorkerd } from "../support/workerd.mjs";

/** The field that the front fills; workerd reads it at the front's door only. */
export const CF_FIELD = "MF-CF-Blob";

/** `door` says whose the second one is: "terminator" (`socket` is its path) or "front" (`frontOrigin` is its address). */
export async function startApi({ door, issuers, audience, publicUrls }) {
  const folder = await mkdtemp(join(tmpdir(), "keybound-api-"));
  const socket = join(folder, "api.sock");
  const service = '(name = "main", entrypoint = "terminator")';
  const entry = { name: "worker.js", esModule: fileURLToPath(new URL("workers/api.js", import.meta.url)) };
  const worker = await startWorkerd({
    modules: [entry, ...(await edgeModules())],
    bindings: { ISSUERS: issuers, AUDIENCE: audience, PUBLIC_URLS: publicUrls },
    moreSockets: {
      [door]: {
        terminator: `address = "unix:${socket}", http = (), service = ${service}`,
        front: `address = "127.0.0.1:0", http = (cfBlobHeader = "${CF_FIELD}"), service = ${service}`,
      }[door],
    },
  }).catch(async (error) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  return {
    ...worker,
    issuers,
    folder,
    socket,
    publicOrigin: worker.origin,
    frontOrigin: `http://127.0.0.1:${worker.ports.front}`,
    async stop() {
      await worker.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
