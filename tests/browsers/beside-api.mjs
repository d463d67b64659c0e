// A resource server of @keybound/edge on Node, for pages of another origin: nonces required, tokens of a real authorization server.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openNodeDoor } from "../authorization-server/door.mjs";
import { dist } from "../support/paths.mjs";

const { createNodeResourceServer } = await import(pathToFileURL(join(dist.edge, "node.js")).href).catch((cause) => {
  throw new Error("dist/edge is not there: run `cargo xtask build edge` first", { cause });
});

/** What its tokens have in `aud`. */
export const AUDIENCE = "https://api.example";

/**
 * Starts it for pages of `pageOrigin`. A request that may use its token is answered with `{ sub, jkt, method, body }`; at `/refuse`
 * with 422, at `/away` with a redirect, at `/slow` not at all. `reasons` has a line for each decision, null for an acceptance.
 * Its metadata (RFC 9728) are where they belong.
 */
export async function startApi({ issuer, pageOrigin, corsHeaders = [] }) {
  const door = await openNodeDoor();
  const reasons = [];
  const server = createNodeResourceServer({
    issuer,
    audience: AUDIENCE,
    publicUrl: door.origin,
    nonce: { secrets: [randomBytes(32)] },
    cors: { origins: [pageOrigin], headers: corsHeaders },
    onDecision: ({ reason }) => reasons.push(reason ?? null),
  });
  const metadata = JSON.stringify(server.metadata(door.origin));
  door.serve(async (incoming, outgoing) => {
    if (incoming.url === "/.well-known/oauth-protected-resource") {
      outgoing.writeHead(200, { "content-type": "application/json", "access-control-allow-origin": "*" }).end(metadata);
      return;
    }
    const decision = await server.protect(incoming, outgoing);
    if (decision === null) return;
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const path = new URL(incoming.url, door.origin).pathname;
    if (path === "/slow") return;
    const answer = (status, body) => outgoing.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (path === "/away") outgoing.writeHead(302, { location: `${door.origin}/orders` }).end();
    else if (path === "/refuse") answer(422, { reason: "no such order" });
    else answer(200, { sub: decision.claims.sub, jkt: decision.claims.cnf.jkt, method: incoming.method, body: Buffer.concat(chunks).toString() });
  });
  return { origin: door.origin, reasons, close: door.close };
}
