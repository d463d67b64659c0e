// A server whose answers take their time, or are large; tests see how far each one got.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { listen } from "../support/loopback.mjs";

const CORS = { "access-control-allow-origin": "*", "access-control-allow-headers": "Authorization, DPoP, Content-Type", "access-control-allow-methods": "GET, PUT" };
const MEBIBYTE = 1024 * 1024;
/** When the second piece comes, if nobody asks for it. */
const RELEASE_MS = 2000;

export const octetsOf = (mebibytes) => Buffer.alloc(mebibytes * MEBIBYTE, "keybound");
export const digestOf = (octets) => createHash("sha256").update(octets).digest("hex");

/**
 * Starts it. `/pieces` sends one piece, and another when `/release` is asked for, or after a while; `/drops` never stops; `/never` does not begin; `/large/40` is of so
 * many MiB; a PUT is answered with how many octets arrived, and their digest. `answers` are those under way and past:
 * `{ path, sent, isOpen() }`, with the octets that the network took.
 */
export async function serveBodies() {
  const answers = [];
  let release = () => {};
  const server = createServer(async (incoming, outgoing) => {
    outgoing.on("error", () => {});
    if (incoming.method === "OPTIONS") return outgoing.writeHead(204, CORS).end();
    const [, way, size] = incoming.url.split("/");
    const answer = { path: incoming.url, method: incoming.method, sent: 0, isOpen: () => !outgoing.closed };
    answers.push(answer);
    if (incoming.method === "PUT") {
      const hash = createHash("sha256");
      let octets = 0;
      for await (const chunk of incoming) {
        hash.update(chunk);
        octets += chunk.length;
      }
      return outgoing.writeHead(200, CORS).end(JSON.stringify({ octets, digest: hash.digest("hex") }));
    }
    if (way === "never") return;
    outgoing.writeHead(200, { ...CORS, "cache-control": "no-store" });
    if (way === "pieces") {
      outgoing.write("one");
      const end = () => outgoing.end("two");
      const timer = setTimeout(end, RELEASE_MS);
      release = () => {
        clearTimeout(timer);
        end();
      };
    } else if (way === "drops") {
      outgoing.write("drop");
      const drops = setInterval(() => outgoing.write("drop"), 20);
      outgoing.once("close", () => clearInterval(drops));
    } else if (way === "large") {
      const octets = octetsOf(Number(size));
      const closed = new Promise((resolve) => outgoing.once("close", resolve));
      for (let at = 0; at < octets.length && !outgoing.destroyed; at += 65_536) {
        const chunk = octets.subarray(at, at + 65_536);
        const took = outgoing.write(chunk);
        answer.sent += chunk.length;
        if (!took) await Promise.race([closed, new Promise((resolve) => outgoing.once("drain", resolve))]);
      }
      outgoing.end();
    } else {
      if (way === "release") release();
      outgoing.end("done");
    }
  });
  return { ...(await listen(server)), answers };
}
